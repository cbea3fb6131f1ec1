//! The reactor over a poller that is as unkind as its contract allows, driven by a seed.
//!
//! Pipes, descriptors and poller are made of plain data; events come late, twice, out of order,
//! for nobody, or for somebody who has gone; waits come back empty; the poller runs in the middle
//! of an operation, as another thread would. What must hold: every byte arrives in order, and the
//! world never stands still with tasks unfinished.
//!
//! A failing seed: `SIMULATION_SEED=1234 cargo test -p handrolled-reactor --test simulation`.
//! A longer run: `SIMULATION_SEEDS=100000 cargo test --release …`.
#![cfg(not(loom))]

mod driver;

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::future::Future;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use reactor::poller::{Abilities, Direction, Event, Poller, Ready, Token};
use reactor::{Reactor, Source};

/// Chance by seed.
#[derive(Debug)]
struct Dice(fastrand::Rng);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0.usize(..n)
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

#[derive(Debug, Default)]
struct Pipe {
    bytes: VecDeque<u8>,
    /// How many bytes of data were ever put in.
    written: usize,
    writer_gone: bool,
    reader_gone: bool,
}

const CAPACITY: usize = 7;

impl Pipe {
    fn is_ready(&self, direction: Direction) -> bool {
        match direction {
            Direction::Read => !self.bytes.is_empty() || self.writer_gone,
            Direction::Write => self.bytes.len() < CAPACITY || self.reader_gone,
        }
    }
}

#[derive(Debug)]
struct Watch {
    pipe: usize,
    direction: Direction,
    /// An operation found nothing; the next change is owed to the reactor.
    owed: bool,
    /// Without edges: asked for since the last report.
    armed: bool,
}

#[derive(Debug)]
struct World {
    dice: Dice,
    edges: bool,
    pipes: Vec<Pipe>,
    ends: HashMap<RawFd, (usize, Direction)>,
    watched: HashMap<Token, Watch>,
    /// Tokens of the past, for stale events.
    gone: Vec<Token>,
    late: Vec<Event>,
    notified: bool,
    stuck: bool,
}

#[derive(Clone, Debug)]
struct Unkind(Arc<Mutex<World>>);

impl Unkind {
    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }
}

impl World {
    /// Everything that has become true and was not told yet.
    fn notice(&mut self) {
        let mut tokens: Vec<_> = self.watched.keys().copied().collect();
        tokens.sort_by_key(|token| token.key());
        for token in tokens {
            let watch = self.watched.get_mut(&token).expect("just listed");
            let asked = if self.edges { watch.owed } else { watch.armed };
            if asked && self.pipes[watch.pipe].is_ready(watch.direction) {
                (watch.owed, watch.armed) = (false, false);
                let ready = match watch.direction {
                    Direction::Read => Ready::READABLE,
                    Direction::Write => Ready::WRITABLE,
                };
                self.late.push(Event { token, ready });
                if self.dice.one_in(4) {
                    self.late.push(Event { token, ready });
                }
            }
        }
    }

    /// An event nobody asked for.
    fn invent(&mut self) -> Option<Event> {
        let token = match self.gone.is_empty() || self.dice.one_in(2) {
            true => {
                let mut live: Vec<_> = self.watched.keys().copied().collect();
                live.sort_by_key(|token| token.key());
                *live.get(self.dice.below(live.len().max(1)))?
            }
            false => self.gone[self.dice.below(self.gone.len())],
        };
        // Without edges an invented report would have to use up the interest as well.
        if let Some(watch) = self.watched.get_mut(&token) {
            if !self.edges {
                return None;
            }
            watch.owed |= true; // so that the truth is told later all the same
        }
        let ready = [
            Ready::READABLE,
            Ready::WRITABLE,
            Ready::READABLE | Ready::HANGUP,
        ];
        Some(Event {
            token,
            ready: ready[self.dice.below(3)],
        })
    }
}

impl Poller for Unkind {
    fn abilities(&self) -> Abilities {
        Abilities {
            edges: self.world().edges,
            hangups: false,
        }
    }

    fn add(&self, fd: BorrowedFd<'_>, token: Token) -> io::Result<()> {
        let mut world = self.world();
        let (pipe, direction) = world.ends[&fd.as_raw_fd()];
        let watch = Watch {
            pipe,
            direction,
            owed: true,
            armed: false,
        };
        assert!(
            world.watched.insert(token, watch).is_none(),
            "a token given out twice"
        );
        Ok(())
    }

    fn modify(&self, _: BorrowedFd<'_>, token: Token, direction: Direction) -> io::Result<()> {
        let mut world = self.world();
        let watch = world
            .watched
            .get_mut(&token)
            .expect("modified but not added");
        assert_eq!(watch.direction, direction);
        watch.armed = true;
        Ok(())
    }

    fn delete(&self, fd: BorrowedFd<'_>, token: Token) -> io::Result<()> {
        let mut world = self.world();
        assert!(
            world.ends.contains_key(&fd.as_raw_fd()),
            "deleted after it was closed"
        );
        world.watched.remove(&token).expect("deleted twice");
        world.gone.push(token);
        Ok(())
    }

    fn wait(&self, events: &mut Vec<Event>, timeout: Option<Duration>) -> io::Result<()> {
        let world = &mut *self.world();
        world.notice();
        if std::mem::take(&mut world.notified) || world.dice.one_in(8) {
            return Ok(()); // a wake, or a signal
        }
        for _ in 0..world.dice.below(3) {
            events.extend(world.invent());
        }
        let must_tell = timeout.is_none() && events.is_empty();
        while !world.late.is_empty() && (must_tell && events.is_empty() || world.dice.one_in(2)) {
            let next = world.dice.below(world.late.len());
            events.push(world.late.swap_remove(next));
        }
        world.stuck = must_tell && events.is_empty();
        Ok(())
    }

    fn notify(&self) {
        self.world().notified = true;
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}

/// One end of a pipe of the world. The file is there to have a descriptor of its own.
#[derive(Debug)]
struct End {
    file: File,
    pipe: usize,
    world: Unkind,
    reactor: Reactor,
}

impl AsFd for End {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl End {
    fn new(world: &Unkind, reactor: &Reactor, pipe: usize, direction: Direction) -> Source<End> {
        let file = File::open("/dev/null").unwrap();
        world
            .world()
            .ends
            .insert(file.as_raw_fd(), (pipe, direction));
        let end = End {
            file,
            pipe,
            world: world.clone(),
            reactor: reactor.clone(),
        };
        Source::new(reactor, end).unwrap()
    }

    fn read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.interrupted()?;
        let result = {
            let mut world = self.world.world();
            let pipe = &mut world.pipes[self.pipe];
            let n = buf.len().min(pipe.bytes.len());
            buf.iter_mut()
                .zip(pipe.bytes.drain(..n))
                .for_each(|(to, from)| *to = from);
            match n == 0 && !pipe.writer_gone {
                true => Err(ErrorKind::WouldBlock.into()),
                false => Ok(n),
            }
        };
        self.meanwhile(result, Direction::Read)
    }

    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.interrupted()?;
        let result = {
            let mut world = self.world.world();
            let pipe = &mut world.pipes[self.pipe];
            let n = bytes.len().min(CAPACITY - pipe.bytes.len());
            pipe.bytes.extend(&bytes[..n]);
            pipe.written += n;
            match (pipe.reader_gone, n) {
                (true, _) => Err(ErrorKind::BrokenPipe.into()),
                (false, 0) => Err(ErrorKind::WouldBlock.into()),
                (false, n) => Ok(n),
            }
        };
        self.meanwhile(result, Direction::Write)
    }

    /// A signal, before anything was done.
    fn interrupted(&self) -> io::Result<()> {
        match self.world.world().dice.one_in(10) {
            true => Err(ErrorKind::Interrupted.into()),
            false => Ok(()),
        }
    }

    /// What another thread may do while the operation is on its way back: the poller notices a
    /// change, and the reactor turns.
    fn meanwhile(&self, result: io::Result<usize>, direction: Direction) -> io::Result<usize> {
        if result
            .as_ref()
            .is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
        {
            let mut world = self.world.world();
            let pipe = self.pipe;
            let same = |watch: &&mut Watch| watch.pipe == pipe && watch.direction == direction;
            world
                .watched
                .values_mut()
                .filter(same)
                .for_each(|watch| watch.owed = true);
            if direction == Direction::Read && world.dice.one_in(3) {
                // The other side hurries: a byte of its own that the reader knows to skip.
                world.pipes[pipe].bytes.push_back(SKIP);
            }
        }
        if self.world.world().dice.one_in(3) {
            self.reactor.poll(Some(Duration::ZERO)).unwrap();
        }
        result
    }
}

/// A byte that is no data.
const SKIP: u8 = 255;

impl Drop for End {
    fn drop(&mut self) {
        let mut world = self.world.world();
        let (pipe, direction) = world.ends.remove(&self.file.as_raw_fd()).expect("known");
        match direction {
            Direction::Read => world.pipes[pipe].reader_gone = true,
            Direction::Write => world.pipes[pipe].writer_gone = true,
        }
    }
}

/// Writes 0, 1, 2, … `total` and goes.
async fn write_all(end: Source<End>, total: u8) {
    let all: Vec<u8> = (0..total).collect();
    let mut rest = &all[..];
    while !rest.is_empty() {
        match end.write_with(|end| end.write(rest)).await {
            Ok(n) => rest = &rest[n..],
            Err(error) => return assert_eq!(error.kind(), ErrorKind::BrokenPipe),
        }
    }
}

/// Reads to the end, or goes after `patience` reads; checks every byte.
async fn read_all(end: Source<End>, patience: usize) {
    let mut next = 0;
    let mut buf = [0; 3];
    for _ in 0..patience {
        match end.read_with(|end| end.read(&mut buf)).await.unwrap() {
            0 => {
                let end = end.get_ref();
                let written = end.world.world().pipes[end.pipe].written;
                return assert_eq!(usize::from(next), written, "bytes lost");
            }
            n => {
                for byte in buf[..n].iter().filter(|byte| **byte != SKIP) {
                    assert_eq!(*byte, next, "bytes in the wrong order");
                    next += 1;
                }
            }
        }
    }
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

struct Task {
    future: Pin<Box<dyn Future<Output = ()>>>,
    woken: Arc<Flag>,
}

fn task(future: impl Future<Output = ()> + 'static) -> Task {
    Task {
        future: Box::pin(future),
        woken: Arc::new(Flag(AtomicBool::new(true))),
    }
}

/// One life of the world. Returns how many turns it took.
fn live(seed: u64, edges: bool) -> usize {
    let world = Unkind(Arc::new(Mutex::new(World {
        dice: Dice(fastrand::Rng::with_seed(seed)),
        edges,
        pipes: Vec::new(),
        ends: HashMap::new(),
        watched: HashMap::new(),
        gone: Vec::new(),
        late: Vec::new(),
        notified: false,
        stuck: false,
    })));
    let reactor = Reactor::builder().poller(world.clone()).build().unwrap();
    let mut tasks = Vec::new();
    let mut born = 0;
    for turn in 0..20_000 {
        // New pipes are born while old ones die, so that slots and descriptors are used again.
        if born < 12 && (tasks.is_empty() || world.world().dice.one_in(6)) {
            let pipe = world.world().pipes.len();
            world.world().pipes.push(Pipe::default());
            let total = world.world().dice.below(60) as u8;
            let patience = if world.world().dice.one_in(4) {
                5
            } else {
                usize::MAX
            };
            let reader = End::new(&world, &reactor, pipe, Direction::Read);
            let writer = End::new(&world, &reactor, pipe, Direction::Write);
            tasks.push(task(read_all(reader, patience)));
            tasks.push(task(write_all(writer, total)));
            born += 1;
        }
        if tasks.is_empty() {
            assert_eq!(reactor.sources(), 0);
            return turn;
        }
        let ready: Vec<usize> = (0..tasks.len())
            .filter(|i| tasks[*i].woken.0.load(Ordering::SeqCst))
            .collect();
        if ready.is_empty() {
            reactor.poll(None).unwrap();
            assert!(
                !world.world().stuck,
                "seed {seed}, edges {edges}: {} asleep",
                tasks.len()
            );
            continue;
        }
        let chosen = ready[world.world().dice.below(ready.len())];
        tasks[chosen].woken.0.store(false, Ordering::SeqCst);
        let waker = Waker::from(Arc::clone(&tasks[chosen].woken));
        let polled = tasks[chosen]
            .future
            .as_mut()
            .poll(&mut Context::from_waker(&waker));
        if let Poll::Ready(()) = polled {
            drop(tasks.swap_remove(chosen));
        } else if world.world().dice.one_in(40) {
            drop(tasks.swap_remove(chosen)); // cancelled: its end closes, the other side finds out
        }
        if world.world().dice.one_in(2) {
            reactor.poll(Some(Duration::ZERO)).unwrap();
        }
    }
    panic!("seed {seed}, edges {edges}: no end in sight");
}

#[test]
fn unkind_worlds() {
    if let Ok(seed) = std::env::var("SIMULATION_SEED") {
        let seed = seed.parse().expect("a number");
        live(seed, true);
        live(seed, false);
        return;
    }
    let seeds = std::env::var("SIMULATION_SEEDS").map_or(250, |seeds| seeds.parse().unwrap());
    let turns: usize = (1..=seeds)
        .map(|seed| live(seed, true) + live(seed, false))
        .sum();
    assert!(
        turns as u64 > 200 * seeds,
        "the worlds have become too easy: {turns} turns"
    );
}

#[test]
fn the_same_seed_is_the_same_world() {
    assert_eq!(live(42, true), live(42, true));
    assert_eq!(live(42, false), live(42, false));
}
