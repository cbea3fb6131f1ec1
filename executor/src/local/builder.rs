//! How a `LocalExecutor` is set up.

use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;
use std::task::Waker;

use crate::LocalExecutor;
use crate::local::hub::{Hub, Settings};
use crate::local::order::Order;
use crate::local::root;
use crate::local::watch::Watch;
use crate::observe::Observer;

/// Sets a [`LocalExecutor`] up; from [`LocalExecutor::builder`].
///
/// ```
/// let executor = executor::LocalExecutor::builder().batch_max(16).build();
/// assert_eq!(executor.block_on(async { 1 }), 1);
/// ```
///
/// Its observer and order need not be `Send`, so neither is it:
/// ```compile_fail,E0277
/// fn send<T: Send>(_: T) {}
/// send(executor::LocalExecutor::builder());
/// ```
#[must_use]
pub struct LocalBuilder {
    host: Option<Waker>,
    batch_max: usize,
    kept_max: usize,
    order: Order,
    observer: Option<Box<dyn Observer>>,
    measure_polls: bool,
}

impl LocalBuilder {
    pub(crate) fn new() -> Self {
        LocalBuilder {
            host: None,
            batch_max: 256,
            kept_max: 16 << 20,
            order: Order::Fair,
            observer: None,
            measure_polls: false,
        }
    }

    /// The waker of the host's loop: called when something arrives from another thread and nothing
    /// had since the inbox was last emptied. None by default, as `block_on` parks its thread.
    pub fn waker(mut self, host: Waker) -> Self {
        self.host = Some(host);
        self
    }

    /// How many tasks one batch polls at most; 256 by default, at least 1. This bounds how long a
    /// host waits for its turn.
    pub fn batch_max(mut self, tasks: usize) -> Self {
        self.batch_max = tasks.max(1);
        self
    }

    /// How many bytes of finished tasks' memory are kept for the next ones over a time of rest; 16
    /// MiB by default: that of some 100,000 small tasks.
    ///
    /// While tasks are ready all of it is kept, which is never more than the tasks of each size once
    /// took together. Whenever a batch finds nothing to do, 1,024 blocks beyond the limit go back to
    /// the allocator; and all of them before [`block_on`](LocalExecutor::block_on) parks its thread,
    /// unless something comes meanwhile. Give more to a program that often has more tasks at once,
    /// with rests in between.
    pub fn recycled_max(mut self, bytes: usize) -> Self {
        self.kept_max = bytes;
        self
    }

    /// Lets a function choose the next task: it is given the number of ready tasks and returns the
    /// index of one, counted from the oldest. With a seeded generator in it a run can be repeated,
    /// and another seed tries another schedule. Indices too large mean the newest. Finding the task
    /// walks the queue; without this call nothing is paid.
    ///
    /// ```
    /// use std::{cell::RefCell, rc::Rc};
    /// let executor = executor::LocalExecutor::builder().order(|ready| ready - 1).build();
    /// let trace = Rc::new(RefCell::new(Vec::new()));
    /// for name in 1..=3 {
    ///     let trace = trace.clone();
    ///     executor.spawn(async move { trace.borrow_mut().push(name) });
    /// }
    /// executor.run_batch();
    /// assert_eq!(*trace.borrow(), [3, 2, 1]);
    /// ```
    pub fn order(mut self, choose: impl FnMut(usize) -> usize + 'static) -> Self {
        self.order = Order::Chosen(RefCell::new(Box::new(choose)));
        self
    }

    /// Tells an observer what happens to the tasks.
    pub fn observer(mut self, observer: impl Observer + 'static) -> Self {
        self.observer = Some(Box::new(observer));
        self
    }

    /// Measures each poll, for the `longest_poll` of the metrics: two looks at the clock a poll.
    pub fn measure_polls(mut self, measure: bool) -> Self {
        self.measure_polls = measure;
        self
    }

    /// Makes the executor; this thread is its owner.
    #[must_use]
    pub fn build<'a>(self) -> LocalExecutor<'a> {
        let watched = self.measure_polls || self.observer.is_some();
        let watch = watched.then(|| Box::new(Watch::new(self.observer)));
        let settings = Settings {
            batch_max: self.batch_max,
            order: self.order,
            watch,
        };
        let hub = Hub::create(self.host, self.kept_max, settings);
        LocalExecutor {
            root: root::for_block_on(&hub),
            hub,
            lifetime: PhantomData,
        }
    }
}

impl fmt::Debug for LocalBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalBuilder")
            .field("batch_max", &self.batch_max)
            .finish_non_exhaustive()
    }
}
