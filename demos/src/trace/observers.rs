//! What the recorder does at each notice of executor, reactor and timers.

use std::os::fd::{AsRawFd, BorrowedFd};
use std::panic::Location;
use std::time::{Duration, Instant};

use executor::{JobEnd, JobId, TaskEnd, TaskId, TaskInfo};
use reactor::{Ready, SourceId};
use timers::{Slot, TimerId};

use super::chunk::Doing;
use super::event::{Direction, Event, How, Spot};
use super::here;
use super::recorder::Recorder;
use super::remark;
use super::sheet::{self, Sheet};
use super::socket;
use super::unseen::Item;

impl Recorder {
    /// What a notice does that did not come off quickly.
    #[cold]
    #[inline(never)]
    fn rarely(&self, write: impl FnOnce(&mut Sheet)) {
        here::with(self.shared(), write);
    }
}

impl executor::Observer for Recorder {
    fn spawned(&self, task: &TaskInfo<'_>) {
        here::with(self.shared(), |sheet| {
            let (name, id) = (
                sheet::shortened(task.name.unwrap_or_default()),
                task.id.get(),
            );
            if sheet.hides() {
                return self.shared().unseen.add(Item::Task(id));
            }
            sheet.look_inside_a_poll();
            let (place, by) = (sheet.place(task.location), sheet.task());
            sheet.write(&Event::Spawn {
                task: id,
                name,
                place,
                by,
            });
        });
    }

    #[inline]
    fn woken(&self, task: TaskId) {
        if !here::quickly(self.shared(), move |sheet| sheet.try_wakes(task.get())) {
            self.rarely(move |sheet| sheet.wakes(task.get()));
        }
    }

    #[inline]
    fn poll_begins(&self, task: TaskId) {
        if !here::quickly(self.shared(), move |sheet| {
            sheet.try_poll_begins(task.get())
        }) {
            self.rarely(move |sheet| sheet.poll_begins(task.get()));
        }
    }

    #[inline]
    fn poll_ends(&self, task: TaskId, took: Duration) {
        if !here::quickly(self.shared(), move |sheet| {
            sheet.try_poll_ends(task.get(), took)
        }) {
            self.rarely(move |sheet| sheet.poll_ends(task.get(), took));
        }
    }

    fn ended(&self, task: TaskId, end: TaskEnd) {
        let how = match end {
            TaskEnd::Output => How::Output,
            TaskEnd::Panicked => How::Panicked,
            TaskEnd::Cancelled => How::Cancelled,
        };
        here::with(self.shared(), |sheet| sheet.ends(task.get(), how));
    }

    fn batch_begins(&self) {
        here::with(self.shared(), |sheet| sheet.batch());
    }

    fn worker_starts(&self, worker: usize) {
        here::with(self.shared(), |sheet| sheet.is_worker(worker));
    }

    fn stole(&self, from: usize, tasks: usize) {
        here::with(self.shared(), |sheet| {
            let from = self.shared().names().workers.get(&from).copied();
            let tasks = u32::try_from(tasks).unwrap_or(u32::MAX);
            sheet.look_at_the_clock();
            sheet.write(&Event::Steal {
                from: from.unwrap_or(u16::MAX),
                tasks,
            });
        });
    }

    fn parks(&self) {
        here::with(self.shared(), |sheet| sheet.park(None));
    }

    fn unparks(&self) {
        here::with(self.shared(), |sheet| sheet.unpark(0));
    }
}

impl executor::JobObserver for Recorder {
    fn job_queued(&self, job: JobId, location: &'static Location<'static>) {
        here::with(self.shared(), |sheet| {
            sheet.call_queued(job.get(), location)
        });
    }

    fn job_begins(&self, job: JobId) {
        here::with(self.shared(), |sheet| sheet.call_begins(job.get()));
    }

    fn job_ends(&self, job: JobId, _: JobEnd) {
        here::with(self.shared(), |sheet| sheet.call_ends(job.get()));
    }
}

impl reactor::Observer for Recorder {
    fn registered(&self, source: SourceId, fd: BorrowedFd<'_>) {
        here::with(self.shared(), |sheet| {
            let id = source.get();
            if sheet.hides() {
                return self.shared().unseen.add(Item::Source(id));
            }
            sheet.look_inside_a_poll();
            let what = match remark::what() {
                "" => socket::describe(fd),
                what => what.to_owned(),
            };
            sheet.write(&Event::Source {
                source: id,
                fd: fd.as_raw_fd(),
                what: &what,
            });
        });
    }

    fn deregistered(&self, source: SourceId) {
        here::with(self.shared(), |sheet| {
            if sheet.is_unseen(Item::Source(source.get())) {
                return self.shared().unseen.remove(Item::Source(source.get()));
            }
            sheet.look_inside_a_poll();
            sheet.write(&Event::Gone {
                source: source.get(),
            });
        });
    }

    #[inline]
    fn waits_for(&self, source: SourceId, direction: reactor::Direction) {
        let (source, direction) = (source.get(), this(direction));
        if here::quickly(self.shared(), move |sheet| {
            sheet.try_wait(source, direction)
        }) {
            return;
        }
        self.rarely(move |sheet| {
            if !sheet.is_unseen(Item::Source(source)) {
                sheet.write(&Event::Wait {
                    source,
                    direction,
                    task: sheet.task(),
                });
            }
        });
    }

    fn waits(&self, timeout: Option<Duration>) {
        here::with(self.shared(), |sheet| sheet.looks_outside(timeout));
    }

    fn waited(&self, events: usize) {
        here::with(self.shared(), |sheet| sheet.unpark(events));
    }

    #[inline]
    fn ready(&self, source: SourceId, ready: Ready) {
        let source = source.get();
        let read = ready.contains(Ready::READABLE);
        let write = ready.contains(Ready::WRITABLE);
        if here::quickly(self.shared(), move |sheet| {
            sheet.try_ready(source, read, write)
        }) {
            return;
        }
        self.rarely(move |sheet| {
            if sheet.is_unseen(Item::Source(source)) {
                sheet.doing = Doing::Nothing;
                return;
            }
            sheet.doing = Doing::Source(source, sheet::first(read));
            sheet.write(&Event::Ready {
                source,
                read,
                write,
            });
        });
    }
}

impl timers::Observer for Recorder {
    fn inserted(&self, timer: TimerId, deadline: Instant, slot: Option<Slot>) {
        here::with(self.shared(), |sheet| {
            if sheet.hides() {
                return self.shared().unseen.add(Item::Timer(timer.get()));
            }
            sheet.look_inside_a_poll();
            sheet.write(&Event::Timer {
                timer: timer.get(),
                due: sheet.time_of(deadline),
                spot: slot.map(spot),
                task: sheet.task(),
            });
        });
    }

    fn moved(&self, timer: TimerId, slot: Slot, deadline: Instant) {
        here::with(self.shared(), |sheet| {
            if !sheet.is_unseen(Item::Timer(timer.get())) {
                sheet.moves(timer.get(), spot(slot), sheet.time_of(deadline));
            }
        });
    }

    fn fires(&self, timer: TimerId) {
        here::with(self.shared(), |sheet| {
            if sheet.is_unseen(Item::Timer(timer.get())) {
                self.shared().unseen.remove(Item::Timer(timer.get()));
                sheet.doing = Doing::Nothing;
                return;
            }
            if !matches!(sheet.doing, Doing::Timer(_)) {
                // What is due by now need not have been when the wait ended.
                sheet.look_at_the_clock();
            }
            sheet.doing = Doing::Timer(timer.get());
            sheet.write(&Event::Fire { timer: timer.get() });
        });
    }

    fn fired(&self, _: usize) {
        here::with(self.shared(), |sheet| sheet.doing = Doing::Nothing);
    }

    fn cancelled(&self, timer: TimerId) {
        here::with(self.shared(), |sheet| {
            if sheet.is_unseen(Item::Timer(timer.get())) {
                return self.shared().unseen.remove(Item::Timer(timer.get()));
            }
            sheet.write(&Event::Cancel { timer: timer.get() });
        });
    }

    fn rescheduled(&self, timer: TimerId, deadline: Instant, slot: Option<Slot>) {
        here::with(self.shared(), |sheet| {
            if !sheet.is_unseen(Item::Timer(timer.get())) {
                sheet.write(&Event::Timer {
                    timer: timer.get(),
                    due: sheet.time_of(deadline),
                    spot: slot.map(spot),
                    task: sheet.task(),
                });
            }
        });
    }
}

#[inline]
fn this(direction: reactor::Direction) -> Direction {
    match direction {
        reactor::Direction::Read => Direction::Read,
        reactor::Direction::Write => Direction::Write,
    }
}

fn spot(slot: Slot) -> Spot {
    // Eleven levels of 64 slots: both fit.
    Spot {
        level: slot.level() as u8,
        slot: slot.digit() as u8,
    }
}
