//! The notices that a busy loop makes by the thousand, in their common case: one word to be put
//! down, no clock to be read, nothing unseen. Each says whether it was that, and is done; if not,
//! nothing was, and the sheet's own way (`sheet.rs`) does all of it.
//!
//! They call nothing that is not compiled into its place. So a notice that comes off here has no
//! registers to save, and its time is that of some forty instructions.

use std::time::Duration;

use super::chunk::Doing;
use super::event::{Cause, Direction, Event};
use super::sheet::{Sheet, first};

impl Sheet {
    /// A poll begins.
    #[inline(always)]
    pub(super) fn try_poll_begins(&mut self, task: u64) -> bool {
        let done = self.coarse && self.chunk.try_push(self.now, &Event::Poll { task });
        if done {
            self.poll_has_begun(task);
        }
        done
    }

    /// The poll has ended.
    #[inline(always)]
    pub(super) fn try_poll_ends(&mut self, task: u64, took: Duration) -> bool {
        if self.doing != Doing::Task(task) || took.as_secs() > 0 || self.shared.is_virtual() {
            return false;
        }
        let now = self
            .now
            .max(self.poll_began + u64::from(took.subsec_nanos()));
        let ready = self.ended;
        let done = self.chunk.try_push(now, &Event::Polled { task, ready });
        if done {
            self.now = now;
            self.poll_has_ended();
        }
        done
    }

    /// News of a source wakes a task.
    #[inline(always)]
    pub(super) fn try_wakes(&mut self, task: u64) -> bool {
        let Doing::Source(source, direction) = self.doing else {
            return false;
        };
        let by = Cause::Source(source, direction);
        self.runs && self.chunk.try_push(self.now, &Event::Wake { task, by })
    }

    /// A task begins to wait for a source.
    #[inline(always)]
    pub(super) fn try_wait(&mut self, source: u64, direction: Direction) -> bool {
        let task = self.task();
        let wait = Event::Wait {
            source,
            direction,
            task,
        };
        task.is_some() && self.chunk.try_push(self.now, &wait)
    }

    /// There is news of a source.
    #[inline(always)]
    pub(super) fn try_ready(&mut self, source: u64, read: bool, write: bool) -> bool {
        let ready = Event::Ready {
            source,
            read,
            write,
        };
        let done = self.chunk.try_push(self.now, &ready);
        if done {
            self.doing = Doing::Source(source, first(read));
        }
        done
    }
}
