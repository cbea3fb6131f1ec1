//! What an observer is told, word for word.
#![cfg(not(loom))]

mod driver;

use std::io::Write;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::net::UnixStream as Plain;
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use driver::settle;
use reactor::poller::{Abilities, Event, Poller, Token};
use reactor::{Direction, Observer, Reactor, Ready, Source, SourceId};

/// A diary that the observer and the wakers write in.
#[derive(Clone, Debug, Default)]
struct Trace(Arc<Mutex<Vec<String>>>);

impl Trace {
    fn note(&self, what: String) {
        self.0.lock().unwrap().push(what);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    fn waker(&self, name: &'static str) -> Waker {
        struct Task(Trace, &'static str);
        impl Wake for Task {
            fn wake(self: Arc<Self>) {
                self.0.note(format!("{} woken", self.1));
            }
        }
        Waker::from(Arc::new(Task(self.clone(), name)))
    }
}

impl Observer for Trace {
    fn registered(&self, source: SourceId, fd: BorrowedFd<'_>) {
        assert!(fd.as_raw_fd() > 2);
        self.note(format!("{source} registered"));
    }

    fn deregistered(&self, source: SourceId) {
        self.note(format!("{source} deregistered"));
    }

    fn waits_for(&self, source: SourceId, direction: Direction) {
        self.note(format!("{source} awaited: {direction:?}"));
    }

    fn waits(&self, timeout: Option<Duration>) {
        self.note(format!("waits {timeout:?}"));
    }

    fn waited(&self, events: usize) {
        self.note(format!("waited, {events}"));
    }

    fn delivered(&self, sources: usize) {
        self.note(format!("delivered, {sources}"));
    }

    fn ready(&self, source: SourceId, ready: Ready) {
        let names = [(Ready::READABLE, "r"), (Ready::WRITABLE, "w")];
        let named = names.iter().filter(|(bit, _)| ready.contains(*bit));
        let named: String = named.map(|(_, name)| *name).collect();
        self.note(format!("{source} ready: {named}"));
    }
}

/// A poller that says what it is told to, so that the trace is the same everywhere.
#[derive(Clone, Debug, Default)]
struct Script(Arc<Mutex<Vec<Event>>>);

impl Poller for Script {
    fn abilities(&self) -> Abilities {
        Abilities {
            edges: true,
            hangups: false,
        }
    }

    fn add(&self, fd: BorrowedFd<'_>, token: Token) -> std::io::Result<()> {
        // The kernel's part: it has no readiness for a file.
        if rustix::fs::FileType::from_raw_mode(rustix::fs::fstat(fd)?.st_mode).is_file() {
            return Err(std::io::ErrorKind::Unsupported.into());
        }
        let ready = Ready::READABLE;
        self.0.lock().unwrap().push(Event { token, ready });
        Ok(())
    }

    fn modify(&self, _: BorrowedFd<'_>, _: Token, _: Direction) -> std::io::Result<()> {
        Ok(())
    }

    fn delete(&self, _: BorrowedFd<'_>, _: Token) -> std::io::Result<()> {
        Ok(())
    }

    fn wait(&self, events: &mut Vec<Event>, _: Option<Duration>) -> std::io::Result<()> {
        events.append(&mut self.0.lock().unwrap());
        Ok(())
    }

    fn notify(&self) {}

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}

fn scripted(trace: &Trace) -> Reactor {
    let builder = Reactor::builder().poller(Script::default());
    builder.observer(trace.clone()).build().unwrap()
}

fn wait_for(source: &Source<Plain>, waker: &Waker) {
    let mut cx = Context::from_waker(waker);
    assert!(source.poll_readable(&mut cx).is_pending());
}

#[test]
fn each_wake_follows_its_source() {
    let trace = Trace::default();
    let reactor = scripted(&trace);
    let (ours, theirs) = Plain::pair().unwrap();
    let [a, b] = [ours, theirs].map(|end| Source::new(&reactor, end).unwrap());
    wait_for(&a, &trace.waker("A"));
    wait_for(&b, &trace.waker("B"));
    reactor.waker().wake();
    assert_eq!(reactor.poll(None).unwrap(), 2);
    drop(b);
    let (again, _peer) = Plain::pair().unwrap();
    drop((Source::new(&reactor, again).unwrap(), a));
    let told = trace.take();
    let expected = [
        "@0 registered",
        "@1 registered",
        "@0 awaited: Read",
        "@1 awaited: Read",
        "waits Some(0ns)", // somebody has rung
        "waited, 2",
        "@0 ready: r",
        "A woken",
        "@1 ready: r",
        "B woken",
        "delivered, 2",
        "@1 deregistered",
        "@1'1 registered", // the same place, another source
        "@1'1 deregistered",
        "@0 deregistered",
    ];
    assert_eq!(told, expected);
}

#[test]
fn news_of_the_dead_is_not_told() {
    let trace = Trace::default();
    let reactor = scripted(&trace);
    let (ours, _theirs) = Plain::pair().unwrap();
    drop(Source::new(&reactor, ours).unwrap());
    assert_eq!(reactor.poll(Some(Duration::ZERO)).unwrap(), 0);
    let expected = [
        "@0 registered",
        "@0 deregistered",
        "waits Some(0ns)",
        "waited, 1",
        "delivered, 0",
    ];
    assert_eq!(trace.take(), expected);
}

#[test]
fn what_the_kernel_refuses_is_taken_back() {
    let trace = Trace::default();
    let file = std::fs::File::open(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).unwrap();
    assert!(Source::new(&scripted(&trace), file).is_err());
    assert_eq!(trace.take(), ["@0 registered", "@0 deregistered"]);
}

/// Over the real poller, and with a poller that has to be asked each time.
#[test]
fn a_read_from_beginning_to_end() {
    for builder in [Reactor::builder(), Reactor::builder().portable()] {
        let trace = Trace::default();
        let reactor = builder.observer(trace.clone()).build().unwrap();
        let (ours, mut theirs) = Plain::pair().unwrap();
        let source = Source::new(&reactor, ours).unwrap();
        settle(&reactor);
        trace.take();
        wait_for(&source, &trace.waker("A"));
        theirs.write_all(b"x").unwrap();
        settle(&reactor);
        let told: Vec<_> = trace.take();
        let of_the_read = [
            "@0 awaited",
            "waits",
            "waited",
            "@0 ready: r",
            "A woken",
            "delivered",
        ];
        let mut found = told.iter();
        for what in of_the_read {
            assert!(
                found.any(|line| line.starts_with(what)),
                "{what} in {told:?}"
            );
        }
    }
}

#[test]
fn an_observer_that_panics_changes_nothing() {
    struct Grenade;
    impl Observer for Grenade {
        fn registered(&self, _: SourceId, _: BorrowedFd<'_>) {
            panic!("on purpose");
        }
        fn deregistered(&self, _: SourceId) {
            panic!("on purpose");
        }
        fn waits_for(&self, _: SourceId, _: Direction) {
            panic!("on purpose");
        }
        fn waits(&self, _: Option<Duration>) {
            panic!("on purpose");
        }
        fn waited(&self, _: usize) {
            panic!("on purpose");
        }
        fn delivered(&self, _: usize) {
            panic!("on purpose");
        }
        fn ready(&self, _: SourceId, _: Ready) {
            panic!("on purpose");
        }
    }
    let reactor = Reactor::builder().observer(Grenade).build().unwrap();
    let (ours, mut theirs) = Plain::pair().unwrap();
    let source = Source::new(&reactor, ours).unwrap();
    let trace = Trace::default();
    wait_for(&source, &trace.waker("A"));
    theirs.write_all(b"x").unwrap();
    assert!(settle(&reactor) > 0);
    assert_eq!(trace.take(), ["A woken"]);
    drop(source);
    assert_eq!(reactor.sources(), 0);
}
