#![doc = include_str!("../README.md")]
#![warn(missing_debug_implementations, clippy::must_use_candidate)] // as users of a library expect
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

mod arena;
mod chunks;
mod level;
mod lists;
mod wheel;

#[cfg(all(feature = "boot-time", target_os = "linux"))]
mod boot;
#[cfg(feature = "std")]
mod builder;
#[cfg(feature = "std")]
mod clock;
#[cfg(feature = "std")]
mod delay_queue;
#[cfg(feature = "std")]
mod firing;
#[cfg(feature = "std")]
mod handle;
#[cfg(feature = "hyper")]
mod hyper;
#[cfg(feature = "std")]
mod interval;
#[cfg(feature = "std")]
mod moderation;
#[cfg(feature = "std")]
mod observe;
#[cfg(feature = "std")]
mod shard;
#[cfg(feature = "std")]
mod sharing;
#[cfg(feature = "std")]
mod sleep;
#[cfg(feature = "std")]
mod ticks;
#[cfg(feature = "std")]
mod timekeeper;
#[cfg(feature = "std")]
mod timeout;
#[cfg(feature = "std")]
mod virtual_time;

pub use arena::Key;
pub use level::Slot;
pub use wheel::{Due, Wheel};

#[cfg(feature = "std")]
pub use {
    builder::Builder,
    clock::{Clock, Hold},
    delay_queue::DelayQueue,
    handle::{LocalTimers, SharedTimers, Timers},
    interval::{Interval, MissedTicks},
    observe::{Observer, TimerId},
    sharing::{Local, Shared, Sharing},
    sleep::{LocalSleep, Sleep},
    timeout::{Elapsed, Timeout},
};
