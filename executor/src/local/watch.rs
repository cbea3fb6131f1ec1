//! The observer's side of a `LocalExecutor`. Watched tasks have a flag, tested together with rarer
//! ones where tasks are run and woken, so that all others take the short path.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::panic::Location;
use std::time::{Duration, Instant};

use crate::error::contain;
use crate::local::header::{Header, TaskPtr};
use crate::observe::{Observer, TaskEnd, TaskId, TaskInfo};

/// Some hundred tasks at work at a time; what falls on another's place goes by the map.
const NEAR: usize = 1024;

/// What a watching executor has beside the rest.
pub(crate) struct Watch {
    observer: RefCell<Option<Box<dyn Observer>>>,
    // By address, because a number in every header would cost those who do not watch.
    ids: RefCell<HashMap<*const Header, TaskId, BuildHasherDefault<ByAddress>>>,
    /// The numbers looked up last, where their addresses fall: most look-ups end here.
    near: [Cell<(*const Header, TaskId)>; NEAR],
    last_id: Cell<u64>,
    longest_poll: Cell<Duration>,
    /// When the poll before this one ended, if nothing but the loop has come between: so the clock
    /// is read once a poll.
    last_end: Cell<Option<Instant>>,
}

impl Watch {
    pub(crate) fn new(observer: Option<Box<dyn Observer>>) -> Self {
        Watch {
            observer: RefCell::new(observer),
            ids: RefCell::default(),
            near: [const { Cell::new((std::ptr::null(), TaskId(0))) }; NEAR],
            last_id: Cell::new(0),
            longest_poll: Cell::new(Duration::ZERO),
            last_end: Cell::new(None),
        }
    }

    pub(crate) fn longest_poll(&self) -> Duration {
        self.longest_poll.get()
    }

    #[cold]
    pub(crate) fn spawned(
        &self,
        task: TaskPtr,
        name: Option<&str>,
        location: &'static Location<'static>,
    ) {
        let id = TaskId(self.last_id.get() + 1);
        self.last_id.set(id.0);
        self.ids.borrow_mut().insert(task.as_raw(), id);
        self.tell(|observer| observer.spawned(&TaskInfo::new(id, name, location)));
    }

    #[cold]
    pub(crate) fn woken(&self, task: TaskPtr) {
        if let Some(id) = self.id(task) {
            self.tell(|observer| observer.woken(id));
        }
    }

    /// Tells that a poll begins; what it gives tells that it has ended. `None`: nobody knows the
    /// task.
    #[inline(always)]
    pub(crate) fn poll_begins(&self, task: TaskPtr) -> Option<WatchedPoll<'_>> {
        let id = self.id(task)?;
        self.tell(|observer| observer.poll_begins(id));
        let begin = self.last_end.take().unwrap_or_else(Instant::now);
        let watch = self;
        Some(WatchedPoll { watch, id, begin })
    }

    #[cold]
    pub(crate) fn ended(&self, task: TaskPtr, end: TaskEnd) {
        let raw = task.as_raw().cast_const();
        let id = self.ids.borrow_mut().remove(&raw);
        let near = &self.near[place(raw)];
        if near.get().0 == raw {
            near.set((std::ptr::null(), TaskId(0))); // another task may get this memory
        }
        if let Some(id) = id {
            self.tell(|observer| observer.ended(id, end));
        }
    }

    /// Something else than polls of tasks had the thread.
    #[cold]
    pub(crate) fn interrupted(&self) {
        self.last_end.set(None);
    }

    #[cold]
    pub(crate) fn batch_begins(&self) {
        self.tell(|observer| observer.batch_begins());
    }

    pub(crate) fn parks(&self) {
        self.tell(|observer| observer.parks());
    }

    pub(crate) fn unparks(&self) {
        self.tell(|observer| observer.unparks());
    }

    #[inline(always)]
    fn id(&self, task: TaskPtr) -> Option<TaskId> {
        let task = task.as_raw().cast_const();
        match self.near[place(task)].get() {
            (known, id) if known == task => Some(id),
            _ => self.id_from_afar(task),
        }
    }

    #[cold] // apart, for its frame is larger than all the rest
    #[inline(never)]
    fn id_from_afar(&self, task: *const Header) -> Option<TaskId> {
        let id = self.ids.borrow().get(&task).copied()?;
        self.near[place(task)].set((task, id));
        Some(id)
    }

    #[inline(always)]
    fn tell(&self, notice: impl FnOnce(&dyn Observer)) {
        if let Some(observer) = &*self.observer.borrow() {
            contain(|| notice(&**observer));
        }
    }

    /// Gives the observer up: nothing is told from now on.
    pub(crate) fn take_observer(&self) -> Option<Box<dyn Observer>> {
        self.observer.take()
    }
}

/// A poll that is under way.
pub(crate) struct WatchedPoll<'w> {
    watch: &'w Watch,
    id: TaskId,
    begin: Instant,
}

impl WatchedPoll<'_> {
    /// Measures the poll, and tells.
    #[inline(always)]
    pub(crate) fn ends(self) {
        let Self { watch, id, begin } = self;
        let end = Instant::now();
        watch.last_end.set(Some(end));
        let took = end - begin;
        if took > watch.longest_poll.get() {
            watch.longest_poll.set(took);
        }
        watch.tell(|observer| observer.poll_ends(id, took));
    }
}

/// Where an address falls among the near ones.
#[inline]
fn place(task: *const Header) -> usize {
    (task.addr() as u64).wrapping_mul(GOLDEN) as usize >> (usize::BITS - NEAR.ilog2())
}

/// The golden ratio of 64 bits.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// Spreads addresses over a table. Nobody outside chooses them, so one multiplication will do, by
/// the golden ratio (Knuth).
#[derive(Default)]
struct ByAddress(u64);

impl Hasher for ByAddress {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_usize(&mut self, address: usize) {
        // Tables take both the lowest bits and the highest; the product's middle is the best mixed.
        self.0 = (address as u64).wrapping_mul(GOLDEN).rotate_left(32);
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_usize(self.0 as usize ^ usize::from(byte));
        }
    }
}
