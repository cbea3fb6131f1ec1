//! A waker's journey: from the poll that leaves it to the poll that it brings about.
//!
//! Run it: `cargo run --example wakers_journey`
//!
//! Watch the numbers. A task reads from a socket that has nothing yet. Its waker goes from the
//! executor to the reactor (2), waits there while the thread sleeps in the kernel (3), and when
//! bytes come (4) puts its task into the ready queue (5), where the loop finds it (7). The executor
//! never heard of sockets, the reactor never heard of tasks: they share this one value.

use std::future::Future;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use executor::LocalExecutor;
use reactor::{Reactor, Source};

/// A waker that says when it is called, and calls the real one.
struct Telling(Waker);

impl Wake for Telling {
    fn wake(self: Arc<Self>) {
        println!("5 the kernel tells the reactor; it calls the waker, which queues its task");
        self.0.wake_by_ref();
    }
}

/// A future that says when it is polled.
struct Told<F>(Pin<Box<F>>, u32);

impl<F: Future> Future for Told<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let first = self.1 == 0;
        self.1 += 1;
        println!("{} the executor polls the task", if first { 1 } else { 7 });
        let waker = Waker::from(Arc::new(Telling(cx.waker().clone())));
        let polled = self.0.as_mut().poll(&mut Context::from_waker(&waker));
        match &polled {
            Poll::Pending => {
                println!("2 nothing to read: the task leaves its waker with the reactor")
            }
            Poll::Ready(_) => println!("8 the read gives bytes: the task is done"),
        }
        polled
    }
}

fn main() -> std::io::Result<()> {
    let reactor = Reactor::new()?;
    let executor = LocalExecutor::with_waker(reactor.waker());
    let _entered = executor.enter();

    let (ours, mut theirs) = UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    let source = Source::new(&reactor, ours)?;
    // A fresh socket can be written to, and that is news; have it out of the way.
    reactor.poll(Some(Duration::ZERO))?;
    let read = async move {
        let mut bytes = [0; 16];
        let length = source
            .read_with(|mut socket| socket.read(&mut bytes))
            .await?;
        std::io::Result::Ok(String::from_utf8_lossy(&bytes[..length]).into_owned())
    };
    let task = executor.spawn(Told(Box::pin(read), 0));

    let writer = thread::spawn(move || {
        thread::sleep(Duration::from_millis(50));
        println!("4 somebody writes into the other end of the socket");
        theirs.write_all(b"hello")
    });
    while !task.is_finished() {
        executor.run_batch();
        if !task.is_finished() {
            println!("3 nothing is ready: the thread sleeps in the kernel");
            let events = reactor.poll(None)?;
            println!("6 the wait is over: {events} source had news");
        }
    }
    let text = executor.block_on(task).expect("nobody aborts it")?;
    println!("9 whoever awaits the task has its output: {text}");
    writer.join().expect("the writer only writes")
}
