//! What a program itself tells of its run: inputs, outputs, remarks, names, who wakes it.
//!
//! These go to the recorder of this thread, if it has one, and to nobody if not: code that tells
//! need not know whether somebody listens, and pays one look at a thread's own variable.

use std::cell::Cell;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::event::Event;
use super::here;
use super::outside;
use super::sheet::shortened;

thread_local! {
    /// Set by the first recorder that is made on this thread, so that the rest costs nothing
    /// before.
    static LISTENED_TO: Cell<bool> = const { Cell::new(false) };

    /// What the sources are that are registered now.
    static WHAT: Cell<&'static str> = const { Cell::new("") };
}

/// From now on this thread's remarks may be heard.
pub(super) fn listen() {
    LISTENED_TO.set(true);
}

/// Whether anybody listens.
#[inline]
#[must_use]
pub fn is_on() -> bool {
    LISTENED_TO.get()
}

/// A name that is worth making only if somebody listens.
#[inline]
#[must_use]
pub fn name(make: impl FnOnce() -> String) -> String {
    if is_on() { make() } else { String::new() }
}

/// An input was taken in; its task, if it gets one, is called `I` and its number.
pub fn input(number: u64, text: &str) {
    tell(&Event::Input {
        number,
        text: shortened(text),
        task: None,
    });
}

/// An output goes out.
pub fn output(number: u64, text: &str, ok: bool) {
    let text = shortened(text);
    tell(&Event::Output { number, text, ok });
}

/// A remark on what happens next, for whoever reads the trace.
pub fn note(text: &str) {
    // A caption is written by hand, and may be longer than what is recorded by the thousand.
    let end = text.floor_char_boundary(2000);
    tell(&Event::Note { text: &text[..end] });
}

/// What `make` registers is called `what`: the descriptor alone would only tell that it is, for
/// example, a socket.
pub fn calling<T>(what: &'static str, make: impl FnOnce() -> T) -> T {
    let before = WHAT.replace(what);
    let made = make();
    WHAT.set(before);
    made
}

/// What a source that is registered now is called; empty, if that was not said.
pub(super) fn what() -> &'static str {
    WHAT.get()
}

/// Awaits something that a thread brings about whom nobody observes: if it wakes the task, the
/// trace names it.
pub fn from_elsewhere<F: Future>(future: F) -> impl Future<Output = F::Output> {
    FromElsewhere(Box::pin(future)) // a thread is asked for it: an allocation is little beside that
}

struct FromElsewhere<F>(Pin<Box<F>>);

impl<F: Future> Future for FromElsewhere<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let waker = if is_on() {
            outside::waker(cx.waker())
        } else {
            None
        };
        match waker {
            Some(waker) => self.0.as_mut().poll(&mut Context::from_waker(&waker)),
            None => self.0.as_mut().poll(cx),
        }
    }
}

fn tell(event: &Event<'_>) {
    if is_on() {
        here::with_current(|sheet| {
            if !sheet.hides() {
                sheet.look_at_the_clock();
                sheet.write(event);
            }
        });
    }
}
