//! What can happen, as values.

/// What is the cause of a wake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The task woke itself in its own poll.
    Itself,
    /// Another task, in its poll.
    Task(u64),
    /// A timer that fired.
    Timer(u64),
    /// A source that became ready in a direction.
    Source(u64, Direction),
    /// A thread that is none of the workers, by its number in the trace.
    Thread(u16),
    /// Nothing that was being watched.
    Unknown,
}

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// To us.
    Read,
    /// From us.
    Write,
}

impl Direction {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum How {
    /// With its output.
    Output,
    /// It panicked.
    Panicked,
    /// It was called off.
    Cancelled,
}

impl How {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Output => "output",
            Self::Panicked => "panicked",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Where in the wheel a timer is: a level, and a slot of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Spot {
    /// The level; 0 is the finest.
    pub level: u8,
    /// The slot.
    pub slot: u8,
}

/// One thing that happened. Numbers of tasks, sources, timers and jobs are those of the crates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event<'a> {
    /// A turn of the loop begins: what is ready now is run.
    Turn,
    /// A task was spawned.
    Spawn {
        /// The task.
        task: u64,
        /// Its name; empty if it has none.
        name: &'a str,
        /// Where in the source, as a number of the trace's table of places.
        place: u32,
        /// The task that spawned it.
        by: Option<u64>,
    },
    /// A poll begins.
    Poll {
        /// The task.
        task: u64,
    },
    /// The poll has ended.
    Polled {
        /// The task.
        task: u64,
        /// Whether it has its output now.
        ready: bool,
    },
    /// A task that waited is ready to be polled.
    Wake {
        /// The task.
        task: u64,
        /// Why.
        by: Cause,
    },
    /// A task's future is gone.
    End {
        /// The task.
        task: u64,
        /// How.
        how: How,
    },
    /// The thread waits.
    Park {
        /// At most so many nanoseconds; `None` is for ever.
        patience: Option<u64>,
    },
    /// The thread goes on.
    Unpark {
        /// How much news the kernel had.
        events: u32,
    },
    /// A source was registered.
    Source {
        /// The source.
        source: u64,
        /// Its descriptor.
        fd: i32,
        /// What it is; empty if that is not known.
        what: &'a str,
    },
    /// A source is gone.
    Gone {
        /// The source.
        source: u64,
    },
    /// A task waits for a source.
    Wait {
        /// The source.
        source: u64,
        /// For what.
        direction: Direction,
        /// Who, if it was a task.
        task: Option<u64>,
    },
    /// A source has news.
    Ready {
        /// The source.
        source: u64,
        /// There is something to read, or the end.
        read: bool,
        /// There is room to write.
        write: bool,
    },
    /// A timer was inserted into the wheel, or was there and got another deadline.
    Timer {
        /// The timer.
        timer: u64,
        /// The time at which it is due, as the trace counts time.
        due: u64,
        /// Where it waits; `None` if it was due at once.
        spot: Option<Spot>,
        /// Who, if it was a task.
        task: Option<u64>,
    },
    /// A timer came closer to its time, and down the wheel.
    Move {
        /// The timer.
        timer: u64,
        /// Where it waits now.
        spot: Spot,
    },
    /// A timer is due.
    Fire {
        /// The timer.
        timer: u64,
    },
    /// A timer was taken out before it was due.
    Cancel {
        /// The timer.
        timer: u64,
    },
    /// A worker took tasks from another.
    Steal {
        /// The thread it took them from.
        from: u16,
        /// How many.
        tasks: u32,
    },
    /// A call that blocks was handed to the pool.
    Job {
        /// The call.
        job: u64,
        /// Where in the source.
        place: u32,
        /// Who, if it was a task.
        task: Option<u64>,
    },
    /// A thread of the pool makes the call.
    JobBegin {
        /// The call.
        job: u64,
    },
    /// The call is made.
    JobEnd {
        /// The call.
        job: u64,
    },
    /// An input was taken in.
    Input {
        /// Its number.
        number: u64,
        /// The line.
        text: &'a str,
        /// The task that processes it, if it needs one.
        task: Option<u64>,
    },
    /// An output went out.
    Output {
        /// The number of its input.
        number: u64,
        /// What it says.
        text: &'a str,
        /// Whether it is an answer and not an error.
        ok: bool,
    },
    /// A remark of the program on what happens next: a caption.
    Note {
        /// The remark.
        text: &'a str,
    },
}

/// The kinds of events by name, as filters and JSON call them.
pub const KINDS: [&str; 23] = [
    "turn",
    "spawn",
    "poll",
    "polled",
    "wake",
    "end",
    "park",
    "unpark",
    "source",
    "gone",
    "wait",
    "ready",
    "timer",
    "move",
    "fire",
    "cancel",
    "steal",
    "job",
    "job-begin",
    "job-end",
    "input",
    "output",
    "note",
];

impl Event<'_> {
    /// Its kind's place in [`KINDS`].
    #[must_use]
    #[inline]
    pub fn kind(&self) -> u8 {
        match self {
            Self::Turn => 0,
            Self::Spawn { .. } => 1,
            Self::Poll { .. } => 2,
            Self::Polled { .. } => 3,
            Self::Wake { .. } => 4,
            Self::End { .. } => 5,
            Self::Park { .. } => 6,
            Self::Unpark { .. } => 7,
            Self::Source { .. } => 8,
            Self::Gone { .. } => 9,
            Self::Wait { .. } => 10,
            Self::Ready { .. } => 11,
            Self::Timer { .. } => 12,
            Self::Move { .. } => 13,
            Self::Fire { .. } => 14,
            Self::Cancel { .. } => 15,
            Self::Steal { .. } => 16,
            Self::Job { .. } => 17,
            Self::JobBegin { .. } => 18,
            Self::JobEnd { .. } => 19,
            Self::Input { .. } => 20,
            Self::Output { .. } => 21,
            Self::Note { .. } => 22,
        }
    }

    /// Its kind's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        KINDS[usize::from(self.kind())]
    }
}

/// An event, and when and on which thread it happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Nanoseconds since the trace began.
    pub at: u64,
    /// The thread's number in the trace.
    pub thread: u16,
    /// What happened.
    pub event: Event<'a>,
}
