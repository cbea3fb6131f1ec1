//! What a sheet notes of calls that block: who asked for one, which thread makes it.

use std::panic::Location;

use super::chunk::Doing;
use super::event::Event;
use super::sheet::Sheet;

impl Sheet {
    /// A call was handed to the pool, for the task that is polled if there is one.
    pub(super) fn call_queued(&mut self, job: u64, location: &'static Location<'static>) {
        if self.hides() {
            return;
        }
        self.look_inside_a_poll();
        let (place, task) = (self.place(location), self.task());
        if let Some(task) = task {
            self.shared.call_for(job, task);
        }
        self.write(&Event::Job { job, place, task });
    }

    /// This thread begins a call of the pool.
    pub(super) fn call_begins(&mut self, job: u64) {
        self.doing = Doing::Call;
        self.look_at_the_clock();
        self.write(&Event::JobBegin { job });
        self.hand_over();
    }

    /// A call is over; whoever waits for it is woken next.
    pub(super) fn call_ends(&mut self, job: u64) {
        self.look_inside_a_poll();
        self.shared.called(job, self.thread.number);
        self.write(&Event::JobEnd { job });
        if self.doing == Doing::Call {
            self.hand_over();
        }
    }
}
