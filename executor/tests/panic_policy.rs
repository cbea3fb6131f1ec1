//! What an executor does when a task panics, as its builder chose.

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use executor::{Executor, PanicPolicy, block_on};

struct Count(Arc<AtomicUsize>);

impl Drop for Count {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// A task that waits for ever and says when it is dropped.
fn waits(executor: &Executor, dropped: &Arc<AtomicUsize>) -> executor::JoinHandle<()> {
    let count = Count(dropped.clone());
    executor.spawn(async move {
        let _count = count;
        std::future::pending().await
    })
}

#[test]
fn contained_is_what_it_is_by_default() {
    let executor = Executor::builder().workers(2).build().unwrap();
    let panics = executor.spawn(async { panic!("contained") });
    let error = block_on::<executor::JoinHandle<()>>(panics).unwrap_err();
    assert_eq!(error.to_string(), "task panicked: contained");
    assert_eq!(block_on(executor.spawn(async { 1 })).unwrap(), 1);
    assert!(!executor.spawner().is_closed());
}

#[test]
fn a_panic_in_a_poll_shuts_the_executor_down() {
    let dropped = Arc::default();
    let executor = Executor::builder()
        .workers(2)
        .on_panic(PanicPolicy::Shutdown);
    let executor = executor.build().unwrap();
    let tasks: Vec<_> = (0..10).map(|_| waits(&executor, &dropped)).collect();
    let panics = executor.spawn(async { panic!("the end") });
    let error = block_on::<executor::JoinHandle<()>>(panics).unwrap_err();
    assert!(error.is_panic(), "its own handle is told of the panic");
    for task in tasks {
        assert!(block_on(task).unwrap_err().is_cancelled());
    }
    assert_eq!(dropped.load(SeqCst), 10);
    assert!(
        block_on(executor.spawn(async {}))
            .unwrap_err()
            .is_cancelled()
    );
    let report = executor.shutdown(Duration::ZERO);
    // The spawn after the end counts as well: it was dropped before it was done.
    let unfinished: usize = report.unfinished.iter().map(|(_, count)| count).sum();
    assert_eq!(unfinished, 11, "{report}");
}

#[test]
fn a_shutdown_of_what_a_panic_has_shut_down_does_not_wait() {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let executor = Executor::builder()
            .workers(2)
            .on_panic(PanicPolicy::Shutdown);
        let executor = executor.build().unwrap();
        let panics = executor.spawn(async { panic!("the end") });
        assert!(
            block_on::<executor::JoinHandle<()>>(panics)
                .unwrap_err()
                .is_panic()
        );
        sender.send(executor.shutdown(Duration::MAX)).unwrap();
    });
    let patience = Duration::from_secs(20);
    let report = receiver.recv_timeout(patience).expect("nothing is left");
    assert!(report.is_clean(), "{report}");
}

#[test]
fn a_panic_in_the_drop_of_a_future_shuts_it_down_too() {
    struct Bad;
    impl Drop for Bad {
        fn drop(&mut self) {
            panic!("in a drop");
        }
    }
    let dropped = Arc::default();
    let executor = Executor::builder()
        .workers(1)
        .on_panic(PanicPolicy::Shutdown);
    let executor = executor.build().unwrap();
    let task = waits(&executor, &dropped);
    let (sender, receiver) = mpsc::channel();
    let bad = executor.spawn(async move {
        let _bad = Bad;
        sender.send(()).unwrap();
        std::future::pending::<()>().await;
    });
    receiver.recv().unwrap();
    bad.abort();
    assert!(block_on(bad).unwrap_err().is_panic());
    assert!(block_on(task).unwrap_err().is_cancelled());
}

#[test]
fn a_panic_aborts_the_process() {
    // The abort is that of a process of its own: this test again, told to do it.
    const MARK: &str = "HANDROLLED_ABORT";
    if std::env::var_os(MARK).is_some() {
        let executor = Executor::builder()
            .on_panic(PanicPolicy::Abort)
            .build()
            .unwrap();
        let panics = executor.spawn(async { panic!("the last word") });
        let _ = block_on::<executor::JoinHandle<()>>(panics);
        println!("still there");
        return;
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_panic_aborts_the_process", "--nocapture"])
        .env(MARK, "1")
        .output()
        .unwrap();
    assert!(!output.status.success());
    let (out, error) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(!out.contains("still there"), "{out}");
    assert!(
        error.contains("the last word"),
        "the hook has reported: {error}"
    );
}
