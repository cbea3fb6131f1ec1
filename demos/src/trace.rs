//! A trace of the loop at work: recorded, kept in a file, told in words, shown on a page.
//!
//! The three crates have observers and know nothing of each other. [`recorder`] is an observer of
//! all three, and knows what its thread is doing right now: a wake while task 3 is polled was
//! caused by task 3, one after timer 9 fired by timer 9. So causes need not be passed through the
//! crates; they are a matter of order.
//!
//! ```text
//!  executor ─┐                                                    ┌─▶ words, answers, summary
//!  reactor  ─┼─▶ sheet of ─▶ chunks ─▶ outbox ─▶ keeper ─▶ file ──┼─▶ JSON ─▶ the page
//!  timers   ─┤   a thread                                         └─▶ Perfetto
//!  program  ─┘
//! ```
//!
//! | file | the question it answers |
//! |---|---|
//! | `event.rs` | What can happen? |
//! | `word.rs`, `chunk.rs` | What does a thread put down in the middle of its work? |
//! | `sheet.rs`, `calls.rs`, `observers.rs`, `remark.rs` | When does it, and how are causes known? |
//! | `quick.rs`, `here.rs` | What does it cost where it happens by the thousand? |
//! | `attach.rs`, `recorder.rs`, `unseen.rs` | What do the threads have in common? |
//! | `outside.rs`, `socket.rs` | Who is it that the crates do not name? |
//! | `told.rs` | How is that read again? |
//! | `encode.rs`, `decode.rs`, `block.rs` | How does an event become a handful of bytes, and back? |
//! | `ring.rs`, `outbox.rs`, `keeper.rs`, `recording.rs` | Who takes it, and holds nobody up? |
//! | `file.rs`, `writer.rs`, `reader.rs` | What is in the file? What if it is damaged? |
//! | `numbers.rs`, `json.rs` | How is it told to programs? |
//! | `story.rs`, `words.rs` | What belongs together, and how is it said? |
//! | `filter.rs`, `summary.rs` | What is told of it? What stood out? |
//! | `late.rs`, `idle.rs` | Why was O1 late? Why is a task not running? |
//! | `perfetto.rs` | How do other people's tools see it? |
//! | `html.rs`, `feed.rs`, `past.rs`, `watch.rs` | How does the page get it, from a file or live? |
//! | `lessons.rs`, `order.rs`, `captions.rs` | What does a run look like that shows one thing? |
//! | `command.rs` | What can be asked of a file? |

pub(crate) mod attach;
pub mod block;
mod calls;
mod captions;
mod chunk;
pub mod command;
pub mod decode;
pub mod encode;
pub mod event;
pub mod feed;
pub mod file;
pub mod filter;
mod here;
pub mod html;
pub mod idle;
pub mod json;
pub mod keeper;
pub mod late;
pub mod lessons;
pub mod numbers;
mod observers;
mod order;
mod outbox;
mod outside;
mod past;
pub mod perfetto;
mod quick;
pub mod reader;
pub mod recorder;
pub mod recording;
pub mod remark;
mod ring;
mod sheet;
mod socket;
pub mod story;
pub mod summary;
mod told;
mod unseen;
pub mod watch;
mod word;
pub mod words;
pub mod writer;

pub use recorder::Recorder;
pub use remark::{input, is_on, name, note, output};
