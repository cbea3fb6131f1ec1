//! Foreign wakers on several threads: a panic in their clone, wake or drop is that of who called
//! them, or nobody's, and costs no worker.
#![cfg(not(any(loom, shuttle)))]

use std::future::{Future, poll_fn};
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::mpsc;
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};
use std::time::Duration;

use executor::{Executor, JoinHandle, block_on};

/// A waker that does odd things, which cannot be made of safe parts. Each number is another waker.
#[expect(
    unsafe_code,
    reason = "a waker's table is its only way to run code in a clone"
)]
fn odd_waker(number: usize, table: &'static RawWakerVTable) -> ManuallyDrop<Waker> {
    let data = std::ptr::without_provenance(number);
    // SAFETY: the functions of our tables do not follow their data, so they keep the contract.
    ManuallyDrop::new(unsafe { Waker::from_raw(RawWaker::new(data, table)) })
}

static CLONE: RawWakerVTable =
    RawWakerVTable::new(|_| panic!("in the clone"), |_| {}, |_| {}, |_| {});
static WAKE: RawWakerVTable = RawWakerVTable::new(
    |data| RawWaker::new(data, &WAKE),
    |_| panic!("in the wake"),
    |_| panic!("in the wake"),
    |_| {},
);
static DROP: RawWakerVTable = RawWakerVTable::new(
    |data| RawWaker::new(data, &DROP),
    |_| {},
    |_| {},
    |_| panic!("in the drop"),
);

/// One worker, so that a lost one is missed; and a task that ends when it is told to.
fn worker_and_task() -> (Executor, JoinHandle<u8>, mpsc::Sender<()>, Waker) {
    let executor = Executor::builder().workers(1).build().unwrap();
    let (open, opened) = mpsc::channel();
    let (given, taken) = mpsc::channel();
    let task = executor.spawn(poll_fn(move |cx| match opened.try_recv() {
        Ok(()) => Poll::Ready(3),
        Err(_) => {
            let _ = given.send(cx.waker().clone());
            Poll::Pending
        }
    }));
    let waker = taken.recv().unwrap();
    (executor, task, open, waker)
}

/// Whether the poll was pending, or how it panicked.
fn poll(task: &mut JoinHandle<u8>, waker: &Waker) -> Result<bool, String> {
    let poll = || {
        Pin::new(task)
            .poll(&mut Context::from_waker(waker))
            .is_pending()
    };
    catch_unwind(AssertUnwindSafe(poll))
        .map_err(|panic| panic.downcast_ref::<&str>().unwrap().to_string())
}

fn still_works(executor: &Executor) {
    let (ran, seen) = mpsc::channel();
    executor.spawn(async move { ran.send(()) }).detach();
    let seen = seen.recv_timeout(Duration::from_secs(20));
    assert!(seen.is_ok(), "the worker is gone");
}

#[test]
fn a_panic_in_the_clone_of_a_joiners_waker() {
    let (executor, mut task, open, waker) = worker_and_task();
    assert_eq!(
        poll(&mut task, &odd_waker(1, &CLONE)).unwrap_err(),
        "in the clone"
    );
    assert!(poll(&mut task, Waker::noop()).unwrap());
    assert_eq!(
        poll(&mut task, &odd_waker(1, &CLONE)).unwrap_err(),
        "in the clone"
    );
    open.send(()).unwrap();
    waker.wake();
    assert_eq!(block_on(task).unwrap(), 3);
    still_works(&executor);
}

#[test]
fn a_panic_in_the_wake_of_a_joiners_waker() {
    let (executor, mut task, open, waker) = worker_and_task();
    assert!(poll(&mut task, &odd_waker(1, &WAKE)).unwrap());
    open.send(()).unwrap();
    waker.wake();
    still_works(&executor);
    assert_eq!(block_on(task).unwrap(), 3);
}

#[test]
fn a_panic_in_the_drop_of_a_joiners_waker_that_is_replaced() {
    let (executor, mut task, open, waker) = worker_and_task();
    assert!(poll(&mut task, &odd_waker(1, &DROP)).unwrap());
    assert_eq!(poll(&mut task, Waker::noop()).unwrap_err(), "in the drop");
    open.send(()).unwrap();
    waker.wake();
    assert_eq!(block_on(task).unwrap(), 3);
    still_works(&executor);
}

#[test]
fn a_panic_in_the_drop_of_a_joiners_waker_that_goes_with_its_handle() {
    let (executor, mut task, open, waker) = worker_and_task();
    assert!(poll(&mut task, &odd_waker(1, &DROP)).unwrap());
    assert_eq!(
        poll(&mut task, &odd_waker(2, &DROP)).unwrap_err(),
        "in the drop"
    );
    // The second one is in the slot, and not for the worker to drop when it frees the task.
    assert!(catch_unwind(AssertUnwindSafe(|| drop(task))).is_err());
    open.send(()).unwrap();
    waker.wake();
    still_works(&executor);
}
