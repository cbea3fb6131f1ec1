//! Tasks that do to one another whatever the interface allows, as a seed decides: wake, abort, drop
//! handles and wakers, here and on another thread, spawn, panic, from polls, drops and notices of an
//! observer. What must hold: each future is dropped once, on this thread, each handle learns of the
//! end of its task, and the executor goes on. Memory errors are for a checker to find:
//! `valgrind target/debug/deps/mischief-…`, or a sanitizer.
//!
//! A failing seed: `MISCHIEF_SEED=17 cargo test -p handrolled-executor --test mischief`.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::mpsc::{Sender, channel};
use std::task::{Context, Poll, Waker};
use std::thread;

use executor::{
    LocalAbortHandle, LocalExecutor, LocalJoinHandle, LocalSpawner, Observer, TaskEnd, TaskId,
};

/// What all tasks of a run can lay hands on.
struct World {
    rng: RefCell<fastrand::Rng>,
    wakers: RefCell<Vec<Waker>>,
    handles: RefCell<Vec<LocalJoinHandle<Token>>>,
    aborts: RefCell<Vec<LocalAbortHandle>>,
    spawner: RefCell<Option<LocalSpawner<'static>>>,
    elsewhere: Sender<(Waker, bool)>,
    spawned: Cell<usize>,
    /// Futures and outputs that are there.
    futures: Cell<isize>,
    outputs: Cell<isize>,
    depth: Cell<u32>,
}

const TASKS_MAX: usize = 60;

impl World {
    fn below(&self, n: usize) -> usize {
        self.rng.borrow_mut().usize(..n)
    }

    fn pick<T>(&self, from: &RefCell<Vec<T>>) -> Option<T> {
        let len = from.borrow().len();
        let at = (len > 0).then(|| self.below(len))?;
        Some(from.borrow_mut().swap_remove(at))
    }

    /// One deed; not without end, as some of them lead to others.
    fn mischief(self: &Rc<Self>) {
        if self.depth.get() > 3 {
            return;
        }
        self.depth.set(self.depth.get() + 1);
        match self.below(12) {
            0 | 1 => drop(self.pick(&self.wakers).map(Waker::wake)),
            2 => {
                let waker = self.pick(&self.wakers);
                if let Some(waker) = waker {
                    waker.wake_by_ref();
                    let clones = (0..self.below(4)).map(|_| waker.clone());
                    let clones: Vec<_> = clones.collect();
                    self.wakers.borrow_mut().extend(clones);
                }
            }
            3 => drop(self.pick(&self.wakers)),
            4 | 5 => {
                if let Some(waker) = self.pick(&self.wakers) {
                    let _ = self.elsewhere.send((waker, self.below(2) == 0));
                }
            }
            6 => drop(self.pick(&self.handles)),
            7 => {
                if let Some(handle) = self.pick(&self.handles) {
                    handle.abort();
                    self.aborts.borrow_mut().push(handle.abort_handle());
                    self.handles.borrow_mut().push(handle);
                }
            }
            8 => {
                if let Some(abort) = self.pick(&self.aborts) {
                    abort.abort();
                }
            }
            9 => self.join(),
            _ => self.spawn(),
        }
        self.depth.set(self.depth.get() - 1);
    }

    /// Polls a handle, with somebody's waker.
    fn join(self: &Rc<Self>) {
        let waker = self.pick(&self.wakers);
        let handle = self.pick(&self.handles);
        if let (Some(waker), Some(mut handle)) = (waker, handle) {
            let polled = Pin::new(&mut handle).poll(&mut Context::from_waker(&waker));
            match polled {
                Poll::Ready(end) => drop(end),
                Poll::Pending => self.handles.borrow_mut().push(handle),
            }
            self.wakers.borrow_mut().push(waker);
        }
    }

    fn spawn(self: &Rc<Self>) {
        if self.spawned.get() == TASKS_MAX {
            return;
        }
        self.spawned.set(self.spawned.get() + 1);
        let spawner = self.spawner.borrow().clone();
        if let Some(spawner) = spawner {
            let handle = spawner.spawn(Imp::new(self));
            self.handles.borrow_mut().push(handle);
        }
    }
}

/// A future, or an output, that makes mischief as it goes.
struct Token(Rc<World>);

impl Drop for Token {
    fn drop(&mut self) {
        self.0.outputs.set(self.0.outputs.get() - 1);
        self.0.mischief();
    }
}

struct Imp {
    world: Rc<World>,
    polls: usize,
    done: bool,
}

impl Imp {
    fn new(world: &Rc<World>) -> Self {
        world.futures.set(world.futures.get() + 1);
        let (world, polls) = (world.clone(), world.below(5));
        Imp {
            world,
            polls,
            done: false,
        }
    }
}

impl Future for Imp {
    type Output = Token;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Token> {
        assert!(!self.done, "polled after its end");
        let world = self.world.clone();
        for _ in 0..world.below(4) {
            world.wakers.borrow_mut().push(cx.waker().clone());
        }
        for _ in 0..world.below(4) {
            world.mischief();
        }
        if world.below(3) == 0 {
            cx.waker().wake_by_ref();
        }
        if world.below(12) == 0 {
            self.done = true;
            std::panic::panic_any("mischief");
        }
        if self.polls == 0 {
            self.done = true;
            world.outputs.set(world.outputs.get() + 1);
            return Poll::Ready(Token(world));
        }
        self.polls -= 1;
        Poll::Pending
    }
}

impl Drop for Imp {
    fn drop(&mut self) {
        self.world.futures.set(self.world.futures.get() - 1);
        self.world.mischief();
        if self.world.below(15) == 0 && !thread::panicking() {
            std::panic::panic_any("mischief");
        }
    }
}

struct Meddler(Rc<World>);

impl Observer for Meddler {
    fn woken(&self, _: TaskId) {
        self.meddle();
    }
    fn poll_begins(&self, _: TaskId) {
        self.meddle();
    }
    fn poll_ends(&self, _: TaskId, _: std::time::Duration) {
        self.meddle();
    }
    fn ended(&self, _: TaskId, _: TaskEnd) {
        self.meddle();
    }
    fn batch_begins(&self) {
        self.meddle();
    }
}

impl Meddler {
    fn meddle(&self) {
        if self.0.below(4) == 0 {
            self.0.mischief();
        }
    }
}

fn run(seed: u64, elsewhere: &Sender<(Waker, bool)>) {
    let world = Rc::new(World {
        rng: RefCell::new(fastrand::Rng::with_seed(seed)),
        wakers: RefCell::default(),
        handles: RefCell::default(),
        aborts: RefCell::default(),
        spawner: RefCell::default(),
        elsewhere: elsewhere.clone(),
        spawned: Cell::new(0),
        futures: Cell::new(0),
        outputs: Cell::new(0),
        depth: Cell::new(0),
    });
    let mut builder = LocalExecutor::builder().batch_max(1 + world.below(5));
    if world.below(2) == 0 {
        builder = builder.observer(Meddler(world.clone()));
    }
    if world.below(3) == 0 {
        let chooses = world.clone();
        builder = builder.order(move |ready| chooses.below(ready + 1));
    }
    let executor = builder.build();
    *world.spawner.borrow_mut() = Some(executor.spawner());
    (0..3).for_each(|_| world.spawn());
    for _ in 0..world.below(60) {
        match world.below(4) {
            0 => drop(executor.run_batches(8)),
            1 => {
                let _entered = executor.enter();
                world.mischief();
            }
            2 => world.mischief(), // not entered: by way of the inbox
            _ => drop(executor.run_batch()),
        }
    }
    let probe = executor.spawn(async { 7 });
    assert_eq!(executor.block_on(probe).unwrap(), 7, "it goes on");
    drop(executor);
    assert_eq!(world.futures.get(), 0, "futures are gone with the executor");
    world.depth.set(9); // no more of it
    let left = world.handles.take();
    assert!(left.iter().all(LocalJoinHandle::is_finished));
    drop(left);
    assert_eq!(world.outputs.get(), 0, "outputs are gone with the handles");
    world.wakers.take();
    world.aborts.take();
    world.spawner.take();
    let known = Rc::strong_count(&world);
    assert_eq!(known, 1, "nothing of the run is left");
}

#[test]
fn whatever_tasks_do_to_one_another() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if panic.payload().downcast_ref::<&str>() != Some(&"mischief") {
            hook(panic);
        }
    }));
    let number = |name, otherwise| std::env::var(name).map_or(otherwise, |n| n.parse().unwrap());
    let (first, runs) = (number("MISCHIEF_SEED", 1), number("MISCHIEF_RUNS", 2_000));
    let (elsewhere, wakers) = channel::<(Waker, bool)>();
    let other = thread::spawn(move || {
        for (waker, wake) in wakers {
            match wake {
                true => waker.wake(),
                false => drop(waker),
            }
        }
    });
    for seed in first..first + runs {
        let result = std::panic::catch_unwind(|| run(seed, &elsewhere));
        if let Err(panic) = result {
            eprintln!("MISCHIEF_SEED={seed}");
            std::panic::resume_unwind(panic);
        }
    }
    drop(elsewhere);
    other.join().unwrap();
}
