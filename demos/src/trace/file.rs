//! The file of a trace: what is where in it.
//!
//! ```text
//! file    = "handrolled trace\n"  version  block*
//! block   = tag (1 byte)  length  payload (length bytes)  CRC-32 of tag and payload (4 bytes, LE)
//!
//! tag H   header: a JSON object {"program", "started", …}; the first block, and
//!         again when more is known: the last one counts
//! tag P   places in the source: number of the first, then texts until the end
//! tag T   a thread: its number, its name
//! tag W   events of one thread: its number, the time from which on, the cause of what it did
//!         then, and words until the end: eight bytes each (LE), told of in `chunk.rs`
//! tag E   events of one thread in fewer bytes: its number, how many of its events were lost
//!         before these, the time of the first, then events until the end
//! tag Z   the end: number of events in the file, number of events lost
//!
//! event   = kind (1 byte)  nanoseconds since the one before it in the block  fields
//! number  = seven bits a byte, the lowest first; the top bit says that more follow
//! text    = length in bytes, then UTF-8
//! ```
//!
//! Version, lengths and numbers without a size are all written as `number`; the fields of each
//! kind are to be read in `encode.rs`. Time is in nanoseconds since the trace began. Within a block
//! it does not go back; the blocks of different threads overlap, and a reader merges them.
//!
//! A writer appends block after block, so a file whose writer was killed is whole up to its last
//! block: without block `Z` it says so, and holds what it holds. A block that was changed is an
//! error and not a guess. Blocks with an unknown tag are passed over (and counted), and so are
//! fields of the header: what can be added without harm needs no new version. A new version is
//! one that an old reader would misread, and it says that it is too new for it: version 1 had no
//! tag W, version 2 no packed sources (`word.rs`).

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a trace begins.
pub const MAGIC: &[u8] = b"handrolled trace\n";

/// The version that is written, and the newest that is read.
pub const VERSION: u64 = 3;

/// What is told of the whole trace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// What was run.
    pub program: String,
    /// When, as RFC 3339 has it.
    pub started: String,
    /// What it shows, if it was made to show something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// A paragraph about that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// How long a tick of the wheel is, in nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tick_ns: Option<u64>,
    /// When the wheel's tick 0 was, in nanoseconds since the trace began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wheel_zero: Option<i64>,
}

/// Why a file cannot be read. Its `Display` says so in a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// There is nothing in it.
    Empty,
    /// It does not begin as a trace does.
    NotATrace,
    /// It was written by a newer program.
    Newer(u64),
    /// A block is not what was written: at which byte, and what is wrong with it.
    Damaged(usize, &'static str),
    /// It has more events than may be read: the limit.
    TooLarge(usize),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str(
                "the file is empty: nothing was recorded in it, or it was not copied whole",
            ),
            Self::NotATrace => {
                let magic = String::from_utf8_lossy(MAGIC);
                write!(
                    f,
                    "this is no recording: it does not begin with `{}`; one is made by \
                     `event-loop run --record FILE`, and by tour and serve",
                    magic.trim_end()
                )
            }
            Self::Newer(version) => write!(
                f,
                "this trace has version {version}, and I read versions up to {VERSION}: \
                 a newer event-loop wrote it, and can read it"
            ),
            Self::Damaged(at, what) => {
                write!(
                    f,
                    "the trace is damaged: in the block at byte {at}, {what}; \
                     copy it again from where it was written, or record anew"
                )
            }
            Self::TooLarge(limit) => {
                write!(
                    f,
                    "the trace has more than {limit} events; --most raises the limit"
                )
            }
        }
    }
}

impl std::error::Error for Unreadable {}
