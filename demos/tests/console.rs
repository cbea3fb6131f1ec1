//! What tokio-console is told of our executor, asked by the console's own protocol.
//!
//! Run it: `RUSTFLAGS="--cfg console_without_tokio_unstable" CARGO_TARGET_DIR=target/console
//! cargo test -p handrolled-demos --features console --test console`. It has a folder of its own
//! for what is built, since the flag would have the rest built anew.

use std::collections::HashMap;
use std::future::pending;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::task::Waker;
use std::time::Duration;

use console_api::field::{Name, Value};
use console_api::instrument::instrument_client::InstrumentClient;
use console_api::instrument::{InstrumentRequest, Update};
use console_api::{Field, RegisterMetadata};
use executor::{LocalExecutor, TaskSpans, yield_now};

/// What a console has heard by now.
#[derive(Default)]
struct Heard {
    /// The names of fields, by the number of the span's metadata.
    fields: HashMap<u64, Vec<String>>,
    /// The tasks' numbers, by name.
    tasks: HashMap<String, u64>,
    /// Polls, wakes, and wakes by the task itself, by the task's number.
    counts: HashMap<u64, [u64; 3]>,
}

impl Heard {
    fn hear(&mut self, update: Update) {
        let RegisterMetadata { metadata } = update.new_metadata.unwrap_or_default();
        for new in metadata {
            let names = new.metadata.unwrap_or_default().field_names;
            self.fields.insert(new.id.unwrap().id, names);
        }
        let tasks = update.task_update.unwrap_or_default();
        for task in tasks.new_tasks {
            let metadata = task.metadata.map_or(0, |metadata| metadata.id);
            let names = self.fields.get(&metadata).map_or(&[][..], Vec::as_slice);
            let name = task.fields.iter().find_map(|field| task_name(field, names));
            self.tasks.insert(name.unwrap(), task.id.unwrap().id);
        }
        for (task, stats) in tasks.stats_update {
            let polls = stats.poll_stats.unwrap_or_default().polls;
            self.counts
                .insert(task, [polls, stats.wakes, stats.self_wakes]);
        }
    }

    fn of(&self, name: &str) -> Option<[u64; 3]> {
        self.counts.get(self.tasks.get(name)?).copied()
    }
}

/// The value of the field `task.name`.
fn task_name(field: &Field, names: &[String]) -> Option<String> {
    let name = match field.name.as_ref()? {
        Name::StrName(name) => name,
        Name::NameIdx(index) => names.get(usize::try_from(*index).ok()?)?,
    };
    match field.value.as_ref()? {
        Value::StrVal(value) | Value::DebugVal(value) if name == "task.name" => Some(value.clone()),
        _ => None,
    }
}

#[test]
fn a_console_sees_our_tasks_by_name_with_their_polls_and_wakes() {
    let address = free_address();
    console_subscriber::ConsoleLayer::builder()
        .server_addr(address)
        .publish_interval(Duration::from_millis(50))
        .init();
    let stop = Arc::new(AtomicBool::new(false));
    let (sender, waker) = mpsc::channel();
    let loop_thread = std::thread::spawn({
        let stop = Arc::clone(&stop);
        move || play(&stop, &sender)
    });
    waker.recv().unwrap().wake(); // once, from outside

    let mut tokio = tokio::runtime::Builder::new_current_thread();
    let tokio = tokio.enable_all().build().unwrap();
    let heard = tokio.block_on(listen(address));
    stop.store(true, Ordering::Relaxed);
    loop_thread.join().unwrap();

    let [polls, wakes, by_itself] = heard.of("greedy").unwrap();
    assert!(
        polls >= 100 && by_itself >= 50 && wakes >= by_itself,
        "{polls} {wakes} {by_itself}"
    );
    assert_eq!(heard.of("woken once"), Some([2, 1, 0]));
    assert_eq!(heard.of("stuck"), Some([1, 0, 0]));
    assert_eq!(
        heard.tasks.len(),
        3,
        "and nothing else: {:?}",
        heard.tasks.keys()
    );
}

/// An address of this machine at which nobody listens.
fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

/// Three tasks on an executor that makes spans of them.
fn play(stop: &AtomicBool, sender: &mpsc::Sender<Waker>) {
    let executor = LocalExecutor::builder().observer(TaskSpans::new()).build();
    drop(executor.spawn_named("stuck", pending::<()>()));
    let sender = sender.clone();
    let mut polled = false;
    let woken_once = std::future::poll_fn(move |cx| {
        if !std::mem::replace(&mut polled, true) {
            sender.send(cx.waker().clone()).unwrap();
        }
        std::task::Poll::<()>::Pending
    });
    drop(executor.spawn_named("woken once", woken_once));
    drop(executor.spawn_named("greedy", async {
        loop {
            yield_now().await;
        }
    }));
    while !stop.load(Ordering::Relaxed) {
        executor.run_batch();
        std::thread::yield_now();
    }
}

/// Connects as a console does, and listens until it has heard enough.
async fn listen(address: SocketAddr) -> Heard {
    let mut client = loop {
        match InstrumentClient::connect(format!("http://{address}")).await {
            Ok(client) => break client,
            Err(_) => tokio::task::yield_now().await, // it does not listen yet
        }
    };
    let updates = client.watch_updates(InstrumentRequest {}).await.unwrap();
    let (mut updates, mut heard) = (updates.into_inner(), Heard::default());
    loop {
        heard.hear(updates.message().await.unwrap().unwrap());
        let polls = |name| heard.of(name).map_or(0, |[polls, ..]| polls);
        if polls("greedy") >= 100 && polls("woken once") == 2 && polls("stuck") == 1 {
            return heard;
        }
    }
}
