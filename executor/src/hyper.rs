//! hyper's executor trait (feature `hyper`): for servers and clients that spawn their own tasks.

use std::future::Future;

use crate::{LocalSpawner, Spawner};

/// hyper's tasks are spawned and let go: what they come to, hyper tells in its own way.
impl<'a, F> hyper::rt::Executor<F> for LocalSpawner<'a>
where
    F: Future + 'a,
    F::Output: 'a,
{
    #[track_caller]
    fn execute(&self, future: F) {
        drop(self.spawn(future));
    }
}

/// The same, on several threads.
impl<F> hyper::rt::Executor<F> for Spawner
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    #[track_caller]
    fn execute(&self, future: F) {
        drop(self.spawn(future));
    }
}
