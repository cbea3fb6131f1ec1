#![doc = include_str!("../README.md")]

mod block_on;
mod blocking;
mod error;
mod local;
mod stage;
mod stealing;
mod sync;
mod yield_now;

pub use block_on::block_on;
pub use blocking::report::Report;
pub use blocking::{Blocking, BlockingBuilder, BlockingPool};
pub use error::JoinError;
pub use local::builder::LocalBuilder;
pub use local::handle::LocalJoinHandle;
pub use local::root::Root;
pub use local::spawner::LocalSpawner;
pub use local::{Entered, LocalExecutor};
pub use stealing::{
    AbortHandle, Executor, ExecutorBuilder, JoinHandle, Park, ShutdownReport, Spawner, ThreadPark,
};
pub use yield_now::{YieldNow, yield_now};
