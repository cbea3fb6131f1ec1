//! An array that grows without moving.
//!
//! A `Vec` of a million timers that grows copies them all: a pause of many milliseconds, in which
//! no timer fires, and twice the memory meanwhile. Here growth adds a chunk, and what is there
//! stays where it is; an access costs one more look, into a table that is always in the cache.

use alloc::vec::Vec;
use core::ops::{Index, IndexMut};

/// Grows by `SIZE` elements at a time, the first chunk like a `Vec`. `SIZE` is a power of two.
#[derive(Debug)]
pub(crate) struct Chunks<T, const SIZE: usize> {
    chunks: Vec<Vec<T>>,
    len: usize,
}

impl<T, const SIZE: usize> Chunks<T, SIZE> {
    pub(crate) const fn new() -> Self {
        Chunks {
            chunks: Vec::new(),
            len: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn capacity(&self) -> usize {
        self.chunks.iter().map(Vec::capacity).sum()
    }

    pub(crate) fn reserve(&mut self, additional: usize) {
        while self.capacity() - self.len < additional {
            self.chunks.push(Vec::with_capacity(SIZE));
        }
    }

    #[inline(never)]
    pub(crate) fn push(&mut self, element: T) {
        let chunk = self.len / SIZE;
        if chunk == self.chunks.len() {
            self.chunks.push(if chunk == 0 {
                Vec::new()
            } else {
                Vec::with_capacity(SIZE)
            });
        }
        self.chunks[chunk].push(element);
        self.len += 1;
    }

    #[inline]
    pub(crate) fn get(&self, index: u32) -> Option<&T> {
        self.chunks
            .get(index as usize / SIZE)?
            .get(index as usize % SIZE)
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, index: u32) -> Option<&mut T> {
        self.chunks
            .get_mut(index as usize / SIZE)?
            .get_mut(index as usize % SIZE)
    }

    /// Drops what is behind the first `len` elements, and gives that memory back.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
        self.chunks.truncate(self.len.div_ceil(SIZE));
        if let Some(last) = self.chunks.last_mut() {
            last.truncate((self.len - 1) % SIZE + 1);
            last.shrink_to_fit();
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.chunks.iter().flatten()
    }

    pub(crate) fn into_elements(self) -> impl Iterator<Item = T> {
        self.chunks.into_iter().flatten()
    }
}

impl<T, const SIZE: usize> Index<u32> for Chunks<T, SIZE> {
    type Output = T;

    #[inline]
    fn index(&self, index: u32) -> &T {
        &self.chunks[index as usize / SIZE][index as usize % SIZE]
    }
}

impl<T, const SIZE: usize> IndexMut<u32> for Chunks<T, SIZE> {
    #[inline]
    fn index_mut(&mut self, index: u32) -> &mut T {
        &mut self.chunks[index as usize / SIZE][index as usize % SIZE]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_stay_where_they_are_while_it_grows() {
        let mut chunks = Chunks::<u32, 8>::new();
        assert!(chunks.get(0).is_none() && chunks.capacity() == 0);
        (0..8).for_each(|n| chunks.push(n));
        let first: *const u32 = &chunks[0];
        for n in 8..100 {
            chunks.push(n);
            assert_eq!((chunks.len(), chunks[n]), (n as usize + 1, n));
            assert_eq!(first, &raw const chunks[0]);
            assert!(
                chunks.capacity() < n as usize + 1 + 8,
                "never more than a chunk too much"
            );
        }
        chunks[70] += 1;
        assert!(
            chunks
                .iter()
                .copied()
                .eq((0..70).chain([71]).chain(71..100))
        );
        assert!(chunks.get(99).is_some() && chunks.get_mut(100).is_none());
    }

    #[test]
    fn truncating_gives_memory_back_and_leaves_room_to_grow() {
        for keep in [0, 1, 7, 8, 9, 15, 16, 17, 40, 99] {
            let mut chunks = Chunks::<usize, 8>::new();
            (0..40).for_each(|n| chunks.push(n));
            chunks.truncate(keep);
            let kept = keep.min(40);
            assert!(chunks.len() == kept && chunks.capacity() < kept + 8);
            (kept..50).for_each(|n| chunks.push(n));
            assert!(chunks.into_elements().eq(0..50), "{keep}");
        }
    }

    #[test]
    fn reserved_room_is_used() {
        let mut chunks = Chunks::<u8, 8>::new();
        chunks.push(0);
        chunks.reserve(30);
        let capacity = chunks.capacity();
        assert!(capacity >= 31);
        (0..30).for_each(|n| chunks.push(n));
        assert_eq!((chunks.len(), chunks.capacity()), (31, capacity));
    }
}
