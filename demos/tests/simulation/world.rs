//! One run: a server, some clients, one seed.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt::{self, Write as _};
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::pin;
use std::rc::Rc;
use std::sync::{Arc, OnceLock};
use std::task::{Poll, ready};
use std::time::Duration;

use demos::Handle;
use demos::processing::Processing;
use demos::processing::database::Database;
use demos::processing::reach::Reach;
use demos::roll::LoopSpawner;
use demos::server::limits::Limits;
use demos::server::{Server, connection};
use executor::{BlockingPool, LocalExecutor, LocalSpawner};
use futures::StreamExt;
use futures::channel::mpsc;
use reactor::Reactor;
use rustix::io::Errno;
use timers::{Clock, SharedTimers};

use crate::chance::{Chance, Fault, Faults};
use crate::client::{self, Visit};
use crate::wire::{self, End};

/// A run with more turns than this is not going to end.
const TURNS: u64 = 200_000;

/// What came of a run, or of many.
#[derive(Default)]
pub(crate) struct Run {
    pub(crate) story: String,
    pub(crate) polls: u64,
    pub(crate) faults: Faults,
    pub(crate) answered: u64,
    pub(crate) inputs: u64,
    pub(crate) refused: u64,
    pub(crate) left: u64,
    pub(crate) resets: u64,
    pub(crate) undone: u64,
}

impl Run {
    pub(crate) fn add(&mut self, other: &Self) {
        self.polls += other.polls;
        self.faults.add(other.faults);
        self.answered += other.answered;
        self.inputs += other.inputs;
        self.refused += other.refused;
        self.left += other.left;
        self.resets += other.resets;
        self.undone += other.undone;
    }

    fn tell(&mut self, at: Duration, client: usize, visit: Visit) {
        let _ = writeln!(
            self.story,
            "{:>6} ms: client {client:>2} {visit:?}",
            at.as_millis()
        );
        match visit {
            Visit::Answered(inputs) => {
                self.answered += 1;
                self.inputs += inputs;
            }
            Visit::Refused(_) => self.refused += 1,
            Visit::Left => self.left += 1,
            Visit::Broke => self.resets += 1,
        }
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            polls,
            faults,
            answered,
            inputs,
            refused,
            left,
            resets,
            undone,
            ..
        } = self;
        write!(
            f,
            "{polls} polls, {faults:?}, {answered} answered with {inputs} inputs, \
             {refused} refused, {left} left, {resets} reset, {undone} undone"
        )
    }
}

/// What is expensive to make and has no part in a run: no descriptor is used in it, no call is
/// made that blocks.
fn unused() -> (Reactor, BlockingPool, Arc<Database>) {
    static UNUSED: OnceLock<(Reactor, BlockingPool, Arc<Database>)> = OnceLock::new();
    let make = || {
        let reactor = Reactor::new().expect("a descriptor");
        let pool = BlockingPool::builder().build().expect("a pool");
        (reactor, pool, Arc::new(Database::sample().expect("memory")))
    };
    UNUSED.get_or_init(make).clone()
}

fn limits(chance: &Chance) -> Limits {
    Limits {
        connections: [3, 100][chance.below(2)],
        in_flight: 60,
        in_flight_of_client: 20,
        in_flight_of_request: 1 + chance.below(20),
        body: 4096,
        line: 200,
        silence: Duration::from_secs(20),
        heartbeat: Duration::from_millis(500),
        grace: Duration::from_millis(700),
        kept_outputs: 5,
    }
}

pub(crate) fn run(seed: u64) -> Run {
    let chance = Chance::new(seed);
    let order = chance.clone();
    let executor = LocalExecutor::builder()
        .order(move |ready| order.below(ready))
        .build();
    let clock = Clock::auto();
    let timers = SharedTimers::builder(clock.clone()).shards(1).build();
    let (reactor, blocking, database) = unused();
    let handle = Handle {
        spawner: LoopSpawner::new(executor.spawner()),
        reactor,
        timers: timers.clone(),
        blocking,
    };
    let max_content = 1 << 20;
    let timeout = Duration::from_secs(30);
    let processing = Arc::new(Processing {
        handle: handle.into(),
        database,
        max_content,
        timeout,
        reach: Reach::default(),
    });
    let server = Server::new(processing, limits(&chance), Vec::new());
    let start = clock.now();
    let told = Rc::new(RefCell::new(Run::default()));

    let (knock, door) = mpsc::unbounded();
    let welcomed = keep_the_door(&server, door, &chance, executor.spawner());
    drop(executor.spawn(welcomed));
    let clients = 1 + chance.below(12);
    let visits: Vec<_> = (0..clients)
        .map(|number| {
            let (server, chance, timers) = (Arc::clone(&server), chance.clone(), timers.clone());
            let spawner = executor.spawner();
            let (told, clock, knock) = (Rc::clone(&told), clock.clone(), knock.clone());
            executor.spawn(async move {
                timers.sleep(chance.millis(2_000)).await;
                let ([ours, theirs], carriers) = wire::wire(&chance, &timers);
                drop(spawner.spawn(carriers));
                let guest = Guest {
                    end: theirs,
                    peer: IpAddr::from(Ipv4Addr::new(10, 0, 0, number as u8 % 3)),
                    unanswered: Rc::default(),
                };
                let unanswered = Rc::clone(&guest.unanswered);
                knock.unbounded_send(guest).expect("the door is kept");
                let unanswered = || unanswered.get() || server.is_closing();
                let visit = client::visit(ours, chance, timers, unanswered).await;
                told.borrow_mut().tell(clock.now() - start, number, visit);
            })
        })
        .collect();
    let drains = chance.once_in(4).then(|| chance.millis(4_000));
    let draining = Arc::clone(&server);
    let drained_by = timers.clone();
    let drain = async move {
        if let Some(after) = drains {
            drained_by.sleep(after).await;
            draining.close();
        }
    };
    let all = async {
        drain.await;
        for visit in visits {
            visit.await.expect("no client panics");
        }
    };
    drive(&executor, &timers, all);
    // What is left of connections ends by itself, as nobody is there any more.
    let watched = Arc::clone(&server);
    let patience = timers.clone();
    drive(&executor, &timers, async move {
        while watched.connections() > 0 || watched.ledger.in_flight_of_all() > 0 {
            patience.sleep(Duration::from_millis(100)).await;
        }
    });
    let mut run = told.take();
    run.polls = executor.metrics().polls;
    run.faults = chance.faults();
    run.undone = server.ledger.undone();
    assert!(server.ledger.balances(), "{}", server.ledger.metrics(0));
    run
}

/// A connection that has come, and was not taken in yet.
struct Guest {
    end: End,
    peer: IpAddr,
    /// Whether the server closes it without a word, and is right to.
    unanswered: Rc<Cell<bool>>,
}

/// The server's own loop over arrivals, at a listener that now and then has no descriptor left.
fn keep_the_door(
    server: &Arc<Server>,
    door: mpsc::UnboundedReceiver<Guest>,
    chance: &Chance,
    spawner: LocalSpawner<'static>,
) -> impl Future<Output = ()> + use<> {
    let (server, chance) = (Arc::clone(server), chance.clone());
    let (door, waiting) = (RefCell::new(door), RefCell::new(VecDeque::new()));
    async move {
        let next = || {
            poll_fn(|cx| {
                if waiting.borrow().is_empty() {
                    let guest = ready!(door.borrow_mut().poll_next_unpin(cx));
                    waiting.borrow_mut().extend(guest);
                }
                if chance.strikes(Fault::NoDescriptor, 4) {
                    return Poll::Ready(Err(Errno::MFILE.into())); // it stays in the queue
                }
                let guest = waiting.borrow_mut().pop_front();
                Poll::Ready(guest.ok_or_else(|| io::ErrorKind::ConnectionAborted.into()))
            })
        };
        let welcome = |place, guest: Guest| match place {
            Some(open) => drop(spawner.spawn(async move {
                let silent = connection::serve_http1(open, guest.end, guest.peer).await;
                guest.unanswered.set(silent.is_some());
            })),
            None => guest.unanswered.set(true),
        };
        server.take_in(next, welcome).await;
    }
}

/// The loop, without a kernel: when nothing is ready, time jumps.
pub(crate) fn drive(
    executor: &LocalExecutor<'_>,
    timers: &SharedTimers,
    future: impl Future<Output = ()>,
) {
    let _entered = executor.enter();
    let mut main = pin!(executor.root(future));
    for _ in 0..TURNS {
        executor.run_batch();
        if let Poll::Ready(()) = main.as_mut().poll_if_woken() {
            return;
        }
        if !executor.has_ready() {
            assert!(timers.patience().is_some(), "idle with tasks unfinished");
        }
        timers.fire();
    }
    panic!("too many turns");
}
