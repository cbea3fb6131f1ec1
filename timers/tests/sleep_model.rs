//! Sleeps against a plain model of them: random sequences of polls, resets, drops and turns on
//! virtual time. A sleep is ready exactly if a turn has fired it, and its task was woken as often.

mod wakers;

use std::sync::Arc;
use std::time::{Duration, Instant};

use timers::{Clock, LocalTimers, SharedTimers, Sharing, Sleep, Timers};
use wakers::{Count, poll};

/// A sleep, and what is known of it.
struct Modelled<S: Sharing> {
    sleep: Sleep<S>,
    deadline: Instant,
    state: State,
    woken: (Arc<Count>, std::task::Waker),
    wakes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Idle,
    Armed,
    Fired,
}

/// Mostly within a few slots of level 0, sometimes farther; often no time at all.
fn duration(dice: &mut fastrand::Rng) -> Duration {
    let nanos = match dice.u8(..8) {
        0 | 1 => 0,
        2..6 => dice.u64(..100),
        6 => dice.u64(..10_000),
        _ => dice.u64(..1 << 40),
    };
    Duration::from_nanos(nanos)
}

/// Some time that may be past.
fn instant(clock: &Clock, dice: &mut fastrand::Rng) -> Instant {
    let now = clock.now();
    if dice.bool() {
        now + duration(dice)
    } else {
        now.checked_sub(duration(dice)).unwrap_or(now)
    }
}

fn sequence<S: Sharing>(clock: &Clock, timers: &Timers<S>, dice: &mut fastrand::Rng) {
    let mut sleeps: Vec<Modelled<S>> = Vec::new();
    for _ in 0..60 {
        let chosen = (!sleeps.is_empty()).then(|| dice.usize(..sleeps.len()));
        match (dice.u8(..8), chosen) {
            (0 | 1, _) | (_, None) => {
                let deadline = instant(clock, dice);
                sleeps.push(Modelled {
                    sleep: timers.sleep_until(deadline),
                    deadline,
                    state: State::Idle,
                    woken: Count::new(),
                    wakes: 0,
                });
            }
            (2 | 3, Some(chosen)) => poll_one(&mut sleeps[chosen]),
            (4, Some(chosen)) => {
                let deadline = instant(clock, dice);
                let one = &mut sleeps[chosen];
                one.sleep.reset(deadline);
                one.deadline = deadline;
                if one.state == State::Fired {
                    one.state = State::Idle;
                }
            }
            (5, Some(chosen)) => drop(sleeps.swap_remove(chosen)),
            _ => {
                clock.advance(duration(dice));
                turn(clock, timers, &mut sleeps);
            }
        }
        for one in &sleeps {
            assert_eq!(one.woken.0.get(), one.wakes);
            assert_eq!(one.sleep.is_elapsed(), one.state == State::Fired);
        }
    }
}

fn poll_one<S: Sharing>(one: &mut Modelled<S>) {
    let ready = poll(&mut one.sleep, &one.woken.1).is_ready();
    assert_eq!(ready, one.state == State::Fired);
    if one.state == State::Idle {
        one.state = State::Armed;
    }
}

fn turn<S: Sharing>(clock: &Clock, timers: &Timers<S>, sleeps: &mut [Modelled<S>]) {
    let mut due = 0;
    for one in sleeps {
        if one.state == State::Armed && one.deadline <= clock.now() {
            (one.state, one.wakes) = (State::Fired, one.wakes + 1);
            due += 1;
        }
    }
    assert_eq!(timers.fire(), due);
}

#[test]
fn sleeps_are_ready_when_a_turn_has_fired_them_and_not_before() {
    let mut dice = fastrand::Rng::with_seed(7);
    for _ in 0..3_000 {
        let clock = Clock::manual();
        sequence(&clock, &LocalTimers::new(clock.clone()), &mut dice);
        let shared = SharedTimers::builder(clock.clone()).shards(1).build();
        sequence(&clock, &shared, &mut dice);
    }
}
