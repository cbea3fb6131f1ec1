#![doc = include_str!("../README.md")]

pub mod chart;
pub mod child;
pub mod contest;
pub mod heap;
pub mod instructions;
pub mod load;
pub mod machine;
pub mod peers;
pub mod record;
pub mod report;
pub mod roster;
pub mod runtime;
pub mod serve;
pub mod stats;
pub mod workload;
pub mod workloads;
