//! Memory goes back as it was asked for: with the same size and the same alignment. Sanitizers do
//! not see a mistake in this, as `free` asks for neither; other allocators count on both.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::future::{pending, poll_fn};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Poll, Waker};
use std::thread;

use executor::{Executor, LocalExecutor, block_on, yield_now};

#[global_allocator]
static ALLOCATOR: Noting = Noting;
static WRONG: AtomicUsize = AtomicUsize::new(0);

/// Notes before each block what was asked for.
struct Noting;

const NOTE: usize = 16;
const _: () = assert!(size_of::<Layout>() <= NOTE);

/// A layout with room for the note before it, and how much that is.
fn with_note(layout: Layout) -> (Layout, usize) {
    let align = layout.align().max(NOTE);
    let size = layout.size() + align;
    (Layout::from_size_align(size, align).expect("small"), align)
}

// SAFETY: blocks are the system's, moved on by a whole alignment.
unsafe impl GlobalAlloc for Noting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let (whole, before) = with_note(layout);
        // SAFETY: it is not empty.
        let start = unsafe { System.alloc(whole) };
        if start.is_null() {
            return start;
        }
        // SAFETY: there are so many bytes and the caller's.
        let memory = unsafe { start.add(before) };
        // SAFETY: they are at least as many as the note has.
        let note = unsafe { memory.sub(NOTE) }.cast::<Layout>();
        // SAFETY: as above; it is aligned to the size of a note at least.
        unsafe { note.write(layout) };
        memory
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: a note is before each block.
        let note = unsafe { memory.sub(NOTE) }.cast::<Layout>();
        // SAFETY: it was written by `alloc`.
        let asked = unsafe { note.read() };
        if asked != layout {
            WRONG.fetch_add(1, Ordering::Relaxed); // to panic here would not be sound
        }
        let (whole, before) = with_note(asked);
        // SAFETY: so many bytes before it the system's block begins.
        let start = unsafe { memory.sub(before) };
        // SAFETY: it was allocated so.
        unsafe { System.dealloc(start, whole) };
    }
}

#[repr(align(64))]
struct Wide(#[expect(dead_code, reason = "it is there for its size")] [u8; 200]);

async fn holds<C>(captures: C) -> Waker {
    let waker = poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
    yield_now().await;
    black_box(&captures);
    waker
}

async fn never_ends<C>(captures: C) {
    pending::<()>().await;
    black_box(&captures);
}

/// Each way in which the memory of a task may go.
fn on_one_thread<C: 'static>(captures: impl Fn() -> C) {
    let executor = LocalExecutor::new();
    let mut wakers = Vec::new();
    for _ in 0..3 {
        let joined = executor.spawn(holds(captures()));
        wakers.push(executor.block_on(joined).unwrap());
        drop(executor.spawn(never_ends(captures())));
        executor.spawn(never_ends(captures())).abort();
        executor.run_batch();
    }
    thread::spawn(|| drop(wakers)).join().unwrap(); // the last of their tasks
    executor.run_batch();
}

fn on_several<C: Send + 'static>(captures: impl Fn() -> C) {
    let executor = Executor::builder().workers(2).build().unwrap();
    let mut wakers = Vec::new();
    for _ in 0..3 {
        wakers.push(block_on(executor.spawn(holds(captures()))).unwrap());
        executor.spawn(never_ends(captures())).detach();
        executor.spawn(never_ends(captures())).abort();
    }
    drop(executor);
    drop(wakers);
}

#[test]
fn memory_goes_back_as_it_was_asked_for() {
    fn both<C: Send + 'static>(captures: impl Fn() -> C) {
        on_one_thread(&captures);
        on_several(&captures);
    }
    assert!(the_allocator_notices());
    both(|| ());
    both(|| [0_u8; 1]);
    both(|| [0_u8; 100]);
    both(|| [0_u64; 100]);
    both(|| [0_u64; 200]); // beyond the largest class
    both(|| Wide([0; 200])); // no class has this alignment
    assert_eq!(WRONG.load(Ordering::Relaxed), 0);
}

fn the_allocator_notices() -> bool {
    let (asked, other) = (Layout::new::<[u64; 4]>(), Layout::new::<[u64; 3]>());
    // SAFETY: it is not empty.
    let memory = unsafe { Noting.alloc(asked) };
    // SAFETY: it was allocated just now; the allocator goes by its note.
    unsafe { Noting.dealloc(memory, other) };
    WRONG.swap(0, Ordering::Relaxed) == 1
}
