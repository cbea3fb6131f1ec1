//! Host loop: our parts as guests in a loop that somebody else owns.
//!
//! Run it: `cargo run --example host_loop`
//!
//! Watch who waits. The host is an ordinary epoll program with a descriptor of its own, as a GUI
//! or a database might be. It adds one more descriptor, the reactor's, and asks two questions
//! before it waits: is a task ready, and when is the next timer due? After the wait it gives each
//! part its turn. No thread, no callback into the host, no loop of ours.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use executor::LocalExecutor;
use reactor::{Reactor, Source};
use rustix::event::{Timespec, epoll};
use timers::{Clock, LocalTimers};

const HOSTS_OWN: u64 = 1;
const GUESTS: u64 = 2;

fn main() -> io::Result<()> {
    // The guests. 'Embedded': the waker then makes the reactor's descriptor readable.
    let reactor = Reactor::builder().embedded().build()?;
    let timers = LocalTimers::new(Clock::monotonic());
    let executor = LocalExecutor::with_waker(reactor.waker());

    // The host: its epoll, its descriptor, and ours beside it.
    let host = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    let (mut hosts, guests_end) = UnixStream::pair()?;
    hosts.set_nonblocking(true)?;
    epoll::add(
        &host,
        &hosts,
        epoll::EventData::new_u64(HOSTS_OWN),
        epoll::EventFlags::IN,
    )?;
    epoll::add(
        &host,
        &reactor,
        epoll::EventData::new_u64(GUESTS),
        epoll::EventFlags::IN,
    )?;

    // That a fresh socket can be written to is news already: the first the host will hear of us.
    // A guest's task: it sleeps, and writes to the host; then it reads the host's answer.
    guests_end.set_nonblocking(true)?;
    let socket = Source::new(&reactor, guests_end)?;
    let clockwork = timers.clone();
    let task = executor.spawn(async move {
        clockwork.sleep(Duration::from_millis(20)).await;
        println!("guest: my timer fired; I write to the host");
        socket
            .write_with(|mut socket| socket.write_all(b"knock"))
            .await?;
        let mut bytes = [0; 16];
        let length = socket
            .read_with(|mut socket| socket.read(&mut bytes))
            .await?;
        println!(
            "guest: I read {:?}",
            String::from_utf8_lossy(&bytes[..length])
        );
        io::Result::Ok(())
    });

    while !task.is_finished() {
        let patience = if executor.has_ready() {
            Some(Duration::ZERO)
        } else {
            timers.patience()
        };
        let patience = patience.map(|patience| Timespec::try_from(patience).expect("not an age"));
        let mut events = Vec::with_capacity(8);
        epoll::wait(
            &host,
            rustix::buffer::spare_capacity(&mut events),
            patience.as_ref(),
        )?;
        for event in events {
            if event.data.u64() == HOSTS_OWN {
                let mut bytes = [0; 16];
                let length = hosts.read(&mut bytes)?;
                println!(
                    "host:  I read {:?} in my own loop",
                    String::from_utf8_lossy(&bytes[..length])
                );
                hosts.write_all(b"who is there?")?;
            } else {
                println!("host:  the reactor's descriptor has news: its turn");
                reactor.poll(Some(Duration::ZERO))?;
            }
        }
        timers.fire();
        executor.run_batch();
    }
    println!("host:  the guest has finished, and I go on");
    Ok(())
}
