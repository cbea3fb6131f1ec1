//! The parts of a loop, set up with the recorder as their observer, if there is one.

use executor::{BlockingBuilder, BlockingPool, Executor, ExecutorBuilder, LocalBuilder};
use timers::{Clock, Shared, SharedTimers};

use super::recorder::Recorder;

/// A reactor's settings.
pub(crate) fn reactor(recorder: Option<&Recorder>) -> reactor::Builder {
    let builder = reactor::Reactor::builder();
    match recorder {
        Some(recorder) => builder.observer(recorder.clone()),
        None => builder,
    }
}

/// The settings of timers that go by `clock`.
pub(crate) fn timers(clock: Clock, recorder: Option<&Recorder>) -> timers::Builder<Shared> {
    let builder = SharedTimers::builder(clock);
    match recorder {
        Some(recorder) => {
            recorder.wheel_begins();
            // Said, so that what the recording tells of the wheel is so.
            builder.tick(recorder.tick()).observer(recorder.clone())
        }
        None => builder,
    }
}

/// The settings of an executor of one thread.
pub(crate) fn local(executor: LocalBuilder, recorder: Option<&Recorder>) -> LocalBuilder {
    match recorder {
        Some(recorder) => executor.observer(recorder.clone()),
        None => executor,
    }
}

/// The settings of an executor of several threads.
pub(crate) fn threads(recorder: Option<&Recorder>) -> ExecutorBuilder {
    match recorder {
        Some(recorder) => Executor::builder().observer(recorder.clone()),
        None => Executor::builder(),
    }
}

/// The settings of a pool for calls that block.
pub(crate) fn pool(recorder: Option<&Recorder>) -> BlockingBuilder {
    match recorder {
        Some(recorder) => BlockingPool::builder().observer(recorder.clone()),
        None => BlockingPool::builder(),
    }
}
