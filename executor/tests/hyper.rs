//! hyper's executor trait (feature `hyper`).
#![cfg(feature = "hyper")]

use std::cell::Cell;
use std::rc::Rc;
use std::sync::mpsc;

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

#[test]
fn hyper_spawns_on_several_threads() {
    let executor = executor::Executor::builder().workers(2).build().unwrap();
    let (ran, seen) = mpsc::channel();
    executor
        .spawner()
        .execute(async move { ran.send(7).is_ok() });
    assert_eq!(seen.recv(), Ok(7));
}
