//! This project: the executor alone, the wheel alone, and the three crates composed into a loop.

use std::future::Future;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use executor::{LocalExecutor, LocalJoinHandle, LocalSpawner};
use reactor::Reactor;
use timers::{Clock, Key, LocalSleep, LocalTimers};

use super::joins::Sure;
use super::streams::FuturesIo;
use crate::runtime::{Local, LocalNet, LocalOutside, LocalSpawn, LocalTime, Reschedule, Schedule};
use crate::workload::OURS;

/// One thread, parked by the executor's own `block_on`.
pub struct OneThread(LocalExecutor<'static>);

/// One thread that waits in the reactor until the next deadline, with timers as fine as they are
/// unless told otherwise.
pub type EventLoop = Composed<false>;

/// The same with timers that tick every millisecond, as tokio's do.
pub type CoarseEventLoop = Composed<true>;

/// The three crates, composed.
pub struct Composed<const COARSE: bool> {
    executor: LocalExecutor<'static>,
    reactor: Reactor,
    timers: LocalTimers,
}

type Join<T> = Sure<LocalJoinHandle<T>>;

impl Local for OneThread {
    const NAME: &'static str = OURS;
    type Spawner = LocalSpawner<'static>;

    fn new() -> Self {
        Self(LocalExecutor::new())
    }

    fn spawner(&self) -> Self::Spawner {
        self.0.spawner()
    }

    fn block_on<F: Future>(&mut self, future: F) -> F::Output {
        self.0.block_on(future)
    }
}

impl LocalOutside for OneThread {
    type Join<T: 'static> = Join<T>;

    fn spawn_outside<F>(&mut self, future: F) -> Join<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        Sure(self.0.spawn(future))
    }
}

impl LocalSpawn for LocalSpawner<'static> {
    type Join<T: 'static> = Join<T>;

    fn spawn<F>(&self, future: F) -> Join<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        Sure(LocalSpawner::spawn(self, future))
    }

    fn detach<F: Future<Output = ()> + 'static>(&self, future: F) {
        drop(LocalSpawner::spawn(self, future));
    }

    fn yield_now(&self) -> impl Future<Output = ()> + 'static {
        executor::yield_now()
    }
}

impl<const COARSE: bool> Local for Composed<COARSE> {
    const NAME: &'static str = if COARSE { "ours-1ms" } else { OURS };
    type Spawner = LocalSpawner<'static>;

    fn new() -> Self {
        let reactor = Reactor::new().expect("the reactor starts");
        let executor = LocalExecutor::with_waker(reactor.waker());
        let mut timers = LocalTimers::builder(Clock::monotonic());
        if COARSE {
            timers = timers.tick(Duration::from_millis(1));
        }
        Self {
            executor,
            reactor,
            timers: timers.build(),
        }
    }

    fn spawner(&self) -> Self::Spawner {
        self.executor.spawner()
    }

    fn block_on<F: Future>(&mut self, future: F) -> F::Output {
        let _entered = self.executor.enter();
        let mut main = pin!(self.executor.root(future));
        loop {
            self.executor.run_batches(64); // as the demos' loop
            if let Poll::Ready(output) = main.as_mut().poll_if_woken() {
                return output;
            }
            let patience = if self.executor.has_ready() {
                Some(Duration::ZERO)
            } else {
                self.timers.patience()
            };
            self.reactor.poll(patience).expect("the reactor waits");
            self.timers.fire();
        }
    }
}

impl<const COARSE: bool> LocalTime for Composed<COARSE> {
    type Sleep = LocalSleep;
    type Timer = LocalTimers;

    fn timer(&self) -> LocalTimers {
        self.timers.clone()
    }

    fn sleep(timer: &LocalTimers, duration: Duration) -> LocalSleep {
        timer.sleep(duration)
    }

    fn reset(mut sleep: Pin<&mut LocalSleep>, duration: Duration) {
        sleep.postpone(duration);
    }

    async fn timeout<F: Future>(
        timer: &LocalTimers,
        duration: Duration,
        future: F,
    ) -> Option<F::Output> {
        timer.timeout(duration, future).await.ok()
    }
}

impl<const COARSE: bool> LocalNet for Composed<COARSE> {
    type Unix = FuturesIo<reactor::UnixStream>;
    type Tcp = FuturesIo<reactor::TcpStream>;
    type Listener = reactor::TcpListener;
    type Net = Reactor;

    fn net(&self) -> Reactor {
        self.reactor.clone()
    }

    fn unix(net: &Reactor, stream: UnixStream) -> io::Result<Self::Unix> {
        // Nobody passes descriptors here, which tokio takes for granted on every Unix stream.
        Ok(FuturesIo(
            reactor::UnixStream::from_std(net, stream)?.bytes_only(),
        ))
    }

    fn tcp(net: &Reactor, stream: TcpStream) -> io::Result<Self::Tcp> {
        reactor::TcpStream::from_std(net, stream).map(FuturesIo)
    }

    fn listener(net: &Reactor, listener: TcpListener) -> io::Result<Self::Listener> {
        reactor::TcpListener::from_std(net, listener)
    }

    async fn accept(listener: &Self::Listener) -> io::Result<Self::Tcp> {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        Ok(FuturesIo(stream))
    }
}

/// The wheel by itself.
pub type Wheel = timers::Wheel<u64>;

impl Schedule for Wheel {
    const NAME: &'static str = OURS;
    type Key = Key;

    fn new() -> Self {
        Wheel::new()
    }

    fn insert(&mut self, deadline: u64, value: u64) -> Key {
        Wheel::insert(self, deadline, value)
    }

    fn cancel(&mut self, key: Key) -> Option<u64> {
        Wheel::cancel(self, key)
    }

    fn advance(&mut self, now: u64, mut fire: impl FnMut(u64)) {
        Wheel::advance(self, now, |_, due| fire(due.value));
    }
}

impl Reschedule for Wheel {
    fn reschedule(&mut self, key: Key, deadline: u64) -> Key {
        let waiting = Wheel::reschedule(self, key, deadline);
        assert!(waiting, "it is waiting");
        key
    }
}
