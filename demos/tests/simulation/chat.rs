//! The chat in the same world: its code as it is, over wires made of chance.
//!
//! What must hold: whoever stays hears the whole room, byte for byte, in one order that is the
//! same for all; every line of a guest that stayed was said once, whole, and in its order; who
//! leaves or is cut off leaves nobody waiting and no place taken.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use demos::chat::Room;
use executor::LocalExecutor;
use timers::{Clock, SharedTimers};

use crate::chance::{Chance, Faults};
use crate::wire::{self, End};
use crate::world::drive;

/// What came of a run, or of many.
#[derive(Default)]
pub(crate) struct Evening {
    pub(crate) story: String,
    pub(crate) polls: u64,
    pub(crate) faults: Faults,
    /// Guests who stayed to the end, and lines they said.
    pub(crate) stayed: u64,
    pub(crate) lines: u64,
    /// Guests who left in the middle, and whose wire broke.
    pub(crate) left: u64,
    pub(crate) resets: u64,
}

impl Evening {
    pub(crate) fn add(&mut self, other: &Self) {
        self.polls += other.polls;
        self.faults.add(other.faults);
        self.stayed += other.stayed;
        self.lines += other.lines;
        self.left += other.left;
        self.resets += other.resets;
    }
}

impl fmt::Debug for Evening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            polls,
            faults,
            stayed,
            lines,
            left,
            resets,
            ..
        } = self;
        write!(
            f,
            "{polls} polls, {faults:?}, {stayed} stayed to the end with {lines} lines, \
             {left} left, {resets} cut off"
        )
    }
}

/// How a guest's evening went: what it heard, if it stayed.
enum Visit {
    Stayed(Vec<u8>),
    Left,
    Broke,
}

/// To say something before the evening is over. Kept when dropped: who is cut off is let go.
struct Promise(Rc<Cell<usize>>);

impl Promise {
    fn new(unsaid: &Rc<Cell<usize>>) -> Self {
        unsaid.set(unsaid.get() + 1);
        Self(Rc::clone(unsaid))
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

async fn say(end: &End, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let sent = poll_fn(|cx| end.poll_send(cx, bytes)).await?;
        bytes = &bytes[sent..];
    }
    Ok(())
}

/// Says its lines with pauses; leaves early, or stays until all who stay have said theirs.
async fn visit(
    end: End,
    chance: Chance,
    timers: SharedTimers,
    number: usize,
    lines: usize,
    promise: Option<Promise>,
    room: Room,
) -> Visit {
    let unsaid = promise.as_ref().map(|promise| Rc::clone(&promise.0));
    let talk = async {
        for line in 0..lines.max(1) {
            timers.sleep(chance.millis(300)).await;
            let filler = "x".repeat(chance.below(60));
            say(&end, format!("{number} {line} {filler}\n").as_bytes()).await?;
        }
        io::Result::Ok(())
    };
    let mut heard = Vec::new();
    let listen = async {
        loop {
            let bytes = poll_fn(|cx| end.poll_receive(cx, 300)).await?;
            if bytes.is_empty() {
                return io::Result::<()>::Err(io::ErrorKind::UnexpectedEof.into());
            }
            heard.extend(bytes);
        }
    };
    let outcome = {
        let all_said = async {
            talk.await?;
            let Some(unsaid) = unsaid else {
                return io::Result::Ok(true);
            };
            // Until what was promised by all who are still there has come into the room.
            let own = |said: &[u8]| own_lines(said, number).len();
            while own(&room.said()) < lines {
                timers.sleep(Duration::from_millis(20)).await;
            }
            drop(promise);
            while unsaid.get() > 0 {
                timers.sleep(Duration::from_millis(20)).await;
            }
            timers.sleep(Duration::from_secs(600)).await; // for the slowest wire
            Ok(false)
        };
        let (all_said, listen) = (std::pin::pin!(all_said), std::pin::pin!(listen));
        match futures::future::select(all_said, listen).await {
            futures::future::Either::Left((said, _)) => said,
            futures::future::Either::Right((lost, _)) => lost.map(|()| true),
        }
    };
    match outcome {
        Ok(true) => Visit::Left,
        Ok(false) => Visit::Stayed(heard),
        Err(_) => {
            assert!(end.was_reset(), "cut off without a reset");
            Visit::Broke
        }
    }
}

/// The numbers of the lines that a guest said, in the order of the room.
fn own_lines(said: &[u8], guest: usize) -> Vec<usize> {
    let text = std::str::from_utf8(said).expect("guests say text");
    let lines = text.lines().map(|line| {
        let mut words = line.split(' ').map(str::parse);
        let (guest, line) = (words.next(), words.next());
        (guest.expect("a guest").ok(), line.and_then(Result::ok))
    });
    lines
        .filter(|(who, _)| *who == Some(guest))
        .filter_map(|(_, line)| line)
        .collect()
}

pub(crate) fn run(seed: u64) -> Evening {
    let chance = Chance::new(seed);
    let order = chance.clone();
    let executor = LocalExecutor::builder()
        .order(move |ready| order.below(ready))
        .build();
    let clock = Clock::auto();
    let timers = SharedTimers::builder(clock.clone()).shards(1).build();
    let evening = Rc::new(RefCell::new(Evening::default()));
    let room = Room::default();
    let unsaid = Rc::default();
    let guests: Vec<_> = (0..2 + chance.below(7))
        .map(|number| {
            let lines = if chance.once_in(5) {
                0
            } else {
                1 + chance.below(8)
            };
            let promise = (lines > 0).then(|| Promise::new(&unsaid));
            let ([ours, theirs], carriers) = wire::wire(&chance, &timers);
            drop(executor.spawn(carriers));
            let welcome = room.clone();
            drop(executor.spawn(async move { welcome.welcome(&theirs, &theirs).await }));
            let (chance, timers) = (chance.clone(), timers.clone());
            let (room, evening) = (room.clone(), Rc::clone(&evening));
            executor.spawn(async move {
                let visit = visit(ours, chance, timers, number, lines, promise, room.clone()).await;
                judge(&visit, number, lines, &room, &evening);
            })
        })
        .collect();
    drive(&executor, &timers, async {
        for guest in guests {
            guest.await.expect("no guest panics");
        }
        while room.guests() > 0 {
            timers.sleep(Duration::from_millis(100)).await; // their wires end
        }
    });
    let mut evening = evening.take();
    evening.polls = executor.metrics().polls;
    evening.faults = chance.faults();
    evening
}

fn judge(visit: &Visit, number: usize, lines: usize, room: &Room, evening: &RefCell<Evening>) {
    use std::fmt::Write as _;
    let mut evening = evening.borrow_mut();
    let told = match visit {
        Visit::Stayed(heard) => {
            let said = room.said();
            assert!(
                said.starts_with(heard),
                "guest {number} heard something else"
            );
            assert_eq!(heard.len(), said.len(), "guest {number} did not hear all");
            let own = own_lines(&said, number);
            assert_eq!(
                own,
                (0..lines).collect::<Vec<_>>(),
                "lines of guest {number}"
            );
            evening.stayed += 1;
            evening.lines += lines as u64;
            format!("stayed and heard {} bytes", heard.len())
        }
        Visit::Left => {
            evening.left += 1;
            "left".to_owned()
        }
        Visit::Broke => {
            evening.resets += 1;
            "was cut off".to_owned()
        }
    };
    let _ = writeln!(evening.story, "guest {number} {told}");
}
