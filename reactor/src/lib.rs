#![doc = include_str!("../README.md")]

#[cfg(not(unix))]
compile_error!(
    "this crate stands on readiness of file descriptors (epoll, kqueue, event ports, poll); \
     Windows has completion ports and no AsFd, so it is not supported"
);

mod alarm;
pub mod poller;
mod reactor;
mod readiness;
mod registration;
mod slot;
mod source;
mod sync;
mod table;
mod token;

pub use reactor::{Builder, Reactor};
pub use source::Source;
