//! Which ready task is next: the oldest, or one a function chooses.

use std::cell::RefCell;

use crate::local::header::Link;
use crate::local::ready::ReadyQueue;

type Choose = Box<dyn FnMut(usize) -> usize>;

/// The order in which ready tasks are taken.
pub(crate) enum Order {
    /// First in, first out.
    Fair,
    /// Among `n` ready tasks the one at the index the function gives for `n`.
    Chosen(RefCell<Choose>),
}

/// Takes the task the function chooses.
pub(crate) fn pop(choose: &RefCell<Choose>, ready: &ReadyQueue) -> Link {
    let len = ready.len();
    if len == 0 {
        return None;
    }
    let index = (choose.borrow_mut())(len);
    ready.pop_at(index.min(len - 1))
}
