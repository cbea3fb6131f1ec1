//! Whether a connection is busy: requests that are being answered, and bytes that go out.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::{Context, Poll};

use futures::task::AtomicWaker;
use hyper::body::{Body, Frame, SizeHint};
use hyper::rt;

/// What a connection is at.
///
/// With HTTP/2 an answer may end in another task, maybe on another thread, and then the connection
/// has to be woken, since its silence begins. With HTTP/1 it ends within the connection's own
/// poll, which looks afterwards; waking it would be one poll more for every request. So the
/// connection notes when it is being polled. That nothing is missed in between takes an order over
/// two words, `SeqCst` on both sides: the connection notes `polled = false`, then reads `busy`; an
/// answer that ends counts `busy` down, then reads `polled`. Whichever came first is seen by the
/// other.
#[derive(Debug, Default)]
pub(super) struct Activity {
    busy: AtomicU32,
    polled: AtomicBool,
    connection: AtomicWaker,
    /// There was a request at all.
    served: AtomicBool,
    /// Something was written since the last look: an answer that is ready may take a slow client
    /// longer than silence may last. Relaxed: read by the task that writes.
    wrote: AtomicBool,
}

impl Activity {
    /// Polls the connection; what ends meanwhile need not wake it.
    pub(super) fn while_polled<'a, 'cx, T>(
        &self,
        cx: &'a mut Context<'cx>,
        poll: impl FnOnce(&'a mut Context<'cx>) -> T,
    ) -> T {
        self.connection.register(cx.waker());
        self.polled.store(true, Ordering::SeqCst);
        let polled = poll(cx);
        self.polled.store(false, Ordering::SeqCst);
        polled
    }

    /// Whether a request is being answered.
    pub(super) fn is_busy(&self) -> bool {
        self.busy.load(Ordering::SeqCst) > 0
    }

    /// Whether there was a request at all.
    pub(super) fn served(&self) -> bool {
        self.served.load(Ordering::Relaxed)
    }

    /// Whether something was written since the last call.
    pub(super) fn wrote(&self) -> bool {
        self.wrote.load(Ordering::Relaxed) && self.wrote.swap(false, Ordering::Relaxed)
    }

    fn note_writing<T>(&self, written: Poll<T>) -> Poll<T> {
        if written.is_ready() {
            self.wrote.store(true, Ordering::Relaxed);
        }
        written
    }
}

/// A request that is being answered; until it is dropped the connection is busy.
pub(super) struct Busy(Arc<Activity>);

impl Busy {
    pub(super) fn new(activity: &Arc<Activity>) -> Self {
        activity.busy.fetch_add(1, Ordering::SeqCst);
        activity.served.store(true, Ordering::Relaxed);
        Self(Arc::clone(activity))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::SeqCst);
        if !self.0.polled.load(Ordering::SeqCst) {
            self.0.connection.wake();
        }
    }
}

/// The body of an answer; the connection is busy until it is sent.
pub(super) struct Watched<B> {
    pub(super) body: B,
    #[expect(dead_code, reason = "held for its drop")]
    pub(super) busy: Busy,
}

impl<B: Body + Unpin> Body for Watched<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A transport that notes when something was written.
pub(super) struct Noted<T> {
    pub(super) transport: T,
    pub(super) activity: Arc<Activity>,
}

impl<T: rt::Read + Unpin> rt::Read for Noted<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        cursor: rt::ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.transport).poll_read(cx, cursor)
    }
}

impl<T: rt::Write + Unpin> rt::Write for Noted<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.transport).poll_write(cx, bytes);
        self.activity.note_writing(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.transport).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.transport).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.transport.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.transport).poll_write_vectored(cx, slices);
        self.activity.note_writing(written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU32;
    use std::task::{Wake, Waker};

    #[derive(Default)]
    struct Count(AtomicU32);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn an_answer_that_ends_elsewhere_wakes_the_connection_and_one_that_ends_within_does_not() {
        let (activity, count) = (Arc::new(Activity::default()), Arc::new(Count::default()));
        let waker = Waker::from(Arc::clone(&count));
        let mut cx = Context::from_waker(&waker);
        let within = Busy::new(&activity);
        activity.while_polled(&mut cx, |_| drop(within));
        assert!(!activity.is_busy());
        assert_eq!(count.0.load(Ordering::Relaxed), 0);
        let elsewhere = activity.while_polled(&mut cx, |_| Busy::new(&activity));
        assert!(activity.is_busy());
        drop(elsewhere);
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
    }
}
