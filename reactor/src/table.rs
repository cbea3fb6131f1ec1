//! All slots of a reactor, in chunks that never move.

use std::io;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::slot::Slot;
use crate::token::Token;

/// Sixty-four slots with one allocation. A registration holds on to its chunk, so a source finds
/// its slot without asking the table.
#[derive(Debug)]
pub(crate) struct Chunk([Slot; Chunk::LEN]);

impl Chunk {
    /// Slots in one chunk.
    pub(crate) const LEN: usize = 64;

    pub(crate) fn slot(&self, token: Token) -> &Slot {
        &self.0[token.index() % Chunk::LEN]
    }

    pub(crate) fn slots(&self) -> &[Slot] {
        &self.0
    }
}

/// Hands out slots. The lock is taken when a source comes or goes, never for an event.
#[derive(Debug, Default)]
pub(crate) struct Table(Mutex<Inside>);

#[derive(Debug, Default)]
struct Inside {
    chunks: Vec<Arc<Chunk>>,
    /// Indices of vacant slots; the one left last is given out first, while it is warm.
    vacant: Vec<u32>,
    shut: bool,
}

impl Table {
    /// Opens a slot for a new source.
    pub(crate) fn insert(&self) -> io::Result<(Arc<Chunk>, Token)> {
        let mut inside = self.0.lock();
        if inside.shut {
            return Err(io::Error::other("the reactor was dropped"));
        }
        if inside.vacant.is_empty() {
            inside.grow()?;
        }
        let index = inside.vacant.pop().map_or(0, |index| index as usize);
        let chunk = Arc::clone(&inside.chunks[index / Chunk::LEN]);
        let generation = chunk.0[index % Chunk::LEN].open();
        Ok((chunk, Token::new(index, generation)))
    }

    /// Gives a closed slot back.
    pub(crate) fn remove(&self, token: Token) {
        self.0.lock().vacant.push(token.index() as u32);
    }

    /// Brings a poller's own list of chunks up to date.
    pub(crate) fn copy_new_chunks(&self, known: &mut Vec<Arc<Chunk>>) {
        let inside = self.0.lock();
        known.extend(inside.chunks.iter().skip(known.len()).cloned());
    }

    /// No more sources; returns all chunks, so that those who wait can be told.
    pub(crate) fn shut(&self) -> Vec<Arc<Chunk>> {
        let mut inside = self.0.lock();
        inside.shut = true;
        inside.chunks.clone()
    }

    /// Sources that live now.
    pub(crate) fn len(&self) -> usize {
        let inside = self.0.lock();
        inside.chunks.len() * Chunk::LEN - inside.vacant.len()
    }
}

impl Inside {
    fn grow(&mut self) -> io::Result<()> {
        let first = self.chunks.len() * Chunk::LEN;
        if first + Chunk::LEN > Token::MAX_SOURCES {
            return Err(io::Error::new(
                io::ErrorKind::QuotaExceeded,
                "too many sources",
            ));
        }
        self.chunks
            .push(Arc::new(Chunk(std::array::from_fn(|_| Slot::vacant()))));
        self.vacant
            .extend((first..first + Chunk::LEN).rev().map(|index| index as u32));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reused_slot_has_another_generation() {
        let table = Table::default();
        let (chunk, first) = table.insert().unwrap();
        drop(chunk.slot(first).close());
        table.remove(first);
        let (_, second) = table.insert().unwrap();
        assert_eq!(first.index(), second.index());
        assert_ne!(first, second);
    }

    #[test]
    fn grows_by_chunks_and_stays_put() {
        let table = Table::default();
        let all: Vec<_> = (0..3 * Chunk::LEN)
            .map(|_| table.insert().unwrap())
            .collect();
        assert_eq!(table.len(), 3 * Chunk::LEN);
        assert!(
            all.iter()
                .enumerate()
                .all(|(i, (_, token))| token.index() == i)
        );
        let mut known = Vec::new();
        table.copy_new_chunks(&mut known);
        table.copy_new_chunks(&mut known);
        assert_eq!(known.len(), 3);
        assert_eq!(std::mem::size_of::<Slot>(), 64);
    }
}
