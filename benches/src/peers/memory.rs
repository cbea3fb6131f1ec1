//! The limits that memory sets: the copies that a message cannot be spared, and what it costs to
//! find one entry of many again.

use std::hint::black_box;

use crate::runtime::Schedule;
use crate::workload::{Contender, Measured, Scale};

/// Beside servers that echo `BYTES` on each of `CONNECTIONS`: what is copied from a connection into
/// the server's buffer and back again, by the processor and nobody else. The buffer is the
/// connection's own, or with `SHARED` one for all.
#[must_use]
pub fn copies<const CONNECTIONS: usize, const BYTES: usize, const SHARED: bool>(
    scale: Scale,
) -> Vec<Contender> {
    let (connections, bytes) = (scale.of(CONNECTIONS, 5), scale.of(BYTES, 50));
    let build = move || {
        let mut outside = vec![vec![1_u8; bytes]; connections];
        let mut inside = vec![vec![0_u8; bytes]; if SHARED { 1 } else { connections }];
        let buffers = inside.len();
        let pass = move || {
            Measured::cpu(connections as u64, || {
                for (place, connection) in outside.iter_mut().enumerate() {
                    let buffer = &mut inside[place % buffers];
                    buffer.copy_from_slice(black_box(connection));
                    connection.copy_from_slice(black_box(buffer));
                }
                Ok(())
            })
        };
        Ok(Box::new(pass) as _)
    };
    vec![Contender::new("memcpy", build)]
}

/// Beside structures that hold deadlines: entries as large as those of our wheel, found again by
/// their place, in no order at all. They are never due; what remains is the wait for memory.
#[derive(Default)]
pub struct Unordered {
    entries: Vec<Entry>,
    free: Vec<u32>,
}

struct Entry {
    deadline: u64,
    value: u64,
    _rest: [u64; 2], // 32 bytes, as a wheel takes with what it needs to keep order
}

impl Schedule for Unordered {
    const NAME: &'static str = "unordered";
    type Key = u32;

    fn new() -> Self {
        Self::default()
    }

    fn insert(&mut self, deadline: u64, value: u64) -> u32 {
        let entry = Entry {
            deadline,
            value,
            _rest: [0; 2],
        };
        match self.free.pop() {
            Some(place) => {
                self.entries[place as usize] = entry;
                place
            }
            None => {
                self.entries.push(entry);
                (self.entries.len() - 1) as u32
            }
        }
    }

    fn cancel(&mut self, key: u32) -> Option<u64> {
        self.free.push(key);
        let entry = &mut self.entries[key as usize];
        black_box(std::mem::take(&mut entry.deadline));
        Some(entry.value)
    }

    fn advance(&mut self, _now: u64, _fire: impl FnMut(u64)) {}
}
