//! A trace of the loop at work: recorded, kept in a file, told in words, shown on a page.
//!
//! The three crates have observers and know nothing of each other. [`recorder`] is an observer of
//! all three, and knows what its thread is doing right now: a wake while task 3 is polled was
//! caused by task 3, one after timer 9 fired by timer 9. So causes need not be passed through the
//! crates; they are a matter of order.
//!
//! In the order in which an event passes through: [`event`] (what can happen), [`encode`] (as
//! bytes), [`block`] (those of one thread), [`writer`] and [`file`] (in a file); and out again:
//! [`reader`], [`decode`], [`numbers`], [`json`].

pub mod block;
pub mod decode;
pub mod encode;
pub mod event;
pub mod file;
pub mod json;
pub mod numbers;
pub mod reader;
pub mod writer;
