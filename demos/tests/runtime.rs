//! The loop on several threads.

use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use demos::runtime::SharedHandle;
use demos::{Runtime, current};
use reactor::{TcpListener, TcpStream};

async fn echo(handle: SharedHandle, listener: TcpListener) {
    while let Ok((stream, _peer)) = listener.accept().await {
        drop(handle.spawner.spawn(async move {
            let mut bytes = [0; 64];
            loop {
                let length = stream
                    .read_with(|mut socket| socket.read(&mut bytes))
                    .await?;
                if length == 0 {
                    return std::io::Result::Ok(());
                }
                stream
                    .write_with(|mut socket| socket.write_all(&bytes[..length]))
                    .await?;
            }
        }));
    }
}

async fn ask(stream: &TcpStream, times: usize) -> usize {
    let (mut answers, mut bytes) = (0, [0; 64]);
    for _ in 0..times {
        stream
            .write_with(|mut socket| socket.write_all(b"ping"))
            .await
            .unwrap();
        let length = stream
            .read_with(|mut socket| socket.read(&mut bytes))
            .await
            .unwrap();
        answers += usize::from(&bytes[..length] == b"ping");
    }
    answers
}

fn start_echo(runtime: &Runtime) -> std::net::SocketAddr {
    let handle = runtime.handle();
    let listener = TcpListener::bind(&handle.reactor, "127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(handle.spawner.spawn(echo(handle.clone(), listener)));
    address
}

#[test]
fn sockets_and_timers_on_four_threads() {
    let runtime = Runtime::new(4).unwrap();
    let address = start_echo(&runtime);
    let clients: Vec<_> = (0..50)
        .map(|_| {
            let handle = runtime.handle().clone();
            runtime.handle().spawner.spawn(async move {
                let stream = TcpStream::connect(&handle.reactor, address).await.unwrap();
                handle.timers.sleep(Duration::from_millis(3)).await;
                ask(&stream, 20).await
            })
        })
        .collect();
    let answers = runtime.block_on(async {
        let mut answers = 0;
        for client in clients {
            answers += client.await.unwrap();
        }
        answers
    });
    assert_eq!(answers, 50 * 20);
}

/// A task that blocks its worker's thread until the others have done their work: with the others
/// stalled it would be in the way for ever, so a watchdog lets go.
fn held(workers: usize, by_socket: bool) {
    let runtime = Runtime::new(workers).unwrap();
    let address = start_echo(&runtime);
    let (let_go, stuck) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicBool::new(false)),
    );
    let (watch, is_stuck) = (Arc::clone(&let_go), Arc::clone(&stuck));
    let handle = runtime.handle().clone();
    let holder = runtime.handle().spawner.spawn(async move {
        if by_socket {
            // Woken by the reactor, so on the worker that has the driver.
            let stream = TcpStream::connect(&handle.reactor, address).await.unwrap();
            ask(&stream, 3).await;
        } else {
            handle.timers.sleep(Duration::from_millis(20)).await;
        }
        is_stuck.store(true, Ordering::SeqCst);
        let mut rounds = 0;
        while !watch.load(Ordering::SeqCst) && rounds < 20_000 {
            thread::sleep(Duration::from_millis(1)); // never gives the thread back
            rounds += 1;
        }
        rounds < 20_000
    });
    let handle = runtime.handle().clone();
    let others = runtime.handle().spawner.spawn(async move {
        while !stuck.load(Ordering::SeqCst) {
            handle.timers.sleep(Duration::from_millis(1)).await;
        }
        for _ in 0..30 {
            handle.timers.sleep(Duration::from_millis(1)).await;
        }
        let stream = TcpStream::connect(&handle.reactor, address).await.unwrap();
        let answers = ask(&stream, 100).await;
        let_go.store(true, Ordering::SeqCst);
        answers
    });
    let (answers, in_time) =
        runtime.block_on(async { (others.await.unwrap(), holder.await.unwrap()) });
    assert_eq!(answers, 100);
    assert!(
        in_time,
        "the others were stalled by the worker that is stuck"
    );
}

#[test]
fn a_worker_that_is_stuck_stalls_nobody() {
    for workers in [2, 4] {
        held(workers, false);
        held(workers, true);
    }
}

#[test]
fn many_wakes_from_outside() {
    let runtime = Runtime::new(3).unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..2_000 {
                    let count = Arc::clone(&count);
                    drop(runtime.handle().spawner.spawn(async move {
                        count.fetch_add(1, Ordering::Relaxed);
                    }));
                }
            });
        }
    });
    assert!(runtime.shutdown(Duration::from_secs(30)).is_clean());
    assert_eq!(count.load(Ordering::Relaxed), 4_000);
}

#[test]
fn the_ambient_runtime_and_the_lack_of_it() {
    let outside = thread::spawn(|| current::sleep(Duration::from_millis(1))).join();
    let panic = outside.map(drop).expect_err("there is no runtime there");
    let message = panic.downcast_ref::<String>().expect("a formatted message");
    assert!(message.contains("current::sleep was called on a thread without a current runtime"));

    let runtime = Runtime::new(2).unwrap();
    let address = start_echo(&runtime);
    assert!(current::handle().is_none());
    let answers = runtime.block_on(async {
        let task = current::spawn(async move {
            let stream = current::connect(address).await.unwrap();
            current::sleep(Duration::from_millis(1)).await;
            ask(&stream, 5).await
        });
        task.await.unwrap()
    });
    assert_eq!(answers, 5);
    assert!(current::handle().is_none(), "left with block_on");
}

#[test]
fn shutdown_says_who_was_alive() {
    let runtime = Runtime::new(2).unwrap();
    let handle = runtime.handle().clone();
    let timers = handle.timers.clone();
    let sleeper = async move { timers.sleep(Duration::from_secs(3600)).await };
    let (task, spawned_at) = (handle.spawner.spawn(sleeper), line!());
    drop(task);
    let (began, has_begun) = std::sync::mpsc::channel();
    let pool = handle.blocking.clone();
    drop(handle.spawner.spawn(async move {
        let job = pool.run(move || {
            let _ = began.send(());
            thread::sleep(Duration::from_secs(3)); // a call that hangs
        });
        job.await
    }));
    has_begun.recv().unwrap();
    let report = runtime.shutdown(Duration::from_millis(50));
    assert!(!report.is_clean());
    let lines: Vec<u32> = report
        .tasks
        .unfinished
        .iter()
        .map(|(place, _)| place.line())
        .collect();
    assert!(lines.contains(&spawned_at), "{report:?}");
    assert_eq!(report.tasks.unfinished.len(), 2, "{report:?}");
    assert_eq!(report.blocking.running.len(), 1, "{report:?}");
}
