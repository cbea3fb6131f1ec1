//! The current runtime of a thread, for code that is tired of passing handles.
//!
//! Handles are honest: what a function can do is in its arguments. An ambient runtime is
//! convenient. The three crates have handles only; this is the one place with the other way, so
//! that both can be compared: `current::sleep(d)` here is `handle.timers.sleep(d)` elsewhere.
//!
//! ```
//! use demos::{Runtime, current};
//! use std::time::Duration;
//! let runtime = Runtime::new(2)?;
//! runtime.block_on(async {
//!     let task = current::spawn(async {
//!         current::sleep(Duration::from_millis(1)).await; // a worker's, wherever it runs
//!         "slept"
//!     });
//!     assert_eq!(task.await.unwrap(), "slept");
//! });
//! # Ok::<(), std::io::Error>(())
//! ```

use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use executor::JoinHandle;
use reactor::TcpStream;
use timers::Sleep;

use crate::runtime::SharedHandle;

/// Where a handle will be once its runtime is complete.
type HandlePlace = Arc<OnceLock<SharedHandle>>;

thread_local! {
    static CURRENT: RefCell<Option<HandlePlace>> = const { RefCell::new(None) };
}

/// The thread is in a runtime while this is there; from [`enter`].
#[derive(Debug)]
#[must_use = "left when dropped"]
pub struct Entered {
    before: Option<HandlePlace>,
    /// Belongs to its thread.
    not_send: PhantomData<*const ()>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(self.before.take());
    }
}

/// Makes the runtime of `handle` the thread's current one, until the guard is dropped. Nested
/// calls are fine: the innermost counts.
pub fn enter(handle: &SharedHandle) -> Entered {
    let place = Arc::new(OnceLock::from(handle.clone()));
    Entered {
        before: CURRENT.replace(Some(place)),
        not_send: PhantomData,
    }
}

/// For a worker: its thread is never anywhere else.
pub(crate) fn stay_in(place: &HandlePlace) {
    CURRENT.set(Some(Arc::clone(place)));
}

/// The current runtime's handle, if there is one.
#[must_use]
pub fn handle() -> Option<SharedHandle> {
    CURRENT.with_borrow(|place| place.as_ref()?.get().cloned())
}

#[track_caller]
fn expect(wanted: &str) -> SharedHandle {
    handle().unwrap_or_else(|| {
        panic!(
            "{wanted} was called on a thread without a current runtime: call it inside \
             Runtime::block_on, in a task of a Runtime, or after current::enter"
        )
    })
}

/// Starts a task on the current runtime.
///
/// # Panics
/// Without a current runtime.
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    expect("current::spawn").spawner.spawn(future)
}

/// Sleeps by the current runtime's timers.
///
/// # Panics
/// Without a current runtime.
#[track_caller]
pub fn sleep(duration: Duration) -> Sleep {
    expect("current::sleep").timers.sleep(duration)
}

/// Connects over the current runtime's reactor.
///
/// # Errors
/// What the kernel says.
///
/// # Panics
/// Without a current runtime.
#[track_caller]
pub fn connect(address: SocketAddr) -> impl Future<Output = io::Result<TcpStream>> + Send {
    let reactor = expect("current::connect").reactor;
    async move { TcpStream::connect(&reactor, address).await }
}
