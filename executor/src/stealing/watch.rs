//! The observer's side of an executor of several threads.
//!
//! A watched task has a *tag* in its header: a short number, in four bytes that were padding. The
//! table here says which [`TaskId`] a tag stands for, and may be read without a lock by whoever
//! holds the task's run right: so a wake or a poll that is told costs a load more, not a lock.

use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::state::Outcome;
use super::task::Runnable;
use super::worker::{self, Worker};
use crate::error::contain;
use crate::observe::{Observer, TaskEnd, TaskId, TaskInfo};
use crate::stage::Polled;

/// Tags are 32 bits wide: one chunk of numbers for each length of a tag in bits.
const CHUNKS: usize = 32;

/// What the workers of an observed executor share. Also there, without an observer, when polls are
/// to be measured.
pub(super) struct Watch {
    observer: Option<Arc<dyn Observer + Send + Sync>>,
    last_id: AtomicU64,
    numbers: Numbers,
}

impl Watch {
    pub(super) fn new(observer: Option<Arc<dyn Observer + Send + Sync>>) -> Self {
        Self {
            observer,
            last_id: AtomicU64::new(0),
            numbers: Numbers::new(),
        }
    }

    /// Any thread: a task is about to be made. Its tag, or 0 if nobody wants to know.
    #[cold]
    pub(super) fn spawned(&self, name: Option<&str>, location: &'static Location<'static>) -> u32 {
        if self.observer.is_none() {
            return 0;
        }
        let id = TaskId(self.last_id.fetch_add(1, Relaxed) + 1);
        self.tell(|observer| observer.spawned(&TaskInfo::new(id, name, location)));
        self.numbers.take(id)
    }

    /// By the holder of the run right: the task is to be polled again.
    fn woken(&self, tag: u32) {
        let id = self.numbers.of(tag);
        self.tell(|observer| observer.woken(id));
    }

    /// By the holder of the run right, before the task is complete. The tag is free after this.
    fn ended(&self, tag: u32, how: Outcome) {
        let id = self.numbers.of(tag);
        self.numbers.give_back(tag);
        let end = match how {
            Outcome::Output => TaskEnd::Output,
            Outcome::Panicked => TaskEnd::Panicked,
            Outcome::Cancelled => TaskEnd::Cancelled,
        };
        self.tell(|observer| observer.ended(id, end));
    }

    pub(super) fn tell(&self, notice: impl FnOnce(&dyn Observer)) {
        if let Some(observer) = &self.observer {
            contain(|| notice(&**observer));
        }
    }
}

impl Runnable {
    /// Tells the observer's side of a watched task.
    #[cold]
    fn tell(&self, tell: impl FnOnce(&Watch, u32)) {
        // By the run right the task is not complete, so its pool is there.
        let Some(pool) = self.home().pool.upgrade() else {
            return;
        };
        if let (Some(watch), Some(tag)) = (&pool.settings.watch, self.header().tag()) {
            tell(watch, tag);
        }
    }

    /// A wake has got the run right, and is about to queue the task.
    pub(super) fn tell_wake(&self) {
        self.tell(Watch::woken);
    }

    /// The future is gone, and the task about to be complete.
    pub(super) fn tell_end(&self, how: Outcome) {
        self.tell(|watch, tag| watch.ended(tag, how));
    }
}

impl Worker<'_> {
    /// `poll`, measured, and told of if the task has a tag.
    ///
    /// The end of a poll that was pending is told while the run right is still ours: after that
    /// another worker may begin the next one.
    #[cold]
    pub(super) fn poll_watched(&self, watch: &Watch, mut task: Runnable) {
        let tag = task.header().tag();
        let id = tag.map(|tag| watch.numbers.of(tag));
        let tell = |notice: &dyn Fn(&dyn Observer, TaskId)| {
            if let Some(id) = id {
                watch.tell(|observer| notice(observer, id));
            }
        };
        tell(&|observer, id| observer.poll_begins(id));
        let begin = Instant::now();
        let polled = self.poll(&mut task);
        let took = begin.elapsed();
        self.home.counters.longest_poll_ns.raise(nanoseconds(took));
        match polled {
            Polled::Pending => {
                let woken = self.is_woken(&task);
                if woken {
                    tell(&|observer, id| observer.woken(id));
                }
                tell(&|observer, id| observer.poll_ends(id, took));
                let told = if woken { None } else { tag };
                self.suspend(task, |_| told.into_iter().for_each(|tag| watch.woken(tag)));
            }
            ended => {
                match ended {
                    Polled::Panicked(payload) => worker::fail(task, payload),
                    _ => worker::finish(task),
                }
                tell(&|observer, id| observer.poll_ends(id, took));
            }
        }
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Which number a tag stands for. Tags count from 1; a tag that is `n` bits long has its number in
/// the chunk `n - 1`, so that the table grows without moving.
struct Numbers {
    chunks: [OnceLock<Box<[AtomicU64]>>; CHUNKS],
    tags: Mutex<Tags>,
}

#[derive(Default)]
struct Tags {
    last: u32,
    free: Vec<u32>,
}

impl Numbers {
    fn new() -> Self {
        Self {
            chunks: [const { OnceLock::new() }; CHUNKS],
            tags: Mutex::default(),
        }
    }

    fn slot(&self, tag: u32) -> &AtomicU64 {
        let bits = tag.ilog2();
        let first = 1 << bits;
        let chunk = self.chunks[bits as usize].get_or_init(|| {
            let empty = (0..first).map(|_| AtomicU64::new(0));
            empty.collect()
        });
        &chunk[(tag - first) as usize]
    }

    /// A tag for a task with this number.
    fn take(&self, id: TaskId) -> u32 {
        let tag = {
            let mut tags = self.tags.lock();
            tags.free.pop().unwrap_or_else(|| {
                let next = tags.last.checked_add(1);
                tags.last = next.expect("fewer than four thousand million tasks at once");
                tags.last
            })
        };
        // Relaxed: the task itself is handed on with release and acquire, and its tag with it.
        self.slot(tag).store(id.0, Relaxed);
        tag
    }

    /// By the holder of the task's run right.
    fn of(&self, tag: u32) -> TaskId {
        TaskId(self.slot(tag).load(Relaxed))
    }

    fn give_back(&self, tag: u32) {
        self.tags.lock().free.push(tag);
    }
}

#[cfg(not(loom))]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tag_has_its_number_and_is_used_again() {
        let numbers = Numbers::new();
        let tags: Vec<u32> = (1..=1000).map(|id| numbers.take(TaskId(id))).collect();
        assert_eq!(tags, (1..=1000).collect::<Vec<_>>());
        let known: Vec<u64> = tags.iter().map(|&tag| numbers.of(tag).0).collect();
        assert_eq!(known, (1..=1000).collect::<Vec<_>>());
        numbers.give_back(77);
        assert_eq!(numbers.take(TaskId(5000)), 77);
        assert_eq!(numbers.of(77), TaskId(5000));
        assert_eq!(numbers.take(TaskId(5001)), 1001);
    }
}
