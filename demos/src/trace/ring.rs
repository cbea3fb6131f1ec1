//! The last events, in bounded memory: without a keeper, or with one that is behind.

use std::collections::VecDeque;

use super::chunk::Chunk;

/// The last chunks that threads have handed over: when there is no room for another, the oldest
/// goes, and is counted.
#[derive(Debug)]
pub(super) struct Ring {
    chunks: VecDeque<Chunk>,
    bytes: usize,
    limit: usize,
    lost: u64,
}

impl Ring {
    /// A ring of at most so many bytes. The newest chunk is always kept.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            chunks: VecDeque::new(),
            bytes: 0,
            limit,
            lost: 0,
        }
    }

    /// Adds a chunk, and gives those that had to go for it.
    pub(super) fn push(&mut self, chunk: Chunk) -> Vec<Chunk> {
        self.bytes += chunk.bytes();
        self.chunks.push_back(chunk);
        let mut gone = Vec::new();
        while self.bytes > self.limit && self.chunks.len() > 1 {
            let Some(chunk) = self.chunks.pop_front() else {
                break;
            };
            self.bytes -= chunk.bytes();
            self.lost += chunk.count();
            gone.push(chunk);
        }
        gone
    }

    /// What is kept, oldest first.
    pub(super) fn chunks(&self) -> impl Iterator<Item = &Chunk> {
        self.chunks.iter()
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// How many events went for want of room.
    pub(super) fn lost(&self) -> u64 {
        self.lost
    }

    /// Takes all chunks out.
    pub(super) fn take(&mut self) -> VecDeque<Chunk> {
        self.bytes = 0;
        std::mem::take(&mut self.chunks)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::trace::chunk::Doing;
    use crate::trace::event::Event;

    pub(in crate::trace) fn chunk(times: impl IntoIterator<Item = u64>) -> Chunk {
        let mut chunk = Chunk::new(0);
        for at in times {
            if chunk.is_empty() {
                chunk.begin(at, Doing::Nothing);
            }
            chunk.push(at, &Event::Turn);
        }
        chunk
    }

    #[test]
    fn the_oldest_goes_and_is_counted() {
        let mut ring = Ring::new(chunk([1, 2]).bytes() * 2);
        assert!(ring.push(chunk([1, 2])).is_empty());
        assert!(ring.push(chunk([3, 4])).is_empty());
        assert_eq!(ring.push(chunk([5])), [chunk([1, 2])]);
        assert_eq!(ring.lost(), 2);
        let kept: Vec<u64> = ring.chunks().map(Chunk::begins).collect();
        assert_eq!(kept, [3, 5]);
        assert_eq!(ring.push(chunk(0..400)).len(), 2, "the newest stays");
        assert_eq!((ring.lost(), ring.take().len()), (5, 1));
        assert!(ring.push(chunk([7])).is_empty(), "its room was given back");
    }
}
