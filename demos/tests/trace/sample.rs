//! A small trace, made by hand: I1 waits for a timer, I2 for a call that blocks.

use demos::trace::block::Block;
use demos::trace::event::{Cause, Direction, Event, How, Spot};
use demos::trace::file::Header;
use demos::trace::writer::Writer;

/// Numbers as the crates give them: with a generation in the upper half.
pub(crate) const TIMER: u64 = 1 << 32 | 5;
pub(crate) const SOURCE: u64 = 2 << 32;

const SPOT: Spot = Spot { level: 2, slot: 17 };

/// What happened on the loop's thread, by microsecond.
fn of_the_loop() -> Vec<(u64, Event<'static>)> {
    let (polled, itself) = (|task, ready| Event::Polled { task, ready }, Cause::Itself);
    let source = SOURCE;
    let direction = Direction::Read;
    let spawn = |task, name, place, by| Event::Spawn {
        task,
        name,
        place,
        by,
    };
    vec![
        (0, spawn(1, "session", 0, None)),
        (
            1,
            Event::Source {
                source,
                fd: 5,
                what: "pipe",
            },
        ),
        (2, Event::Turn),
        (3, Event::Poll { task: 1 }),
        (
            4,
            Event::Note {
                text: "I1 is taken in",
            },
        ),
        (
            4,
            Event::Input {
                number: 1,
                text: "sleep 1ms",
                task: None,
            },
        ),
        (5, spawn(2, "I1", 1, Some(1))),
        (
            6,
            Event::Input {
                number: 2,
                text: "read <script>",
                task: None,
            },
        ),
        (7, spawn(3, "I2", 1, Some(1))),
        (
            8,
            Event::Wait {
                source,
                direction,
                task: Some(1),
            },
        ),
        (9, polled(1, false)),
        (10, Event::Turn),
        (11, Event::Poll { task: 2 }),
        (
            12,
            Event::Timer {
                timer: TIMER,
                due: 1_012_000,
                spot: Some(SPOT),
                task: Some(2),
            },
        ),
        (13, polled(2, false)),
        (14, Event::Poll { task: 3 }),
        (
            15,
            Event::Job {
                job: 1,
                place: 2,
                task: Some(3),
            },
        ),
        (16, polled(3, false)),
        (
            17,
            Event::Park {
                patience: Some(995_000),
            },
        ),
        (120, Event::Unpark { events: 1 }),
        (121, Event::Turn),
        (
            122,
            Event::Wake {
                task: 3,
                by: Cause::Thread(1),
            },
        ),
        (123, Event::Poll { task: 3 }),
        (
            124,
            Event::Wake {
                task: 1,
                by: Cause::Task(3),
            },
        ),
        (
            125,
            Event::End {
                task: 3,
                how: How::Output,
            },
        ),
        (126, polled(3, true)),
        (127, Event::Turn),
        (128, Event::Poll { task: 1 }),
        (
            129,
            Event::Output {
                number: 2,
                text: "1 line",
                ok: true,
            },
        ),
        (130, polled(1, false)),
        (
            131,
            Event::Park {
                patience: Some(881_000),
            },
        ),
        (1_020, Event::Unpark { events: 0 }),
        (
            1_021,
            Event::Move {
                timer: TIMER,
                spot: Spot { level: 0, slot: 3 },
            },
        ),
        (1_022, Event::Fire { timer: TIMER }),
        (
            1_023,
            Event::Wake {
                task: 2,
                by: Cause::Timer(TIMER),
            },
        ),
        (1_024, Event::Turn),
        (1_025, Event::Poll { task: 2 }),
        (
            1_026,
            Event::Wake {
                task: 1,
                by: Cause::Task(2),
            },
        ),
        (
            1_027,
            Event::End {
                task: 2,
                how: How::Output,
            },
        ),
        (1_028, polled(2, true)),
        (1_029, Event::Turn),
        (1_030, Event::Poll { task: 1 }),
        (
            1_031,
            Event::Output {
                number: 1,
                text: "slept",
                ok: true,
            },
        ),
        (
            1_032,
            Event::Wake {
                task: 1,
                by: itself,
            },
        ),
        (1_033, polled(1, false)),
        (1_034, Event::Gone { source }),
    ]
}

/// The trace as a file. The threads' blocks are not in the order of time.
pub(crate) fn file() -> Vec<u8> {
    let header = Header {
        program: "event-loop run".to_owned(),
        started: "2026-11-22T13:00:00Z".to_owned(),
        title: Some("a <sample>".to_owned()),
        ..Header::default()
    };
    let mut writer = Writer::new(Vec::new(), &header).unwrap();
    let places = ["a.rs:1", "b.rs:2", "c.rs:3"].map(str::to_owned);
    writer.places(&places[..2]).unwrap();
    writer.places(&places[2..]).unwrap();
    writer.thread(0, "loop").unwrap();
    writer.thread(1, "blocking-1").unwrap();
    let mut pool = Block::new(1);
    pool.push(40_000, &Event::JobBegin { job: 1 });
    pool.push(110_000, &Event::JobEnd { job: 1 });
    let mut of_loop = Block::new(0);
    for (micros, event) in of_the_loop() {
        of_loop.push(micros * 1000, &event);
        if micros == 17 {
            writer
                .events(&std::mem::replace(&mut of_loop, Block::new(0)))
                .unwrap();
            writer
                .events(&std::mem::replace(&mut pool, Block::new(1)))
                .unwrap();
        }
    }
    writer.events(&of_loop).unwrap();
    writer.end(0).unwrap()
}
