//! Waking tasks that wait, on one thread: what a channel, a timer or a socket does in the end.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use super::local::sum_of;
use crate::roster::{OnLocal, Shape};
use crate::runtime::{Local, LocalSpawn};
use crate::workload::{Invalid, Measured, Pass, Scale, expect_count};

/// Tasks that wait, are woken, and wait again.
pub struct Wake;

impl Shape for Wake {
    const ABOUT: &str = "100 waiting tasks are woken and polled, 100 times each";
    const UNIT: &str = "ns/wake";
}

/// Where waiting tasks leave their wakers, and who waits until all of them have.
#[derive(Default)]
struct Bench {
    seats: usize,
    wakers: RefCell<Vec<Waker>>,
    woken: RefCell<Vec<Waker>>, // kept for its memory
    full: RefCell<Option<Waker>>,
}

impl Bench {
    /// Sits down so many times, and leaves a waker each time; says how often it was woken.
    async fn sit(self: Rc<Self>, times: u64) -> u64 {
        for _ in 0..times {
            let mut seated = false;
            poll_fn(|cx| {
                if seated {
                    return Poll::Ready(());
                }
                seated = true;
                let mut wakers = self.wakers.borrow_mut();
                wakers.push(cx.waker().clone());
                if wakers.len() == self.seats {
                    drop(wakers);
                    let waiter = self.full.take();
                    waiter.into_iter().for_each(Waker::wake);
                }
                Poll::Pending
            })
            .await;
        }
        times
    }

    /// So many times over, waits until every seat is taken, and wakes them all.
    async fn wake(self: Rc<Self>, times: u64) {
        for _ in 0..times {
            poll_fn(|cx| {
                if self.wakers.borrow().len() == self.seats {
                    return Poll::Ready(());
                }
                self.full.replace(Some(cx.waker().clone()));
                Poll::Pending
            })
            .await;
            let mut woken = self.woken.take();
            woken.append(&mut self.wakers.borrow_mut());
            woken.drain(..).for_each(Waker::wake);
            self.woken.replace(woken);
        }
    }
}

impl OnLocal for Wake {
    fn pass<R: Local>(scale: Scale) -> Result<Pass, Invalid> {
        let mut runtime = R::new();
        let (tasks, times) = (scale.of(100, 3), scale.of(100, 3) as u64);
        let wakes = tasks as u64 * times;
        let spawner = runtime.spawner();
        let bench = Rc::new(Bench {
            seats: tasks,
            ..Bench::default()
        });
        Ok(Box::new(move || {
            let wake = Rc::clone(&bench).wake(times);
            Measured::cpu(wakes, || {
                let woken = runtime.block_on(async {
                    let sit = |_| spawner.spawn(Rc::clone(&bench).sit(times));
                    let joins: Vec<_> = (0..tasks).map(sit).collect();
                    spawner.spawn(wake).await;
                    sum_of(joins).await
                });
                expect_count("wakes", woken, wakes)
            })
        }))
    }
}
