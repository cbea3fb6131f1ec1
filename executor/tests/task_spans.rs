//! What a subscriber sees of tasks (feature `tracing`).
#![cfg(feature = "tracing")]

use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use executor::{Executor, LocalExecutor, TaskSpans, yield_now};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Writes down everything.
#[derive(Clone, Default)]
struct Tape {
    lines: Arc<Mutex<Vec<String>>>,
    last_id: Arc<AtomicU64>,
}

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if ["task.name", "op", "message"].contains(&field.name()) {
            self.0.push_str(&format!(" {value:?}"));
        }
    }
}

impl Tape {
    fn write(&self, line: String) {
        self.lines.lock().unwrap().push(line);
    }
}

impl Subscriber for Tape {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut fields = Fields(String::new());
        span.record(&mut fields);
        let metadata = span.metadata();
        self.write(format!(
            "{} {}{}",
            metadata.target(),
            metadata.name(),
            fields.0
        ));
        Id::from_u64(self.last_id.fetch_add(1, Ordering::Relaxed) + 1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields(String::new());
        event.record(&mut fields);
        self.write(format!("event{}", fields.0));
    }
    fn enter(&self, id: &Id) {
        self.write(format!("enter {}", id.into_u64()));
    }
    fn exit(&self, id: &Id) {
        self.write(format!("exit {}", id.into_u64()));
    }
    fn try_close(&self, id: Id) -> bool {
        self.write(format!("close {}", id.into_u64()));
        true
    }
}

#[test]
fn a_task_is_a_span_entered_while_it_is_polled() {
    let tape = Tape::default();
    tracing::subscriber::with_default(tape.clone(), || {
        let executor = LocalExecutor::builder().observer(TaskSpans::new()).build();
        let task = executor.spawn_named("tea", async {
            tracing::info!("kettle");
            yield_now().await;
        });
        executor.block_on(task).unwrap();
    });
    // A close is a clone of the span that was dropped; the last one is the span's end.
    let lines = tape.lines.lock().unwrap();
    let told: Vec<&str> = lines
        .iter()
        .map(String::as_str)
        .filter(|l| *l != "close 1")
        .collect();
    let expected = [
        "tokio::task runtime.spawn \"tea\"",
        "event \"waker.clone\"", // or a console takes it for a task that nobody can wake
        "enter 1",
        "event kettle",
        "event \"waker.wake_by_ref\"",
        "exit 1",
        "enter 1",
        "exit 1",
    ];
    assert_eq!(told, expected);
    assert_eq!(lines.last().map(String::as_str), Some("close 1"));
}

#[test]
fn tasks_of_several_threads_are_spans_too() {
    let tape = Tape::default();
    // For the workers' threads; the other test has its own subscriber in front of it.
    tracing::subscriber::set_global_default(tape.clone()).unwrap();
    let executor = Executor::builder().workers(2).observer(TaskSpans::new());
    let executor = executor.build().unwrap();
    let tasks: Vec<_> = (0..50)
        .map(|_| executor.spawn_named("tea", yield_now()))
        .collect();
    for task in tasks {
        executor::block_on(task).unwrap();
    }
    drop(executor);
    let lines = tape.lines.lock().unwrap();
    let count = |word: &str| lines.iter().filter(|line| line.contains(word)).count();
    assert_eq!(count("runtime.spawn \"tea\""), 50);
    assert_eq!(
        (count("enter"), count("exit")),
        (100, 100),
        "two polls each"
    );
}
