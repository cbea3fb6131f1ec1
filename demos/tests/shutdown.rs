//! The end of a loop of one thread: who has time to finish, who is dropped, and what is told of it.
//! (That of several threads is in `runtime.rs`.)

use std::cell::Cell;
use std::future::pending;
use std::io::Read;
use std::rc::Rc;
use std::sync::mpsc;
use std::time::Duration;

use demos::EventLoop;
use reactor::{TcpListener, TcpStream};
use timers::Clock;

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn who_comes_to_an_end_in_time_is_waited_for() {
    let event_loop = EventLoop::with_clock(Clock::auto()).unwrap();
    let handle = event_loop.handle().clone();
    let done = Rc::new(Cell::new(0));
    for hours in 1..=3 {
        let (timers, spawner, done) = (handle.timers.clone(), handle.spawner.clone(), done.clone());
        drop(handle.spawner.spawn(async move {
            timers.sleep(HOUR * hours).await;
            // Spawned while the loop is ending: waited for as well.
            drop(spawner.spawn(async move {
                timers.sleep(HOUR).await;
                done.set(done.get() + 1);
            }));
        }));
    }
    let before = handle.timers.clock().now();
    let report = event_loop.shutdown(HOUR * 24);
    assert!(report.is_clean(), "{report}");
    assert_eq!(done.get(), 3);
    let took = handle.timers.clock().now() - before;
    assert!(
        took < HOUR * 5,
        "it ends with the last task, not at the deadline: {took:?}"
    );
}

/// Says when it is dropped.
struct Dropped(Rc<Cell<usize>>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

#[test]
fn who_is_left_is_dropped_and_told_of() {
    let event_loop = EventLoop::with_clock(Clock::auto()).unwrap();
    let handle = event_loop.handle().clone();
    let dropped = Rc::new(Cell::new(0));
    let mut places = Vec::new();
    for _ in 0..2 {
        let (it, line) = (Dropped(dropped.clone()), line!() + 1);
        drop(handle.spawner.spawn(async move {
            let _it = it;
            pending::<()>().await;
        }));
        places.push(line);
    }
    let (it, line) = (Dropped(dropped.clone()), line!() + 1);
    let kept = handle.spawner.spawn_named("has a handle", async move {
        let _it = it;
        pending::<()>().await;
    });
    let before = handle.timers.clock().now();
    let report = event_loop.shutdown(HOUR);
    assert_eq!(handle.timers.clock().now() - before, HOUR);
    let told = report.tasks.unfinished.iter();
    let told: Vec<_> = told.map(|(at, count)| (at.line(), *count)).collect();
    assert_eq!(told, [(places[0], 2), (line, 1)]);
    assert!(report.to_string().contains("shutdown.rs"), "{report}");
    assert_eq!(dropped.get(), 3);
    assert!(kept.is_finished(), "cancelled with the loop");
    assert_eq!(handle.spawner.alive(), []);
}

#[test]
fn a_connection_is_told_of_and_closed() {
    let event_loop = EventLoop::new().unwrap();
    let handle = event_loop.handle().clone();
    let listener = TcpListener::bind(&handle.reactor, "127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut client = std::net::TcpStream::connect(address).unwrap();
    let stream = event_loop.run(async { listener.accept().await.unwrap().0 });
    let stream: TcpStream = stream.unwrap();
    let line = line!() + 1;
    drop(handle.spawner.spawn(async move {
        let read = stream.read_with(|mut socket| socket.read(&mut [0; 64]));
        read.await
    }));
    let report = event_loop.shutdown(Duration::from_millis(5));
    assert_eq!(report.tasks.unfinished.len(), 1, "{report}");
    assert_eq!(report.tasks.unfinished[0].0.line(), line);
    assert_eq!(report.sources, 1, "the listener is still in our hands");
    assert_eq!(client.read(&mut [0; 1]).unwrap(), 0, "the stream is closed");
}

#[test]
fn a_call_that_hangs_is_told_of_and_does_not_hang_the_end() {
    let event_loop = EventLoop::new().unwrap();
    let handle = event_loop.handle().clone();
    let (let_go, held) = mpsc::channel::<()>();
    let (began, has_begun) = mpsc::channel();
    drop(handle.spawner.spawn({
        let handle = handle.clone();
        async move {
            // Like a read of a terminal at which nobody sits.
            let call = handle.blocking(move || (began.send(()), held.recv()).1.is_ok());
            call.await
        }
    }));
    let begun = handle.clone();
    event_loop
        .run(async {
            while has_begun.try_recv().is_err() {
                begun.timers.sleep(Duration::from_millis(1)).await;
            }
        })
        .unwrap();
    let report = event_loop.shutdown(Duration::from_millis(5));
    assert!(!report.is_clean());
    assert_eq!(report.tasks.unfinished.len(), 1, "{report}");
    assert_eq!(report.blocking.running.len(), 1, "{report}");
    let_go.send(()).unwrap(); // it hung until now
}

#[test]
fn without_grace_nothing_more_is_polled() {
    let event_loop = EventLoop::new().unwrap();
    let polled = Rc::new(Cell::new(false));
    let was = polled.clone();
    drop(event_loop.handle().spawner.spawn(async move {
        was.set(true);
    }));
    let report = event_loop.shutdown(Duration::ZERO);
    assert_eq!(report.tasks.unfinished.len(), 1);
    assert!(!polled.get());
}
