#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

mod arena;
mod level;
mod seeded;
mod wheel;

pub use arena::Key;
pub use wheel::{Due, Wheel};
