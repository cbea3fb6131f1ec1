//! The main program: lines in, numbered inputs, outputs in order of readiness.
//!
//! In the order in which a line passes through: [`reader`], [`lines`], [`input`], [`session`]
//! (the article's loop), `crate::processing`, [`output`], [`text`] or [`json`], [`display`],
//! [`console`].

pub mod cli;
pub mod console;
pub mod display;
pub mod escape;
pub mod input;
pub mod json;
pub mod lines;
pub mod output;
pub mod quantity;
pub mod reader;
pub mod session;
pub mod signals;
pub mod start;
pub mod text;
pub mod tour;
