//! Buffers that are lent for a read, and not owned by a connection.
//!
//! A connection that owns a 16 KiB buffer keeps it while it is idle, and a thousand busy ones
//! together have more buffer than the cache has room. So a buffer is taken only when a read is
//! worth trying, and goes back as soon as its bytes have been dealt with: ten thousand idle
//! connections hold none, and a thousand busy ones share the few that are warm.

use std::fmt;
use std::future::poll_fn;
use std::io::{self, Read};
use std::ops::{Deref, DerefMut};
use std::os::fd::AsFd;
use std::task::{Context, Poll};

use parking_lot::Mutex;

use crate::source::Source;

/// A pool of buffers of one size. The one returned last is lent first: it is still in the cache.
///
/// ```
/// # fn main() -> std::io::Result<()> {
/// use reactor::{Buffers, Reactor, UnixStream};
/// # let reactor = Reactor::new()?;
/// # let driver = reactor.clone();
/// # std::thread::spawn(move || while driver.poll(None).is_ok() {});
/// let buffers = Buffers::new(16 * 1024);
/// let (one, other) = UnixStream::pair(&reactor)?;
/// std::io::Write::write_all(&mut other.get_ref(), b"hello")?;
/// futures_lite::future::block_on(async {
///     let lent = one.read_lent(&buffers).await?;       // waits without holding a buffer
///     assert_eq!(&lent[..], b"hello");
///     assert_eq!(buffers.spare(), 0);
///     drop(lent);                                      // and here it goes back
///     assert_eq!(buffers.spare(), 1);
///     Ok(())
/// })
/// # }
/// ```
pub struct Buffers {
    size: usize,
    spare: Mutex<Vec<Box<[u8]>>>,
}

impl Buffers {
    /// An empty pool: buffers of `size` bytes are made when they are needed, and kept.
    ///
    /// # Panics
    ///
    /// If `size` is zero: a read into nothing tells nothing.
    #[must_use]
    pub fn new(size: usize) -> Buffers {
        assert!(size > 0, "a buffer needs room");
        Buffers {
            size,
            spare: Mutex::default(),
        }
    }

    /// How many buffers lie idle.
    pub fn spare(&self) -> usize {
        self.spare.lock().len()
    }

    /// Frees the idle buffers, after a peak.
    pub fn shrink(&self) {
        let spare = std::mem::take(&mut *self.spare.lock());
        drop(spare);
    }

    fn lend(&self) -> Lent<'_> {
        let spare = self.spare.lock().pop();
        let bytes = spare.unwrap_or_else(|| vec![0; self.size].into_boxed_slice());
        Lent {
            bytes,
            len: 0,
            home: self,
        }
    }
}

/// What was read, in a buffer that goes back to its pool when this is dropped.
pub struct Lent<'a> {
    bytes: Box<[u8]>,
    len: usize,
    home: &'a Buffers,
}

impl Deref for Lent<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl DerefMut for Lent<'_> {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.len]
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        self.home.spare.lock().push(std::mem::take(&mut self.bytes));
    }
}

impl<T: AsFd> Source<T>
where
    for<'a> &'a T: Read,
{
    /// Reads what there is, into a buffer lent from `buffers`. Empty at the end of the stream.
    ///
    /// While it waits it holds no buffer; dropping the future loses nothing. One task at a time:
    /// it takes the place of the poll-style reader.
    ///
    /// # Errors
    ///
    /// What the kernel says.
    pub async fn read_lent<'b>(&self, buffers: &'b Buffers) -> io::Result<Lent<'b>> {
        poll_fn(|cx| self.poll_read_lent(cx, buffers)).await
    }

    /// [`read_lent`](Source::read_lent) for poll-style code.
    ///
    /// # Errors
    ///
    /// What the kernel says.
    pub fn poll_read_lent<'b>(
        &self,
        cx: &mut Context<'_>,
        buffers: &'b Buffers,
    ) -> Poll<io::Result<Lent<'b>>> {
        let mut lent: Option<Lent<'b>> = None;
        let result = self.poll_read_bytes(cx, |io| {
            let lent = lent.get_or_insert_with(|| buffers.lend());
            self.read_once(io, &mut lent.bytes)
        });
        result.map_ok(|len| {
            let mut lent = lent.take().unwrap_or_else(|| buffers.lend());
            lent.len = len;
            lent
        })
    }
}

impl fmt::Debug for Buffers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffers")
            .field("size", &self.size)
            .field("spare", &self.spare())
            .finish()
    }
}

impl fmt::Debug for Lent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lent")
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}
