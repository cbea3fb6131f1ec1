//! The loop of the article: check for input, send it for processing; check for output, send it
//! for display; and never let one input wait for another's processing.
//!
//! `Session::turn` is that loop's body. Between two turns the task sleeps: a line, an output, a
//! signal or the end of the grace wakes it. Processing happens in tasks of their own, each of
//! which sends what came of it into one queue; the order in that queue is the order of readiness.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::io;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use futures::channel::mpsc;
use futures::{FutureExt, StreamExt};
use timers::Sleep;

use super::cli::Grace;
use super::display::Display;
use super::input::{self, Input, Request};
use super::lines::Line;
use super::output::{Outcome, Output, Record, Render, Step, Tally};
use super::quantity::{grouped, human_duration};
use super::reader::Incoming;
use super::signals::{Signal, Signals};
use crate::host::{HostHandle, HostJoin};
use crate::processing::{Answer, Failure, Processing};
use crate::trace;

/// How a session goes about its inputs.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Tell each step.
    pub trace: bool,
    /// Inputs in flight at most.
    pub limit: usize,
    /// The longest line, as errors state it.
    pub max_line: usize,
    /// How long what is in flight is waited for once no more input is taken, whatever the reason.
    /// If not given: as long as it takes after the end of input, `grace_if_told` after `stop` and
    /// ctrl-c.
    pub grace: Option<Grace>,
    /// See `grace`.
    pub grace_if_told: Duration,
}

/// How a session ended.
#[derive(Debug)]
pub enum End {
    /// As it should: all inputs have their outputs.
    Finished(Tally),
    /// Whoever read the outputs went away, or their place is full.
    Unheard(Tally, io::Error),
    /// The input broke off with an error.
    Broken(Tally, io::Error),
    /// A second signal: what is left undone, as number and line.
    Interrupted(Signal, Vec<(u64, String)>),
}

/// An input that was taken in and has no output yet.
struct Flight {
    line: String,
    taken: Instant,
    /// `None` for a bad line: there is nothing to call off.
    task: Option<HostJoin<()>>,
}

/// What a session is connected to.
#[derive(Debug)]
pub struct Ends<R> {
    /// Where lines come from.
    pub incoming: Incoming,
    /// Where wishes to end come from.
    pub signals: Signals,
    /// How what is told becomes text.
    pub render: R,
    /// Where the text goes.
    pub display: Display,
    /// The last number given to an input, here or in a session beside this one.
    pub numbers: Arc<AtomicU64>,
}

/// Inputs in, outputs out. Dropped before its end, it calls off what is in flight.
pub struct Session<R> {
    handle: HostHandle,
    processing: Arc<Processing>,
    settings: Settings,
    render: R,
    display: Display,
    numbers: Arc<AtomicU64>,
    /// `None` when no more input is taken.
    incoming: Option<Incoming>,
    signals: Signals,
    outputs: mpsc::UnboundedReceiver<(u64, Outcome)>,
    finished: mpsc::UnboundedSender<(u64, Outcome)>,
    in_flight: BTreeMap<u64, Flight>,
    /// The end of the grace.
    deadline: Option<(Pin<Box<Sleep>>, Duration)>,
    /// A signal has come.
    interrupted: bool,
    /// There is no room for another line.
    held_back: bool,
    /// All is said.
    ended: bool,
    broken: Option<io::Error>,
    tally: Tally,
}

/// The grace of `stop` and ctrl-c on a command line that does not name one.
pub const GRACE: Duration = Duration::from_secs(5);

impl<R: Render> Session<R> {
    /// A session that has not begun.
    pub fn new(processing: Arc<Processing>, settings: Settings, ends: Ends<R>) -> Self {
        let Ends {
            incoming,
            signals,
            render,
            display,
            numbers,
        } = ends;
        let (finished, outputs) = mpsc::unbounded();
        Self {
            handle: processing.handle.clone(),
            processing,
            settings,
            render,
            display,
            numbers,
            incoming: Some(incoming),
            signals,
            outputs,
            finished,
            in_flight: BTreeMap::new(),
            deadline: None,
            interrupted: false,
            held_back: false,
            ended: false,
            broken: None,
            tally: Tally::default(),
        }
    }

    /// Takes inputs until there are no more, and gives each its output.
    pub async fn run(mut self) -> End {
        if let Some(end) = poll_fn(|cx| self.turn(cx)).await {
            return end;
        }
        let tally = self.tally;
        self.tell(Record::End(&tally));
        self.ended = true;
        poll_fn(|cx| self.last_turn(cx)).await
    }

    /// The body of the loop. Ready with `None` when all is said, else with how it ended early.
    fn turn(&mut self, cx: &mut Context<'_>) -> Poll<Option<End>> {
        if let Poll::Ready(end) = self.check_for_the_end(cx) {
            return Poll::Ready(Some(end));
        }
        loop {
            self.step(Step::CheckingForInput);
            while let Some(line) = self.next_line(cx) {
                self.take(line);
            }
            self.step(Step::CheckingForOutput);
            while let Poll::Ready(Some((number, outcome))) = self.outputs.poll_next_unpin(cx) {
                self.deliver(number, outcome);
            }
            if !(self.held_back && self.has_room(cx)) {
                break; // no line was left where it was for want of room that is there now
            }
        }
        if self.incoming.is_some() || !self.in_flight.is_empty() {
            ready!(self.grace_is_over(cx));
        }
        Poll::Ready(None)
    }

    /// What is left when all is said: to see it written.
    fn last_turn(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        if let Poll::Ready(end) = self.check_for_the_end(cx) {
            return Poll::Ready(end);
        }
        ready!(self.display.poll_written(cx));
        Poll::Ready(match self.broken.take() {
            Some(error) => End::Broken(self.tally, error),
            None => End::Finished(self.tally),
        })
    }

    fn check_for_the_end(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        while let Poll::Ready(Some(signal)) = self.signals.poll_next_unpin(cx) {
            if self.interrupted {
                let undone = std::mem::take(&mut self.in_flight).into_iter();
                let undone = undone
                    .map(|(number, flight)| (number, flight.line))
                    .collect();
                return Poll::Ready(End::Interrupted(signal, undone));
            }
            self.interrupted = true;
            self.close(signal.name(), Some(self.settings.grace_if_told));
        }
        self.display
            .poll_broken(cx)
            .map(|error| End::Unheard(self.tally, error))
    }

    fn has_room(&self, cx: &Context<'_>) -> bool {
        self.in_flight.len() < self.settings.limit && self.display.poll_room(cx).is_ready()
    }

    fn next_line(&mut self, cx: &mut Context<'_>) -> Option<Line> {
        self.held_back = self.incoming.is_some() && !self.has_room(cx);
        if self.held_back {
            return None; // the line stays in the pipe until an output has gone out
        }
        match self.incoming.as_mut()?.poll_next_unpin(cx) {
            Poll::Pending => None,
            Poll::Ready(Some(Ok(line))) => Some(line),
            Poll::Ready(Some(Err(error))) => {
                self.broken = Some(error);
                self.close("the input broke off", None);
                None
            }
            Poll::Ready(None) => {
                self.close("end of input", None);
                None
            }
        }
    }

    /// Gives a line its number and sends it for processing.
    fn take(&mut self, line: Line) {
        let (line, input) = match line {
            Line::Text(line) if input::is_comment(&line) => return,
            Line::Text(line) => {
                let input = input::parse(&line).map_err(|bad| bad.to_string());
                (line, input)
            }
            Line::NotUtf8 { at, lossy } => (
                lossy,
                Err(format!("the line is not UTF-8 text (from byte {at} on)")),
            ),
            Line::TooLong { bytes, start } => {
                let (bytes, limit) = (grouped(bytes), grouped(self.settings.max_line));
                let why = format!(
                    "the line has {bytes} bytes, more than the limit of {limit} (--max-line)"
                );
                (format!("{start}…"), Err(why))
            }
        };
        self.tally.inputs += 1;
        let number = self.numbers.fetch_add(1, Ordering::Relaxed) + 1;
        self.tell(Record::Input(number, &line));
        self.step(Step::Available(number));
        trace::input(number, &line);
        let task = match input {
            Ok(Input::Process(request)) => Some(self.process(number, request)),
            Ok(Input::Stop) => {
                let in_flight = self.in_flight.len();
                self.finish(number, Outcome::Done(Answer::Stopping { in_flight }));
                self.close("stop", Some(self.settings.grace_if_told));
                None
            }
            Err(why) => {
                self.finish(number, Outcome::Failed(Failure(why)));
                None
            }
        };
        self.in_flight.insert(
            number,
            Flight {
                line,
                taken: self.handle.timers.clock().now(),
                task,
            },
        );
    }

    /// Starts the task that processes `request`; a panic in it is its output and harms no other.
    fn process(&self, number: u64, request: Request) -> HostJoin<()> {
        let processing = Arc::clone(&self.processing);
        let finished = self.finished.clone();
        let name = trace::name(|| format!("I{number}"));
        self.handle.spawner.spawn_named(&name, async move {
            let result = AssertUnwindSafe(processing.process(request))
                .catch_unwind()
                .await;
            let outcome = match result {
                Ok(result) => Outcome::from(result),
                Err(_panic) => Outcome::Failed(Failure(
                    "its processing panicked (see standard error)".to_owned(),
                )),
            };
            // The session is gone when nobody wants outputs any more.
            let _ = finished.unbounded_send((number, outcome));
        })
    }

    /// An output that needed no task goes the same way as the others.
    fn finish(&self, number: u64, outcome: Outcome) {
        // Cannot fail: the receiver is ours.
        let _ = self.finished.unbounded_send((number, outcome));
    }

    fn deliver(&mut self, number: u64, outcome: Outcome) {
        let Some(Flight { line, taken, .. }) = self.in_flight.remove(&number) else {
            return; // it was left undone, and that was said
        };
        self.tally.count(&outcome);
        self.step(Step::Ready(number));
        let after = self
            .handle
            .timers
            .clock()
            .now()
            .saturating_duration_since(taken);
        let output = Output {
            number,
            line,
            after,
            outcome,
        };
        self.tell(Record::Output(&output));
        if trace::is_on() {
            let ok = matches!(output.outcome, Outcome::Done(_));
            trace::output(number, &output.outcome.to_string(), ok);
        }
    }

    /// Takes no more input. What is in flight has `--grace`, or else `unasked`; who asks twice
    /// does not prolong it.
    fn close(&mut self, why: &'static str, unasked: Option<Duration>) {
        self.incoming = None;
        if self.ended {
            return;
        }
        if self.interrupted && !self.settings.trace {
            // Whoever sends lines has to know that not all may have been taken in.
            self.tell(Record::Step(Step::Closing(why)));
        }
        self.step(Step::Closing(why));
        let grace = match self.settings.grace {
            Some(Grace::Within(grace)) => Some(grace),
            Some(Grace::Forever) => None,
            None => unasked,
        };
        if let (None, Some(grace)) = (&self.deadline, grace) {
            self.deadline = Some((Box::pin(self.handle.timers.sleep(grace)), grace));
        }
    }

    /// Ready when the grace is over; what was in flight then has its last word.
    fn grace_is_over(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some((sleep, grace)) = &mut self.deadline else {
            return Poll::Pending;
        };
        ready!(sleep.as_mut().poll(cx));
        let why = format!("the grace of {} is over", human_duration(*grace));
        let late: Vec<u64> = self.in_flight.keys().copied().collect();
        for number in late {
            if let Some(Flight {
                task: Some(task), ..
            }) = self.in_flight.get(&number)
            {
                task.abort();
            }
            self.deliver(number, Outcome::Undone(why.clone()));
        }
        Poll::Ready(())
    }

    fn step(&mut self, step: Step) {
        if self.settings.trace {
            self.tell(Record::Step(step));
        }
    }

    fn tell(&mut self, record: Record<'_>) {
        self.display.show(&self.render.render(record));
    }
}

impl<R> Drop for Session<R> {
    fn drop(&mut self) {
        for task in self
            .in_flight
            .values()
            .filter_map(|flight| flight.task.as_ref())
        {
            task.abort();
        }
    }
}
