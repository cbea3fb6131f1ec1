//! Handles whose tasks cannot fail here: no workload's task panics, and none is aborted.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A join that panics when its task did.
pub struct Sure<J>(pub J);

impl<T, E: Debug, J: Future<Output = Result<T, E>> + Unpin> Future for Sure<J> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let joined = Pin::new(&mut self.0).poll(cx);
        joined.map(|output| output.expect("a task of the workload failed"))
    }
}
