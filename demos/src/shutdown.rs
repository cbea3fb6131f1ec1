//! The end of a loop, and who was still alive then.
//!
//! Both loops end in the same three steps: the tasks have until the deadline to come to their own
//! end, what is left then is dropped, and what that was is told. A call that blocks in the pool
//! (the disk, a name server, a read of a terminal) cannot be stopped, and is not waited for: its
//! thread is left behind.

use std::fmt;
use std::time::Duration;

use executor::ShutdownReport;

use crate::event_loop::EventLoop;

/// Who was still alive when a loop was shut down.
#[derive(Debug)]
pub struct Report {
    /// Tasks, with where they were spawned. A connection is mostly a task of its own.
    pub tasks: ShutdownReport,
    /// Blocking calls, with where they were asked for.
    pub blocking: executor::BlockingReport,
    /// Sockets and other sources that are registered although all tasks were dropped: of a task
    /// that is stuck in a poll, or in other hands than a task's.
    pub sources: usize,
}

impl Report {
    /// Whether nobody was.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.tasks.is_clean() && self.blocking.running.is_empty() && self.blocking.cancelled == 0
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            tasks,
            blocking,
            sources,
        } = self;
        write!(
            f,
            "tasks: {tasks}\nblocking calls: {blocking}\nsources still open: {sources}"
        )
    }
}

impl EventLoop {
    /// Waits until all tasks are done, at most for `grace`, then drops what is left and says what
    /// that was. Blocking calls that hang do not hold it up. A task that does not come back from a
    /// poll does: there is no other thread that could do without it.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let event_loop = demos::EventLoop::new()?;
    /// let timers = event_loop.handle().timers.clone();
    /// drop(event_loop.handle().spawner.spawn(timers.sleep(Duration::from_secs(3600))));
    /// let report = event_loop.shutdown(Duration::from_millis(5));
    /// assert_eq!(report.tasks.unfinished.len(), 1);
    /// println!("{report}"); // tasks: 1 unfinished, and the line above
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use = "it says what was left undone"]
    pub fn shutdown(self, grace: Duration) -> Report {
        let handle = self.handle.clone();
        if !grace.is_zero() {
            // If waiting fails, it is over as well.
            let _ = self.run(handle.timers.timeout(grace, handle.spawner.all_gone()));
        }
        let mut tasks = ShutdownReport::default();
        tasks.unfinished = handle.spawner.alive();
        drop(self); // and with it the futures that are left
        Report {
            tasks,
            blocking: handle.blocking.shutdown(Duration::ZERO),
            sources: handle.reactor.sources(),
        }
    }
}
