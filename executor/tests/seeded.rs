//! The tests are tested: known bugs are put in, one at a time, and a named test must fail for each.
//!
//! ```text
//! cargo test -p handrolled-executor --test seeded -- --ignored          # all
//! cargo test -p handrolled-executor --test seeded -- --ignored host     # those with `host` in the
//! name
//! ```
//! A bug is a `cfg!(seeded_bug = "…")` in the source. So that only this package is built again for
//! each, and not all it stands on, this program also serves as cargo's wrapper around the compiler:
//! under the name of a bug it adds that bug's cfg.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A bug, the test that finds it, and whether that is a loom model.
struct Seeded {
    bug: &'static str,
    file: &'static str,
    test: &'static str,
}

const fn seeded(bug: &'static str, file: &'static str, test: &'static str) -> Seeded {
    Seeded { bug, file, test }
}

/// The tests within the library, as models of loom and of shuttle and as they are.
const MODELS: &str = "the library under loom";
const RANDOM: &str = "the library under shuttle";
const LIBRARY: &str = "the library";

const BUGS: &[Seeded] = &[
    // models
    seeded(
        "repeated_wake_only_reads",
        "loom",
        "two_wakes_of_one_task_are_both_seen",
    ),
    seeded(
        "taken_without_acquire",
        "loom",
        "two_wakes_of_one_task_are_both_seen",
    ),
    seeded(
        "pushed_without_release",
        "loom",
        "one_thread_wakes_two_tasks",
    ),
    seeded("sleep_without_looking", "loom", "a_wake_against_block_on"),
    seeded(
        "last_reference_leaks",
        "loom",
        "a_wake_or_drop_against_the_tasks_end",
    ),
    seeded(
        "host_not_called",
        "loom",
        "the_host_is_called_for_a_wake_while_it_may_wait",
    ),
    seeded(
        "hub_freed_before_the_push",
        "loom",
        "two_wakes_against_the_end_of_the_executor",
    ),
    // one thread
    seeded(
        "scheduled_cleared_after_the_poll",
        "local",
        "tasks_run_in_the_order_of_their_spawns_and_yields",
    ),
    seeded(
        "batch_without_bound",
        "local",
        "a_batch_is_bounded_by_the_builder",
    ),
    seeded(
        "entered_for_ever",
        "local",
        "entered_wakes_stay_on_the_thread",
    ),
    seeded(
        "live_list_not_entered",
        "local",
        "dropping_the_executor_drops_each_future_once_here",
    ),
    seeded(
        "output_not_dropped",
        "local",
        "dropping_the_executor_drops_each_future_once_here",
    ),
    seeded(
        "abort_not_scheduled",
        "local",
        "abort_drops_the_future_in_the_next_batch",
    ),
    seeded(
        "joiner_not_woken",
        "local",
        "the_joiners_waker_is_replaced_and_called_once",
    ),
    seeded("panicked_future_leaks", "user_code", "a_panic_in_a_poll"),
    // several threads: models, the state word, the whole
    seeded(
        "repeated_steal_wake_only_reads",
        MODELS,
        "stealing::task_models::every_triple_with_a_run_and_a_wake_by_value",
    ),
    seeded(
        "completed_without_release",
        MODELS,
        "stealing::task_models::every_pair_with_a_task_that_was_never_polled",
    ),
    seeded(
        "task_reference_leaks",
        MODELS,
        "stealing::task_models::every_pair_with_a_run",
    ),
    seeded(
        "ring_pushed_without_release",
        MODELS,
        "stealing::models::ring_a_thief_sees_what_was_written_before_the_push",
    ),
    seeded(
        "stolen_without_asking",
        MODELS,
        "stealing::models::ring_each_item_comes_out_once",
    ),
    seeded(
        "lies_down_without_fence",
        MODELS,
        "stealing::models::idle_no_wake_up_is_lost",
    ),
    seeded(
        "lies_down_without_looking",
        RANDOM,
        "stealing::random_models::spawns_as_the_workers_lie_down",
    ),
    seeded(
        "woke_itself_is_forgotten",
        RANDOM,
        "stealing::random_models::three_workers_run_what_is_spawned_in_and_outside",
    ),
    seeded(
        "woken_between_polls_is_taken_for_itself",
        "stealing_traps",
        "a_driver_wakes_the_task_that_was_polled_last",
    ),
    seeded(
        "injected_after_the_end",
        MODELS,
        "stealing::pool_models::a_spawn_during_the_end",
    ),
    seeded(
        "joiner_slot_not_taken_back",
        MODELS,
        "stealing::task_models::every_pair_with_a_task_that_was_never_polled",
    ),
    seeded(
        "output_without_handle_leaks",
        MODELS,
        "stealing::task_models::every_triple_with_a_run_and_a_wake_by_value",
    ),
    seeded(
        "woken_in_a_poll_is_forgotten",
        LIBRARY,
        "stealing::state::tests::a_wake_in_a_queue_costs_no_second_poll_but_one_in_a_poll_does",
    ),
    seeded(
        "waker_clone_not_counted",
        LIBRARY,
        "stealing::state::tests::completion_knows_who_owns_the_output",
    ),
    seeded(
        "stealing_live_list_not_entered",
        "stealing",
        "dropping_the_executor_drops_every_future_once",
    ),
    seeded(
        "nobody_on_guard",
        "stealing",
        "a_task_behind_a_long_poll_is_taken_by_another_worker",
    ),
    // the blocking pool
    seeded(
        "place_not_passed_on",
        "blocking",
        "a_waiter_that_goes_passes_its_place_on",
    ),
    seeded(
        "abandoned_job_runs",
        "blocking",
        "dropping_the_future_cancels_a_job_that_has_not_begun",
    ),
];

/// A test that has not ended by then hangs, which is a failure as well.
const PATIENCE: Duration = Duration::from_secs(120);

fn main() -> ExitCode {
    let me = PathBuf::from(env::args_os().next().expect("a program has a name"));
    if me
        .parent()
        .is_some_and(|folder| folder.ends_with("seeded-bugs"))
    {
        return compile(&me);
    }
    let words: Vec<String> = env::args().skip(1).collect();
    if !words.iter().any(|word| word == "--ignored") {
        println!("seeded bugs: not tried; `-- --ignored` tries them");
        return ExitCode::SUCCESS;
    }
    let filter = words.iter().find(|word| !word.starts_with('-'));
    let chosen = |seeded: &&Seeded| filter.is_none_or(|word| seeded.bug.contains(word.as_str()));
    let mut missed = 0;
    for seeded in BUGS.iter().filter(chosen) {
        let begin = Instant::now();
        let verdict = try_out(seeded);
        missed += u32::from(verdict.is_err());
        let verdict = verdict.unwrap_or_else(|why| format!("MISSED: {why}"));
        let took = begin.elapsed().as_secs_f32();
        println!(
            "{:<34} {}::{} {verdict} ({took:.1} s)",
            seeded.bug, seeded.file, seeded.test
        );
    }
    println!("{missed} missed");
    if missed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Under the name of a bug: `NAME rustc ARGUMENTS`.
fn compile(me: &Path) -> ExitCode {
    let bug = me
        .file_name()
        .and_then(|name| name.to_str())
        .expect("a bug's name");
    let mut words = env::args_os().skip(1);
    let rustc = words.next().expect("cargo names the compiler first");
    let status = Command::new(rustc)
        .args(words)
        .args(["--cfg", &format!("seeded_bug=\"{bug}\"")])
        .status()
        .expect("the compiler starts");
    if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Puts the bug in and runs its test: how it failed, or why that says nothing.
fn try_out(seeded: &Seeded) -> Result<String, String> {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/seeded");
    let names = target.join("seeded-bugs");
    let wrapper = names.join(seeded.bug);
    fs::create_dir_all(&names).map_err(|error| error.to_string())?;
    let _ = fs::remove_file(&wrapper);
    fs::hard_link(env::current_exe().expect("it runs"), &wrapper)
        .or_else(|_| fs::copy(env::current_exe().expect("it runs"), &wrapper).map(drop))
        .map_err(|error| error.to_string())?;
    let build = cargo(seeded, &target, &wrapper)
        .arg("--no-run")
        .output()
        .map_err(|error| error.to_string())?;
    if !build.status.success() {
        return Err(format!(
            "it does not build: {}",
            String::from_utf8_lossy(&build.stderr)
        ));
    }
    let mut test = cargo(seeded, &target, &wrapper)
        .args(["--", "--exact", seeded.test])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| error.to_string())?;
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        match test.try_wait().map_err(|error| error.to_string())? {
            Some(status) if status.success() => return Err("the test passes".to_string()),
            Some(_) => return Ok("caught".to_string()),
            None => thread::sleep(Duration::from_millis(20)),
        }
    }
    let _ = test.kill();
    let _ = test.wait();
    Ok("caught: it hangs".to_string())
}

fn cargo(seeded: &Seeded, target: &Path, wrapper: &Path) -> Command {
    let (folder, flags) = match seeded.file {
        "loom" | MODELS => ("models", "--cfg loom"),
        RANDOM => ("random", "--cfg shuttle"),
        _ => ("plain", ""),
    };
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["test", "--quiet", "-p", "handrolled-executor"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("CARGO_TARGET_DIR", target.join(folder))
        .env("RUSTC_WORKSPACE_WRAPPER", wrapper)
        .env("RUST_BACKTRACE", "0")
        .env("RUSTFLAGS", flags);
    match seeded.file {
        MODELS | RANDOM | LIBRARY => cargo.arg("--lib"),
        file => cargo.args(["--test", file]),
    };
    if folder != "plain" {
        cargo.arg("--release");
    }
    cargo
}
