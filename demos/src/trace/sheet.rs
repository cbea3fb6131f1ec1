//! What one thread writes down, and what it knows of itself: what it is doing right now.
//!
//! A sheet belongs to its thread, so writing takes no lock and no atomic operation.
//!
//! **Causes.** A thread does one thing at a time. While task 3 is polled here, a wake told here is
//! task 3's doing; after source 2 is told ready, or timer 9 fires, it is theirs, until the thread
//! turns to something else. Wakes that a loop takes in from other threads come right after the
//! turn began; if the pool has made a call for the task, that was it.
//!
//! **Time.** Reading the clock costs more than all the rest here. So it is read where a thread may
//! have spent time: after a wait, and in a poll. What the loop itself does between (news of ten
//! sources, one after the other) is put down at the same moment, and so is the begin of a poll, if
//! there is no other thread to whose clock it would have to fit. A poll's length comes with the
//! notice of its end.
//!
//! **What is not to be seen.** Who watches a loop from the same loop must not see himself
//! watching: there would be no end of it. Tasks, sources and timers of the watcher are unseen, and
//! a turn in which only they did something is as if it had not been.

use std::panic::Location;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::chunk::{Chunk, Doing};
use super::event::{Cause, Direction, Event, How, Spot};
use super::here;
use super::recorder::{Shared, Thread};
use super::unseen::Item;

/// A thread that is going to wait so long hands over what it has.
const LONG: u64 = 1_000_000;

/// The longest text of an event.
const TEXT: usize = 200;

/// What one thread writes down.
pub(super) struct Sheet {
    pub(super) shared: Arc<Shared>,
    pub(super) thread: Arc<Thread>,
    pub(super) chunk: Chunk,
    pub(super) now: u64,
    pub(super) doing: Doing,
    /// When the poll began, and whether its task has ended in it.
    pub(super) poll_began: u64,
    pub(super) ended: bool,
    parked: bool,
    /// The next poll or batch begins a turn.
    turn_due: bool,
    /// The thread runs tasks: it has begun a batch, or is a worker.
    pub(super) runs: bool,
    /// The thread looks outside itself, in a reactor: from look to look is a turn.
    pub(super) looks_outside: bool,
    /// Turns and waits that are written when something seen follows.
    held: Vec<(u64, Event<'static>)>,
    /// Something unseen was done since the last event that was written.
    unseen: bool,
    /// Places in the source that this thread has told of.
    places: Vec<(&'static Location<'static>, u32)>,
    /// What is spawned and registered is not to be seen.
    pub(super) hiding: bool,
    /// Whether events may be put down at the moment of the one before, as on a loop of one thread
    /// they may: nobody else's clock is beside them.
    pub(super) coarse: bool,
}

impl Drop for Sheet {
    /// The end of the thread, or of its part in this trace.
    fn drop(&mut self) {
        self.hand_over();
    }
}

impl Sheet {
    /// A new one, unless the thread is at its end; the one before, of another trace, hands over
    /// what it has.
    #[cold]
    pub(super) fn replace<'a>(
        place: &'a mut Option<Self>,
        shared: &Arc<Shared>,
    ) -> Option<&'a mut Self> {
        here::until_its_end().ok()?;
        let thread = shared.new_thread();
        Some(place.insert(Self {
            shared: Arc::clone(shared),
            chunk: Chunk::new(thread.number),
            thread,
            now: 0,
            doing: Doing::Nothing,
            poll_began: 0,
            ended: false,
            parked: false,
            turn_due: true,
            runs: false,
            looks_outside: false,
            held: Vec::new(),
            unseen: false,
            places: Vec::new(),
            hiding: false,
            coarse: true,
        }))
    }

    /// From now on this thread is one of several workers.
    pub(super) fn is_worker(&mut self, worker: usize) {
        (self.coarse, self.runs) = (false, true);
        self.shared.worker(worker, self.thread.number);
    }

    /// Reads the clock.
    #[inline(never)] // apart, so that notices without it need few registers
    pub(super) fn look_at_the_clock(&mut self) {
        self.now = self.now.max(self.shared.now());
    }

    /// Reads it where code that is not the loop's own runs, and may have taken its time.
    #[inline]
    pub(super) fn look_inside_a_poll(&mut self) {
        if matches!(self.doing, Doing::Task(_) | Doing::Call | Doing::Nothing) {
            self.look_at_the_clock();
        }
    }

    /// Writes an event down.
    #[inline(always)] // for each place knows which kind of event it writes
    pub(super) fn write(&mut self, event: &Event<'_>) {
        self.make_ready();
        self.chunk.push(self.now, event);
    }

    /// What was held back is written first, and then there is room.
    #[inline(always)]
    fn make_ready(&mut self) {
        if self.chunk.has_no_room() || !self.held.is_empty() {
            self.make_room();
        }
    }

    #[cold]
    #[inline(never)]
    fn make_room(&mut self) {
        self.write_held();
        if self.chunk.has_no_room() {
            self.next_chunk(self.now);
        }
    }

    /// A timer moved; its deadline may be another than was told last.
    pub(super) fn moves(&mut self, timer: u64, spot: Spot, due: u64) {
        self.make_ready();
        self.chunk.push_move(self.now, timer, spot, due);
    }

    fn next_chunk(&mut self, at: u64) {
        self.hand_over();
        self.thread.opened(at);
        self.chunk.begin(at, self.doing);
    }

    /// Writes a turn, a wait or its end down; or keeps it back until it is known whether
    /// something seen comes of it.
    #[inline]
    fn frame(&mut self, event: Event<'static>) {
        if self.shared.unseen.is_used() {
            self.held.push((self.now, event));
        } else {
            self.write(&event);
        }
    }

    fn write_held(&mut self) {
        for (at, event) in std::mem::take(&mut self.held) {
            if self.chunk.has_no_room() {
                self.next_chunk(at);
            }
            self.chunk.push(at, &event);
            self.unseen = false;
        }
    }

    /// Hands over what was written.
    pub(super) fn hand_over(&mut self) {
        if !self.chunk.is_empty() {
            let chunk = self.chunk.take();
            self.thread.closed(); // first: or its own lines would wait for the next chunk
            self.shared.outbox.put(chunk);
        }
    }

    /// A batch begins: what comes from other threads is taken in now.
    pub(super) fn batch(&mut self) {
        (self.doing, self.runs) = (Doing::Intake, true);
        self.turn_if_due();
    }

    #[inline]
    fn turn_if_due(&mut self) {
        if std::mem::take(&mut self.turn_due) {
            self.frame(Event::Turn);
        }
    }

    /// The thread's reactor is going to wait.
    pub(super) fn looks_outside(&mut self, patience: Option<Duration>) {
        self.looks_outside = true;
        self.park(patience);
    }

    /// The thread is going to wait.
    pub(super) fn park(&mut self, patience: Option<Duration>) {
        self.doing = Doing::Nothing;
        if std::mem::replace(&mut self.parked, true) {
            return; // its executor has told it, and now the reactor does
        }
        let back_from_unseen = self.unseen
            && self
                .held
                .first()
                .is_some_and(|(_, event)| matches!(event, Event::Unpark { .. }));
        if back_from_unseen {
            // As if it had not got up: the wait that was written last goes on.
            (self.held, self.unseen) = (Vec::new(), false);
            return;
        }
        self.look_at_the_clock();
        let patience = patience.map(|time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
        self.frame(Event::Park { patience });
        self.write_held();
        if patience.is_none_or(|time| time >= LONG) {
            self.hand_over();
        }
    }

    /// The wait is over.
    pub(super) fn unpark(&mut self, events: usize) {
        self.doing = Doing::Nothing;
        if std::mem::replace(&mut self.parked, false) {
            self.look_at_the_clock();
            let events = u32::try_from(events).unwrap_or(u32::MAX);
            self.frame(Event::Unpark { events });
            self.turn_due = true;
        }
    }

    /// Notes that the thread turns to something that is not to be seen, if the item is.
    #[inline]
    pub(super) fn is_unseen(&mut self, item: Item) -> bool {
        let unseen = self.shared.unseen.has(item);
        if unseen {
            self.unseen = true;
        }
        unseen
    }

    /// Whether what comes into being now is the watcher's.
    #[inline]
    pub(super) fn hides(&self) -> bool {
        self.hiding || self.doing == Doing::Unseen
    }

    /// The task that is polled, if it is one to be seen.
    #[inline]
    pub(super) fn task(&self) -> Option<u64> {
        self.doing.task()
    }

    /// A poll begins.
    #[inline]
    pub(super) fn poll_begins(&mut self, task: u64) {
        if self.is_unseen(Item::Task(task)) {
            self.doing = Doing::Unseen;
            return;
        }
        if !self.coarse {
            self.look_at_the_clock();
            self.turn_if_due(); // a worker has no batches
        }
        self.poll_has_begun(task);
        self.write(&Event::Poll { task });
    }

    #[inline(always)]
    pub(super) fn poll_has_begun(&mut self, task: u64) {
        (self.doing, self.ended) = (Doing::Task(task), false);
        self.poll_began = self.now;
    }

    /// The poll has ended.
    #[inline]
    pub(super) fn poll_ends(&mut self, task: u64, took: Duration) {
        if self.doing == Doing::Unseen {
            self.doing = Doing::Nothing;
            return;
        }
        self.now = self.now.max(self.shared.after(self.poll_began, took));
        self.write(&Event::Polled {
            task,
            ready: self.ended,
        });
        self.poll_has_ended();
    }

    #[inline(always)]
    pub(super) fn poll_has_ended(&mut self) {
        self.doing = Doing::Nothing;
        self.turn_due |= !self.looks_outside;
    }

    /// A task's future is gone.
    pub(super) fn ends(&mut self, task: u64, how: How) {
        if self.is_unseen(Item::Task(task)) {
            self.shared.unseen.remove(Item::Task(task));
            return;
        }
        self.ended |= self.doing == Doing::Task(task);
        self.shared.forget(task);
        self.look_inside_a_poll();
        self.write(&Event::End { task, how });
    }

    /// A task was woken.
    #[inline]
    pub(super) fn wakes(&mut self, task: u64) {
        if self.is_unseen(Item::Task(task)) {
            return;
        }
        let by = match self.doing {
            Doing::Task(polled) if polled == task => Cause::Itself,
            Doing::Task(polled) => Cause::Task(polled),
            Doing::Source(source, direction) => Cause::Source(source, direction),
            Doing::Timer(timer) => Cause::Timer(timer),
            Doing::Call => Cause::Thread(self.thread.number),
            Doing::Intake => {
                let thread = self.shared.called_for(task);
                thread.map_or(Cause::Unknown, Cause::Thread)
            }
            // A thread that runs no tasks has come from outside to wake this one.
            Doing::Nothing if !self.runs => Cause::Thread(self.thread.number),
            Doing::Nothing | Doing::Unseen => Cause::Unknown,
        };
        self.look_inside_a_poll();
        self.write(&Event::Wake { task, by });
        if !self.runs {
            self.hand_over(); // it may have nothing to tell for long
        }
    }

    /// The number of a place in the source. There are few that a thread spawns from.
    pub(super) fn place(&mut self, location: &'static Location<'static>) -> u32 {
        let mut known = self.places.iter();
        if let Some((_, number)) = known.find(|(known, _)| std::ptr::eq(*known, location)) {
            return *number;
        }
        let number = self.shared.place(location);
        self.places.push((location, number));
        number
    }

    /// An instant as the trace counts time.
    pub(super) fn time_of(&self, instant: Instant) -> u64 {
        self.shared.time_of(instant)
    }
}

/// The direction that news of a source is put down to, if it is of both: reading.
#[inline]
pub(super) fn first(read: bool) -> Direction {
    if read {
        Direction::Read
    } else {
        Direction::Write
    }
}

/// A text, as long as an event's may be.
pub(super) fn shortened(text: &str) -> &str {
    let end = text.char_indices().map(|(at, _)| at);
    let end = end.chain([text.len()]).take_while(|at| *at <= TEXT).last();
    &text[..end.unwrap_or(0)]
}
