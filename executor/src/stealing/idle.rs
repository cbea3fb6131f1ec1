//! Who sleeps and who searches, in one word, so that a wake-up is neither lost nor given twice.
//!
//! ```text
//!   63      62 ........ 48   47 .................. 0
//!   closed  searchers        one bit a sleeping worker
//! ```
//!
//! A worker is *running* tasks, *searching* for some in other queues, or *asleep*. Who makes work
//! public calls [`Idle::notify`]: if nobody searches and somebody sleeps, one sleeper is made a
//! searcher and is to be unparked. If somebody searches already, nothing is done: the searcher
//! will see the work, or see it when it looks again on its way to sleep. A searcher that finds
//! something and was the last one calls `notify` in its turn, so that a burst wakes one worker
//! after the other, each by one that is awake, and a trickle wakes one.
//!
//! # Why no wake-up is lost
//! ```text
//!      who has work to give                 who goes to sleep
//!   1. puts it in a queue                A. sets its bit, gives up searching   (`sleep`)
//!   2. fence(SeqCst)                     B. fence(SeqCst)
//!   3. reads the word  (`notify`)        C. looks into every queue once more
//! ```
//! Of two fences one is first in the total order of SeqCst. If 2 is before B, then C sees the work
//! of 1, and the worker gets up again. If B is before 2, then 3 sees A: the bit is set, and this
//! worker is not counted as searching. Then either another searches, for whom the same argument
//! holds when it goes to sleep, or a sleeper is woken. Both may happen at once; then the one who
//! got up by itself finds its bit already cleared and takes the wake-up as its own. (That each
//! writes, and then reads what the other writes, is how Dekker's mutual exclusion begins; that
//! searchers are counted, and the last to find something calls another, is the Go scheduler's.)
//!
//! Waking a worker takes it off the mask and makes it a searcher in one exchange, so two givers
//! never pick the same one, and between them wake at most one at a time.

use crate::sync::{AtomicU64, Ordering, fence};

/// More workers than this want more than one executor (one a socket, say): all of them meet in
/// one cache line here.
pub(super) const MAX_WORKERS: usize = 48;

const SEARCHER: u64 = 1 << MAX_WORKERS;
const SLEEPERS: u64 = SEARCHER - 1;
const CLOSED: u64 = 1 << 63;
const SEARCHERS: u64 = !(SLEEPERS | CLOSED);

/// The idle word of an executor.
#[derive(Debug)]
pub(super) struct Idle {
    word: AtomicU64,
    workers: u64,
}

/// What a worker knows as it lies down.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(super) struct Asleep {
    /// Every worker sleeps now: nothing moves until something comes from outside.
    pub(super) all: bool,
    pub(super) closed: bool,
}

impl Idle {
    pub(super) fn new(workers: usize) -> Self {
        assert!(workers <= MAX_WORKERS);
        Self {
            word: AtomicU64::new(0),
            workers: workers as u64,
        }
    }

    /// Whether a `notify` would do nothing, by a plain read: the answer may be out of date.
    #[inline]
    pub(super) fn seems_busy(&self) -> bool {
        let word = self.word.load(Ordering::Relaxed);
        word & SEARCHERS != 0 || word & SLEEPERS == 0
    }

    /// After work was made public, and a SeqCst fence: the worker to unpark, if one is needed. It
    /// is a searcher from here on.
    #[must_use]
    pub(super) fn notify(&self) -> Option<usize> {
        // Pairs with the fence in `sleep`, through the caller's own fence.
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            if word & SEARCHERS != 0 || word & SLEEPERS == 0 {
                return None;
            }
            let worker = word.trailing_zeros();
            let next = (word & !(1 << worker)) + SEARCHER;
            match self
                .word
                .compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Relaxed)
            {
                Ok(_) => return Some(worker as usize),
                Err(now) => word = now,
            }
        }
    }

    /// A worker without work asks to search. Half of the workers at most: more would only get in
    /// each other's way.
    #[must_use]
    pub(super) fn search(&self) -> bool {
        let word = self.word.load(Ordering::Relaxed);
        if 2 * ((word & SEARCHERS) / SEARCHER) >= self.workers {
            return false;
        }
        self.word.fetch_add(SEARCHER, Ordering::AcqRel);
        true
    }

    /// A searcher found work. True if it was the last one: it calls `notify` for the next.
    #[must_use]
    pub(super) fn found(&self) -> bool {
        let before = self.word.fetch_sub(SEARCHER, Ordering::AcqRel);
        before & SEARCHERS == SEARCHER
    }

    /// A worker lies down. It must look into every queue once more before it parks.
    pub(super) fn sleep(&self, worker: usize, searching: bool) -> Asleep {
        let bit = 1u64 << worker;
        let less = if searching { SEARCHER } else { 0 };
        // The bit is not set and it is counted if it searches, so the sum touches nothing else.
        let now = self
            .word
            .fetch_add(bit.wrapping_sub(less), Ordering::AcqRel);
        let now = now.wrapping_add(bit.wrapping_sub(less));
        fence(Ordering::SeqCst); // pairs with the fence of who gives work
        Asleep {
            all: u64::from((now & SLEEPERS).count_ones()) == self.workers,
            closed: now & CLOSED != 0,
        }
    }

    /// A worker gets up, by itself or because it was unparked. It searches from here on.
    pub(super) fn get_up(&self, worker: usize) {
        let bit = 1u64 << worker;
        let mut word = self.word.load(Ordering::Relaxed);
        while word & bit != 0 {
            let next = (word & !bit) + SEARCHER;
            match self
                .word
                .compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Relaxed)
            {
                Ok(_) => return,
                Err(now) => word = now,
            }
        }
        // Somebody took the bit, and has counted us.
        fence(Ordering::Acquire);
    }

    /// Nothing is to run any more. True for the first who says so. Everybody must be unparked.
    pub(super) fn close(&self) -> bool {
        let before = self.word.fetch_or(CLOSED, Ordering::AcqRel);
        fence(Ordering::SeqCst);
        before & CLOSED == 0
    }

    #[inline]
    pub(super) fn is_closed(&self) -> bool {
        self.word.load(Ordering::Relaxed) & CLOSED != 0
    }

    /// Whether every worker sleeps.
    pub(super) fn all_asleep(&self) -> bool {
        let word = self.word.load(Ordering::Acquire);
        u64::from((word & SLEEPERS).count_ones()) == self.workers
    }
}

#[cfg(not(loom))]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_giver_wakes_one_and_nobody_while_it_searches() {
        let idle = Idle::new(3);
        assert_eq!(idle.notify(), None);
        for worker in 0..3 {
            let asleep = idle.sleep(worker, false);
            assert_eq!(
                asleep,
                Asleep {
                    all: worker == 2,
                    closed: false
                }
            );
        }
        assert!(!idle.seems_busy());
        assert_eq!(idle.notify(), Some(0));
        assert_eq!(idle.notify(), None);
        assert!(idle.found());
        assert_eq!(idle.notify(), Some(1));
    }

    #[test]
    fn half_of_the_workers_search() {
        let idle = Idle::new(3);
        assert!(idle.search());
        assert!(idle.search());
        assert!(!idle.search());
        assert!(!idle.found());
        assert!(idle.found());
    }

    #[test]
    fn who_gets_up_alone_and_who_is_woken_come_out_the_same() {
        let idle = Idle::new(2);
        assert!(idle.search());
        let _ = idle.sleep(0, true);
        idle.get_up(0);
        let _ = idle.sleep(0, true);
        assert_eq!(idle.notify(), Some(0));
        idle.get_up(0);
        assert!(idle.found());
        assert!(!idle.all_asleep());
        assert!(idle.seems_busy());
    }

    #[test]
    fn closing_is_said_once_and_seen_by_all() {
        let idle = Idle::new(MAX_WORKERS);
        assert!(idle.close());
        assert!(!idle.close());
        assert!(idle.sleep(MAX_WORKERS - 1, false).closed);
    }
}
