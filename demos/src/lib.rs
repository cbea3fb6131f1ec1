#![doc = include_str!("../README.md")]

pub mod chat;
pub mod current;
pub mod driver;
pub mod event_loop;
pub mod handle;
pub mod host;
pub mod processing;
pub mod program;
pub mod roll;
pub mod runtime;
pub mod seeded;
pub mod server;
pub mod shutdown;
pub mod tour_server;
pub mod trace;

pub use event_loop::EventLoop;
pub use handle::Handle;
pub use host::{Host, HostHandle};
pub use runtime::Runtime;
