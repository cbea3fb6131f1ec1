//! The full event loop, composed of `executor`, `reactor` and `timers`, and a program that runs
//! on it.
//!
//! Read [`event_loop`] first: it is the loop, on one page. Then [`program::session`], the loop of
//! the article that this program plays, and from there whatever you ask yourself next.

pub mod event_loop;
pub mod handle;
pub mod processing;
pub mod program;
pub mod tour_server;

pub use event_loop::EventLoop;
pub use handle::Handle;
