//! An idle runtime makes no system call. Alone in its process, which is what is looked at.

use std::time::Duration;

use demos::Runtime;
use reactor::TcpListener;

/// How often the workers gave up their CPU or had it taken away. A thread that makes no system
/// call and gets no CPU time cannot change it.
fn switches() -> (usize, u64) {
    let (mut workers, mut switches) = (0, 0);
    for task in std::fs::read_dir("/proc/self/task").expect("Linux") {
        let folder = task.expect("an entry").path();
        let name = std::fs::read_to_string(folder.join("comm")).unwrap_or_default();
        if name.starts_with("worker") {
            workers += 1;
            let status = std::fs::read_to_string(folder.join("status")).unwrap_or_default();
            let counts = status.lines().filter(|line| line.contains("ctxt_switches"));
            let counts =
                counts.filter_map(|line| line.split_whitespace().last()?.parse::<u64>().ok());
            switches += counts.sum::<u64>();
        }
    }
    (workers, switches)
}

#[test]
fn waiting_makes_no_worker_run() {
    let runtime = Runtime::new(4).unwrap();
    let handle = runtime.handle().clone();
    // Something to wait for of each kind.
    let listener = TcpListener::bind(&handle.reactor, "127.0.0.1:0").unwrap();
    drop(
        handle
            .spawner
            .spawn(async move { listener.accept().await.map(drop) }),
    );
    let timers = handle.timers.clone();
    drop(
        handle
            .spawner
            .spawn(async move { timers.sleep(Duration::from_secs(3600)).await }),
    );
    runtime.block_on(handle.timers.sleep(Duration::from_millis(20)));

    let mut last = switches();
    assert_eq!(last.0, 4, "the workers are not found by their names");
    let mut seen = vec![last.1];
    for _ in 0..20 {
        std::thread::sleep(Duration::from_secs(1));
        let now = switches();
        seen.push(now.1);
        if now == last {
            return;
        }
        last = now;
    }
    panic!("never a second in which all workers slept: {seen:?}");
}
