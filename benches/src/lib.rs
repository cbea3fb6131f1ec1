#![doc = include_str!("../README.md")]

pub mod contest;
pub mod machine;
pub mod peers;
pub mod record;
pub mod runtime;
pub mod stats;
pub mod workloads;
