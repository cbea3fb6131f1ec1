//! Models of a task's whole life for loom: what other threads may do with its wakers and handles,
//! against each other and against all that a worker does with it.
//!
//! A worker without a thread runs on the model's main thread, so that a model is the protocol and
//! nothing else. What each model would show: a lost wake is a task that never completes; a future
//! or output dropped twice or not at all is a wrong count; memory that is never freed is a leak of
//! loom's allocator, freed too early a use of a dead cell; a missing ordering is the stale value
//! of a relaxed flag, or a race on a cell.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize as Count;
use std::sync::atomic::Ordering::SeqCst;
use std::task::{Context, Poll, Wake, Waker};

use loom::sync::Arc as LoomArc;
use loom::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use loom::thread;

use super::join::{AbortHandle, JoinHandle};
use super::models::bounded;
use super::pool::{Pool, Settings};
use super::spawner::spawn;
use super::worker::Worker;

/// What a thread may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Act {
    WakeByValue,
    WakeByRef,
    CloneAndDrop,
    Abort,
    Join,
    DropHandle,
    /// Only the worker: runs all it finds.
    Run,
    /// Only the worker: closes the pool and leaves.
    End,
}

use Act::{Abort, CloneAndDrop, DropHandle, End, Join, Run, WakeByRef, WakeByValue};

/// Pairs are tried without bound, 342,242 schedules in all; triples of threads with so many
/// preemptions.
const TRIPLE_WITH_RUN: Option<usize> = Some(3);
/// The end spins while a waker has a task in its hands, and that multiplies: with three these are
/// 2,148,160 schedules instead of the 313,136 of those with a run. `LOOM_MAX_PREEMPTIONS=3` tries
/// them, in seven minutes of a busy core.
const TRIPLE_WITH_END: Option<usize> = Some(1);

const OUTSIDE: [Act; 6] = [
    WakeByValue,
    WakeByRef,
    CloneAndDrop,
    Abort,
    Join,
    DropHandle,
];

/// What the model watches.
#[derive(Default)]
struct Watch {
    futures_dropped: Count,
    outputs_dropped: Count,
    woken: Count,
}

struct Output(
    Arc<Watch>,
    #[expect(dead_code, reason = "loom counts it")] LoomArc<()>,
);

impl Drop for Output {
    fn drop(&mut self) {
        self.0.outputs_dropped.fetch_add(1, SeqCst);
    }
}

impl Wake for Watch {
    fn wake(self: Arc<Self>) {
        self.woken.fetch_add(1, SeqCst);
    }
}

/// Ready when `goal` flags are raised; gives wakers away in its first poll.
struct Waits {
    raised: Arc<AtomicUsize>,
    goal: usize,
    given: Option<std::sync::mpsc::Sender<Waker>>,
    wakers: usize,
    watch: Arc<Watch>,
    leak: LoomArc<()>,
}

impl Future for Waits {
    type Output = Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Output> {
        if let Some(given) = self.given.take() {
            (0..self.wakers).for_each(|_| given.send(cx.waker().clone()).unwrap());
        }
        if self.raised.load(Relaxed) >= self.goal {
            return Poll::Ready(Output(self.watch.clone(), self.leak.clone()));
        }
        Poll::Pending
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.watch.futures_dropped.fetch_add(1, SeqCst);
    }
}

/// What an outside thread has in its hands: what its act needs and nothing else. Each reference that
/// it would only drop is two steps more to interleave with all others (two wakes by value had
/// 2,225,704 schedules with a spare abort handle each and loom's own `Arc`, and have 54), and loom's
/// `Arc` synchronizes its droppers, which could hide an ordering that is missing.
struct Hands {
    waker: Option<Waker>,
    abort: Option<AbortHandle>,
    handle: Option<JoinHandle<Output>>,
    raised: Arc<AtomicUsize>,
    watch: Arc<Watch>,
}

impl Hands {
    /// Does `act`; gives the handle back if it is still waiting.
    fn act(mut self, act: Act) -> Option<JoinHandle<Output>> {
        match act {
            WakeByValue => {
                self.raised.fetch_add(1, Relaxed);
                self.waker.take().unwrap().wake();
            }
            WakeByRef => {
                self.raised.fetch_add(1, Relaxed);
                self.waker.as_ref().unwrap().wake_by_ref();
            }
            CloneAndDrop => drop(self.waker.as_ref().unwrap().clone()),
            Abort => self.abort.as_ref().unwrap().abort(),
            Join => {
                let mut handle = self.handle.take().unwrap();
                // Twice: the second poll finds its own waker in the slot.
                if poll(&mut handle, &self.watch).is_pending()
                    && poll(&mut handle, &self.watch).is_pending()
                {
                    return Some(handle);
                }
            }
            DropHandle => drop(self.handle.take()),
            Run | End => unreachable!("those are the worker's"),
        }
        self.handle.take()
    }
}

fn poll(handle: &mut JoinHandle<Output>, watch: &Arc<Watch>) -> Poll<bool> {
    let waker = Waker::from(watch.clone());
    Pin::new(handle)
        .poll(&mut Context::from_waker(&waker))
        .map(|result| result.is_ok())
}

fn has_waker(act: Act) -> bool {
    matches!(act, WakeByValue | WakeByRef | CloneAndDrop)
}

/// Whether both acts can be done at the same time: the handle is one.
fn together(one: Act, other: Act) -> bool {
    let handle = |act| matches!(act, Join | DropHandle);
    !(handle(one) && handle(other))
}

/// One task, suspended if it gives wakers, fresh in the injector if not; `outside` acts on their
/// own threads, `inside` on the worker; then the worker runs what is left, and ends.
fn play(inside: Option<Act>, outside: &[Act], fresh: bool) {
    let pool = Pool::new(1, Settings::default());
    let worker = Worker::new(&pool, 0);
    let watch = Arc::new(Watch::default());
    let raised = Arc::new(AtomicUsize::new(0));
    let wakes = outside
        .iter()
        .filter(|act| matches!(act, WakeByValue | WakeByRef))
        .count();
    let (given, taken) = std::sync::mpsc::channel();
    let wakers = outside.iter().filter(|&&act| has_waker(act)).count();
    let future = Waits {
        raised: raised.clone(),
        goal: if fresh { 0 } else { wakes.max(1) },
        given: (!fresh).then_some(given),
        wakers: wakers + usize::from(inside == Some(Run)),
        watch: watch.clone(),
        leak: LoomArc::new(()),
    };
    let mut handle = Some(spawn(&pool, None, future));
    if !fresh {
        worker.enter(|| worker.run_all());
    }
    if inside == Some(Run)
        && let Ok(waker) = taken.try_recv()
    {
        waker.wake(); // so that it is polled while the others act
    }
    // All are ready before the first one starts: what this thread does meanwhile is its act alone.
    let hands: Vec<_> = outside
        .iter()
        .map(|&act| Hands {
            waker: has_waker(act).then(|| taken.try_recv().unwrap()),
            abort: (act == Abort).then(|| handle.as_ref().unwrap().abort_handle()),
            handle: None,
            raised: raised.clone(),
            watch: watch.clone(),
        })
        .collect();
    let threads: Vec<_> = outside
        .iter()
        .zip(hands)
        .map(|(&act, mut hands)| {
            if matches!(act, Join | DropHandle) {
                hands.handle = handle.take();
            }
            thread::spawn(move || hands.act(act))
        })
        .collect();
    match inside {
        Some(Run) => worker.enter(|| worker.run_all()),
        Some(End) => worker.enter(|| end(&worker)),
        _ => {}
    }
    for thread in threads {
        handle = handle.or(thread.join().unwrap());
    }
    if inside != Some(End) {
        worker.enter(|| worker.run_all());
        let done = watch.futures_dropped.load(SeqCst) == 1;
        let must = fresh || wakes > 0 || outside.contains(&Abort);
        assert_eq!(done, must, "a wake was lost, or came from nowhere");
        worker.enter(|| end(&worker));
    }
    judge(&watch, handle, outside.contains(&Join));
}

/// What must hold when all is over.
fn judge(watch: &Arc<Watch>, handle: Option<JoinHandle<Output>>, was_waiting: bool) {
    assert_eq!(
        watch.futures_dropped.load(SeqCst),
        1,
        "a future is dropped once"
    );
    if let Some(mut handle) = handle {
        assert!(handle.is_finished());
        assert!(
            !was_waiting || watch.woken.load(SeqCst) == 1,
            "a joiner is woken once"
        );
        let Poll::Ready(output) = poll(&mut handle, watch) else {
            panic!("it has ended")
        };
        assert_eq!(usize::from(output), watch.outputs_dropped.load(SeqCst));
    }
    assert!(
        watch.outputs_dropped.load(SeqCst) <= 1,
        "an output is dropped once at most"
    );
}

/// Checks one cast; says how many schedules that were with `--nocapture`.
fn check(preemptions: Option<usize>, inside: Option<Act>, outside: Vec<Act>, fresh: bool) {
    let schedules = Arc::new(Count::new(0));
    let (counted, cast) = (schedules.clone(), outside.clone());
    let begin = std::time::Instant::now();
    bounded(preemptions, move || {
        counted.fetch_add(1, SeqCst);
        play(inside, &cast, fresh);
    });
    let schedules = schedules.load(SeqCst);
    println!(
        "{inside:?} {outside:?} {fresh}: {schedules} schedules in {:?}",
        begin.elapsed()
    );
}

pub(super) fn end(worker: &Worker<'_>) {
    worker.pool.close();
    worker.leave();
}

#[test]
fn every_pair_with_a_run() {
    for act in OUTSIDE {
        check(None, Some(Run), vec![act], false);
    }
}

#[test]
fn every_pair_with_the_end() {
    for act in OUTSIDE {
        check(None, Some(End), vec![act], false);
    }
}

#[test]
fn every_pair_outside() {
    for one in OUTSIDE {
        for other in OUTSIDE {
            if one <= other && together(one, other) {
                check(None, None, vec![one, other], false);
            }
        }
    }
}

#[test]
fn every_pair_with_a_task_that_was_never_polled() {
    for inside in [Run, End] {
        for act in [Abort, Join, DropHandle] {
            check(None, Some(inside), vec![act], true);
        }
    }
}

#[test]
fn every_triple_with_a_run_and_a_wake_by_value() {
    triples(Run, WakeByValue, TRIPLE_WITH_RUN);
}

#[test]
fn every_triple_with_a_run_and_a_wake_by_reference() {
    triples(Run, WakeByRef, TRIPLE_WITH_RUN);
}

#[test]
fn every_triple_with_a_run_and_a_clone() {
    triples(Run, CloneAndDrop, TRIPLE_WITH_RUN);
}

#[test]
fn every_triple_with_a_run_and_an_abort() {
    triples(Run, Abort, TRIPLE_WITH_RUN);
}

#[test]
fn every_triple_with_the_end() {
    for one in OUTSIDE {
        triples(End, one, TRIPLE_WITH_END);
    }
}

/// Those of which `one` is the first. (Of `Join` and `DropHandle` there are none: the handle is one.)
fn triples(inside: Act, one: Act, preemptions: Option<usize>) {
    for other in OUTSIDE {
        if one <= other && together(one, other) {
            check(preemptions, Some(inside), vec![one, other], false);
        }
    }
}

/// Two workers and a task that is woken while one of them polls it: never polled by both at once
/// (loom would see a race on the stage), and the wake is not lost.
#[test]
fn two_workers_and_a_wake() {
    bounded(Some(2), || {
        let pool = Pool::new(2, Settings::default());
        let watch = Arc::new(Watch::default());
        let raised = Arc::new(AtomicUsize::new(0));
        let (given, taken) = std::sync::mpsc::channel();
        let future = Waits {
            raised: raised.clone(),
            goal: 1,
            given: Some(given),
            wakers: 1,
            watch: watch.clone(),
            leak: LoomArc::new(()),
        };
        let one = Worker::new(&pool, 0);
        spawn(&pool, None, future).detach();
        one.enter(|| one.run_all());
        let waker = taken.recv().unwrap();
        waker.wake_by_ref();
        let theirs = pool.clone();
        let thread = thread::spawn(move || {
            let two = Worker::new(&theirs, 1);
            two.enter(|| two.run_all());
            raised.fetch_add(1, Relaxed);
            waker.wake();
            two.enter(|| two.run_all());
            theirs.close();
            two.enter(|| two.leave());
        });
        one.enter(|| one.run_all());
        thread.join().unwrap();
        one.enter(|| {
            one.run_all();
            assert_eq!(watch.futures_dropped.load(SeqCst), 1);
            one.leave();
        });
    });
}
