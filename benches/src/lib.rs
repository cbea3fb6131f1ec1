//! Workloads written once, over a small trait that each runtime implements.
