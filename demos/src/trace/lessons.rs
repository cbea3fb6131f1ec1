//! Five short runs, played for the page: each shows one thing, with captions where it happens.
//!
//! They are real runs of the real loop, recorded as any other; what is staged is only the
//! occasion. So no two are alike to the microsecond, and each says the same.

use std::future::poll_fn;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use executor::yield_now;
use parking_lot::Mutex;
use timers::Clock;

use super::captions::Caption;
use super::event::Event;
use super::reader::{MOST, Trace};
use super::recorder::Recorder;
use super::remark::note;
use super::{html, keeper, order};
use crate::host::{Host, HostHandle};

/// A run: what it is called, what is to be noticed in it, and on how many threads it is played.
pub(super) struct Lesson {
    pub(super) title: &'static str,
    pub(super) about: &'static str,
    pub(super) threads: usize,
    pub(super) caption: Option<Caption>,
}

fn ms(time: u64) -> Duration {
    Duration::from_millis(time)
}

/// Plays all, and writes the page with them into `out`.
///
/// # Errors
/// A sentence: the operating system's.
pub fn write(out: &Path) -> Result<(), String> {
    let files = play().map_err(|error| error.to_string())?;
    let read = |file| Trace::read(file, MOST).map_err(|error| error.to_string());
    let traces: Vec<Trace<'_>> = files
        .iter()
        .map(|file| read(file))
        .collect::<Result<_, String>>()?;
    std::fs::write(out, html::page(&traces)).map_err(|error| format!("{}: {error}", out.display()))
}

/// Plays all; a recording each.
///
/// # Errors
/// The operating system's.
pub fn play() -> io::Result<Vec<Vec<u8>>> {
    Ok(vec![
        played(&order::LESSON, order::play)?,
        played(&LOST, lost_wake_up)?,
        played(&STARVED, starvation)?,
        played(&CASCADE, cascade)?,
        played(&STOLEN, stealing)?,
    ])
}

fn played<F>(lesson: &Lesson, run: impl FnOnce(HostHandle) -> F) -> io::Result<Vec<u8>>
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let recorder = Recorder::new(&Clock::monotonic());
    let host = Host::watched(lesson.threads, Some(&recorder))?;
    host.run(run(host.handle()))??;
    let _ = host.shutdown(Duration::ZERO);
    let mut header = recorder.header("event-loop lessons");
    header.title = Some(lesson.title.to_owned());
    header.about = Some(lesson.about.to_owned());
    let mut blocks = keeper::blocks(&recorder);
    if let Some(caption) = &lesson.caption {
        caption.write_into(&mut blocks);
    }
    Ok(keeper::file_of(&recorder, &header, &blocks))
}

const LOST: Lesson = Lesson {
    title: "A lost wake-up",
    about: "Two guests wait for the same doorbell. One looks whether it rang and then leaves his \
            waker: between the two it rings, and nobody will ever wake him. The other leaves his \
            waker first and looks then. One line's difference.",
    threads: 1,
    caption: None,
};

/// A bell that rings once.
#[derive(Default)]
struct Doorbell {
    rang: AtomicBool,
    guest: Mutex<Option<Waker>>,
}

impl Doorbell {
    fn ring(&self) {
        self.rang.store(true, Ordering::SeqCst);
        if let Some(guest) = self.guest.lock().take() {
            guest.wake();
        }
    }
}

/// Has a thread of the pool ring, and waits until it has: the worst moment, every time.
fn rings_now(handle: &HostHandle, bell: &Arc<Doorbell>) {
    let (bell, (sender, rang)) = (Arc::clone(bell), mpsc::channel());
    let call = handle.blocking.try_run(move || {
        bell.ring();
        let _ = sender.send(());
    });
    if let Ok(call) = call {
        let _ = rang.recv();
        drop(call);
    }
}

async fn lost_wake_up(handle: HostHandle) -> io::Result<()> {
    let (bells, timers) = (
        [(); 2].map(|()| Arc::new(Doorbell::default())),
        handle.timers.clone(),
    );
    let (bell, of_guest) = (Arc::clone(&bells[0]), handle.clone());
    let broken = handle.spawner.spawn_named("looks first", async move {
        let mut looked = false;
        poll_fn(|cx| {
            if bell.rang.load(Ordering::SeqCst) {
                return Poll::Ready(());
            }
            if !std::mem::replace(&mut looked, true) {
                note(
                    "This guest has looked: it has not rung. Now it rings, on another thread, \
                      which finds no waker to call…",
                );
                rings_now(&of_guest, &bell);
                note("…and now he leaves his waker, too late. He will wait for ever.");
            }
            *bell.guest.lock() = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    });
    timers.sleep(ms(20)).await;
    let (bell, of_guest) = (Arc::clone(&bells[1]), handle.clone());
    let sound =
        handle
            .spawner
            .spawn_named("leaves waker first", async move {
                let mut left = false;
                poll_fn(|cx| {
            *bell.guest.lock() = Some(cx.waker().clone());
            if !std::mem::replace(&mut left, true) {
                note("This guest has left his waker, and looks only now. It rings at the same \
                      bad moment: his waker is there, and he is woken.");
                rings_now(&of_guest, &bell);
            }
            match bell.rang.load(Ordering::SeqCst) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
        .await;
            });
    let _ = sound.await;
    timers.sleep(ms(50)).await;
    note("The first guest is still there. Nothing is wrong with the loop: nobody called him.");
    broken.abort();
    let _ = broken.await;
    Ok(())
}

const STARVED: Lesson = Lesson {
    title: "Starvation, and the bound against it",
    about: "A greedy task wakes itself in each poll, so it is always ready. The loop polls what is \
            ready, and then looks outside all the same: the timer beside it fires. What no loop \
            can help is a poll that does not end.",
    threads: 1,
    caption: None,
};

async fn starvation(handle: HostHandle) -> io::Result<()> {
    let timers = handle.timers.clone();
    note("The greedy task is ready again as soon as it was polled. Watch the timer beside it.");
    let greedy = handle.spawner.spawn_named("greedy", async {
        for _ in 0..400 {
            spin(Duration::from_micros(10));
            yield_now().await;
        }
    });
    timers.sleep(ms(2)).await;
    note(
        "The timer fired although the greedy task was never at rest: after 64 polls at most the \
          loop looks outside.",
    );
    let _ = greedy.await;
    let victim = handle.spawner.spawn_named("victim", {
        let timers = timers.clone();
        async move { timers.sleep(ms(5)).await }
    });
    yield_now().await;
    note(
        "This poll takes 30 ms and gives nothing back meanwhile. The victim's timer is due after \
          5 ms, and nobody is there to see it.",
    );
    spin(ms(30));
    let _ = victim.await;
    note("The victim ran 25 ms late. Long work belongs to the pool, or into pieces.");
    timers.sleep(ms(1)).await;
    Ok(())
}

/// Keeps the thread busy.
fn spin(time: Duration) {
    let begin = Instant::now();
    while begin.elapsed() < time {
        std::hint::spin_loop();
    }
}

const CASCADE: Lesson = Lesson {
    title: "Timers come down the wheel",
    about: "A timer that is far away waits in a coarse slot, high up. When its time comes closer \
            it moves to finer ones, level by level, until it fires exactly. Timers that are \
            cancelled before never move at all, which is why inserting is cheap.",
    threads: 1,
    caption: Some(Caption {
        at_first: |event| matches!(event, Event::Move { .. }),
        text: "The first of them comes down: its time is near enough for a finer level. Nobody \
               looked at it since it was put in its slot: it is moved when the slot's turn comes, \
               with all that are in it.",
    }),
};

async fn cascade(handle: HostHandle) -> io::Result<()> {
    note("Four sleeps: 300 µs, 3 ms, 30 ms and 150 ms. The longer, the higher the level.");
    let sleeps = [300, 3_000, 30_000, 150_000].map(|micros| {
        let sleep = handle.timers.sleep(Duration::from_micros(micros));
        handle
            .spawner
            .spawn_named(&format!("sleeps {micros} us"), sleep)
    });
    let never = handle.timers.sleep(Duration::from_secs(3600));
    let never = handle.spawner.spawn_named("an hour, called off", never);
    for _ in 0..14 {
        handle.timers.sleep(ms(10)).await;
    }
    note(
        "The hour is called off: its timer is taken out of the slot where it was put, and never \
          moved.",
    );
    never.abort();
    for sleep in sleeps {
        let _ = sleep.await;
    }
    Ok(())
}

const STOLEN: Lesson = Lesson {
    title: "Work is stolen",
    about: "One worker gets thirty-two pieces of work at once, into a queue of its own. The other \
            has none, and takes half of what it finds there. Nobody shares a queue, and nobody \
            stays idle.",
    threads: 2,
    caption: Some(Caption {
        at_first: |event| matches!(event, Event::Steal { .. }),
        text: "The first theft. This worker found nothing in its own queue nor from outside, so \
               it looks into the other's and takes from what waits there. What it took is polled \
               here from now on.",
    }),
};

async fn stealing(handle: HostHandle) -> io::Result<()> {
    note("One task spawns thirty-two others: they go to the queue of its own worker.");
    let pieces: Vec<_> = (1..=32)
        .map(|piece| {
            handle
                .spawner
                .spawn_named(&format!("piece {piece}"), async {
                    for _ in 0..4 {
                        spin(Duration::from_micros(250));
                        yield_now().await;
                    }
                })
        })
        .collect();
    for piece in pieces {
        let _ = piece.await;
    }
    note("All done, on two threads.");
    handle.timers.sleep(ms(1)).await;
    Ok(())
}
