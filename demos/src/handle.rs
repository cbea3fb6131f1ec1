//! What a future needs to use the loop it runs on, as one value that is handed to it.
//!
//! There is no ambient 'current loop' here: who needs a timer is given one, and what a function
//! can do is to be read from its arguments.

use executor::{BlockingPool, JoinError, Spawner};
use reactor::Reactor;
use timers::SharedTimers;

use crate::roll::LoopSpawner;

/// The four parts of a loop: of one thread, unless another spawner is named. Cheap to clone.
///
/// The timers are the shared form in all loops: what sleeps can then be written once, for one
/// thread and for several, and hyper wants no other. A lock that nobody contends for costs a
/// sleep some 15 ns.
#[derive(Clone, Debug)]
pub struct Handle<S = LoopSpawner> {
    /// Starts tasks.
    pub spawner: S,
    /// Sockets, pipes, terminals.
    pub reactor: Reactor,
    /// Sleeps and timeouts.
    pub timers: SharedTimers,
    /// Calls that block: disk, database, name lookup.
    pub blocking: BlockingPool,
}

/// The handle of a loop of several threads: it may go to any of them.
pub type SharedHandle = Handle<Spawner>;

impl<S> Handle<S> {
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
