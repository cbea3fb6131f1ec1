//! A simulated connection: two ends, and between them whatever a network does.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use futures::{AsyncRead, AsyncWrite};
use hyper::rt::{self, ReadBufCursor};
use timers::SharedTimers;

use crate::chance::{Chance, Fault};

/// One direction: what was sent, what has arrived.
#[derive(Default)]
struct Lane {
    sent: VecDeque<u8>,
    arrived: VecDeque<u8>,
    /// The sender has said all (it may still be underway).
    closed: bool,
    /// The reader has been told of everything, the end included.
    ended: bool,
    /// The reader's end was dropped.
    gone: bool,
    room: usize,
    reader: Option<Waker>,
    writer: Option<Waker>,
    carrier: Option<Waker>,
}

/// The wire, with a lane each way.
pub(crate) struct Wire {
    lanes: [RefCell<Lane>; 2],
    reset: Cell<bool>,
    chance: Chance,
}

/// An end of a wire. Dropped, both its directions are over.
pub(crate) struct End {
    wire: Rc<Wire>,
    /// The lane it writes into; it reads from the other one.
    side: usize,
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

/// A new wire, the futures that carry its bytes, and its two ends.
pub(crate) fn wire(
    chance: &Chance,
    timers: &SharedTimers,
) -> ([End; 2], impl Future<Output = ()> + use<>) {
    let lane = || {
        let room = [1, 7, 100, 5000][chance.below(4)];
        RefCell::new(Lane {
            room,
            ..Lane::default()
        })
    };
    let lanes = [lane(), lane()];
    let wire = Rc::new(Wire {
        lanes,
        reset: Cell::new(false),
        chance: chance.clone(),
    });
    let ends = [0, 1].map(|side| End {
        wire: Rc::clone(&wire),
        side,
    });
    let carriers = [0, 1].map(|side| carry(Rc::clone(&wire), timers.clone(), side));
    (ends, async move {
        futures::future::join_all(carriers).await;
    })
}

/// Carries the bytes of one lane, late and in pieces, until its end has arrived.
async fn carry(wire: Rc<Wire>, timers: SharedTimers, side: usize) {
    loop {
        poll_fn(|cx| {
            let mut lane = wire.lanes[side].borrow_mut();
            if !lane.sent.is_empty() || lane.closed || wire.reset.get() {
                return Poll::Ready(());
            }
            lane.carrier = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
        if !wire.chance.once_in(3) {
            wire.chance.count(Fault::Delay);
            timers.sleep(wire.chance.millis(40)).await;
        }
        if wire.chance.strikes(Fault::SpuriousEvent, 10) {
            let mut lane = wire.lanes[side].borrow_mut();
            wake(&mut lane.reader);
            wake(&mut lane.writer);
        }
        if wire.chance.once_in(2_000) {
            wire.break_down();
        }
        if wire.reset.get() {
            return;
        }
        wire.arrive(side);
        if wire.chance.strikes(Fault::LateEvent, 10) {
            timers.sleep(wire.chance.millis(40)).await;
        }
        let mut lane = wire.lanes[side].borrow_mut();
        wake(&mut lane.writer);
        wake(&mut lane.reader);
        if lane.ended {
            return;
        }
    }
}

impl Wire {
    /// A piece of what is underway has arrived, or all of it. Nobody is told.
    fn arrive(&self, side: usize) {
        let mut lane = self.lanes[side].borrow_mut();
        let most = lane.sent.len();
        let piece = if most > 1 && self.chance.once_in(2) {
            1 + self.chance.below(most)
        } else {
            most
        };
        let bytes: Vec<u8> = lane.sent.drain(..piece).collect();
        lane.arrived.extend(bytes);
        lane.ended = lane.closed && lane.sent.is_empty();
    }

    /// A reset: both ends hear of it, and what was underway is gone.
    pub(crate) fn break_down(&self) {
        if !self.reset.replace(true) {
            self.chance.count(Fault::Reset);
        }
        for lane in &self.lanes {
            let mut lane = lane.borrow_mut();
            lane.sent.clear();
            lane.arrived.clear();
            wake(&mut lane.reader);
            wake(&mut lane.writer);
            wake(&mut lane.carrier);
        }
    }

    /// 'Not now', and a wake-up for no reason: the caller will have to try again.
    fn hesitates(&self, cx: &Context<'_>) -> bool {
        let hesitates = self.chance.strikes(Fault::NotNow, 5);
        if hesitates {
            cx.waker().wake_by_ref();
        }
        hesitates
    }
}

impl End {
    pub(crate) fn wire(&self) -> &Wire {
        &self.wire
    }

    pub(crate) fn was_reset(&self) -> bool {
        self.wire.reset.get()
    }

    pub(crate) fn poll_receive(&self, cx: &Context<'_>, most: usize) -> Poll<io::Result<Vec<u8>>> {
        if self.wire.hesitates(cx) {
            return Poll::Pending;
        }
        if self.wire.reset.get() {
            return Poll::Ready(Err(ErrorKind::ConnectionReset.into()));
        }
        let mut lane = self.wire.lanes[1 - self.side].borrow_mut();
        if lane.arrived.is_empty() && !lane.ended {
            lane.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let there = lane.arrived.len().min(most);
        let piece = if there > 1 && self.wire.chance.strikes(Fault::ShortRead, 4) {
            1 + self.wire.chance.below(there - 1)
        } else {
            there
        };
        Poll::Ready(Ok(lane.arrived.drain(..piece).collect()))
    }

    pub(crate) fn poll_send(&self, cx: &Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.wire.hesitates(cx) {
            return Poll::Pending;
        }
        if self.wire.reset.get() {
            return Poll::Ready(Err(ErrorKind::ConnectionReset.into()));
        }
        let mut lane = self.wire.lanes[self.side].borrow_mut();
        if lane.closed || lane.gone {
            return Poll::Ready(Err(ErrorKind::BrokenPipe.into()));
        }
        let room = lane.room.saturating_sub(lane.sent.len());
        if room == 0 {
            lane.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let fits = room.min(bytes.len());
        let piece = if fits > 1 && self.wire.chance.strikes(Fault::ShortWrite, 4) {
            1 + self.wire.chance.below(fits - 1)
        } else {
            fits
        };
        lane.sent.extend(&bytes[..piece]);
        wake(&mut lane.carrier);
        Poll::Ready(Ok(piece))
    }

    /// Says that this side has sent all.
    pub(crate) fn close(&self) {
        let mut lane = self.wire.lanes[self.side].borrow_mut();
        lane.closed = true;
        wake(&mut lane.carrier);
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.close();
        // Bytes that nobody will read are answered with a reset.
        let unread = {
            let mut lane = self.wire.lanes[1 - self.side].borrow_mut();
            lane.gone = true;
            wake(&mut lane.writer);
            !lane.arrived.is_empty() || !lane.sent.is_empty()
        };
        if unread {
            self.wire.break_down();
        }
    }
}

impl rt::Read for End {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut cursor: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let most = cursor.remaining();
        self.poll_receive(cx, most)
            .map_ok(|bytes| cursor.put_slice(&bytes))
    }
}

impl rt::Write for End {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_send(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.close();
        Poll::Ready(Ok(()))
    }
}

/// The same for code that reads and writes by the traits of `futures`, through a shared end.
impl AsyncRead for &End {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_receive(cx, buffer.len()).map_ok(|bytes| {
            buffer[..bytes.len()].copy_from_slice(&bytes);
            bytes.len()
        })
    }
}

impl AsyncWrite for &End {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_send(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.close();
        Poll::Ready(Ok(()))
    }
}
