//! Events of one thread, as bytes: what a thread fills, the ring keeps, and the file holds.

use std::collections::VecDeque;

use super::decode::{Bytes, Malformed};
use super::encode::put_event;
use super::event::{Entry, Event};

/// Events of one thread in the order in which they happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// The thread's number.
    pub thread: u16,
    /// How many of the thread's events are missing before these.
    pub lost: u64,
    /// When the first of them happened.
    pub begins: u64,
    /// When the last of them happened.
    pub ends: u64,
    /// How many there are.
    pub count: u64,
    /// The events.
    pub bytes: Vec<u8>,
}

impl Block {
    /// A block without events yet.
    #[must_use]
    pub fn new(thread: u16) -> Self {
        Self {
            thread,
            ..Self::default()
        }
    }

    /// Adds an event. Time does not go back: one that is earlier than the last counts as
    /// simultaneous.
    #[inline]
    pub fn push(&mut self, at: u64, event: &Event<'_>) {
        if self.count == 0 {
            (self.begins, self.ends) = (at, at);
        }
        let after = at.saturating_sub(self.ends);
        put_event(&mut self.bytes, after, event);
        self.ends += after;
        self.count += 1;
    }

    /// Takes the events out; what is pushed from now on is another block.
    #[must_use]
    pub fn take(&mut self) -> Self {
        let next = Self {
            thread: self.thread,
            ..Self::default()
        };
        std::mem::replace(self, next)
    }

    /// The events.
    pub fn entries(&self) -> Entries<'_> {
        Entries {
            thread: self.thread,
            at: self.begins,
            bytes: Bytes(&self.bytes),
        }
    }
}

/// The events of a block, one after the other; after an error there are no more.
#[derive(Debug)]
pub struct Entries<'a> {
    pub(super) thread: u16,
    pub(super) at: u64,
    pub(super) bytes: Bytes<'a>,
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<Entry<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.bytes.is_empty() {
            return None;
        }
        Some(match self.bytes.event() {
            Ok((after, event)) => {
                self.at = self.at.saturating_add(after);
                Ok(Entry {
                    at: self.at,
                    thread: self.thread,
                    event,
                })
            }
            Err(malformed) => {
                self.bytes = Bytes(&[]);
                Err(malformed)
            }
        })
    }
}

/// The last blocks: when there is no room for another, the oldest goes, and is counted.
#[derive(Debug)]
pub struct Ring {
    blocks: VecDeque<Block>,
    bytes: usize,
    limit: usize,
    lost: u64,
}

impl Ring {
    /// A ring of at most so many bytes of events. The newest block is always kept.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            blocks: VecDeque::new(),
            bytes: 0,
            limit,
            lost: 0,
        }
    }

    /// Adds a block, and gives those that had to go for it.
    pub fn push(&mut self, block: Block) -> Vec<Block> {
        self.bytes += block.bytes.len();
        self.blocks.push_back(block);
        let mut gone = Vec::new();
        while self.bytes > self.limit && self.blocks.len() > 1 {
            let Some(block) = self.blocks.pop_front() else {
                break;
            };
            self.bytes -= block.bytes.len();
            self.lost += block.count;
            gone.push(block);
        }
        gone
    }

    /// What is kept, oldest first.
    pub fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.blocks.iter()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// How many events went for want of room.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Takes all blocks out.
    pub fn take(&mut self) -> VecDeque<Block> {
        self.bytes = 0;
        std::mem::take(&mut self.blocks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(thread: u16, times: &[u64]) -> Block {
        let mut block = Block::new(thread);
        for &at in times {
            block.push(at, &Event::Poll { task: at });
        }
        block
    }

    #[test]
    fn time_does_not_go_back() {
        let block = block(3, &[100, 250, 240, 260]);
        let times: Vec<u64> = block.entries().map(|entry| entry.unwrap().at).collect();
        assert_eq!(times, [100, 250, 250, 260]);
        assert_eq!((block.begins, block.ends, block.count), (100, 260, 4));
    }

    #[test]
    fn the_next_block_is_the_same_threads() {
        let mut first = block(3, &[100]);
        let taken = first.take();
        assert_eq!((taken.count, first.count, first.thread), (1, 0, 3));
        first.push(500, &Event::Turn);
        assert_eq!(first.begins, 500);
    }

    #[test]
    fn the_oldest_goes_and_is_counted() {
        let mut ring = Ring::new(block(0, &[1, 2]).bytes.len() * 2);
        assert!(ring.push(block(0, &[1, 2])).is_empty());
        assert!(ring.push(block(0, &[3, 4])).is_empty());
        assert_eq!(ring.push(block(0, &[5])).len(), 1);
        assert_eq!(ring.lost(), 2);
        let kept: Vec<u64> = ring.blocks().map(|block| block.begins).collect();
        assert_eq!(kept, [3, 5]);
        let huge: Vec<u64> = (0..1000).collect();
        assert_eq!(ring.push(block(0, &huge)).len(), 2, "the newest stays");
        assert_eq!((ring.lost(), ring.take().len()), (5, 1));
        assert!(
            ring.push(block(0, &[7])).is_empty(),
            "its room was given back"
        );
    }
}
