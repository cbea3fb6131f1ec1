//! What observers are told, as exact traces.

use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

use executor::{LocalExecutor, Observer, TaskEnd, TaskId, TaskInfo, yield_now};

/// Writes down what it is told.
#[derive(Clone, Default)]
struct Trace(Arc<Mutex<Vec<String>>>);

impl Trace {
    fn note(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }

    /// What was told since the last call.
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Observer for Trace {
    fn spawned(&self, task: &TaskInfo<'_>) {
        let name = task.name.unwrap_or("-");
        self.note(format!("{} {name} spawned", task.id));
    }

    fn woken(&self, task: TaskId) {
        self.note(format!("{task} woken"));
    }

    fn poll_begins(&self, task: TaskId) {
        self.note(format!("{task} polled"));
    }

    fn poll_ends(&self, task: TaskId, _: Duration) {
        self.note(format!("{task} leaves"));
    }

    fn ended(&self, task: TaskId, end: TaskEnd) {
        self.note(format!("{task} ended: {end:?}"));
    }

    fn batch_begins(&self) {
        self.note("batch".into());
    }

    fn parks(&self) {
        self.note("parks".into());
    }

    fn unparks(&self) {
        self.note("unparks".into());
    }
}

/// Ready in its second poll; leaves its waker in the first.
fn waits(slot: &Arc<Mutex<Option<Waker>>>) -> impl Future<Output = ()> + Send + use<> {
    let slot = slot.clone();
    let mut polled = false;
    poll_fn(move |cx| {
        if std::mem::replace(&mut polled, true) {
            return Poll::Ready(());
        }
        *slot.lock().unwrap() = Some(cx.waker().clone());
        Poll::Pending
    })
}

#[test]
fn a_local_executor_tells_its_batches_and_whose_wakes_came_from_outside() {
    let (trace, slot) = (Trace::default(), Arc::default());
    let executor = LocalExecutor::builder().observer(trace.clone()).build();
    let waits = executor.spawn_named("tea", waits(&slot));
    let yields = executor.spawn(yield_now());
    assert_eq!(trace.take(), ["#1 tea spawned", "#2 - spawned"]);

    executor.run_batch();
    let first = [
        "batch",
        "#1 polled",
        "#1 leaves",
        "#2 polled",
        "#2 woken", // by itself: between the two ends of its poll
        "#2 leaves",
    ];
    assert_eq!(trace.take(), first);

    let waker = slot.lock().unwrap().take().unwrap();
    std::thread::spawn(|| waker.wake()).join().unwrap();
    assert_eq!(trace.take(), [""; 0], "told when it is taken in");
    waits.abort();
    executor.run_batch();
    let second = [
        "#1 woken", // the abort schedules it, for its end
        "batch",
        "#2 polled",
        "#2 ended: Output",
        "#2 leaves",
        "#1 ended: Cancelled",
    ];
    assert_eq!(trace.take(), second);
    assert!(yields.is_finished());

    executor.spawn(async {}).abort();
    drop(executor);
    let end = ["#3 - spawned", "#3 ended: Cancelled"];
    assert_eq!(trace.take(), end);
}

#[test]
fn a_local_executor_tells_that_a_wake_from_outside_came_before_its_first_poll() {
    let (trace, slot) = (Trace::default(), Arc::default());
    let executor = LocalExecutor::builder().observer(trace.clone()).build();
    let task = executor.spawn(waits(&slot));
    executor.run_batch();
    let waker = slot.lock().unwrap().take().unwrap();
    std::thread::spawn(|| waker.wake()).join().unwrap();
    executor.spawn(async {});
    trace.take();

    executor.run_batch();
    executor.run_batch();
    let expected = [
        "batch",
        "#1 woken",
        "#2 polled",
        "#2 ended: Output",
        "#2 leaves",
        "#1 polled",
        "#1 ended: Output",
        "#1 leaves",
        "batch", // with nothing to run
    ];
    assert_eq!(trace.take(), expected);
    assert!(task.is_finished());
}
