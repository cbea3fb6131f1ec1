//! Runs contenders against one another, interleaved round by round in one process.
//!
//! A machine drifts: its clock, its neighbours, its caches. Rounds in which every contender has a
//! turn share that drift, so their ratio keeps still where absolute figures wander. The order
//! within a round rotates, so that nobody is always the one after somebody else's cache misses.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use crate::machine;
use crate::record::Record;
use crate::stats::{self, Ranks};
use crate::workload::{Better, Cores, Invalid, Measured, OURS, Pass, Scale, Workload};

/// How long to measure.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Rounds, in each of which every contender has one turn.
    pub rounds: usize,
    /// How long a turn lasts at least; a turn is at least one pass.
    pub turn: Duration,
    /// How large the shapes are.
    pub scale: Scale,
}

impl Effort {
    /// For publishing.
    pub const FULL: Self = Self {
        rounds: 21,
        turn: Duration::from_millis(60),
        scale: Scale::Full,
    };
    /// For a look: the same shapes, fewer and shorter turns.
    pub const QUICK: Self = Self {
        rounds: 9,
        turn: Duration::from_millis(15),
        scale: Scale::Full,
    };
    /// For tests: one tiny pass.
    pub const SMOKE: Self = Self {
        rounds: 1,
        turn: Duration::ZERO,
        scale: Scale::Smoke,
    };
}

/// Everybody's rounds on one workload.
#[derive(Clone, Debug)]
pub struct Rounds {
    /// Names in the workload's order.
    pub peers: Vec<&'static str>,
    /// For each of them, its figure in each round.
    pub figures: Vec<Vec<f64>>,
    /// For each of them, how the operations of each round differed, if the workload says so.
    pub ranks: Vec<Vec<Ranks>>,
    /// For each of them, the kernel's share of its processor time, if the workload says so.
    pub kernel: Vec<Option<f64>>,
    /// How long all of it took, from setting up to the last round.
    pub took: Duration,
}

impl Workload {
    /// How many turns [`Workload::run`] will take.
    #[must_use]
    pub fn turns(&self, effort: Effort, wanted: &dyn Fn(&str) -> bool) -> usize {
        let contenders = self.contenders(effort.scale);
        contenders.iter().filter(|c| wanted(c.peer)).count() * self.rounds(effort)
    }

    fn rounds(&self, effort: Effort) -> usize {
        match effort.scale {
            Scale::Full => effort.rounds.max(self.least_rounds),
            Scale::Smoke => effort.rounds,
        }
    }

    /// Runs every contender in every round; `step` is called after each turn.
    ///
    /// # Errors
    /// The first invalid result, with the name of whose it is.
    pub fn run(
        &self,
        effort: Effort,
        wanted: &dyn Fn(&str) -> bool,
        step: &mut dyn FnMut(),
    ) -> Result<Rounds, Invalid> {
        let all = machine::all_cores();
        if self.cores == Cores::One {
            machine::pin(&all[all.len() - 1..])?;
        }
        // A contender that panics has lost this workload, not everybody's other results.
        let run = AssertUnwindSafe(|| self.run_here(effort, wanted, step));
        let result = catch_unwind(run);
        machine::pin(all)?;
        result.unwrap_or_else(|_| Err(Invalid(format!("{}: somebody panicked", self.name))))
    }

    fn run_here(
        &self,
        effort: Effort,
        wanted: &dyn Fn(&str) -> bool,
        step: &mut dyn FnMut(),
    ) -> Result<Rounds, Invalid> {
        let begin = Instant::now();
        let blame = |peer: &str, e: Invalid| Invalid(format!("{}, {peer}: {e}", self.name));
        let mut peers = Vec::new();
        let mut passes = Vec::new();
        let mut firsts = Vec::new();
        for contender in self.contenders(effort.scale) {
            if !wanted(contender.peer) {
                continue;
            }
            let peer = contender.peer;
            let mut pass = (contender.build)().map_err(|e| blame(peer, e))?;
            // Warms up, and verifies before anything is timed.
            let first = take_turn(&mut pass, Duration::ZERO).map_err(|e| blame(peer, e))?;
            peers.push(peer);
            passes.push(pass);
            let counts = first.took >= effort.turn.max(WARMS_ITSELF);
            firsts.push(counts.then_some(first));
        }
        let rounds = self.rounds(effort);
        let mut figures = vec![Vec::with_capacity(rounds); passes.len()];
        let mut ranks = vec![Vec::new(); passes.len()];
        let mut kernel = vec![None; passes.len()];
        for round in 0..rounds {
            for turn in 0..passes.len() {
                let who = (round + turn) % passes.len();
                let turn = match firsts[who].take() {
                    Some(first) => first, // of round 0, which goes in this order too
                    None => take_turn(&mut passes[who], effort.turn)
                        .map_err(|e| blame(peers[who], e))?,
                };
                let measured = turn.measured;
                figures[who].push(measured.total / measured.ops as f64);
                ranks[who].extend(measured.ranks);
                kernel[who] = measured.kernel;
                step();
            }
        }
        Ok(Rounds {
            peers,
            figures,
            ranks,
            kernel,
            took: begin.elapsed(),
        })
    }
}

/// A pass as long as this counts although it is the first: it would make a row last a minute to
/// repeat it, and what is cold at its beginning is little of it.
const WARMS_ITSELF: Duration = Duration::from_millis(700);

/// What one contender did in one round.
struct Turn {
    measured: Measured,
    took: Duration,
}

/// Passes until the turn has lasted long enough, taken together; of the rest the last pass's.
fn take_turn(pass: &mut Pass, at_least: Duration) -> Result<Turn, Invalid> {
    let begin = Instant::now();
    let mut turn = Measured::new(0.0, 0);
    loop {
        let measured = pass()?;
        turn.total += measured.total;
        turn.ops += measured.ops;
        turn.ranks = measured.ranks;
        turn.kernel = measured.kernel;
        let took = begin.elapsed();
        if took >= at_least {
            return Ok(Turn {
                measured: turn,
                took,
            });
        }
    }
}

impl Rounds {
    /// The records of ours beside each peer; empty when ours did not take part.
    #[must_use]
    pub fn records(
        &self,
        workload: &Workload,
        quick: bool,
        machine: &machine::Facts,
    ) -> Vec<Record> {
        let Some(our_place) = self.peers.iter().position(|&peer| peer == OURS) else {
            return Vec::new();
        };
        let ours = &self.figures[our_place];
        let mut records = Vec::new();
        for (place, &peer) in self.peers.iter().enumerate() {
            let theirs = &self.figures[place];
            if peer == OURS {
                continue;
            }
            let ratios = ratios(workload.better, ours, theirs);
            let (low, high) = stats::median_interval(&ratios);
            let middle_half = |v: &[f64]| (stats::quantile(v, 0.25), stats::quantile(v, 0.75));
            records.push(Record {
                workload: workload.name.into(),
                peer: peer.into(),
                unit: workload.unit.into(),
                ours: stats::median(ours),
                theirs: stats::median(theirs),
                ratio: stats::median(&ratios),
                low,
                high,
                rounds: ratios.len(),
                ours_quartiles: middle_half(ours),
                theirs_quartiles: middle_half(theirs),
                ours_ranks: stats::median_ranks(&self.ranks[our_place]),
                theirs_ranks: stats::median_ranks(&self.ranks[place]),
                ours_kernel: self.kernel[our_place].map(|share| rounded(share, 1_000.0)),
                theirs_kernel: self.kernel[place].map(|share| rounded(share, 1_000.0)),
                goal: crate::workloads::goal(workload.name, peer),
                quick,
                took_s: rounded(self.took.as_secs_f64(), 10.0),
                machine: machine.clone(),
            });
        }
        records
    }
}

fn rounded(number: f64, parts: f64) -> f64 {
    (number * parts).round() / parts
}

/// How many times better ours was, round by round.
fn ratios(better: Better, ours: &[f64], theirs: &[f64]) -> Vec<f64> {
    let pairs = ours.iter().zip(theirs);
    match better {
        Better::Less => pairs.map(|(ours, theirs)| theirs / ours).collect(),
        Better::More => pairs.map(|(ours, theirs)| ours / theirs).collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::*;
    use crate::workload::Contender;

    #[test]
    fn ratios_are_taken_round_by_round_and_above_one_is_ours() {
        assert_eq!(ratios(Better::Less, &[2.0, 4.0], &[8.0, 4.0]), [4.0, 1.0]);
        assert_eq!(ratios(Better::More, &[2.0, 4.0], &[8.0, 4.0]), [0.25, 1.0]);
    }

    thread_local!(static TRACE: RefCell<String> = const { RefCell::new(String::new()) });

    fn traced(peer: &'static str) -> Contender {
        Contender::new(peer, move || {
            Ok(Box::new(move || {
                TRACE.with_borrow_mut(|trace| trace.push_str(&peer[..1]));
                Ok(Measured::new(10.0, 5))
            }))
        })
    }

    const TRACED: Workload =
        Workload::new("test/traced", "", "", |_| vec![traced("a"), traced("b")])
            .beside(|_| vec![traced("c")])
            .on_all_cores();

    #[test]
    fn rounds_interleave_and_rotate_after_a_warm_up() {
        TRACE.take();
        let steps = Rc::new(RefCell::new(0));
        let effort = Effort {
            rounds: 3,
            turn: Duration::ZERO,
            scale: Scale::Smoke,
        };
        let rounds = TRACED
            .run(effort, &|_| true, &mut || *steps.borrow_mut() += 1)
            .unwrap();
        assert_eq!(TRACE.take(), "abcabcbcacab");
        assert_eq!(*steps.borrow(), 9);
        assert_eq!(rounds.figures, vec![vec![2.0; 3]; 3]);
    }

    #[test]
    fn a_long_pass_is_its_own_warm_up() {
        let long = Workload::new("test/long", "", "", |_| {
            vec![Contender::new("l", || Ok(Box::new(slept)))]
        });
        thread_local!(static SLEPT: RefCell<usize> = const { RefCell::new(0) });
        fn slept() -> Result<Measured, Invalid> {
            SLEPT.with_borrow_mut(|slept| *slept += 1);
            std::thread::sleep(WARMS_ITSELF);
            Ok(Measured::new(1.0, 1))
        }
        let effort = Effort {
            rounds: 2,
            turn: Duration::ZERO,
            scale: Scale::Smoke,
        };
        let rounds = long.run(effort, &|_| true, &mut || {}).unwrap();
        assert_eq!((rounds.figures[0].len(), SLEPT.take()), (2, 2));
    }

    #[test]
    fn a_panic_is_an_invalid_result() {
        let broken = Workload::new("test/broken", "", "", |_| {
            let panic: fn() -> _ = || panic!("on purpose");
            vec![Contender::new("d", move || Ok(Box::new(panic)))]
        });
        let error = broken
            .run(Effort::SMOKE, &|_| true, &mut || {})
            .unwrap_err();
        assert_eq!(error.0, "test/broken: somebody panicked");
    }

    #[test]
    fn an_invalid_result_names_workload_and_peer() {
        let lossy = Workload::new("test/lossy", "", "", |_| {
            let lose: fn() -> _ = || Err(Invalid("9 tasks of 10".into()));
            vec![Contender::new("d", move || Ok(Box::new(lose)))]
        });
        let error = lossy.run(Effort::SMOKE, &|_| true, &mut || {}).unwrap_err();
        assert_eq!(error.0, "test/lossy, d: 9 tasks of 10");
    }
}
