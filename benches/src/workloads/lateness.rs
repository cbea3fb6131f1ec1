//! How late sleeps end on a loop that has nothing else to do: 10,000 of them, of 1 to 200 ms.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::roster::{OnTime, Shape, coarse, time};
use crate::runtime::{LocalSpawn, LocalTime};
use crate::stats;
use crate::workload::{Contender, Invalid, Measured, Pass, Scale, Workload, expect_count};

/// The row of the lateness that so many percent of sleeps stay below.
pub const fn at<const PERCENT: usize>(name: &'static str) -> Workload {
    time::<Lateness<PERCENT>>(name).beside(|scale| {
        let nanosleep = Contender::new("nanosleep", move || {
            Ok(nanosleep(share::<PERCENT>(), scale))
        });
        let mut beside = vec![nanosleep];
        beside.extend(coarse::<Lateness<PERCENT>>(scale));
        beside
    })
}

/// Sleeps on a loop that has nothing else to do.
pub struct Lateness<const PERCENT: usize>;

impl<const PERCENT: usize> Shape for Lateness<PERCENT> {
    const ABOUT: &str =
        "10,000 sleeps of 1 to 200 ms: how late the median one ends (p99: 99% are less late)";
    const UNIT: &str = "us late";
}

impl<const PERCENT: usize> OnTime for Lateness<PERCENT> {
    fn pass<R: LocalTime>(scale: Scale) -> Result<Pass, Invalid> {
        Ok(sleep_all::<R>(share::<PERCENT>(), scale))
    }
}

fn share<const PERCENT: usize>() -> f64 {
    PERCENT as f64 / 100.0
}

/// The lateness that `share` of all stayed below, as one measurement.
fn rank(late_us: &[f64], share: f64) -> Measured {
    Measured {
        ranks: Some(stats::ranks(late_us)),
        ..Measured::new(stats::quantile(late_us, share), 1)
    }
}

/// How long after `deadline` it is, in microseconds.
fn late_us(deadline: Instant) -> Result<f64, Invalid> {
    let now = Instant::now();
    let late = now.checked_duration_since(deadline);
    let early = || Invalid(format!("a sleep ended {:?} early", deadline - now));
    Ok(late.ok_or_else(early)?.as_nanos() as f64 / 1_000.0)
}

fn sleep_all<R: LocalTime>(share: f64, scale: Scale) -> Pass {
    let sleeps = scale.of(10_000, 20) as u64;
    let mut runtime = R::new();
    let spawner = runtime.spawner();
    let timer = runtime.timer();
    Box::new(move || {
        let late = Rc::new(RefCell::new(Vec::with_capacity(sleeps as usize)));
        runtime.block_on(async {
            let sleep = |number| {
                let (timer, late) = (timer.clone(), Rc::clone(&late));
                // 19.9 us apart, in an order that a multiple of 7,919 makes
                let wait_us = 1_000 + number * 7_919 % sleeps * 199_000 / sleeps;
                let duration = Duration::from_micros(wait_us);
                spawner.spawn(async move {
                    let deadline = Instant::now() + duration;
                    R::sleep(&timer, duration).await;
                    late.borrow_mut().push(late_us(deadline)?);
                    Ok::<_, Invalid>(())
                })
            };
            let joins: Vec<_> = (0..sleeps).map(sleep).collect();
            for join in joins {
                join.await?;
            }
            Ok::<_, Invalid>(())
        })?;
        expect_count("sleepers", late.borrow().len() as u64, sleeps)?;
        Ok(rank(&late.borrow(), share))
    })
}

/// What the kernel does for a thread that waits for one deadline after another.
fn nanosleep(share: f64, scale: Scale) -> Pass {
    let sleeps = scale.of(150, 3) as u64;
    Box::new(move || {
        let mut late = Vec::new();
        for number in 0..sleeps {
            let deadline = Instant::now() + Duration::from_micros(500 + number * 10);
            std::thread::sleep(deadline - Instant::now());
            late.push(late_us(deadline)?);
        }
        Ok(rank(&late, share))
    })
}
