#![doc = include_str!("../README.md")]
#![warn(missing_debug_implementations)] // as users of a library expect
#![cfg_attr(docsrs, feature(doc_cfg))]

mod block_on;
mod blocking;
mod checkpoint;
mod error;
#[cfg(feature = "hyper")]
mod hyper;
mod local;
mod members;
mod observe;
mod size_class;
mod stage;
mod stealing;
mod sync;
#[cfg(feature = "tracing")]
mod task_spans;
mod yield_now;

pub use block_on::block_on;
pub use blocking::report::BlockingReport;
pub use blocking::watch::{JobEnd, JobId, JobObserver};
pub use blocking::{Blocking, BlockingBuilder, BlockingPool};
pub use checkpoint::{Checkpoint, checkpoint};
pub use error::JoinError;
pub use local::abort::LocalAbortHandle;
pub use local::builder::LocalBuilder;
pub use local::handle::LocalJoinHandle;
pub use local::metrics::LocalMetrics;
pub use local::root::Root;
pub use local::spawner::LocalSpawner;
pub use local::task_set::LocalTaskSet;
pub use local::{Entered, LocalExecutor};
pub use observe::{Observer, TaskEnd, TaskId, TaskInfo};
pub use stealing::{
    AbortHandle, Executor, ExecutorBuilder, ExecutorMetrics, JoinHandle, PanicPolicy, Park,
    ShutdownReport, Spawner, TaskSet, ThreadPark, WorkerMetrics,
};
#[cfg(feature = "tracing")]
pub use task_spans::TaskSpans;
pub use yield_now::{YieldNow, yield_now};
