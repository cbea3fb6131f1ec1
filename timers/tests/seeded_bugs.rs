//! The tests are tested: faults are built in one at a time, and each must be found by the test that
//! is named for it.
//!
//! Takes about a minute, so it runs when asked for:
//! `cargo test -p handrolled-timers --test seeded_bugs -- --ignored`

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A fault of `src/seeded.rs`, and who finds it.
const FAULTS: &[(&str, &str)] = &[
    (
        "slot_start_level_up",
        "level::tests::the_start_of_a_slot_is_the_first_tick_that_maps_to_it",
    ),
    (
        "level_bit_stays",
        "level::tests::the_first_occupied_slot_is_the_lowest_of_the_lowest_level",
    ),
    ("cascade_off_by_one", "seeded::model::equals_a_btree_map"),
    ("earliest_not_lowered", "seeded::model::equals_a_btree_map"),
    (
        "overdue_joins_turn",
        "seeded::wheel_traps::a_callback_that_inserts_for_now_does_not_hold_up_the_turn",
    ),
    (
        "generation_stays",
        "arena::tests::a_key_goes_stale_when_its_timer_leaves",
    ),
    (
        "merge_is_silent",
        "lists::tests::pages_of_holes_are_merged_and_lists_stay_in_order",
    ),
    (
        "burst_stays",
        "seeded::wheel_traps::a_burst_gives_its_memory_back",
    ),
    (
        "deadline_rounded_down",
        "ticks::tests::deadlines_are_rounded_up_and_the_clock_down",
    ),
    (
        "first_waker_wins",
        "seeded::sleep_traps::the_last_task_that_polled_is_woken",
    ),
    (
        "drop_leaves_timer",
        "seeded::sleep_traps::dropping_a_sleep_takes_it_out_at_once",
    ),
    (
        "panic_ends_turn",
        "seeded::sleep_traps::a_waker_that_panics_does_not_keep_the_others_from_theirs",
    ),
    (
        "wait_goes_on",
        "seeded::sleeps::an_earlier_sleep_from_another_thread_ends_the_wait",
    ),
    (
        "observer_not_contained",
        "seeded::observed::an_observer_that_panics_harms_nobody",
    ),
    (
        "earlier_not_noted",
        "seeded::sleeps::a_sleep_fires_though_nobody_asked_when_it_is_due",
    ),
    (
        "looked_stays",
        "seeded::sleep_traps::postponing_counts_from_this_turn_after_a_time_without_timers",
    ),
    (
        "rests_after_one",
        "seeded::moderation::a_turn_that_fired_one_timer_is_followed_by_no_rest",
    ),
    (
        "rests_add_up",
        "seeded::moderation::input_during_a_rest_fires_what_is_due",
    ),
    (
        "rest_is_interrupted",
        "seeded::moderation::an_earlier_sleep_ends_a_wait_but_not_a_rest",
    ),
    (
        "hold_ignored",
        "seeded::sleeps::a_hold_keeps_an_auto_clock_where_it_is",
    ),
    (
        "others_ignored",
        "seeded::virtual_clocks::a_loop_that_is_dropped_does_not_stop_time",
    ),
];

/// Builds the crate's unit tests, with the integration tests among them, with this fault in.
fn build(fault: Option<&str>) -> PathBuf {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args([
        "rustc",
        "--package",
        env!("CARGO_PKG_NAME"),
        "--lib",
        "--profile",
        "test",
    ]);
    cargo.args(["--message-format", "json", "--", "--cfg", "seeded_bug"]);
    if let Some(fault) = fault {
        cargo.args(["--cfg", &format!("seeded_bug={fault:?}")]);
    }
    let built = cargo.stderr(Stdio::inherit()).output().unwrap();
    assert!(built.status.success(), "{fault:?} does not build");
    let messages = String::from_utf8(built.stdout).unwrap();
    let (_, after) = messages
        .rsplit_once("\"executable\":\"")
        .expect("cargo names the binary");
    PathBuf::from(after.split_once('"').unwrap().0)
}

/// Runs tests and says whether they passed. A fault may also show as a test without end.
fn passes(binary: &PathBuf, tests: &[&str]) -> bool {
    let mut command = Command::new(binary);
    command
        .arg("--exact")
        .args(tests)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut running = command.spawn().unwrap();
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        if let Some(status) = running.try_wait().unwrap() {
            return status.success();
        }
        thread::sleep(Duration::from_millis(5));
    }
    running.kill().unwrap();
    running.wait().unwrap();
    false
}

/// Far beyond what the slowest of the tests needs.
const PATIENCE: Duration = Duration::from_secs(30);

fn has_test(binary: &PathBuf, test: &str) -> bool {
    let list = Command::new(binary)
        .args(["--list", "--exact", test])
        .output()
        .unwrap();
    String::from_utf8_lossy(&list.stdout)
        .lines()
        .any(|line| line == format!("{test}: test"))
}

#[test]
#[ignore = "compiles the crate once for each fault"]
fn every_seeded_bug_is_found_by_the_test_named_for_it() {
    let sound = build(None);
    for (_, test) in FAULTS {
        assert!(has_test(&sound, test), "there is no test {test}");
    }
    let all: Vec<&str> = FAULTS.iter().map(|(_, test)| *test).collect();
    assert!(passes(&sound, &all), "without a fault they pass");
    let mut missed = Vec::new();
    for (fault, test) in FAULTS {
        let found = !passes(&build(Some(fault)), &[test]);
        println!(
            "{} {fault}: {test}",
            if found { "found " } else { "MISSED" }
        );
        if !found {
            missed.push(fault);
        }
    }
    assert!(missed.is_empty(), "not found: {missed:?}");
}

#[test]
fn every_fault_has_a_test() {
    let seeded = include_str!("../src/seeded.rs");
    let mut declared: Vec<&str> = seeded.split("seeded_bug = \"").skip(1).collect();
    for fault in &mut declared {
        *fault = fault.split_once('"').unwrap().0;
    }
    declared.sort_unstable();
    let mut named: Vec<&str> = FAULTS.iter().map(|(fault, _)| *fault).collect();
    named.sort_unstable();
    assert_eq!(declared, named);
}
