//! Stealing: who ran what.
//!
//! Run it: `cargo run --release --example stealing`
//!
//! Watch the bars. One task splits a sum into 64 parts and spawns a task for each. A spawn goes
//! into the spawning worker's own queue: no lock, no other core is disturbed, and if the parts
//! were tiny that worker would do them all. They are not, so workers without work come and take
//! half of the queue each time, and the bars come out about even on an idle machine. Nobody
//! planned that, and run twice it is never the same.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use demos::{Runtime, current};

const PARTS: u64 = 64;

/// A part: some work for a core, and who did it.
async fn part(number: u64) -> (u64, String) {
    let until = Instant::now() + Duration::from_millis(2);
    while Instant::now() < until {
        std::hint::spin_loop();
    }
    (number, me())
}

fn me() -> String {
    thread::current().name().unwrap_or("nameless").to_owned()
}

fn main() -> std::io::Result<()> {
    let runtime = Runtime::new(4)?;
    let (parts, spawner) = runtime.block_on(async {
        let whole = current::spawn(async {
            let spawner = me();
            let tasks: Vec<_> = (1..=PARTS)
                .map(|number| current::spawn(part(number)))
                .collect();
            let mut parts = Vec::new();
            for task in tasks {
                parts.push(task.await.expect("no part panics"));
            }
            (parts, spawner)
        });
        whole.await.expect("it does not panic")
    });
    println!("{PARTS} parts, spawned by a task on {spawner}");
    let mut by_worker: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, worker) in &parts {
        *by_worker.entry(worker).or_default() += 1;
    }
    for (worker, count) in &by_worker {
        println!("{worker:<10} {count:>2} {}", "#".repeat(*count));
    }
    println!("{} parts done by {} workers", parts.len(), by_worker.len());
    println!(
        "sum: {}",
        parts.iter().map(|(number, _)| number).sum::<u64>()
    );
    Ok(())
}
