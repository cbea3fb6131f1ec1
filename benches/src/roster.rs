//! Who takes part in what: one list for each ability, and one trait for the shapes that need it.
//!
//! A new runtime is one line in each list whose ability it has; a new shape is one line in
//! [`workloads::ALL`](crate::workloads::ALL) and runs on everybody in the list of its trait.

#[cfg(feature = "compio")]
use crate::peers::compio;
#[cfg(feature = "glommio")]
use crate::peers::glommio;
#[cfg(feature = "monoio")]
use crate::peers::monoio;
use crate::peers::{futures, intrusive, memory, ours, ours_threads, schedules, smol, tokio};
use crate::runtime::{
    Local, LocalNet, LocalOutside, LocalTime, Pool, Reschedule, Schedule, Threaded,
};
use crate::workload::{Contender, Invalid, Pass, Scale, Workload};

/// What a shape says about itself.
pub trait Shape: 'static {
    /// One line that says what is done.
    const ABOUT: &'static str;
    /// What a figure is, for example `ns/task`.
    const UNIT: &'static str;
}

/// Sets up a contender; called once, on the thread that will run it.
type Built = Result<Pass, Invalid>;

/// A shape for executors on one thread.
pub trait OnLocal: Shape {
    /// Sets it up on a fresh one.
    ///
    /// # Errors
    /// When that fails.
    fn pass<R: Local>(scale: Scale) -> Built;
}

/// A shape for executors on one thread that take tasks while they do not run.
pub trait OnOutside: Shape {
    /// Sets it up on a fresh one.
    ///
    /// # Errors
    /// When that fails.
    fn pass<R: LocalOutside>(scale: Scale) -> Built;
}

/// A shape for whole runtimes on one thread that have timers.
pub trait OnTime: Shape {
    /// Sets it up on a fresh one.
    ///
    /// # Errors
    /// When that fails.
    fn pass<R: LocalTime>(scale: Scale) -> Built;
}

/// A shape for whole runtimes on one thread that have sockets.
pub trait OnNet: Shape {
    /// Sets it up on a fresh one.
    ///
    /// # Errors
    /// When that fails.
    fn pass<R: LocalNet>(scale: Scale) -> Built;
}

/// A shape for executors on several threads.
pub trait OnThreads: Shape {
    /// Sets it up on a fresh one with so many workers.
    ///
    /// # Errors
    /// When that fails.
    fn pass<R: Threaded>(scale: Scale, workers: usize) -> Built;
}

/// A shape for pools of threads that may block.
pub trait OnPool: Shape {
    /// Sets it up on a fresh one.
    ///
    /// # Errors
    /// When that fails.
    fn pass<P: Pool>(scale: Scale) -> Built;
}

/// A shape for structures that hold deadlines.
pub trait OnSchedule: Shape {
    /// Sets it up on a fresh one.
    ///
    /// # Errors
    /// When that fails.
    fn pass<S: Schedule>(scale: Scale) -> Built;
}

/// A shape for structures whose deadlines can be moved.
pub trait OnReschedule: Shape {
    /// Sets it up on a fresh one.
    ///
    /// # Errors
    /// When that fails.
    fn pass<S: Reschedule>(scale: Scale) -> Built;
}

/// A row for every executor on one thread, each without I/O and timers where it can be.
#[must_use]
pub const fn local<S: OnLocal>(name: &'static str) -> Workload {
    Workload::new(name, S::ABOUT, S::UNIT, |scale| {
        vec![
            on_local::<S, ours::OneThread>(scale),
            on_local::<S, tokio::OneThread>(scale),
            on_local::<S, smol::OneThread>(scale),
            #[cfg(feature = "monoio")]
            on_local::<S, monoio::OneThread>(scale),
            #[cfg(feature = "glommio")]
            on_local::<S, glommio::OneThread>(scale),
            #[cfg(feature = "compio")]
            on_local::<S, compio::OneThread>(scale),
            on_local::<S, futures::OneThread>(scale),
        ]
    })
}

/// The same for whole runtimes: I/O and timers are on.
#[must_use]
pub const fn whole<S: OnLocal>(name: &'static str) -> Workload {
    Workload::new(name, S::ABOUT, S::UNIT, |scale| {
        vec![
            on_local::<S, ours::EventLoop>(scale),
            on_local::<S, tokio::WithDrivers>(scale),
            on_local::<S, smol::WithReactor>(scale),
            #[cfg(feature = "monoio")]
            on_local::<S, monoio::Epoll>(scale),
            #[cfg(feature = "glommio")]
            on_local::<S, glommio::OneThread>(scale),
            #[cfg(feature = "compio")]
            on_local::<S, compio::OneThread>(scale),
        ]
    })
}

/// A row for every executor on one thread that takes tasks while it does not run.
#[must_use]
pub const fn outside<S: OnOutside>(name: &'static str) -> Workload {
    Workload::new(name, S::ABOUT, S::UNIT, |scale| {
        vec![
            on_outside::<S, ours::OneThread>(scale),
            on_outside::<S, tokio::OneThread>(scale),
            on_outside::<S, smol::OneThread>(scale),
        ]
    })
}

/// A row for every runtime with timers.
#[must_use]
pub const fn time<S: OnTime>(name: &'static str) -> Workload {
    Workload::new(name, S::ABOUT, S::UNIT, |scale| {
        vec![
            on_time::<S, ours::EventLoop>(scale),
            on_time::<S, tokio::WithDrivers>(scale),
            on_time::<S, smol::WithReactor>(scale),
            #[cfg(feature = "monoio")]
            on_time::<S, monoio::Epoll>(scale),
            #[cfg(feature = "glommio")]
            on_time::<S, glommio::OneThread>(scale),
        ]
    })
}

/// Beside everybody with timers: ours with the tick that tokio and monoio have, which means fewer
/// wake-ups and less precision.
#[must_use]
pub fn coarse<S: OnTime>(scale: Scale) -> Vec<Contender> {
    vec![on_time::<S, ours::CoarseEventLoop>(scale)]
}

/// A row for every runtime with sockets.
#[must_use]
pub const fn net<S: OnNet>(name: &'static str) -> Workload {
    Workload::new(name, S::ABOUT, S::UNIT, |scale| {
        vec![
            on_net::<S, ours::EventLoop>(scale),
            on_net::<S, tokio::WithDrivers>(scale),
            on_net::<S, smol::WithReactor>(scale),
            #[cfg(feature = "monoio")]
            on_net::<S, monoio::Epoll>(scale),
            #[cfg(feature = "monoio")]
            on_net::<S, monoio::Uring>(scale),
            #[cfg(feature = "glommio")]
            on_net::<S, glommio::OneThread>(scale),
            #[cfg(feature = "compio")]
            on_net::<S, compio::OneThread>(scale),
        ]
    })
}

/// A row for every executor on several threads: two, as tokio's published figures had.
#[must_use]
pub const fn threads<S: OnThreads>(name: &'static str) -> Workload {
    workers::<S, 2>(name).with_cores(1)
}

/// The same with so many workers, left out where there are fewer cores.
#[must_use]
pub const fn workers<S: OnThreads, const WORKERS: usize>(name: &'static str) -> Workload {
    let row = Workload::new(name, S::ABOUT, S::UNIT, |scale| {
        vec![
            on_threads::<S, ours_threads::ManyThreads>(scale, WORKERS),
            on_threads::<S, tokio::ManyThreads>(scale, WORKERS),
            on_threads::<S, smol::ManyThreads>(scale, WORKERS),
        ]
    });
    row.on_all_cores().with_cores(WORKERS)
}

/// The same with all workers tied to one core: what the shape does not tie elsewhere, it shares.
#[must_use]
pub const fn together<S: OnThreads>(name: &'static str) -> Workload {
    threads::<S>(name).on_one_core()
}

/// A row for every pool of threads that may block.
#[must_use]
pub const fn pool<S: OnPool>(name: &'static str) -> Workload {
    let row = Workload::new(name, S::ABOUT, S::UNIT, |scale| {
        vec![
            on_pool::<S, ours_threads::Blocking>(scale),
            on_pool::<S, tokio::Blocking>(scale),
            on_pool::<S, smol::Blocking>(scale),
        ]
    });
    row.on_all_cores()
}

/// A row for structures that find a deadline again, to take it out.
#[must_use]
pub const fn cancel<S: OnSchedule>(name: &'static str) -> Workload {
    Workload::new(name, S::ABOUT, S::UNIT, |scale| {
        vec![
            on_schedule::<S, ours::Wheel>(scale),
            on_schedule::<S, schedules::Delays>(scale),
            on_schedule::<S, intrusive::Intrusive>(scale),
            on_schedule::<S, schedules::HashWheel>(scale),
            on_schedule::<S, schedules::LazyHeap>(scale),
            on_schedule::<S, schedules::Ordered>(scale),
            on_schedule::<S, memory::Unordered>(scale),
        ]
    })
}

/// A row for structures that find a deadline again, to move it.
#[must_use]
pub const fn reschedule<S: OnReschedule>(name: &'static str) -> Workload {
    Workload::new(name, S::ABOUT, S::UNIT, |scale| {
        vec![
            on_reschedule::<S, ours::Wheel>(scale),
            on_reschedule::<S, schedules::Delays>(scale),
            on_reschedule::<S, schedules::Ordered>(scale),
        ]
    })
}

/// A row for structures whose time can be moved by hand, so that they fire.
#[must_use]
pub const fn fire<S: OnSchedule>(name: &'static str) -> Workload {
    Workload::new(name, S::ABOUT, S::UNIT, |scale| {
        vec![
            on_schedule::<S, ours::Wheel>(scale),
            on_schedule::<S, intrusive::Intrusive>(scale),
            on_schedule::<S, schedules::HashWheel>(scale),
            on_schedule::<S, schedules::LazyHeap>(scale),
            on_schedule::<S, schedules::Ordered>(scale),
        ]
    })
}

fn on_local<S: OnLocal, R: Local>(scale: Scale) -> Contender {
    Contender::new(R::NAME, move || S::pass::<R>(scale))
}

fn on_outside<S: OnOutside, R: LocalOutside>(scale: Scale) -> Contender {
    Contender::new(R::NAME, move || S::pass::<R>(scale))
}

fn on_time<S: OnTime, R: LocalTime>(scale: Scale) -> Contender {
    Contender::new(R::NAME, move || S::pass::<R>(scale))
}

fn on_net<S: OnNet, R: LocalNet>(scale: Scale) -> Contender {
    Contender::new(R::NAME, move || S::pass::<R>(scale))
}

fn on_threads<S: OnThreads, R: Threaded>(scale: Scale, workers: usize) -> Contender {
    Contender::new(R::NAME, move || S::pass::<R>(scale, workers))
}

fn on_pool<S: OnPool, P: Pool>(scale: Scale) -> Contender {
    Contender::new(P::NAME, move || S::pass::<P>(scale))
}

fn on_schedule<S: OnSchedule, D: Schedule>(scale: Scale) -> Contender {
    Contender::new(D::NAME, move || S::pass::<D>(scale))
}

fn on_reschedule<S: OnReschedule, D: Reschedule>(scale: Scale) -> Contender {
    Contender::new(D::NAME, move || S::pass::<D>(scale))
}
