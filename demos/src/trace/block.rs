//! Events of one thread as bytes: what is written by hand, or held in order to be changed.

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
    pub fn push(&mut self, at: u64, event: &Event<'_>) {
        if self.count == 0 {
            (self.begins, self.ends) = (at, at);
        }
        let after = at.saturating_sub(self.ends);
        self.ends += after;
        self.count += 1;
        put_event(&mut self.bytes, after, event);
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
}
