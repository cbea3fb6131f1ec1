//! Sizes of task memory, in classes, so that freed memory fits the next task.

use std::alloc::Layout;

/// Classes are this far apart, in bytes; also the alignment of every block.
const STEP: usize = 16;

/// The largest class; larger tasks go to the allocator.
pub(crate) const LARGEST: usize = 64;

/// The class of a layout: its size in steps. 0 for those that have none.
pub(crate) const fn of(layout: Layout) -> usize {
    let class = layout.size().div_ceil(STEP);
    if layout.align() <= STEP && class <= LARGEST {
        class
    } else {
        0
    }
}

/// The layout all blocks of a class have.
pub(crate) const fn layout(class: usize) -> Layout {
    match Layout::from_size_align(class * STEP, STEP) {
        Ok(layout) => layout,
        Err(_) => panic!("classes are small"),
    }
}

/// What is asked of the allocator for a task of this layout.
pub(crate) const fn real_layout(asked: Layout) -> Layout {
    match of(asked) {
        0 => asked,
        class => layout(class),
    }
}

/// The size of a class's blocks, in bytes.
pub(crate) const fn bytes(class: usize) -> usize {
    class * STEP
}
