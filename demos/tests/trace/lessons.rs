//! The lessons show what they say they show.

use demos::trace::event::{Event, How};
use demos::trace::idle::why_idle;
use demos::trace::reader::{MOST, Trace};
use demos::trace::story::Story;
use demos::trace::{html, lessons};

#[test]
fn each_lesson_holds() {
    let files = lessons::play().unwrap();
    let traces: Vec<Trace<'_>> = files
        .iter()
        .map(|file| Trace::read(file, MOST).unwrap())
        .collect();
    for trace in &traces {
        let title = trace.header.title.as_deref().unwrap();
        assert_eq!((trace.lost, trace.broken_off), (0, None), "{title}");
        assert!(
            trace.header.about.is_some() && trace.header.wheel_zero.is_some(),
            "{title}"
        );
        let notes = trace
            .entries
            .iter()
            .filter(|entry| matches!(entry.event, Event::Note { .. }));
        assert!(notes.count() >= 2, "{title} has captions");
    }
    let [order, lost, starved, cascade, stolen] = &traces[..] else {
        panic!("five lessons")
    };
    assert_eq!(outputs(order)[..2], [2, 1]);
    the_wake_up_is_lost(lost);
    the_timer_beside_the_greedy_task_fires(starved);
    let moves = |trace: &Trace<'_>| {
        trace
            .entries
            .iter()
            .filter(|entry| matches!(entry.event, Event::Move { .. }))
            .count()
    };
    assert!(moves(cascade) >= 4, "{}", moves(cascade));
    let polled_by: std::collections::BTreeSet<u16> = stolen
        .entries
        .iter()
        .filter(|entry| matches!(entry.event, Event::Poll { .. }))
        .map(|entry| entry.thread)
        .collect();
    assert_eq!(polled_by.len(), 2, "both workers ran something");
    is_pointed_out(cascade, |event| matches!(event, Event::Move { .. }));
    is_pointed_out(stolen, |event| matches!(event, Event::Steal { .. }));
    let page = html::page(&traces);
    assert!(page.contains("A lost wake-up") && page.contains("Work is stolen"));
}

/// A caption comes right before the first such event after the lesson's first caption.
fn is_pointed_out(trace: &Trace<'_>, is_it: impl Fn(&Event<'_>) -> bool) {
    let is_note = |event: &Event<'_>| matches!(event, Event::Note { .. });
    let mut entries = trace.entries.iter();
    entries.find(|entry| is_note(&entry.event)).unwrap();
    let told: Vec<_> = entries.collect();
    let first = told.iter().position(|entry| is_it(&entry.event)).unwrap();
    let here = told[..first].iter().rev();
    let before = here.filter(|entry| entry.thread == told[first].thread);
    assert!(
        before
            .map(|entry| entry.event)
            .next()
            .is_some_and(|event| is_note(&event))
    );
}

fn outputs(trace: &Trace<'_>) -> Vec<u64> {
    let output = |event: Event<'_>| match event {
        Event::Output { number, .. } => Some(number),
        _ => None,
    };
    trace
        .entries
        .iter()
        .filter_map(|entry| output(entry.event))
        .collect()
}

fn the_wake_up_is_lost(trace: &Trace<'_>) {
    let story = Story::of(trace);
    let broken = story.find_task("looks first").unwrap();
    let sound = story.find_task("leaves waker first").unwrap();
    let ended = |task| {
        trace.entries.iter().find_map(|entry| match entry.event {
            Event::End { task: it, how } if it == task => Some((entry.at, how)),
            _ => None,
        })
    };
    let (at, how) = ended(broken).unwrap();
    assert_eq!(
        (how, ended(sound).unwrap().1),
        (How::Cancelled, How::Output)
    );
    let why = why_idle(&story, "looks first", Some(at - 20_000_000)).unwrap();
    assert!(
        why.contains("If nobody will, its wake-up was lost."),
        "{why}"
    );
}

fn the_timer_beside_the_greedy_task_fires(trace: &Trace<'_>) {
    let story = Story::of(trace);
    let greedy = story.find_task("greedy").unwrap();
    let polls = story
        .polls()
        .iter()
        .filter(|poll| poll.task == greedy)
        .count();
    assert_eq!(polls, 401);
    let fired = trace
        .entries
        .iter()
        .position(|entry| matches!(entry.event, Event::Fire { .. }));
    let last = story
        .polls()
        .iter()
        .rev()
        .find(|poll| poll.task == greedy)
        .unwrap();
    assert!(
        fired.unwrap() < last.begin,
        "while the greedy task was still at it"
    );
}
