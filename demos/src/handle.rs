//! What a future needs to use the loop it runs on, as one value that is handed to it.
//!
//! There is no ambient 'current loop' here: who needs a timer is given one, and what a function
//! can do is to be read from its arguments.

use executor::{BlockingPool, JoinError, LocalSpawner};
use reactor::Reactor;
use timers::LocalTimers;

/// The four parts of the loop. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Handle {
    /// Starts tasks on the loop's thread.
    pub spawner: LocalSpawner<'static>,
    /// Sockets, pipes, terminals.
    pub reactor: Reactor,
    /// Sleeps and timeouts.
    pub timers: LocalTimers,
    /// Calls that block: disk, database, name lookup.
    pub blocking: BlockingPool,
}

impl Handle {
    /// Runs `call` on the pool. A virtual clock stands still meanwhile: it cannot know how long
    /// the call will take, and must not run ahead of it.
    ///
    /// # Errors
    /// [`JoinError`] if the call panicked or the pool was shut down.
    pub async fn blocking<T, F>(&self, call: F) -> Result<T, JoinError>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let _held = self.timers.clock().hold();
        self.blocking.run(call).await
    }
}
