//! Listeners that could not accept because there were no descriptors left.
//!
//! An edge-triggered poller does not tell again about the connection that is still in the queue,
//! so its readiness must not simply be dropped. Nor may it simply be kept: a loop that goes on
//! accepting would get the error again at once, for ever, and nothing else would run. So the
//! listener sleeps, and is told to try again when there is reason to hope: a source of this reactor
//! was closed, or a turn had events at all (somebody is at work, and may have closed something).
//! While nothing happens nothing is tried.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use crate::table::Chunk;
use crate::token::Token;

/// Those who wait for a descriptor to become free.
#[derive(Debug, Default)]
pub(crate) struct Starved {
    any: AtomicBool,
    sources: Mutex<Vec<(Arc<Chunk>, Token)>>,
}

impl Starved {
    pub(crate) fn insert(&self, chunk: &Arc<Chunk>, token: Token) {
        let mut sources = self.sources.lock();
        sources.push((Arc::clone(chunk), token));
        self.any.store(true, Ordering::Release);
    }

    /// Whether there are any: one load.
    pub(crate) fn any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    /// Those who may try again.
    pub(crate) fn take(&self) -> Vec<(Arc<Chunk>, Token)> {
        let mut sources = self.sources.lock();
        self.any.store(false, Ordering::Release);
        std::mem::take(&mut *sources)
    }
}

/// Whether `error` says that there is no room for one more descriptor.
pub(crate) fn is_exhaustion(error: &std::io::Error) -> bool {
    use rustix::io::Errno;
    let errno = error.raw_os_error().map(Errno::from_raw_os_error);
    matches!(
        errno,
        Some(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM)
    )
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::{Context, Wake, Waker};

    use crate::{Reactor, UnixStream};

    #[derive(Default)]
    struct Count(AtomicU32);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// No turn in between: who closes wakes.
    #[test]
    fn who_waits_for_a_descriptor_is_woken_by_the_one_who_closes() {
        let reactor = Reactor::new().unwrap();
        let (listener, _peer) = UnixStream::pair(&reactor).unwrap();
        let another = UnixStream::pair(&reactor).unwrap();
        let full = || Err::<(), _>(io::Error::from(rustix::io::Errno::MFILE));
        listener.starving(|_| full())(listener.get_ref()).unwrap_err();
        let count = Arc::new(Count::default());
        let waker = Waker::from(Arc::clone(&count));
        assert!(
            listener
                .poll_readable(&mut Context::from_waker(&waker))
                .is_pending()
        );
        drop(another);
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
    }

    /// Another thread closes a descriptor after the failure, and before anybody is listed to be told.
    #[test]
    fn a_descriptor_that_becomes_free_at_once_is_not_missed() {
        let reactor = Reactor::new().unwrap();
        let (listener, other) = UnixStream::pair(&reactor).unwrap();
        let (calls, other) = (Cell::new(0), RefCell::new(Some(other)));
        let accept = listener.starving(|_| {
            calls.set(calls.get() + 1);
            match other.take() {
                Some(closed) => {
                    drop(closed);
                    Err(io::Error::from(rustix::io::Errno::MFILE))
                }
                None => Ok("accepted"),
            }
        });
        assert_eq!(accept(listener.get_ref()).unwrap(), "accepted");
        assert_eq!(calls.get(), 2);
    }
}
