//! The room of a chat: everybody hears everybody, and a slow guest is only behind.
//!
//! It is one text that grows. A guest's reader appends lines to it, a guest's writer sends from
//! where that guest has got to. So a slow guest holds up nobody and needs no queue of its own, and
//! one write carries all that was said since the last. (A room open for days would cut off what
//! all have heard.) It knows no sockets: whatever has the I/O traits of `futures` can be a guest,
//! `examples/chat.rs` over TCP, `tests/simulation` over wires made of chance.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Poll, Waker};

use futures::{AsyncRead, AsyncReadExt, AsyncWrite};

/// The longest line a guest may say, in bytes.
pub const LINE_MAX: usize = 4096;

/// A room; clones are the same one. Of one thread.
#[derive(Clone, Debug, Default)]
pub struct Room {
    shared: Rc<RefCell<Talk>>,
}

#[derive(Debug, Default)]
struct Talk {
    said: Vec<u8>,
    /// Writers that have sent all of it.
    waiting: Vec<Waker>,
    guests: usize,
}

/// Counts a guest for as long as it is there.
struct Presence(Room);

impl Drop for Presence {
    fn drop(&mut self) {
        self.0.shared.borrow_mut().guests -= 1;
    }
}

impl Room {
    /// All that was said so far.
    #[must_use]
    pub fn said(&self) -> Vec<u8> {
        self.shared.borrow().said.clone()
    }

    /// Guests that are there.
    #[must_use]
    pub fn guests(&self) -> usize {
        self.shared.borrow().guests
    }

    /// A guest from coming to leaving: until it has closed its side, or its connection breaks.
    ///
    /// # Errors
    /// The transport's; and a line that is too long.
    pub async fn welcome(
        self,
        reader: impl AsyncRead + Unpin,
        writer: impl AsyncWrite + Unpin,
    ) -> io::Result<()> {
        self.shared.borrow_mut().guests += 1;
        let _presence = Presence(self.clone());
        let (mut hears, mut tells) = (pin!(self.hear(reader)), pin!(self.tell(writer)));
        poll_fn(|cx| match hears.as_mut().poll(cx) {
            Poll::Ready(end) => Poll::Ready(end),
            Poll::Pending => tells.as_mut().poll(cx),
        })
        .await
    }

    /// From the guest into the room, whole lines at a time.
    async fn hear(&self, mut reader: impl AsyncRead + Unpin) -> io::Result<()> {
        let (mut begun, mut bytes) = (Vec::new(), [0; 512]);
        loop {
            let length = reader.read(&mut bytes).await?;
            if length == 0 {
                return Ok(());
            }
            begun.extend_from_slice(&bytes[..length]);
            if let Some(end) = begun.iter().rposition(|&byte| byte == b'\n') {
                self.say(&begun[..=end]);
                begun.drain(..=end);
            }
            if begun.len() > LINE_MAX {
                return Err(io::Error::other("a line without end"));
            }
        }
    }

    fn say(&self, lines: &[u8]) {
        let mut talk = self.shared.borrow_mut();
        talk.said.extend_from_slice(lines);
        talk.waiting.drain(..).for_each(Waker::wake);
    }

    /// From the room to the guest, from where it has got to.
    async fn tell(&self, mut writer: impl AsyncWrite + Unpin) -> io::Result<()> {
        let mut sent = 0;
        poll_fn(|cx| {
            loop {
                let mut talk = self.shared.borrow_mut();
                if sent == talk.said.len() {
                    if !talk.waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
                        talk.waiting.push(cx.waker().clone());
                    }
                    return Poll::Pending;
                }
                match pin!(&mut writer).poll_write(cx, &talk.said[sent..]) {
                    Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                    Poll::Ready(Ok(length)) => sent += length,
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => return Poll::Pending,
                }
            }
        })
        .await
    }
}
