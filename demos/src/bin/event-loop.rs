//! The event loop, played on real input.
fn main() {}
