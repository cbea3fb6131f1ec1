//! The full event loop, composed of `executor`, `reactor` and `timers`.
