//! The pool's threads: grown on demand, retired when idle.
//!
//! One word holds both the number of threads and the number of unfinished jobs, so that growing and
//! retiring cannot miss each other: a submission adds its job and sees the threads in the same
//! step, a thread retires only in a step that sees every job matched by another thread.

use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};
use parking_lot::{Condvar, Mutex};

use crate::blocking::job::Job;
use crate::blocking::places::Places;
use crate::error::contain;

pub(crate) type Queued = Arc<dyn Job>;

const THREAD: u64 = 1 << 32;

/// (threads, unfinished jobs)
fn split(word: u64) -> (u64, u64) {
    (word >> 32, word & (THREAD - 1))
}

/// What the threads share.
pub(crate) struct Crew {
    counts: AtomicU64,
    threads_max: u64,
    pub(crate) thread_name: String,
    pub(crate) keep_alive: Duration,
    pub(crate) closed: AtomicBool,
    pub(crate) places: Places,
    at_work: Mutex<AtWork>,
    one_left: Condvar,
}

/// Who does what, for reports.
struct AtWork {
    threads: usize,
    desks: Vec<Arc<Desk>>,
    cancelled: usize,
}

/// What one thread is working on.
struct Desk {
    job: Mutex<Option<&'static Location<'static>>>,
}

impl Crew {
    pub(crate) fn new(threads_max: usize, thread_name: String, keep_alive: Duration) -> Arc<Crew> {
        Arc::new(Crew {
            counts: AtomicU64::new(0),
            threads_max: threads_max.max(1).min(u32::MAX as usize) as u64,
            thread_name,
            keep_alive,
            closed: AtomicBool::new(false),
            places: Places::new(),
            at_work: Mutex::new(AtWork {
                threads: 0,
                desks: Vec::new(),
                cancelled: 0,
            }),
            one_left: Condvar::new(),
        })
    }

    /// Counts a job before it is offered to the queue; true when a thread is to be started for it.
    #[must_use]
    pub(crate) fn add_job(&self) -> bool {
        let mut word = self.counts.load(Ordering::Relaxed);
        loop {
            let (threads, jobs) = split(word);
            let grow = jobs + 1 > threads && threads < self.threads_max;
            let next = word + 1 + if grow { THREAD } else { 0 };
            match self.counts.compare_exchange_weak(
                word,
                next,
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => return grow,
                Err(now) => word = now,
            }
        }
    }

    /// A job is finished, or was not queued after all.
    pub(crate) fn remove_job(&self) {
        self.counts.fetch_sub(1, Ordering::Relaxed);
    }

    /// Whether this thread, idle for long, may go: not if a job might count on it.
    fn retire(&self) -> bool {
        let mut word = self.counts.load(Ordering::Relaxed);
        loop {
            let (threads, jobs) = split(word);
            if jobs >= threads {
                return false;
            }
            match self.counts.compare_exchange_weak(
                word,
                word - THREAD,
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => return true,
                Err(now) => word = now,
            }
        }
    }

    /// How many threads there are.
    pub(crate) fn threads(&self) -> usize {
        split(self.counts.load(Ordering::Relaxed)).0 as usize
    }

    /// Starts a thread that was counted already. When the system refuses, the job waits for another
    /// thread; with none at all there is no way on.
    pub(crate) fn start_thread(self: &Arc<Self>, queue: Receiver<Queued>) {
        let desk = Arc::new(Desk {
            job: Mutex::new(None),
        });
        {
            let mut at_work = self.at_work.lock();
            at_work.threads += 1;
            at_work.desks.push(desk.clone());
        }
        let crew = self.clone();
        let its_desk = desk.clone();
        let started = thread::Builder::new()
            .name(self.thread_name.clone())
            .spawn(move || crew.work(&queue, &its_desk));
        if let Err(error) = started {
            let (threads, _) = split(self.counts.fetch_sub(THREAD, Ordering::Relaxed));
            self.leave(&desk);
            assert!(
                threads > 1,
                "no thread could be started for a blocking job: {error}"
            );
        }
    }

    fn work(self: &Arc<Self>, queue: &Receiver<Queued>, desk: &Arc<Desk>) {
        loop {
            let job = match queue.recv_timeout(self.keep_alive) {
                Ok(job) => job,
                Err(RecvTimeoutError::Timeout) if !self.retire() => continue,
                Err(RecvTimeoutError::Timeout) => return self.leave(desk),
                Err(RecvTimeoutError::Disconnected) => break,
            };
            self.places.one_is_free();
            if self.closed.load(Ordering::Relaxed) {
                self.at_work.lock().cancelled += usize::from(job.cancel());
            } else {
                *desk.job.lock() = Some(job.location());
                job.run();
                *desk.job.lock() = None;
            }
            contain(|| drop(job)); // with it, a result that nobody awaits
            self.remove_job();
        }
        self.counts.fetch_sub(THREAD, Ordering::Relaxed);
        self.leave(desk);
    }

    fn leave(&self, desk: &Arc<Desk>) {
        let mut at_work = self.at_work.lock();
        at_work.threads -= 1;
        at_work.desks.retain(|other| !Arc::ptr_eq(other, desk));
        drop(at_work);
        self.one_left.notify_all();
    }

    /// Waits until every thread has gone; what is at work at the deadline is listed.
    pub(crate) fn wait_for_end(
        &self,
        patience: Duration,
    ) -> (usize, Vec<&'static Location<'static>>) {
        let deadline = Instant::now().checked_add(patience);
        let mut at_work = self.at_work.lock();
        while at_work.threads > 0 {
            let timed_out = match deadline {
                Some(deadline) => self.one_left.wait_until(&mut at_work, deadline).timed_out(),
                None => {
                    self.one_left.wait(&mut at_work);
                    false
                }
            };
            if timed_out {
                break;
            }
        }
        let running = at_work
            .desks
            .iter()
            .filter_map(|desk| *desk.job.lock())
            .collect();
        (std::mem::take(&mut at_work.cancelled), running)
    }
}
