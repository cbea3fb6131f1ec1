//! What is told of a recording: in words, in answers, for other people's tools.

use std::collections::HashMap;

use demos::trace::command::sequence;
use demos::trace::filter::{self, Filter};
use demos::trace::idle::why_idle;
use demos::trace::late::why_late;
use demos::trace::perfetto;
use demos::trace::reader::{MOST, Trace};
use demos::trace::story::Story;
use demos::trace::summary::summary;
use serde_json::Value;

use crate::sample;

fn on_the_sample(check: impl FnOnce(&Story<'_>)) {
    let file = sample::file();
    let trace = Trace::read(&file, MOST).unwrap();
    check(&Story::of(&trace));
}

#[test]
fn the_sequence_of_the_article() {
    on_the_sample(|story| {
        let kinds = ["input", "output", "park"].map(|name| filter::kind(name).unwrap());
        let filter = Filter {
            kinds: kinds.to_vec(),
            ..Filter::default()
        };
        assert_eq!(
            sequence(story, &filter),
            "       \
             0.004ms  loop          I1 available, sent for processing: sleep 1ms
       0.006ms  loop          I2 available, sent for processing: read <script>
       0.017ms  loop        checking for input: waits 995us at most
       0.129ms  loop          O2 ready, sent for display: 1 line
       0.131ms  loop        checking for input: waits 881us at most
       1.031ms  loop          O1 ready, sent for display: slept\n"
        );
    });
}

#[test]
fn every_kind_has_its_words() {
    on_the_sample(|story| {
        let text = sequence(story, &Filter::default());
        assert_eq!(text.lines().count(), story.trace.entries.len());
        for line in text.lines() {
            assert!(line.len() > 30, "{line}");
        }
        for words in [
            "task 2 (I1) is spawned by task 1 (session), at b.rs:2",
            "task 2 (I1) waits for timer 1: due in 1ms, on level 2 in slot 17",
            "timer 1 comes down to level 0, slot 3",
            "timer 1 is due, 10us late",
            "task 2 (I1) is woken by timer 1",
            "task 3 (I2) is woken by the thread blocking-1",
            "blocking-1  call 1 is made, after 70us",
            "task 1 (session) waits to read: source 1 (pipe)",
            "(I1 is taken in)",
        ] {
            assert!(text.contains(words), "{words}\n{text}");
        }
    });
}

#[test]
fn one_task_one_input_one_time() {
    on_the_sample(|story| {
        let lines = |filter: Filter| sequence(story, &filter).lines().count();
        assert_eq!(
            lines(Filter {
                task: Some(3),
                ..Filter::default()
            }),
            12
        );
        let of_input = sequence(
            story,
            &Filter {
                input: Some(1),
                ..Filter::default()
            },
        );
        assert!(
            of_input.contains("O1") && of_input.contains("timer 1"),
            "{of_input}"
        );
        assert!(
            !of_input.contains("O2") && !of_input.contains("call"),
            "{of_input}"
        );
        assert_eq!(
            lines(Filter {
                times: 121_000..=122_000,
                ..Filter::default()
            }),
            2
        );
        assert!(
            filter::kind("tern")
                .unwrap_err()
                .starts_with("the kinds are turn, spawn, ")
        );
        assert_eq!(
            (story.find_task("I2"), story.find_task("2")),
            (Some(3), Some(2))
        );
    });
}

#[test]
fn why_was_o1_late() {
    on_the_sample(|story| {
        assert_eq!(
            why_late(story, 1).unwrap(),
            "O1 went out 1ms after I1 was taken in.

Step by step, each the cause of the next:
         0.004ms  I1 available, sent for processing: sleep 1ms
         0.005ms  task 2 (I1) is spawned by task 1 (session), at b.rs:2
         0.011ms  task 2 (I1) is polled
         0.012ms  task 2 (I1) waits for timer 1: due in 1ms, on level 2 in slot 17
         1.022ms  timer 1 is due, 10us late
         1.023ms  task 2 (I1) is woken by timer 1
         1.025ms  task 2 (I1) is polled
         1.026ms  task 1 (session) is woken by task 2 (I1)
         1.030ms  task 1 (session) is polled
         1.031ms  O1 ready, sent for display: slept

Of this, task 2 (I1):
             1ms  waited for somebody to wake it (1 time)
             9us  was ready, and waited for its turn (2 times)
             5us  was polled (2 times)
             3us  from its end to the output
"
        );
        let of_two = why_late(story, 2).unwrap();
        for link in [
            "hands call 1 to the pool",
            "call 1 begins",
            "call 1 is made",
            "by the thread",
        ] {
            assert!(of_two.contains(link), "{of_two}");
        }
        let unknown = why_late(story, 9).unwrap_err();
        assert_eq!(
            unknown,
            "there is no I9 in this recording; there are I1 to I2"
        );
    });
}

#[test]
fn why_is_it_not_running() {
    on_the_sample(|story| {
        let first = |task, at| {
            let text = why_idle(story, task, Some(at)).unwrap();
            text.split("\n\n").next().unwrap().to_owned()
        };
        assert_eq!(
            first("I1", 500_000),
            "At 0.500ms, task 2 (I1) waits since 487us, for whichever comes first:\n  \
             * timer 1, due in 512us"
        );
        assert_eq!(
            first("3", 60_000),
            "At 0.060ms, task 3 (I2) waits since 44us, for whichever comes first:\n  \
             * call 1, which blocking-1 has been making for 20us"
        );
        assert_eq!(
            first("I2", 8_000),
            "At 0.008ms, task 3 (I2) is ready since 1us (just spawned) and waits for its turn: \
             loop has been polling task 1 (session) for 5us."
        );
        assert_eq!(
            first("session", 50_000),
            "At 0.050ms, task 1 (session) waits since 41us, for whichever comes first:\n  \
             * something to read from source 1 (pipe)"
        );
        assert!(
            first("I2", 900_000).contains("is no more: 775us ago"),
            "{}",
            first("I2", 900_000)
        );
        assert!(first("I1", 11_500).contains("is running: its poll began 500ns ago"));
        let unknown = why_idle(story, "I7", None).unwrap_err();
        assert!(
            unknown.starts_with("there is no task `I7` in this recording; there are 1 (session)")
        );
    });
}

#[test]
fn a_wake_within_the_poll_makes_it_ready() {
    on_the_sample(|story| {
        let text = why_idle(story, "session", None).unwrap();
        assert!(
            text.contains("is ready since 2us (woken by itself)"),
            "{text}"
        );
    });
}

#[test]
fn the_summary_names_what_stood_out() {
    on_the_sample(|story| {
        let text = summary(story);
        for line in [
            "event-loop run, 2026-11-22T13:00:00Z: 48 events of 1ms",
            "polls           7 of 3 tasks, 21us in all",
            "longest polls   6us at 0.003ms: task 1 (session)",
            "loop            parked 992us (95%) in 2 waits; 6 turns",
            "wakes           5: other tasks 2, itself 1, the pool 1, timers 1",
            "timers          1: 1 fired, 0 cancelled; late by 10us (median), 10us (most)",
            "inputs          2, 2 with an output; the slowest is I1, 1ms",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    });
}

/// The rules of the 'Trace Event Format' that Perfetto and chrome://tracing go by.
#[test]
fn perfetto_is_given_what_its_format_asks_for() {
    on_the_sample(|story| {
        let whole: Value = serde_json::from_str(&perfetto::export(story)).unwrap();
        let events = whole["traceEvents"].as_array().unwrap();
        let (mut starts, mut ends, mut spans) = (HashMap::new(), Vec::new(), HashMap::new());
        let mut slices: Vec<(u64, f64, f64, String)> = Vec::new();
        for event in events {
            let phase = event["ph"].as_str().unwrap();
            let name = event["name"]
                .as_str()
                .expect("each event has a name")
                .to_owned();
            assert!(event["pid"].is_u64() && event["tid"].is_u64(), "{event}");
            if phase == "M" {
                assert!(event["args"]["name"].is_string());
                continue;
            }
            let at = event["ts"].as_f64().expect("microseconds");
            let thread = event["tid"].as_u64().unwrap();
            match phase {
                "X" => slices.push((thread, at, event["dur"].as_f64().unwrap(), name)),
                "s" => drop(starts.insert(event["id"].as_u64().unwrap(), (thread, at, name))),
                "f" => {
                    assert_eq!(event["bp"], "e", "binds to the slice around it");
                    let (_, from, its_name) = &starts[&event["id"].as_u64().unwrap()];
                    assert!(*from < at, "backwards in time");
                    assert_eq!(*its_name, name, "two ends with two names are no arrow");
                    ends.push((thread, at));
                }
                "b" | "e" => {
                    let key = (event["cat"].to_string(), event["id"].to_string());
                    *spans.entry(key).or_insert(0) += if phase == "b" { 1 } else { -1 };
                }
                "i" => assert_eq!(event["s"], "t", "an instant of its thread"),
                other => panic!("no phase of the format: {other}"),
            }
        }
        assert!(ends.len() >= 4 && ends.len() <= starts.len(), "{ends:?}");
        // A viewer that goes by time alone finds the wake at the one end and the poll at the other.
        let begins = |thread, at| {
            let mut there = slices
                .iter()
                .filter(|slice| (slice.0, slice.1) == (thread, at));
            let only = there.next().map(|slice| slice.3.as_str());
            assert_eq!(there.next(), None);
            only.unwrap_or_default()
        };
        assert!(
            starts
                .values()
                .all(|(thread, at, _)| begins(*thread, *at) == "wake")
        );
        assert!(
            ends.iter()
                .all(|(thread, at)| begins(*thread, *at).starts_with("task"))
        );
        assert!(
            spans.values().all(|open| *open == 0),
            "spans end: {spans:?}"
        );
        assert!(slices.iter().any(|(_, _, _, name)| name == "call 1"));
        // On one thread slices lie beside or within each other: they never cross.
        for (index, (thread, at, length, name)) in slices.iter().enumerate() {
            for (other_thread, other_at, other_length, other) in &slices[index + 1..] {
                let (end, other_end) = (at + length, other_at + other_length);
                let apart = end <= *other_at + 1e-9 || other_end <= *at + 1e-9;
                let within = (other_at >= at && other_end <= end + 1e-9)
                    || (at >= other_at && end <= other_end + 1e-9);
                assert!(
                    thread != other_thread || apart || within,
                    "{name} crosses {other}"
                );
            }
        }
    });
}
