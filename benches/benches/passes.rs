//! A group of workloads as criterion benchmarks: one operation is one iteration.

use std::time::Duration;

use benches::machine;
use benches::workload::Scale;
use benches::workloads;
use criterion::Criterion;

// As in the program: without it the workloads about memory would see none.
#[global_allocator]
static ALLOCATOR: benches::heap::Counting = benches::heap::Counting;

/// Runs the workloads of `groups`, or with `--test` a tiny pass of each.
///
/// # Panics
/// When a result is invalid.
pub(crate) fn run(groups: &[&str]) {
    let compare = env!("CARGO_BIN_EXE_compare").into();
    benches::child::PROGRAM.set(compare).expect("called once");
    let testing = std::env::args().any(|argument| argument == "--test");
    let scale = if testing { Scale::Smoke } else { Scale::Full };
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    let names: Vec<String> = groups.iter().map(|&group| group.into()).collect();
    for workload in workloads::choose(&names).expect("groups that exist") {
        // Ranks and bytes are no durations.
        let fits = testing || workload.least_cores <= machine::all_cores().len();
        if workload.long || !fits || !workload.unit.starts_with("ns") {
            continue;
        }
        let mut group = criterion.benchmark_group(workload.name);
        for contender in workload.contenders(scale) {
            let mut build = Some(contender.build);
            let mut ready = None;
            group.bench_function(contender.peer, |bencher| {
                let pass = ready.get_or_insert_with(|| {
                    let build = build.take().expect("built once");
                    build().expect("a contender that can be set up")
                });
                bencher.iter_custom(|iterations| {
                    let (mut total_ns, mut ops) = (0.0, 0);
                    while ops < iterations {
                        let measured = pass().expect("a valid result");
                        total_ns += measured.total;
                        ops += measured.ops;
                    }
                    let share = iterations as f64 / ops as f64;
                    Duration::from_secs_f64(total_ns * share / 1e9)
                });
            });
        }
        group.finish();
    }
    criterion.final_summary();
}
