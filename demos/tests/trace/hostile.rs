//! Recordings that nobody recorded: events that make no sense, in any order, with numbers from all
//! over. Each is either refused or told in every way there is; none makes the teller panic.

use demos::trace::block::Block;
use demos::trace::command::sequence;
use demos::trace::event::{Cause, Direction, Event, How, Spot};
use demos::trace::file::Header;
use demos::trace::filter::Filter;
use demos::trace::idle::why_idle;
use demos::trace::late::why_late;
use demos::trace::reader::{MOST, Trace};
use demos::trace::story::Story;
use demos::trace::summary::summary;
use demos::trace::writer::Writer;
use demos::trace::{html, json, perfetto};
use fastrand::Rng;

/// Mostly small, so that events are about the same things; now and then as large as can be.
fn number(rng: &mut Rng) -> u64 {
    match rng.u32(..20) {
        0 => u64::MAX >> rng.u32(..64),
        1 => rng.u64(..),
        _ => rng.u64(..4),
    }
}

fn option(rng: &mut Rng) -> Option<u64> {
    rng.bool().then(|| number(rng).min(u64::MAX - 1))
}

fn direction(rng: &mut Rng) -> Direction {
    match rng.bool() {
        true => Direction::Read,
        false => Direction::Write,
    }
}

fn cause(rng: &mut Rng) -> Cause {
    match rng.u32(..6) {
        0 => Cause::Unknown,
        1 => Cause::Itself,
        2 => Cause::Task(number(rng)),
        3 => Cause::Timer(number(rng)),
        4 => Cause::Source(number(rng), direction(rng)),
        _ => Cause::Thread(number(rng) as u16),
    }
}

fn spot(rng: &mut Rng) -> Spot {
    let (level, slot) = (rng.u8(..), rng.u8(..64));
    Spot { level, slot }
}

fn text(rng: &mut Rng) -> &'static str {
    rng.choice([
        "",
        "I1",
        "I2",
        "main",
        "</script>\u{202e}\0\u{1b}[2J",
        "I99999999999999999999",
    ])
    .unwrap()
}

fn event(rng: &mut Rng) -> Event<'static> {
    let place = number(rng) as u32;
    match rng.u32(..23) {
        0 => Event::Turn,
        1 => Event::Spawn {
            task: number(rng),
            name: text(rng),
            place,
            by: option(rng),
        },
        2 => Event::Poll { task: number(rng) },
        3 => Event::Polled {
            task: number(rng) >> 1,
            ready: rng.bool(),
        },
        4 => Event::Wake {
            task: number(rng),
            by: cause(rng),
        },
        5 => {
            let how = [How::Output, How::Panicked, How::Cancelled][rng.usize(..3)];
            Event::End {
                task: number(rng),
                how,
            }
        }
        6 => Event::Park {
            patience: option(rng),
        },
        7 => Event::Unpark { events: place },
        8 => Event::Source {
            source: number(rng),
            fd: place as i32,
            what: text(rng),
        },
        9 => Event::Gone {
            source: number(rng),
        },
        10 => Event::Wait {
            source: number(rng),
            direction: direction(rng),
            task: option(rng),
        },
        11 => Event::Ready {
            source: number(rng),
            read: rng.bool(),
            write: rng.bool(),
        },
        12 => {
            let spot = rng.bool().then(|| spot(rng));
            Event::Timer {
                timer: number(rng),
                due: number(rng),
                spot,
                task: option(rng),
            }
        }
        13 => Event::Move {
            timer: number(rng),
            spot: spot(rng),
        },
        14 => Event::Fire { timer: number(rng) },
        15 => Event::Cancel { timer: number(rng) },
        16 => Event::Steal {
            from: number(rng) as u16,
            tasks: place,
        },
        17 => Event::Job {
            job: number(rng),
            place,
            task: option(rng),
        },
        18 => Event::JobBegin { job: number(rng) },
        19 => Event::JobEnd { job: number(rng) },
        20 => Event::Input {
            number: number(rng),
            text: text(rng),
            task: option(rng),
        },
        21 => Event::Output {
            number: number(rng) >> 1,
            text: text(rng),
            ok: rng.bool(),
        },
        _ => Event::Note { text: text(rng) },
    }
}

fn file(rng: &mut Rng) -> Vec<u8> {
    let header = Header {
        tick_ns: option(rng),
        wheel_zero: option(rng).map(u64::cast_signed),
        ..Header::default()
    };
    let mut writer = Writer::new(Vec::new(), &header).unwrap();
    writer.places(&["a.rs:1".to_owned()]).unwrap();
    for _ in 0..rng.u32(..4) {
        let thread = match rng.u32(..100) {
            0 => rng.u16(..),
            _ => rng.u16(..3),
        };
        if rng.bool() {
            writer.thread(thread, text(rng)).unwrap();
        }
        let mut block = Block::new(thread);
        let mut at = number(rng);
        for _ in 0..rng.u32(..40) {
            block.push(at, &event(rng));
            at = at.saturating_add(number(rng));
        }
        block.lost = number(rng);
        writer.events(&block).unwrap();
    }
    writer.end(number(rng)).unwrap()
}

/// Another beginning: `HOSTILE_SEED=17 cargo test -p handrolled-demos --test trace hostile`.
#[test]
fn what_nobody_recorded_is_told_or_refused() {
    let first = std::env::var("HOSTILE_SEED").map_or(1, |seed| seed.parse().unwrap());
    let mut told = 0;
    for seed in first..first + 400_u64 {
        let mut rng = Rng::with_seed(seed);
        let file = file(&mut rng);
        let page = seed % 50 == 0; // it is long, and made of the JSON
        let tell = std::panic::AssertUnwindSafe(|| tell(&file, page));
        match std::panic::catch_unwind(tell) {
            Ok(whole) => told += u32::from(whole),
            Err(panic) => {
                eprintln!("seed {seed}");
                std::panic::resume_unwind(panic);
            }
        }
    }
    assert!(told > 200, "most are read: {told}");
}

/// In every way; false if it was refused.
fn tell(file: &[u8], page: bool) -> bool {
    let Ok(trace) = Trace::read(file, MOST) else {
        return false;
    };
    let story = Story::of(&trace);
    let _ = sequence(&story, &Filter::default());
    let _ = summary(&story);
    let valid = |json: &str| drop(serde_json::from_str::<serde_json::Value>(json).unwrap());
    valid(&perfetto::export(&story));
    json::lines(&trace).lines().for_each(valid);
    if page {
        let ends = |traces: &[Trace<'_>]| html::page(traces).matches("</script").count();
        assert_eq!(
            ends(std::slice::from_ref(&trace)),
            ends(&[Trace::default()])
        );
    }
    for number in (0..5).chain([u64::MAX]) {
        let _ = why_late(&story, number);
        for at in [None, Some(0), Some(2), Some(u64::MAX)] {
            let _ = why_idle(&story, &number.to_string(), at);
        }
    }
    true
}
