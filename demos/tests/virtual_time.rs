//! The session on a virtual clock: hours of sleep in no time, and every moment exact.

use std::io::{self, Write};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use demos::processing::Processing;
use demos::processing::database::Database;
use demos::processing::reach::Reach;
use demos::program::console;
use demos::program::lines::Line;
use demos::program::output::{Outcome, Record, Render, Tally};
use demos::program::session::{End, Ends, Session, Settings};
use demos::{EventLoop, Handle};
use futures::SinkExt;
use futures::channel::mpsc;
use timers::Clock;

/// What was told: outputs with the moment they were ready.
type Told = Rc<std::cell::RefCell<Vec<(u64, Duration, Outcome)>>>;

struct Notes(Told);

impl Render for Notes {
    fn render(&mut self, record: Record<'_>) -> String {
        if let Record::Output(output) = record {
            let noted = (output.number, output.after, output.outcome.clone());
            self.0.borrow_mut().push(noted);
        }
        "a line\n".to_owned()
    }
}

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn processing(handle: &Handle) -> Arc<Processing> {
    Arc::new(Processing {
        handle: handle.clone().into(),
        database: Arc::new(Database::sample().unwrap()),
        max_content: 1 << 20,
        timeout: Duration::from_secs(30),
        reach: Reach::default(),
    })
}

/// Plays `lines` on an auto-advancing clock.
fn play(lines: Vec<String>) -> (Tally, Vec<(u64, Duration, Outcome)>) {
    let event_loop = EventLoop::with_clock(Clock::auto()).unwrap();
    let handle = event_loop.handle();
    let (told, sink) = (Told::default(), Sink::default());
    let settings = Settings {
        trace: false,
        limit: 100_000,
        max_line: 1024,
        grace: None,
        grace_if_told: Duration::from_secs(5),
    };
    let (_nobody, signals) = mpsc::unbounded();
    let (mut sender, incoming) = mpsc::channel(16);
    drop(handle.spawner.spawn(async move {
        for line in lines {
            if sender.send(Ok(Line::Text(line))).await.is_err() {
                return;
            }
        }
    }));
    let display = console::start(&handle.clone().into(), Box::new(sink.clone())).unwrap();
    let render = Notes(Rc::clone(&told));
    let ends = Ends {
        incoming,
        signals,
        render,
        display,
        numbers: Arc::default(),
    };
    let session = Session::new(processing(handle), settings, ends);
    let tally = match event_loop.run(session.run()).unwrap() {
        End::Finished(tally) => tally,
        other => panic!("it should have finished: {other:?}"),
    };
    let told = told.take();
    let lines = sink
        .0
        .lock()
        .unwrap()
        .iter()
        .filter(|&&byte| byte == b'\n')
        .count() as u64;
    assert_eq!(
        lines,
        tally.inputs + told.len() as u64 + 1,
        "all that was told is written"
    );
    (tally, told)
}

#[test]
fn ten_thousand_sleeps_end_in_order_of_their_length_to_the_nanosecond() {
    // A permutation: multiplication by a number without common factor.
    let hours = |i: u64| i * 7_919 % 10_007;
    let (tally, told) = play(
        (1..=10_000)
            .map(|i| format!("sleep {}m", hours(i)))
            .collect(),
    );
    assert_eq!((tally.inputs, tally.done), (10_000, 10_000));
    let mut expected: Vec<(Duration, u64)> = (1..=10_000)
        .map(|i| (Duration::from_secs(60 * hours(i)), i))
        .collect();
    expected.sort_unstable();
    let got: Vec<(Duration, u64)> = told
        .iter()
        .map(|(number, after, _)| (*after, *number))
        .collect();
    assert_eq!(got, expected);
}

#[test]
fn equal_sleeps_end_in_the_order_they_were_taken_in() {
    let (_, told) = play(vec!["sleep 1h".to_owned(); 1000]);
    let numbers: Vec<u64> = told.iter().map(|(number, ..)| *number).collect();
    assert_eq!(numbers, (1..=1000).collect::<Vec<_>>());
}

#[test]
fn time_stands_still_while_a_thread_of_the_pool_is_busy() {
    let slow = "query with recursive n(i) as \
                (select 1 union all select i + 1 from n where i < 300000) \
                select max(i) from n";
    let (_, told) = play(vec!["sleep 1ns".to_owned(), slow.to_owned()]);
    let order: Vec<(u64, Duration)> = told
        .iter()
        .map(|(number, after, _)| (*number, *after))
        .collect();
    assert_eq!(order, [(2, Duration::ZERO), (1, Duration::from_nanos(1))]);
}

#[test]
fn the_grace_is_five_seconds_after_stop_and_endless_after_the_end_of_input() {
    let (tally, told) = play(vec![
        "sleep 4999ms".into(),
        "sleep 5001ms".into(),
        "stop".into(),
    ]);
    assert_eq!((tally.done, tally.undone), (2, 1));
    let (number, after, outcome) = &told[2];
    assert_eq!((*number, *after), (2, Duration::from_secs(5)));
    assert_eq!(
        *outcome,
        Outcome::Undone("the grace of 5s is over".to_owned())
    );
    let (tally, _) = play(vec!["sleep 365d".into()]);
    assert_eq!((tally.done, tally.undone), (1, 0));
}
