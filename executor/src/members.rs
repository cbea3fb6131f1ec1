//! What the sets of tasks share, whatever threads their tasks are on: numbered places for the
//! handles, and futures that leave a note when they go.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

pin_project! {
    /// A member's future; the note goes last, when the future itself is gone.
    pub(crate) struct Member<F, N> {
        #[pin]
        pub(crate) future: F,
        pub(crate) note: N,
    }
}

impl<F: Future, N> Future for Member<F, N> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.project().future.poll(cx)
    }
}

/// The members' handles by number. A number that was left is given again.
pub(crate) struct Members<H> {
    handles: Vec<Option<H>>,
    vacant: Vec<usize>,
}

impl<H> Members<H> {
    pub(crate) const fn new() -> Self {
        Members {
            handles: Vec::new(),
            vacant: Vec::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.handles.len() - self.vacant.len()
    }

    /// The number of who comes next.
    pub(crate) fn next_number(&self) -> usize {
        self.vacant.last().copied().unwrap_or(self.handles.len())
    }

    /// Puts a handle where [`next_number`](Self::next_number) said.
    pub(crate) fn enter(&mut self, handle: H) {
        match self.vacant.pop() {
            Some(number) => self.handles[number] = Some(handle),
            None => self.handles.push(Some(handle)),
        }
    }

    /// The handle of a number that was noted: once for each member, and before it leaves.
    pub(crate) fn noted(&mut self, number: usize) -> &mut H {
        let handle = self.handles[number].as_mut();
        handle.expect("a number is noted once for each task")
    }

    pub(crate) fn leave(&mut self, number: usize) {
        self.handles[number] = None;
        self.vacant.push(number);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &H> {
        self.handles.iter().flatten()
    }
}
