//! Where threads put what they have recorded, for whoever keeps it.
//!
//! Putting is a short lock and, if the keeper sleeps, one call to wake it. The keeper sleeps only
//! when nothing was put for a while, so a busy loop pays for the lock alone, once in some hundred
//! events, and an idle one wakes nobody. The room is bounded: a keeper that is too slow, for it
//! writes to a slow disk, costs the oldest events and never the loop's time.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::chunk::Chunk;
use super::ring::Ring;

/// Chunks on their way to the keeper.
#[derive(Debug)]
pub(super) struct Outbox {
    state: Mutex<State>,
    news: Condvar,
}

#[derive(Debug)]
struct State {
    ring: Ring,
    /// The keeper sleeps until something is put.
    asleep: bool,
    closed: bool,
}

/// How long the keeper lets chunks gather.
const GATHER: Duration = Duration::from_millis(30);

impl Outbox {
    /// An outbox with room for so many bytes.
    pub(super) fn new(room: usize) -> Self {
        let state = State {
            ring: Ring::new(room),
            asleep: false,
            closed: false,
        };
        Self {
            state: Mutex::new(state),
            news: Condvar::new(),
        }
    }

    /// Adds a chunk; after the end it is dropped.
    pub(super) fn put(&self, chunk: Chunk) {
        let mut state = self.lock();
        if state.closed {
            return;
        }
        drop(state.ring.push(chunk)); // counted by the ring
        if std::mem::take(&mut state.asleep) {
            drop(state);
            self.news.notify_one();
        }
    }

    /// Takes what there is, oldest first; waits for something. `None` is the end.
    pub(super) fn take(&self) -> Option<VecDeque<Chunk>> {
        let mut state = self.lock();
        if !state.closed {
            // What comes in quick succession is taken at once.
            state = self.wait(state, Some(GATHER));
        }
        while state.ring.is_empty() && !state.closed {
            state.asleep = true;
            state = self.wait(state, None);
        }
        state.asleep = false;
        let chunks = state.ring.take();
        (!chunks.is_empty()).then_some(chunks)
    }

    /// Nothing more will be put.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.news.notify_all();
    }

    /// How many events went for want of room.
    pub(super) fn lost(&self) -> u64 {
        self.lock().ring.lost()
    }

    /// A copy of what there is, oldest first.
    pub(super) fn copy(&self) -> Vec<Chunk> {
        self.lock().ring.chunks().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic within leaves nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(
        &self,
        state: MutexGuard<'a, State>,
        at_most: Option<Duration>,
    ) -> MutexGuard<'a, State> {
        match at_most {
            None => self
                .news
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner),
            Some(time) => {
                let waited = self
                    .news
                    .wait_timeout_while(state, time, |state| !state.closed);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::ring::tests::chunk;
    use std::sync::Arc;

    #[test]
    fn all_that_is_put_is_taken_and_then_the_end() {
        let outbox = Arc::new(Outbox::new(1 << 20));
        let keeper = std::thread::spawn({
            let outbox = Arc::clone(&outbox);
            move || {
                let mut taken = Vec::new();
                while let Some(chunks) = outbox.take() {
                    taken.extend(chunks.iter().map(Chunk::begins));
                }
                taken
            }
        });
        for at in 0..1000 {
            outbox.put(chunk([at]));
            if at == 500 {
                while !outbox.lock().asleep {
                    std::thread::yield_now(); // and it has to be woken again
                }
            }
        }
        outbox.close();
        outbox.put(chunk([9999]));
        assert_eq!(keeper.join().unwrap(), (0..1000).collect::<Vec<_>>());
        assert_eq!(outbox.lost(), 0);
    }

    #[test]
    fn without_a_keeper_the_last_are_kept() {
        let outbox = Outbox::new(chunk([0]).bytes() * 10);
        (0..100).for_each(|at| outbox.put(chunk([at])));
        let kept: Vec<u64> = outbox.copy().iter().map(Chunk::begins).collect();
        assert_eq!(kept, (90..100).collect::<Vec<_>>());
        assert_eq!(outbox.lost(), 90);
    }
}
