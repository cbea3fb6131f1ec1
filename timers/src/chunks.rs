//! An array that grows without moving.
//!
//! A `Vec` of a million timers that grows copies them all: a pause of many milliseconds, in which
//! no timer fires, and twice the memory meanwhile. Here growth adds a chunk, and what is there
//! stays where it is; an access costs one more look, into a table that is always in the cache.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::{Index, IndexMut};

/// Grows by `SIZE` elements at a time; always full. `SIZE` is a power of two.
#[derive(Debug)]
pub(crate) struct Chunks<T, const SIZE: usize> {
    chunks: Vec<Box<[T; SIZE]>>,
}

impl<T, const SIZE: usize> Chunks<T, SIZE> {
    pub(crate) const fn new() -> Self {
        Chunks { chunks: Vec::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.chunks.len() * SIZE
    }

    /// Adds a chunk, each element of which is made from its index.
    pub(crate) fn grow(&mut self, element: impl FnMut(u32) -> T) {
        let first = self.len() as u32;
        let elements: Box<[T]> = (first..first + SIZE as u32).map(element).collect();
        let chunk = elements.try_into();
        self.chunks
            .push(chunk.unwrap_or_else(|_| unreachable!("it has SIZE elements")));
    }

    #[inline]
    pub(crate) fn get(&self, index: u32) -> Option<&T> {
        let chunk = self.chunks.get(index as usize / SIZE)?;
        Some(&chunk[index as usize % SIZE])
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, index: u32) -> Option<&mut T> {
        let chunk = self.chunks.get_mut(index as usize / SIZE)?;
        Some(&mut chunk[index as usize % SIZE])
    }

    /// Drops the chunks that hold none of the first `len` elements.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.chunks.truncate(len.div_ceil(SIZE));
        self.chunks.shrink_to_fit();
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.chunks.iter().flat_map(|chunk| chunk.iter())
    }

    pub(crate) fn into_elements(self) -> impl Iterator<Item = T> {
        self.chunks
            .into_iter()
            .flat_map(|chunk| (chunk as Box<[T]>).into_iter())
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
        assert!(chunks.get(0).is_none() && chunks.len() == 0);
        chunks.grow(|index| index);
        let first: *const u32 = &chunks[0];
        for n in 2..100 {
            chunks.grow(|index| index);
            assert_eq!((chunks.len(), chunks[n]), (8 * n as usize, n));
            assert_eq!(first, &raw const chunks[0]);
        }
        chunks[70] += 1;
        let expected = (0..70).chain([71]).chain(71..99 * 8);
        assert!(chunks.iter().copied().eq(expected.clone()));
        assert!(chunks.get(791).is_some() && chunks.get_mut(792).is_none());
        assert!(chunks.into_elements().eq(expected));
    }

    #[test]
    fn truncating_gives_chunks_back_and_leaves_room_to_grow() {
        for keep in [0, 1, 7, 8, 9, 15, 16, 17, 40, 99] {
            let mut chunks = Chunks::<u32, 8>::new();
            (0..5).for_each(|_| chunks.grow(|index| index));
            chunks.truncate(keep);
            assert_eq!(chunks.len(), keep.min(40).next_multiple_of(8));
            chunks.grow(|index| index);
            let len = chunks.len() as u32;
            assert!(chunks.into_elements().eq(0..len), "{keep}");
        }
    }
}
