//! One job: its closure, then its result, and whoever waits for it.

use std::mem;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;

use crate::blocking::watch::{JobEnd, WatchedJob};
use crate::error::{JoinError, contain};

/// A job as a worker sees it.
pub(crate) trait Job: Send + Sync {
    /// Takes the closure out and calls it, unless it was cancelled.
    fn run(&self);
    /// Ends it without calling the closure, if it has not begun; false if it has, or has ended.
    fn cancel(&self) -> bool;
    fn location(&self) -> &'static Location<'static>;
}

pub(crate) struct JobCell<F, T> {
    stage: Mutex<Stage<F, T>>,
    location: &'static Location<'static>,
    watched: Option<WatchedJob>,
}

/// ```text
///   Waiting --- run ---> Running --- end ---> Done --- poll ---> Gone
///      +------ cancel ---> Done(cancelled)      |                  ^
///      +------ the awaiter goes (from each of the three) ----------+
/// ```
enum Stage<F, T> {
    Waiting(F, Option<Waker>),
    Running(Option<Waker>),
    Done(Result<T, JoinError>),
    Gone,
}

impl<F, T> JobCell<F, T>
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    pub(crate) fn new(
        job: F,
        location: &'static Location<'static>,
        watched: Option<WatchedJob>,
    ) -> Arc<Self> {
        Arc::new(JobCell {
            stage: Mutex::new(Stage::Waiting(job, None)),
            location,
            watched,
        })
    }

    /// It is about to be submitted.
    pub(crate) fn tell_queued(&self) {
        if let Some(watched) = &self.watched {
            watched.queued(self.location);
        }
    }

    /// It is over, or will never begin.
    pub(crate) fn tell_end(&self, end: JobEnd) {
        if let Some(watched) = &self.watched {
            watched.ends(end);
        }
    }

    /// The closure back out of a job that nobody else has seen.
    pub(crate) fn take_back(&self) -> F {
        match mem::replace(&mut *self.stage.lock(), Stage::Gone) {
            Stage::Waiting(job, _) => job,
            _ => unreachable!("it was never queued"),
        }
    }

    /// The result, or a place for the waker.
    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Poll<Result<T, JoinError>> {
        // The clone is user code: not under the lock.
        let waker = cx.waker().clone();
        let mut stage = self.stage.lock();
        let before = match &mut *stage {
            Stage::Waiting(_, slot) | Stage::Running(slot) => slot.replace(waker),
            Stage::Gone => panic!("a blocking job was polled after it gave its result"),
            Stage::Done(_) => {
                let Stage::Done(result) = mem::replace(&mut *stage, Stage::Gone) else {
                    unreachable!("matched just now")
                };
                return Poll::Ready(result);
            }
        };
        drop(stage);
        drop(before);
        Poll::Pending
    }

    /// The awaiter goes: a job that has not begun never will, a result is dropped here. That of a
    /// job that runs is for the thread that runs it.
    pub(crate) fn abandon(&self) {
        let dropped = mem::replace(&mut *self.stage.lock(), Stage::Gone);
        if let Stage::Waiting(..) = dropped {
            self.tell_end(JobEnd::Cancelled);
        }
        drop(dropped); // user code, so not under the lock
    }

    fn finish(&self, result: Result<T, JoinError>) {
        let mut stage = self.stage.lock();
        let Stage::Running(waker) = &mut *stage else {
            drop(stage);
            return contain(|| drop(result)); // nobody awaits it
        };
        let waker = waker.take();
        *stage = Stage::Done(result);
        drop(stage);
        if let Some(waker) = waker {
            contain(|| waker.wake());
        }
    }
}

impl<F, T> Job for JobCell<F, T>
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    fn run(&self) {
        let mut stage = self.stage.lock();
        let job = match mem::replace(&mut *stage, Stage::Gone) {
            Stage::Waiting(job, waker) => {
                *stage = Stage::Running(waker);
                job
            }
            other => {
                *stage = other;
                return;
            }
        };
        drop(stage);
        if let Some(watched) = &self.watched {
            watched.begins();
        }
        let result = catch_unwind(AssertUnwindSafe(job)).map_err(JoinError::panicked);
        self.tell_end(match &result {
            Ok(_) => JobEnd::Output,
            Err(_) => JobEnd::Panicked,
        });
        self.finish(result);
    }

    fn cancel(&self) -> bool {
        let mut stage = self.stage.lock();
        match mem::replace(&mut *stage, Stage::Done(Err(JoinError::cancelled()))) {
            Stage::Waiting(job, waker) => {
                drop(stage);
                self.tell_end(JobEnd::Cancelled);
                contain(|| drop(job));
                if let Some(waker) = waker {
                    contain(|| waker.wake());
                }
                true
            }
            other => {
                *stage = other;
                false
            }
        }
    }

    fn location(&self) -> &'static Location<'static> {
        self.location
    }
}
