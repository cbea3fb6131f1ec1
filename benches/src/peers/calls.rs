//! The limit of switching tasks: functions in boxes in a queue, called one after the other. No
//! wakers, no outputs, no way to wait: what remains is a queue, an indirect call and an allocation.

use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;

use crate::workload::{Contender, Invalid, Measured, Pass, Scale, expect_count};

/// What it is called in the report.
pub const NAME: &str = "calls";

/// A function, and what is to become of it after a call.
struct Call(Box<dyn FnMut() -> After>);

enum After {
    Again,
    Done,
    Then(Call),
}

fn run(queue: &mut VecDeque<Call>) {
    while let Some(mut call) = queue.pop_front() {
        match call.0() {
            After::Again => queue.push_back(call),
            After::Done => {}
            After::Then(next) => queue.push_back(next),
        }
    }
}

/// Beside tasks that yield: functions that are called again.
#[must_use]
pub fn again(scale: Scale) -> Vec<Contender> {
    let (calls, times) = (scale.of(200, 3) as u64, scale.of(1_000, 5) as u64);
    contender(calls * times, move |queue, called| {
        for _ in 0..calls {
            let called = Rc::clone(called);
            let mut left = times;
            queue.push_back(Call(Box::new(move || {
                called.set(called.get() + 1);
                left -= 1;
                if left > 0 { After::Again } else { After::Done }
            })));
        }
    })
}

/// Beside tasks that are spawned: functions that are called once.
#[must_use]
pub fn once(scale: Scale) -> Vec<Contender> {
    let calls = scale.of(1_000, 10) as u64;
    contender(calls, move |queue, called| {
        for _ in 0..calls {
            let called = Rc::clone(called);
            queue.push_back(Call(Box::new(move || {
                called.set(called.get() + 1);
                After::Done
            })));
        }
    })
}

/// Beside tasks that spawn their like: functions that make the next one.
#[must_use]
pub fn chained(scale: Scale) -> Vec<Contender> {
    let links = scale.of(1_000, 10) as u64;
    contender(links, move |queue, called| {
        queue.push_back(link(links, Rc::clone(called)))
    })
}

fn link(left: u64, called: Rc<Cell<u64>>) -> Call {
    Call(Box::new(move || {
        called.set(called.get() + 1);
        match left {
            1 => After::Done,
            _ => After::Then(link(left - 1, Rc::clone(&called))),
        }
    }))
}

fn contender(
    calls: u64,
    fill: impl Fn(&mut VecDeque<Call>, &Rc<Cell<u64>>) + 'static,
) -> Vec<Contender> {
    let build = move || -> Result<Pass, Invalid> {
        let mut queue = VecDeque::new();
        Ok(Box::new(move || {
            Measured::cpu(calls, || {
                let called = Rc::new(Cell::new(0));
                fill(&mut queue, &called);
                run(&mut queue);
                expect_count("calls", called.get(), calls)
            })
        }))
    };
    vec![Contender::new(NAME, build)]
}
