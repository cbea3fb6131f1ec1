//! Any descriptor as something a task can wait for.

use std::fmt;
use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use crate::Reactor;
use crate::descriptor::is_ready_now;
use crate::reactor::Core;
use crate::readiness::{Direction, Word};
use crate::registration::{FirstRead, Registration, Waiting};
use crate::short_reads::ShortReads;
use crate::slot::Waiter;
use crate::starved::is_exhaustion;

/// A descriptor registered with a reactor.
///
/// The value must be in non-blocking mode if its operations are to be used through
/// [`read_with`](Source::read_with) and [`write_with`](Source::write_with); `Source` changes no
/// flags, since they belong to the *file description*, which may be shared with other processes.
/// The value's [`AsFd`] must return the same descriptor all its life.
///
/// Any number of tasks may wait for one source, in either direction: all are woken. Dropping a
/// future that waits takes its waker back and loses nothing.
///
/// ```
/// use std::io::{Read, Write};
/// use std::os::unix::net::UnixStream;
/// use reactor::{Reactor, Source};
///
/// # fn main() -> std::io::Result<()> {
/// # let reactor = Reactor::new()?;
/// # let driver = reactor.clone();
/// # std::thread::spawn(move || while driver.poll(None).is_ok() {});
/// let (ours, mut theirs) = UnixStream::pair()?;
/// ours.set_nonblocking(true)?;
/// let source = Source::new(&reactor, ours)?;
/// let reader = std::thread::spawn(move || {
///     let mut bytes = [0; 8];
///     futures_lite::future::block_on(source.read_with(|mut io| io.read(&mut bytes)))
/// });
/// theirs.write_all(b"hello")?;
/// assert_eq!(reader.join().unwrap()?, 5);
/// # Ok(())
/// # }
/// ```
pub struct Source<T: AsFd> {
    registration: Registration,
    /// `None` only between `into_inner` or `drop` and the end.
    io: Option<T>,
    pub(crate) short_reads: ShortReads,
}

impl<T: AsFd> Source<T> {
    /// Registers `io`: one system call.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] for what has no readiness (regular files, directories, and on
    /// Linux also `/dev/null`), [`ErrorKind::AlreadyExists`] if the descriptor is registered
    /// already, and what else the kernel says.
    pub fn new(reactor: &Reactor, io: T) -> io::Result<Source<T>> {
        Source::on(&reactor.core, io, FirstRead::Tried)
    }

    pub(crate) fn on(core: &Arc<Core>, io: T, first: FirstRead) -> io::Result<Source<T>> {
        let registration = Registration::new(core, io.as_fd(), first)?;
        Ok(Source {
            registration,
            io: Some(io),
            short_reads: ShortReads::ProveNothing,
        })
    }

    pub(crate) fn core(&self) -> &Arc<Core> {
        self.registration.core()
    }

    /// The value itself.
    ///
    /// An operation done on it directly does not tell the source that the descriptor is drained.
    /// That is safe: [`readable`](Source::readable) and [`writable`](Source::writable) ask the
    /// kernel, and `read_with` simply tries.
    #[expect(
        clippy::missing_panics_doc,
        reason = "the value is there until the source ends"
    )]
    pub fn get_ref(&self) -> &T {
        self.io
            .as_ref()
            .expect("present until the source is dropped")
    }

    /// Deregisters the descriptor and gives the value back.
    #[expect(
        clippy::missing_panics_doc,
        reason = "the value is there until the source ends"
    )]
    pub fn into_inner(mut self) -> T {
        self.registration.end(self.fd());
        self.io.take().expect("present until the source is dropped")
    }

    fn fd(&self) -> BorrowedFd<'_> {
        self.get_ref().as_fd()
    }

    /// Completes when a read would not block: there is data, the end of the stream, or an error.
    ///
    /// True when it completes, as it asks the kernel once more (one cheap system call). Where
    /// you do the reading yourself, [`read_with`](Source::read_with) is the shorter way. For files
    /// that something else reads (a database client, a watcher) this is the right one.
    ///
    /// When the future is dropped, the source is as ready as it was.
    ///
    /// # Errors
    ///
    /// When the reactor has been dropped.
    pub async fn readable(&self) -> io::Result<()> {
        self.verified(Direction::Read).await
    }

    /// Completes when a write would not block. The counterpart of [`readable`](Source::readable),
    /// also when it is dropped.
    ///
    /// # Errors
    ///
    /// When the reactor has been dropped.
    pub async fn writable(&self) -> io::Result<()> {
        self.verified(Direction::Write).await
    }

    /// Does `operation` as soon as it does not return [`ErrorKind::WouldBlock`], waiting for the
    /// descriptor to become readable in between.
    ///
    /// The future can be dropped only between two tries, the last of which would have
    /// blocked. So nothing is lost that `operation` does by one system call.
    ///
    /// # Errors
    ///
    /// What the operation returns, except `WouldBlock` and `Interrupted`; and where it would have to
    /// wait, that the reactor has been dropped.
    pub async fn read_with<R>(
        &self,
        mut operation: impl FnMut(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        let mut waiting = Waiting::new(&self.registration);
        poll_fn(|cx| {
            self.poll_io(
                Direction::Read,
                &mut waiting.waiter,
                cx,
                &mut operation,
                never,
            )
        })
        .await
    }

    /// Does `operation` as soon as it does not return [`ErrorKind::WouldBlock`], waiting for the
    /// descriptor to become writable in between.
    ///
    /// Dropping the future: as with [`read_with`](Source::read_with).
    ///
    /// # Errors
    ///
    /// What the operation returns, except `WouldBlock` and `Interrupted`; and where it would have to
    /// wait, that the reactor has been dropped.
    pub async fn write_with<R>(
        &self,
        mut operation: impl FnMut(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        let mut waiting = Waiting::new(&self.registration);
        poll_fn(|cx| {
            self.poll_io(
                Direction::Write,
                &mut waiting.waiter,
                cx,
                &mut operation,
                never,
            )
        })
        .await
    }

    /// Whether a read is worth trying; if not, wakes the task when it is. For poll-style code.
    ///
    /// Each direction has one place for a task of this kind: the last to poll is woken. (Futures
    /// such as [`readable`](Source::readable) have places of their own.)
    ///
    /// # Errors
    ///
    /// When the reactor has been dropped.
    pub fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_verified(Direction::Read, &mut Waiter::Owner, cx)
    }

    /// Whether a write is worth trying; if not, wakes the task when it is.
    ///
    /// # Errors
    ///
    /// When the reactor has been dropped.
    pub fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_verified(Direction::Write, &mut Waiter::Owner, cx)
    }

    /// [`read_with`](Source::read_with) for poll-style code; one task at a time.
    ///
    /// # Errors
    ///
    /// As for [`read_with`](Source::read_with).
    #[inline]
    pub fn poll_read_with<R>(
        &self,
        cx: &mut Context<'_>,
        operation: impl FnMut(&T) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        self.poll_io(Direction::Read, &mut Waiter::Owner, cx, operation, never)
    }

    /// [`write_with`](Source::write_with) for poll-style code; one task at a time.
    ///
    /// # Errors
    ///
    /// As for [`write_with`](Source::write_with).
    #[inline]
    pub fn poll_write_with<R>(
        &self,
        cx: &mut Context<'_>,
        operation: impl FnMut(&T) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        self.poll_io(Direction::Write, &mut Waiter::Owner, cx, operation, never)
    }

    /// For accepting: an operation that fails for want of descriptors or memory returns its error,
    /// and the next one waits until there is hope. See [`crate::starved`].
    pub(crate) fn starving<R>(
        &self,
        operation: impl Fn(&T) -> io::Result<R>,
    ) -> impl Fn(&T) -> io::Result<R> {
        move |io| {
            let seen = self.registration.slot().load();
            let result = operation(io);
            if !result.as_ref().is_err_and(is_exhaustion) {
                return result;
            }
            // Listed, and then tried again: whoever closes a descriptor now finds it in the list,
            // and who did so before has made room.
            self.registration.hope();
            let result = operation(io);
            if result.as_ref().is_err_and(is_exhaustion) {
                self.registration.rest(Direction::Read, seen);
            }
            result
        }
    }

    /// The heart: try while it may succeed, sleep when it cannot.
    #[inline(always)] // what returns less after a system call costs less: see `crate::returns`
    pub(crate) fn poll_io<R>(
        &self,
        direction: Direction,
        waiter: &mut Waiter,
        cx: &mut Context<'_>,
        mut operation: impl FnMut(&T) -> io::Result<R>,
        drains: impl Fn(&R) -> bool,
    ) -> Poll<io::Result<R>> {
        loop {
            let seen = ready!(self.poll_word(direction, waiter, cx))?;
            match operation(self.get_ref()) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.registration.slot().drained(direction, seen);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Ok(result) => {
                    if drains(&result) && seen.short_read_drains() {
                        self.registration.slot().drained(direction, seen);
                    }
                    return Poll::Ready(Ok(result));
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    #[inline(always)]
    fn poll_word(
        &self,
        direction: Direction,
        waiter: &mut Waiter,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Word>> {
        self.registration
            .poll_ready(|| self.fd(), direction, waiter, cx)
    }

    async fn verified(&self, direction: Direction) -> io::Result<()> {
        let mut waiting = Waiting::new(&self.registration);
        poll_fn(|cx| self.poll_verified(direction, &mut waiting.waiter, cx)).await
    }

    /// Ready by our book is only a guess (see [`crate::readiness`]): ask the kernel, and if it
    /// disagrees, correct the book and sleep.
    fn poll_verified(
        &self,
        direction: Direction,
        waiter: &mut Waiter,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let seen = ready!(self.poll_word(direction, waiter, cx))?;
            if is_ready_now(self.fd(), direction)? {
                return Poll::Ready(Ok(()));
            }
            self.registration.slot().drained(direction, seen);
        }
    }
}

/// Whether an operation drained the descriptor, for those of which nothing is known.
fn never<R>(_: &R) -> bool {
    false
}

/// The value is never pinned: operations get `&T`.
impl<T: AsFd> Unpin for Source<T> {}

impl<T: AsFd> Drop for Source<T> {
    fn drop(&mut self) {
        let Some(io) = self.io.take() else { return };
        self.registration.end(io.as_fd());
        drop(io);
        self.core().closed_one();
    }
}

impl<T: AsFd> AsFd for Source<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd()
    }
}

impl<T: AsFd + fmt::Debug> fmt::Debug for Source<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("io", &self.io)
            .finish_non_exhaustive()
    }
}
