//! Text that a session has shown and that has not gone out yet. Pure: no I/O in it.
//!
//! On one side the session puts text in, never waits to do so, and may ask for room, for all of
//! it to be gone, or for bad news. On the other side a carrier takes it out: the thread that
//! writes standard output ([`console`](super::console)), or an HTTP connection.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;

/// How many bytes may be waiting before there is no more room.
pub const ROOM: usize = 1 << 20;

/// Where a session's outputs go. Clones are the same display.
#[derive(Clone, Debug, Default)]
pub struct Display {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// Shown, not yet taken out.
    collected: Vec<u8>,
    /// How many bytes were taken out and have not gone out yet.
    underway: usize,
    /// Nothing more will be shown.
    complete: bool,
    /// Why nothing more can go out.
    broken: Option<io::Error>,
    /// Whoever takes text out, when there is none.
    carrier: Option<Waker>,
    /// The session, when it waits for room or for all to be gone.
    waits: Option<Waker>,
    /// The session, to be told bad news. Apart from the above: were it woken by each write, a
    /// session that shows what it does when woken would never sleep again.
    alarm: Option<Waker>,
}

impl Display {
    /// Takes text to be shown. Never waits; dropped once the display is broken.
    pub fn show(&self, text: &str) {
        let mut state = self.state.lock();
        if state.broken.is_none() {
            state.collected.extend_from_slice(text.as_bytes());
            let carrier = state.carrier.take();
            drop(state);
            wake([carrier]);
        }
    }

    /// Ready when there is room for more, or the display is broken.
    pub fn poll_room(&self, cx: &Context<'_>) -> Poll<()> {
        self.poll_until(cx, |state| state.collected.len() + state.underway < ROOM)
    }

    /// Ready when all that was shown has gone out, or the display is broken.
    pub fn poll_written(&self, cx: &Context<'_>) -> Poll<()> {
        self.poll_until(cx, |state| state.collected.len() + state.underway == 0)
    }

    /// Ready, with the reason, when nothing more can go out.
    pub fn poll_broken(&self, cx: &Context<'_>) -> Poll<io::Error> {
        let mut state = self.state.lock();
        match &state.broken {
            Some(error) => Poll::Ready(io::Error::new(error.kind(), error.to_string())),
            None => {
                state.alarm = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    /// Takes out all there is; it counts as underway until [`sent`](Self::sent). Ready with
    /// `None` when nothing more will come.
    pub fn poll_take(&self, cx: &Context<'_>) -> Poll<Option<Vec<u8>>> {
        let mut state = self.state.lock();
        if !state.collected.is_empty() {
            state.underway = state.collected.len();
            return Poll::Ready(Some(std::mem::take(&mut state.collected)));
        }
        if state.complete || state.broken.is_some() {
            return Poll::Ready(None);
        }
        state.carrier = Some(cx.waker().clone());
        Poll::Pending
    }

    /// What was taken out has gone out.
    pub fn sent(&self) {
        let mut state = self.state.lock();
        state.underway = 0;
        let waits = state.waits.take();
        drop(state);
        wake([waits]);
    }

    /// Nothing more will be shown: after what there is, the carrier is told of the end.
    pub fn complete(&self) {
        let mut state = self.state.lock();
        state.complete = true;
        let carrier = state.carrier.take();
        drop(state);
        wake([carrier]);
    }

    /// Nothing more can go out.
    pub fn broke(&self, error: io::Error) {
        let mut state = self.state.lock();
        state.broken.get_or_insert(error);
        (state.collected, state.underway) = (Vec::new(), 0);
        let all = [state.waits.take(), state.alarm.take(), state.carrier.take()];
        drop(state);
        wake(all);
    }

    fn poll_until(&self, cx: &Context<'_>, enough: impl Fn(&State) -> bool) -> Poll<()> {
        let mut state = self.state.lock();
        if state.broken.is_some() || enough(&state) {
            return Poll::Ready(());
        }
        state.waits = Some(cx.waker().clone());
        Poll::Pending
    }
}

/// Wakes those who wait. Never under the lock: on several threads they may be polled, and ask
/// for it, before the wake returns.
fn wake<const N: usize>(wakers: [Option<Waker>; N]) {
    wakers.into_iter().flatten().for_each(Waker::wake);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::Wake;

    #[derive(Default)]
    struct Count(AtomicU32);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn room_ends_and_comes_back() {
        let cx = Context::from_waker(Waker::noop());
        let display = Display::default();
        display.show(&"x".repeat(ROOM));
        assert!(display.poll_room(&cx).is_pending());
        let taken = display.poll_take(&cx);
        assert!(matches!(&taken, Poll::Ready(Some(bytes)) if bytes.len() == ROOM));
        assert!(
            display.poll_room(&cx).is_pending(),
            "taken out is not gone out"
        );
        display.sent();
        assert!(display.poll_room(&cx).is_ready() && display.poll_written(&cx).is_ready());
    }

    #[test]
    fn a_session_that_waits_for_nothing_is_not_woken_by_a_write() {
        let count = Arc::new(Count::default());
        let waker = Waker::from(Arc::clone(&count));
        let cx = Context::from_waker(&waker);
        let display = Display::default();
        assert!(display.poll_broken(&cx).is_pending() && display.poll_room(&cx).is_ready());
        display.show("text");
        let _ = display.poll_take(&Context::from_waker(Waker::noop()));
        display.sent();
        assert_eq!(count.0.load(Ordering::Relaxed), 0);
        display.broke(io::ErrorKind::BrokenPipe.into());
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
        assert!(display.poll_broken(&cx).is_ready());
    }

    #[test]
    fn the_end_comes_after_the_text() {
        let cx = Context::from_waker(Waker::noop());
        let display = Display::default();
        display.show("last words");
        display.complete();
        assert!(matches!(display.poll_take(&cx), Poll::Ready(Some(_))));
        assert!(matches!(display.poll_take(&cx), Poll::Ready(None)));
    }
}
