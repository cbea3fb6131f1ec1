//! Watching the reactor at work: what an observer is told.

use std::fmt;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use crate::contain::contain;
use crate::readiness::{Direction, Ready};
use crate::token::Token;

/// A source's number. No two sources of one reactor have the same (before one place in its table
/// has been used again 2^32 times).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(u64);

impl SourceId {
    /// The number itself: the source's place in the table, and above it (in the upper half, if it
    /// has one) how many sources had that place before.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0
    }
}

impl From<Token> for SourceId {
    fn from(token: Token) -> SourceId {
        SourceId(token.key() as u64)
    }
}

/// `@3`, and `@3'2` for the third source at the same place.
impl fmt::Display for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = Token::from_key(self.0 as usize);
        match token.generation() {
            0 => write!(f, "@{}", token.index()),
            before => write!(f, "@{}'{before}", token.index()),
        }
    }
}

impl fmt::Debug for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SourceId({self})")
    }
}

/// Told what a reactor does. A reactor that has none pays nothing for the possibility.
///
/// A poll is told as `waits`, `waited`, then `ready` for each source with its wakes, `delivered`.
/// Calls come from inside the reactor, on the thread that does what they tell of, and with some of
/// its locks held: an observer must not use that reactor or its sources. Its panics are contained.
///
/// ```
/// use std::io::Write;
/// use std::os::fd::BorrowedFd;
/// use std::sync::{Arc, Mutex};
/// use std::task::{Context, Waker};
/// use reactor::{Direction, Observer, Reactor, Ready, SourceId, UnixStream};
///
/// #[derive(Clone, Default)]
/// struct Trace(Arc<Mutex<Vec<String>>>);
///
/// impl Observer for Trace {
///     fn registered(&self, source: SourceId, _: BorrowedFd<'_>) {
///         self.0.lock().unwrap().push(format!("{source} registered"));
///     }
///     fn waits_for(&self, source: SourceId, direction: Direction) {
///         self.0.lock().unwrap().push(format!("{source} awaited: {direction:?}"));
///     }
///     fn ready(&self, source: SourceId, ready: Ready) {
///         if ready.contains(Ready::READABLE) {
///             self.0.lock().unwrap().push(format!("{source} readable"));
///         }
///     }
/// }
///
/// # fn main() -> std::io::Result<()> {
/// let trace = Trace::default();
/// let reactor = Reactor::builder().observer(trace.clone()).build()?;
/// let (ours, mut theirs) = std::os::unix::net::UnixStream::pair()?;
/// let stream = UnixStream::from_std(&reactor, ours)?;
/// assert!(stream.poll_readable(&mut Context::from_waker(Waker::noop())).is_pending());
/// theirs.write_all(b"tea")?;
/// reactor.poll(None)?;
/// assert_eq!(*trace.0.lock().unwrap(), ["@0 registered", "@0 awaited: Read", "@0 readable"]);
/// # Ok(())
/// # }
/// ```
pub trait Observer: Send + Sync {
    /// A source comes. Told before the kernel is, so that no news of it can come first; if the
    /// kernel refuses it, [`deregistered`](Observer::deregistered) follows.
    fn registered(&self, source: SourceId, fd: BorrowedFd<'_>) {
        let _ = (source, fd);
    }

    /// A source has gone. A thread that polls at the same time may still tell of it, once.
    fn deregistered(&self, source: SourceId) {
        let _ = source;
    }

    /// A task found nothing to do and left its waker with the source. Told within the task's poll.
    fn waits_for(&self, source: SourceId, direction: Direction) {
        let _ = (source, direction);
    }

    /// A poll is about to wait, at most this long (`None`: for ever). Zero is a mere look: because
    /// the caller wanted no more, or because somebody has used the reactor's waker already.
    fn waits(&self, timeout: Option<Duration>) {
        let _ = timeout;
    }

    /// The wait is over. `events` is how many the poller had, the reactor's own wake-up included.
    fn waited(&self, events: usize) {
        let _ = events;
    }

    /// A source has news. The wakes that follow on this thread, until the next notice of this kind
    /// or [`delivered`](Observer::delivered), are of the tasks that waited for it.
    ///
    /// Also told when a listener that could not accept for want of descriptors may try again:
    /// within a poll, or where a source is dropped.
    fn ready(&self, source: SourceId, ready: Ready) {
        let _ = (source, ready);
    }

    /// All have been told and woken: of how many sources there was news. Ends a poll, and the
    /// notices at the drop of a source if there were any.
    fn delivered(&self, sources: usize) {
        let _ = sources;
    }
}

/// The observer, if there is one, with its panics contained.
#[derive(Default)]
pub(crate) struct Watch(Option<Box<dyn Observer>>);

impl Watch {
    pub(crate) fn by(observer: impl Observer + 'static) -> Watch {
        Watch(Some(Box::new(observer)))
    }

    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// The observer, for who contains its panics himself.
    #[inline]
    pub(crate) fn observer(&self) -> Option<&dyn Observer> {
        self.0.as_deref()
    }

    #[inline]
    pub(crate) fn tell(&self, notice: impl FnOnce(&dyn Observer)) {
        if let Some(observer) = &self.0 {
            contain(|| notice(&**observer));
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Watch").field(&self.is_on()).finish()
    }
}
