//! Executor only: a game loop. No kernel, no clock: a 'frame' is all the time there is.
//!
//! Run it: `cargo run --example executor_only`
//!
//! Watch the frames. Each figure is an `async` function that walks, and waits for the next frame
//! where a hand-written game would need a state machine. The host owns the loop: it runs one
//! batch a frame and draws. `run_batch` polls what was ready when it began and nothing that became
//! ready meanwhile, so a figure takes one step a frame however eager it is.

use std::cell::RefCell;
use std::rc::Rc;

use executor::{LocalExecutor, yield_now};

const WIDTH: usize = 12;

type Field = Rc<RefCell<[char; WIDTH]>>;

/// Walks from `from` to `to`; one step a frame.
async fn walk(field: Field, figure: char, from: usize, to: usize) {
    let mut at = from;
    field.borrow_mut()[at] = figure;
    while at != to {
        yield_now().await; // until the next frame
        let next = if at < to { at + 1 } else { at - 1 };
        if field.borrow()[next] != '.' {
            continue; // somebody is in the way: try again in the next frame
        }
        let mut field = field.borrow_mut();
        (field[at], field[next]) = ('.', figure);
        at = next;
    }
    yield_now().await;
    field.borrow_mut()[at] = '.'; // leaves through the door
}

fn main() {
    let field: Field = Rc::new(RefCell::new(['.'; WIDTH]));
    let executor = LocalExecutor::new();
    drop(executor.spawn(walk(field.clone(), 'a', 0, 8)));
    drop(executor.spawn(walk(field.clone(), 'b', 5, 9)));
    drop(executor.spawn(walk(field.clone(), 'c', 11, 10)));

    let mut frame = 0;
    while executor.run_batch() {
        frame += 1;
        println!(
            "frame {frame:>2} {}",
            field.borrow().iter().collect::<String>()
        );
    }
    println!("all have left after {frame} frames");
}
