//! Observers and functions of the user's that do more than look on: they wake, they abort, and they
//! own what must not leave its thread.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Wake, Waker};
use std::thread;

use executor::{LocalAbortHandle, LocalExecutor, Observer, TaskId};

type Slot<T> = Rc<RefCell<Option<T>>>;

/// Wakes the waker in the slot, once, at the notices it is made for.
#[derive(Clone)]
struct Wakes {
    at: &'static str,
    waker: Slot<Waker>,
}

impl Wakes {
    fn at(at: &'static str) -> Self {
        let waker = Slot::default();
        Wakes { at, waker }
    }

    fn note(&self, notice: &str) {
        if notice == self.at {
            let waker = self.waker.take();
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }
}

impl Observer for Wakes {
    fn poll_begins(&self, _: TaskId) {
        self.note("poll begins");
    }
    fn poll_ends(&self, _: TaskId, _: std::time::Duration) {
        self.note("poll ends");
    }
    fn parks(&self) {
        self.note("parks");
    }
}

#[test]
fn a_wake_as_a_poll_begins_is_answered_by_that_poll() {
    let observer = Wakes::at("poll begins");
    let executor = LocalExecutor::builder().observer(observer.clone()).build();
    let polls = Rc::new(Cell::new(0));
    let counted = polls.clone();
    let slot = observer.waker.clone();
    let task = executor.spawn(poll_fn(move |cx| {
        counted.set(counted.get() + 1);
        if counted.get() == 1 {
            *slot.borrow_mut() = Some(cx.waker().clone());
            cx.waker().wake_by_ref();
        } else if counted.get() == 2 {
            cx.waker().wake_by_ref(); // it is in the queue once, not twice
        }
        if counted.get() < 3 {
            return Poll::Pending;
        }
        Poll::Ready(7)
    }));
    let other = executor.spawn(executor::yield_now());
    for _ in 0..8 {
        executor.run_batch();
    }
    assert_eq!(polls.get(), 3);
    assert!(other.is_finished());
    assert_eq!(executor.block_on(task).unwrap(), 7);
}

#[test]
fn a_wake_as_the_last_poll_begins_leaves_nothing_in_the_queue() {
    let observer = Wakes::at("poll begins");
    let executor = LocalExecutor::builder().observer(observer.clone()).build();
    let mut first = true;
    let slot = observer.waker.clone();
    drop(executor.spawn(poll_fn(move |cx| {
        if !std::mem::take(&mut first) {
            return Poll::Ready(()); // its memory is free after this
        }
        *slot.borrow_mut() = Some(cx.waker().clone());
        cx.waker().wake_by_ref();
        Poll::Pending
    })));
    executor.run_batch();
    executor.run_batch();
    assert!(!executor.has_ready(), "a task that is gone is in the queue");
}

#[test]
fn an_abort_as_a_poll_begins_takes_effect_after_it() {
    #[derive(Clone, Default)]
    struct Aborts(Slot<LocalAbortHandle>);
    impl Observer for Aborts {
        fn poll_begins(&self, _: TaskId) {
            if let Some(task) = self.0.take() {
                task.abort();
            }
        }
    }
    let observer = Aborts::default();
    let executor = LocalExecutor::builder().observer(observer.clone()).build();
    let task = executor.spawn(std::future::pending::<()>());
    *observer.0.borrow_mut() = Some(task.abort_handle());
    executor.run_batch();
    executor.run_batch();
    assert!(!executor.has_ready());
    assert!(executor.block_on(task).unwrap_err().is_cancelled());
}

#[test]
fn a_wake_as_the_thread_is_about_to_park_is_not_slept_through() {
    let (done, is_done) = channel();
    thread::spawn(move || {
        let observer = Wakes::at("parks");
        let executor = LocalExecutor::builder().observer(observer.clone()).build();
        let slot = observer.waker.clone();
        let mut first = true;
        executor
            .block_on(executor.spawn(poll_fn(move |cx| {
                if !std::mem::take(&mut first) {
                    return Poll::Ready(());
                }
                *slot.borrow_mut() = Some(cx.waker().clone());
                Poll::Pending
            })))
            .unwrap();
        done.send(()).unwrap();
    });
    let patience = std::time::Duration::from_secs(20);
    assert!(is_done.recv_timeout(patience).is_ok(), "it sleeps for ever");
}

/// A host's waker whose call is held up until it is told to go on.
struct HeldUp {
    called: Mutex<Sender<()>>,
    go_on: Mutex<Receiver<()>>,
}

impl Wake for HeldUp {
    fn wake(self: Arc<Self>) {
        self.called.lock().unwrap().send(()).unwrap();
        self.go_on.lock().unwrap().recv().unwrap();
    }
}

/// Not `Send`, and says on which thread it was dropped.
struct Stays {
    dropped_on: Arc<Mutex<Option<thread::ThreadId>>>,
    _not_send: Rc<()>,
}

impl Drop for Stays {
    fn drop(&mut self) {
        *self.dropped_on.lock().unwrap() = Some(thread::current().id());
    }
}

impl Observer for Stays {}

/// Drops an executor while another thread is in the middle of waking one of its tasks, so that this
/// thread has the last reference to what they share; then asks where `Stays` went.
fn dropped_here(set_up: impl FnOnce(executor::LocalBuilder, Stays) -> executor::LocalBuilder) {
    let dropped_on = Arc::new(Mutex::new(None));
    let stays = Stays {
        dropped_on: dropped_on.clone(),
        _not_send: Rc::new(()),
    };
    let (called, is_called) = channel();
    let (go, go_on) = channel();
    let host = HeldUp {
        called: Mutex::new(called),
        go_on: Mutex::new(go_on),
    };
    let builder = LocalExecutor::builder().waker(Waker::from(Arc::new(host)));
    let executor = set_up(builder, stays).build();
    let slot = Slot::default();
    let its_slot = slot.clone();
    drop(executor.spawn(poll_fn(move |cx| {
        *its_slot.borrow_mut() = Some(cx.waker().clone());
        Poll::<()>::Pending
    })));
    executor.run_batch();
    let waker: Waker = slot.take().unwrap();
    let elsewhere = thread::spawn(move || waker.wake());
    is_called.recv().unwrap();
    drop(executor);
    go.send(()).unwrap();
    elsewhere.join().unwrap();
    let dropped_on = *dropped_on.lock().unwrap();
    assert_eq!(dropped_on, Some(thread::current().id()));
}

#[test]
fn an_observer_is_dropped_on_its_own_thread() {
    dropped_here(|builder, stays| builder.observer(stays));
}

#[test]
fn an_order_is_dropped_on_its_own_thread() {
    dropped_here(|builder, stays| {
        builder.order(move |_| {
            let _ = &stays;
            0
        })
    });
}
