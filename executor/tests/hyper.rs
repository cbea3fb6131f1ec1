//! hyper's executor trait (feature `hyper`).
#![cfg(feature = "hyper")]

use std::cell::Cell;
use std::rc::Rc;

use executor::LocalExecutor;
use hyper::rt::Executor;

#[test]
fn hyper_spawns_futures_that_need_not_be_send() {
    let executor = LocalExecutor::new();
    let done = Rc::new(Cell::new(false));
    let set = done.clone();
    executor.spawner().execute(async move { set.set(true) });
    executor.run_batch();
    assert!(done.get());
}
