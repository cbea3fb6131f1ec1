//! The delay queue on virtual time.

mod wakers;

use std::pin::pin;
use std::task::{Poll, Waker};
use std::time::Duration;

use timers::{Clock, DelayQueue, Local, LocalTimers};
use wakers::{Count, MS, poll, poll_once};

fn next(queue: &mut DelayQueue<u32, Local>, waker: &Waker) -> Poll<Option<u32>> {
    poll(&mut pin!(queue.next()), waker)
}

#[test]
fn values_come_out_at_their_deadlines_in_order() {
    let clock = Clock::auto();
    let start = clock.now();
    let timers = LocalTimers::new(clock.clone());
    let mut queue = DelayQueue::new(&timers);
    assert_eq!(poll_once(&mut pin!(queue.next())), Poll::Ready(None));
    for value in [30, 10, 20, 10, 0] {
        queue.insert(value, value * MS);
    }
    let removed = queue.insert(15, 15 * MS);
    let moved = queue.insert_at(25, start + 5 * MS);
    assert!(queue.reset(moved, start + 25 * MS));
    assert_eq!((queue.remove(removed), queue.len()), (Some(15), 6));
    assert!(!queue.is_empty());
    let mut trace = Vec::new();
    loop {
        match poll_once(&mut pin!(queue.next())) {
            Poll::Ready(Some(value)) => trace.push((value, (clock.now() - start).as_millis())),
            Poll::Ready(None) => break,
            Poll::Pending => {
                assert_eq!(timers.patience(), Some(Duration::ZERO));
                timers.fire();
            }
        }
    }
    assert_eq!(
        trace,
        [(0, 0), (10, 10), (10, 10), (20, 20), (25, 25), (30, 30)]
    );
    assert!(queue.is_empty() && !queue.reset(moved, start) && queue.remove(moved).is_none());
}

#[test]
fn an_earlier_value_wakes_the_task_that_waits_for_a_later_one() {
    let clock = Clock::manual();
    let timers = LocalTimers::new(clock.clone());
    let (count, waker) = Count::new();
    let mut queue = DelayQueue::new(&timers);
    let late = queue.insert(10, 10 * MS);
    assert!(next(&mut queue, &waker).is_pending());
    queue.insert(3, 3 * MS);
    clock.advance(3 * MS);
    assert_eq!((timers.fire(), count.get()), (1, 1));
    assert_eq!(next(&mut queue, &waker), Poll::Ready(Some(3)));
    assert!(next(&mut queue, &waker).is_pending());
    assert!(queue.reset(late, clock.now() + MS));
    clock.advance(MS);
    assert_eq!((timers.fire(), count.get()), (1, 2));
    assert_eq!(next(&mut queue, &waker), Poll::Ready(Some(10)));
    assert_eq!(next(&mut queue, &waker), Poll::Ready(None));
}
