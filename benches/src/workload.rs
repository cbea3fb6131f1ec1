//! What is measured: a shape of work, who runs it, and what one pass of it cost.

use std::fmt;
use std::time::Instant;

use crate::machine;
use crate::stats::Ranks;

/// A result that must not be published: work lost, done twice, or corrupted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid(pub String);

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Invalid {}

impl From<std::io::Error> for Invalid {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}

/// Fails unless what was done is what was asked.
///
/// # Errors
/// When the two differ.
pub fn expect_count(what: &str, done: u64, asked: u64) -> Result<(), Invalid> {
    if done == asked {
        Ok(())
    } else {
        Err(Invalid(format!("{done} {what} of {asked}")))
    }
}

/// What one pass cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// In the workload's unit, for all operations together.
    pub total: f64,
    /// How many operations that was.
    pub ops: u64,
    /// How the operations differed, where the workload is about that.
    pub ranks: Option<Ranks>,
    /// The kernel's share of the processor time since the contender was set up, where it has a
    /// process of its own.
    pub kernel: Option<f64>,
}

impl Measured {
    /// A cost of `ops` operations together.
    #[must_use]
    pub const fn new(total: f64, ops: u64) -> Self {
        Self {
            total,
            ops,
            ranks: None,
            kernel: None,
        }
    }

    /// Counts the processor time that this process spends on `work`, which does `ops` operations:
    /// for work on one core that never waits. Other processes' turns on that core do not count.
    ///
    /// # Errors
    /// What `work` finds wrong.
    pub fn cpu(ops: u64, work: impl FnOnce() -> Result<(), Invalid>) -> Result<Self, Invalid> {
        let before = machine::own_cpu_ns();
        work()?;
        Ok(Self::new((machine::own_cpu_ns() - before) as f64, ops))
    }

    /// Times `work`, which does `ops` operations.
    ///
    /// # Errors
    /// What `work` finds wrong.
    pub fn time(ops: u64, work: impl FnOnce() -> Result<(), Invalid>) -> Result<Self, Invalid> {
        let begin = Instant::now();
        work()?;
        Ok(Self::new(begin.elapsed().as_nanos() as f64, ops))
    }
}

/// One pass over a workload's shape, verified.
pub type Pass = Box<dyn FnMut() -> Result<Measured, Invalid>>;

/// Somebody who can run a workload.
pub struct Contender {
    /// What the report calls it.
    pub peer: &'static str,
    /// Sets it up; called once, on the thread that will run it.
    pub build: Box<dyn FnOnce() -> Result<Pass, Invalid>>,
}

impl Contender {
    /// A contender that is set up by `build`.
    pub fn new(
        peer: &'static str,
        build: impl FnOnce() -> Result<Pass, Invalid> + 'static,
    ) -> Self {
        Self {
            peer,
            build: Box::new(build),
        }
    }
}

/// Which cores a workload may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cores {
    /// The last one alone: a single thread that must not wander.
    One,
    /// All of them.
    All,
}

/// Whether a larger figure is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// Costs.
    Less,
    /// Rates.
    More,
}

/// How large a workload's shape is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// As published.
    Full,
    /// As small as can be and still go everywhere: for tests.
    Smoke,
}

impl Scale {
    /// `full`, or a small number in tests.
    #[must_use]
    pub fn of(self, full: usize, smoke: usize) -> usize {
        match self {
            Self::Full => full,
            Self::Smoke => smoke,
        }
    }
}

/// Everybody who runs something, set up for a shape of that size.
pub type Contenders = fn(Scale) -> Vec<Contender>;

/// A shape of work and what is counted in it.
#[derive(Clone, Copy)]
pub struct Workload {
    /// As `group/name`.
    pub name: &'static str,
    /// One line that says what is done and counted.
    pub about: &'static str,
    /// What a figure is, for example `ns/task`.
    pub unit: &'static str,
    /// Which way is good.
    pub better: Better,
    /// Where it runs.
    pub cores: Cores,
    /// With fewer cores it is left out.
    pub least_cores: usize,
    /// Fewer rounds say too little; a test's single one says nothing anyway.
    pub least_rounds: usize,
    /// Whether a pass takes so long that criterion, which makes many of them, leaves it out.
    pub long: bool,
    main: Contenders,
    beside: Option<Contenders>,
    without: &'static [&'static str],
}

impl Workload {
    /// A cost that one thread on one core has.
    #[must_use]
    pub const fn new(
        name: &'static str,
        about: &'static str,
        unit: &'static str,
        contenders: Contenders,
    ) -> Self {
        Self {
            name,
            about,
            unit,
            better: Better::Less,
            cores: Cores::One,
            least_cores: 1,
            least_rounds: 1,
            long: false,
            main: contenders,
            beside: None,
            without: &[],
        }
    }

    /// With some who run nothing else, such as the limits of the machine.
    #[must_use]
    pub const fn beside(self, contenders: Contenders) -> Self {
        Self {
            beside: Some(contenders),
            ..self
        }
    }

    /// Without those of its peers who cannot run it.
    #[must_use]
    pub const fn without(self, peers: &'static [&'static str]) -> Self {
        Self {
            without: peers,
            ..self
        }
    }

    /// On every core there is.
    #[must_use]
    pub const fn on_all_cores(self) -> Self {
        Self {
            cores: Cores::All,
            ..self
        }
    }

    /// On the last core alone.
    #[must_use]
    pub const fn on_one_core(self) -> Self {
        Self {
            cores: Cores::One,
            ..self
        }
    }

    /// Only where there are so many cores: with fewer the figure would be of something else.
    #[must_use]
    pub const fn with_cores(self, least_cores: usize) -> Self {
        Self {
            least_cores,
            ..self
        }
    }

    /// In so many rounds at least: for figures that differ much from one to the next.
    #[must_use]
    pub const fn in_rounds(self, least_rounds: usize) -> Self {
        Self {
            least_rounds,
            ..self
        }
    }

    /// In passes of a second or more: not for criterion.
    #[must_use]
    pub const fn long(self) -> Self {
        Self { long: true, ..self }
    }

    /// A rate, not a cost.
    #[must_use]
    pub const fn more_is_better(self) -> Self {
        Self {
            better: Better::More,
            ..self
        }
    }

    /// Everybody who runs it; ours is called [`OURS`].
    #[must_use]
    pub fn contenders(&self, scale: Scale) -> Vec<Contender> {
        let mut all = (self.main)(scale);
        all.extend(self.beside.map_or_else(Vec::new, |beside| beside(scale)));
        all.retain(|contender| !self.without.contains(&contender.peer));
        all
    }
}

/// What this project's contender is called in every workload.
pub const OURS: &str = "ours";

/// Contenders that are nobody else's runtime or structure to be used: what is possible at all, and
/// ours with another setting.
const LIMITS: [&str; 8] = [
    "bare",
    "bare-shared",
    "calls",
    "intrusive",
    "memcpy",
    "nanosleep",
    "ours-1ms",
    "unordered",
];

/// Whether `peer` is one of these, and not somebody else's code for the same purpose.
#[must_use]
pub fn is_limit(peer: &str) -> bool {
    LIMITS.contains(&peer)
}
