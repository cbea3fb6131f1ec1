//! What a reactor costs beside its sources: a look that finds nothing, and being woken.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use ::reactor::Reactor;
use rustix::event::epoll;
use rustix::fd::OwnedFd;

use crate::workload::{Contender, Invalid, Measured, OURS, Pass, Scale, Workload};

const NOW: Option<Duration> = Some(Duration::ZERO);

/// Something that waits for descriptors and can be woken from other threads.
trait Turns: Sized + Send + 'static {
    fn new() -> io::Result<Self>;
    /// What wakes it.
    fn ring(&self) -> impl Fn() + Send + 'static;
    /// Waits until there is something to hear of, or only looks.
    fn turn(&mut self, patience: Option<Duration>) -> io::Result<()>;
}

/// Ours. `EMBEDDED` in a foreign loop, where every wake is written, as for a waiter that sleeps.
struct Ours<const EMBEDDED: bool>(Reactor);

/// What tokio stands on.
struct Mio {
    poll: mio::Poll,
    events: mio::Events,
    waker: Arc<mio::Waker>,
}

/// What smol stands on, and ours where there is no epoll.
struct Polling {
    poller: Arc<polling::Poller>,
    events: polling::Events,
}

/// A look that finds nothing.
pub const IDLE: Workload = Workload::new(
    "reactor/idle_turn",
    "a look for events that finds none",
    "ns/turn",
    idle,
);

/// Wakes of one that is awake, and after each hundred of them a turn.
pub const AWAKE: Workload = Workload::new(
    "reactor/wake_awake",
    "waking a waiter that does not wait; each hundred ends a turn",
    "ns/wake",
    awake,
);

/// A wake that has to be written, and the turn that it ends.
pub const WRITTEN: Workload = Workload::new(
    "reactor/wake_written",
    "a wake that has to be written to the kernel, and the turn that it ends",
    "ns/wake",
    written,
);

/// Two threads that wake each other and sleep in between.
pub const ACROSS: Workload = Workload::new(
    "reactor/wake_across",
    "two threads that wait in turns wake each other",
    "ns/round trip",
    across,
)
.on_all_cores();

fn idle(scale: Scale) -> Vec<Contender> {
    let turns = scale.of(20_000, 5) as u64;
    vec![
        Contender::new(OURS, move || looks::<Ours<false>>(turns)),
        Contender::new("bare", move || bare_looks(turns)),
        Contender::new("mio", move || looks::<Mio>(turns)),
        Contender::new("polling", move || looks::<Polling>(turns)),
    ]
}

fn awake(scale: Scale) -> Vec<Contender> {
    let wakes = scale.of(20_000, 200) as u64;
    vec![
        Contender::new(OURS, move || rings::<Ours<false>, 100>(wakes)),
        Contender::new("mio", move || rings::<Mio, 100>(wakes)),
        Contender::new("polling", move || rings::<Polling, 100>(wakes)),
    ]
}

fn written(scale: Scale) -> Vec<Contender> {
    let wakes = scale.of(5_000, 5) as u64;
    vec![
        Contender::new(OURS, move || rings::<Ours<true>, 1>(wakes)),
        Contender::new("mio", move || rings::<Mio, 1>(wakes)),
        Contender::new("polling", move || rings::<Polling, 1>(wakes)),
    ]
}

fn across(scale: Scale) -> Vec<Contender> {
    let trips = scale.of(1_000, 5) as u64;
    vec![
        Contender::new(OURS, move || to_and_fro::<Ours<false>>(trips)),
        Contender::new("mio", move || to_and_fro::<Mio>(trips)),
        Contender::new("polling", move || to_and_fro::<Polling>(trips)),
    ]
}

fn looks<T: Turns>(turns: u64) -> Result<Pass, Invalid> {
    let mut it = T::new()?;
    Ok(Box::new(move || {
        Measured::cpu(turns, || {
            for _ in 0..turns {
                it.turn(NOW)?;
            }
            Ok(())
        })
    }))
}

fn bare_looks(turns: u64) -> Result<Pass, Invalid> {
    let epoll: OwnedFd = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(io::Error::from)?;
    let mut events = Vec::with_capacity(1024);
    let now = rustix::event::Timespec::default();
    Ok(Box::new(move || {
        Measured::cpu(turns, || {
            for _ in 0..turns {
                events.clear();
                let room = rustix::buffer::spare_capacity(&mut events);
                epoll::wait(&epoll, room, Some(&now)).map_err(io::Error::from)?;
            }
            Ok(())
        })
    }))
}

/// A turn without patience ends only when a wake was heard: none may be lost.
fn rings<T: Turns, const A_TURN: u64>(wakes: u64) -> Result<Pass, Invalid> {
    let mut it = T::new()?;
    let ring = it.ring();
    Ok(Box::new(move || {
        Measured::cpu(wakes, || {
            for _ in 0..wakes / A_TURN {
                for _ in 0..A_TURN {
                    ring();
                }
                it.turn(None)?;
            }
            Ok(())
        })
    }))
}

fn to_and_fro<T: Turns>(trips: u64) -> Result<Pass, Invalid> {
    Ok(Box::new(move || {
        let (mut here, mut there) = (T::new()?, T::new()?);
        let (ring_here, ring_there) = (here.ring(), there.ring());
        let other = thread::spawn(move || {
            for _ in 0..trips {
                there.turn(None)?;
                ring_here();
            }
            Ok::<_, io::Error>(())
        });
        let measured = Measured::time(trips, || {
            for _ in 0..trips {
                ring_there();
                here.turn(None)?;
            }
            Ok(())
        });
        other.join().expect("it only waits and wakes")?;
        measured
    }))
}

impl<const EMBEDDED: bool> Turns for Ours<EMBEDDED> {
    fn new() -> io::Result<Self> {
        let builder = Reactor::builder();
        match EMBEDDED {
            true => builder.embedded().build(),
            false => builder.build(),
        }
        .map(Self)
    }

    fn ring(&self) -> impl Fn() + Send + 'static {
        let waker = self.0.waker();
        move || waker.wake_by_ref()
    }

    fn turn(&mut self, patience: Option<Duration>) -> io::Result<()> {
        self.0.poll(patience).map(drop)
    }
}

impl Turns for Mio {
    fn new() -> io::Result<Self> {
        let poll = mio::Poll::new()?;
        let waker = Arc::new(mio::Waker::new(poll.registry(), mio::Token(0))?);
        let events = mio::Events::with_capacity(1024);
        Ok(Self {
            poll,
            events,
            waker,
        })
    }

    fn ring(&self) -> impl Fn() + Send + 'static {
        let waker = Arc::clone(&self.waker);
        move || waker.wake().expect("it can be written to")
    }

    fn turn(&mut self, patience: Option<Duration>) -> io::Result<()> {
        self.poll.poll(&mut self.events, patience)
    }
}

impl Turns for Polling {
    fn new() -> io::Result<Self> {
        Ok(Self {
            poller: Arc::new(polling::Poller::new()?),
            events: polling::Events::new(),
        })
    }

    fn ring(&self) -> impl Fn() + Send + 'static {
        let poller = Arc::clone(&self.poller);
        move || poller.notify().expect("it can be written to")
    }

    fn turn(&mut self, patience: Option<Duration>) -> io::Result<()> {
        self.events.clear();
        self.poller.wait(&mut self.events, patience).map(drop)
    }
}
