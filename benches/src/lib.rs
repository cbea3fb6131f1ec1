#![doc = include_str!("../README.md")]

pub mod chart;
pub mod child;
pub mod churn;
pub mod contest;
pub mod curves;
mod explain;
pub mod heap;
pub mod instructions;
pub mod load;
pub mod machine;
pub mod peers;
pub mod quote;
pub mod record;
pub mod report;
pub mod roster;
pub mod runtime;
pub mod serve;
pub mod stats;
pub mod syscalls;
pub mod workload;
pub mod workloads;
