//! Where threads put what they have recorded, for whoever keeps it.
//!
//! Putting is a short lock and, if the keeper sleeps, one call to wake it. The keeper sleeps only
//! when nothing was put for a while, so a busy loop pays for the lock alone, once in some thousand
//! events, and an idle one wakes nobody. The room is bounded: a keeper that is too slow, for it
//! writes to a slow disk, costs the oldest events and never the loop's time.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::block::{Block, Ring};

/// Blocks on their way to the keeper.
#[derive(Debug)]
pub struct Outbox {
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

/// How long the keeper lets blocks gather.
const GATHER: Duration = Duration::from_millis(30);

impl Outbox {
    /// An outbox with room for so many bytes.
    #[must_use]
    pub fn new(room: usize) -> Self {
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

    /// Adds a block; after the end it is dropped.
    pub fn put(&self, block: Block) {
        let mut state = self.lock();
        if state.closed {
            return;
        }
        drop(state.ring.push(block)); // counted by the ring
        if std::mem::take(&mut state.asleep) {
            drop(state);
            self.news.notify_one();
        }
    }

    /// Takes what there is, oldest first; waits for something. `None` is the end.
    pub fn take(&self) -> Option<VecDeque<Block>> {
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
        let blocks = state.ring.take();
        (!blocks.is_empty()).then_some(blocks)
    }

    /// Nothing more will be put.
    pub fn close(&self) {
        self.lock().closed = true;
        self.news.notify_all();
    }

    /// How many events went for want of room.
    pub fn lost(&self) -> u64 {
        self.lock().ring.lost()
    }

    /// A copy of what there is, oldest first.
    pub fn copy(&self) -> Vec<Block> {
        self.lock().ring.blocks().cloned().collect()
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
    use crate::trace::event::Event;
    use std::sync::Arc;

    fn block(at: u64) -> Block {
        let mut block = Block::new(0);
        block.push(at, &Event::Turn);
        block
    }

    #[test]
    fn all_that_is_put_is_taken_and_then_the_end() {
        let outbox = Arc::new(Outbox::new(1 << 20));
        let keeper = std::thread::spawn({
            let outbox = Arc::clone(&outbox);
            move || {
                let mut taken = Vec::new();
                while let Some(blocks) = outbox.take() {
                    taken.extend(blocks.iter().map(|block| block.begins));
                }
                taken
            }
        });
        for at in 0..1000 {
            outbox.put(block(at));
            if at == 500 {
                while !outbox.lock().asleep {
                    std::thread::yield_now(); // and it has to be woken again
                }
            }
        }
        outbox.close();
        outbox.put(block(9999));
        assert_eq!(keeper.join().unwrap(), (0..1000).collect::<Vec<_>>());
        assert_eq!(outbox.lost(), 0);
    }

    #[test]
    fn without_a_keeper_the_last_are_kept() {
        let outbox = Outbox::new(block(0).bytes.len() * 10);
        (0..100).for_each(|at| outbox.put(block(at)));
        let kept: Vec<u64> = outbox.copy().iter().map(|block| block.begins).collect();
        assert_eq!(kept, (90..100).collect::<Vec<_>>());
        assert_eq!(outbox.lost(), 90);
    }
}
