//! Tasks that send to one another: the shapes and sizes of tokio's `sync_mpsc` and `sync_broadcast`
//! benchmarks, over channels of crates that know no runtime (futures, async-broadcast).
//!
//! A channel's own work is in every figure and the same for all. What differs is who is woken, when,
//! and how often.

use std::future::poll_fn;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::AcqRel, Ordering::Acquire, Ordering::Relaxed};
use std::task::Poll;

use ::futures::channel::mpsc::{self, Receiver, Sender, UnboundedReceiver, UnboundedSender};
use ::futures::task::AtomicWaker;
use ::futures::{SinkExt, Stream, StreamExt};

use crate::roster::{OnLocal, OnThreads, Shape};
use crate::runtime::{Local, LocalSpawn, Spawn, Threaded};
use crate::workload::{Invalid, Measured, Pass, Scale, expect_count};

/// A channel from many senders to one receiver.
pub trait Channel: 'static {
    /// The end that tasks share.
    type Sender: Clone + Send + 'static;
    /// The other end.
    type Receiver: Stream<Item = u64> + Unpin + 'static;

    /// A fresh one.
    fn open() -> (Self::Sender, Self::Receiver);
    /// Sends one, when there is room.
    fn send(sender: &mut Self::Sender, number: u64) -> impl Future<Output = ()> + Send;
}

/// Room for any number, so that nobody waits to send.
pub struct Unbounded;

/// Room for so many (and one more for each sender, as this channel has it).
pub struct Bounded<const ROOM: usize>;

impl Channel for Unbounded {
    type Sender = UnboundedSender<u64>;
    type Receiver = UnboundedReceiver<u64>;

    fn open() -> (Self::Sender, Self::Receiver) {
        mpsc::unbounded()
    }

    async fn send(sender: &mut Self::Sender, number: u64) {
        let sent = sender.unbounded_send(number);
        sent.expect("the receiver waits");
    }
}

impl<const ROOM: usize> Channel for Bounded<ROOM> {
    type Sender = Sender<u64>;
    type Receiver = Receiver<u64>;

    fn open() -> (Self::Sender, Self::Receiver) {
        mpsc::channel(ROOM)
    }

    async fn send(sender: &mut Self::Sender, number: u64) {
        let sent = sender.feed(number).await;
        sent.expect("the receiver waits");
    }
}

/// Several tasks send to one that waits.
pub struct Contended<C>(PhantomData<C>);

const SENDERS: u64 = 5;

impl<C: Channel> Shape for Contended<C> {
    const ABOUT: &str = "five tasks send 1,000 numbers each to one receiver";
    const UNIT: &str = "ns/message";
}

async fn send_all<C: Channel>(mut sender: C::Sender, messages: u64) {
    for number in 0..messages {
        C::send(&mut sender, number).await;
    }
}

async fn sum<R: Stream<Item = u64> + Unpin>(mut receiver: R) -> u64 {
    let mut sum = 0;
    while let Some(number) = receiver.next().await {
        sum += number;
    }
    sum
}

fn verify(sum: u64, senders: u64, messages: u64) -> Result<(), Invalid> {
    expect_count("as the sum", sum, senders * (messages * (messages - 1) / 2))
}

impl<C: Channel> OnLocal for Contended<C> {
    fn pass<R: Local>(scale: Scale) -> Result<Pass, Invalid> {
        let mut runtime = R::new();
        let messages = scale.of(1_000, 200) as u64;
        let spawner = runtime.spawner();
        Ok(Box::new(move || {
            Measured::cpu(SENDERS * messages, || {
                let received = runtime.block_on(async {
                    let (sender, receiver) = C::open();
                    for _ in 0..SENDERS {
                        spawner.detach(send_all::<C>(sender.clone(), messages));
                    }
                    drop(sender);
                    sum(receiver).await
                });
                verify(received, SENDERS, messages)
            })
        }))
    }
}

impl<C: Channel> OnThreads for Contended<C> {
    fn pass<R: Threaded>(scale: Scale, workers: usize) -> Result<Pass, Invalid> {
        let runtime = R::new(workers);
        let messages = scale.of(1_000, 200) as u64;
        let spawner = runtime.spawner();
        Ok(Box::new(move || {
            Measured::time(SENDERS * messages, || {
                let received = runtime.block_on(async {
                    let (sender, receiver) = C::open();
                    for _ in 0..SENDERS {
                        let sender = sender.clone();
                        spawner.detach(async move { send_all::<C>(sender, messages).await });
                    }
                    drop(sender);
                    sum(receiver).await
                });
                verify(received, SENDERS, messages)
            })
        }))
    }
}

/// One task that sends all, and then receives all: nobody ever waits.
pub struct Uncontended<C>(PhantomData<C>);

impl<C: Channel> Shape for Uncontended<C> {
    const ABOUT: &str = "one task sends 5,000 numbers, then receives them; nobody waits";
    const UNIT: &str = "ns/message";
}

impl<C: Channel> OnLocal for Uncontended<C> {
    fn pass<R: Local>(scale: Scale) -> Result<Pass, Invalid> {
        let mut runtime = R::new();
        let messages = scale.of(5_000, 10) as u64;
        Ok(Box::new(move || {
            Measured::cpu(messages, || {
                let received = runtime.block_on(async {
                    let (sender, receiver) = C::open();
                    send_all::<C>(sender, messages).await;
                    sum(receiver).await
                });
                verify(received, 1, messages)
            })
        }))
    }
}

/// One sends, many receive each of its messages.
pub struct Broadcast;

impl Shape for Broadcast {
    const ABOUT: &str = "100 numbers to 100 tasks each, the next when all have the last";
    const UNIT: &str = "ns/message";
}

/// How many have not received the last message, and who waits for them.
#[derive(Default)]
struct Audience {
    left: AtomicU64,
    sum: AtomicU64,
    waiter: AtomicWaker,
}

impl Audience {
    fn received(&self, number: u64) {
        self.sum.fetch_add(number, Relaxed);
        if self.left.fetch_sub(1, AcqRel) == 1 {
            self.waiter.wake();
        }
    }

    async fn all_received(&self) {
        poll_fn(|cx| {
            self.waiter.register(cx.waker());
            if self.left.load(Acquire) == 0 {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
}

impl OnThreads for Broadcast {
    fn pass<R: Threaded>(scale: Scale, workers: usize) -> Result<Pass, Invalid> {
        let runtime = R::new(workers);
        let (tasks, messages) = (scale.of(100, 3) as u64, scale.of(100, 3) as u64);
        let (sender, receiver) = async_broadcast::broadcast(1_000);
        let audience = Arc::new(Audience::default());
        let spawner = runtime.spawner();
        for _ in 0..tasks {
            let (mut receiver, audience) = (receiver.clone(), Arc::clone(&audience));
            spawner.detach(async move {
                while let Ok(number) = receiver.recv().await {
                    audience.received(number);
                }
            });
        }
        drop(receiver); // each task has its own
        Ok(Box::new(move || {
            audience.sum.store(0, Relaxed);
            Measured::time(tasks * messages, || {
                let sent = runtime.block_on(async {
                    for number in 0..messages {
                        audience.left.store(tasks, Relaxed);
                        if sender.try_broadcast(number).is_err() {
                            return false;
                        }
                        audience.all_received().await;
                    }
                    true
                });
                expect_count("as the number of senders heard", u64::from(sent), 1)?;
                verify(audience.sum.load(Relaxed), tasks, messages)
            })
        }))
    }
}
