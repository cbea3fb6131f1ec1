//! The number a poller hands back with an event.

/// Which source an event is for: an index into the table, and the generation of its slot.
///
/// ```text
///   64-bit:  | generation : 32 | index : 32 |       32-bit:  | generation : 12 | index : 20 |
/// ```
///
/// The index finds the slot, the generation tells whether the slot still belongs to the source the
/// event was meant for. An event that was already in a batch when its source went away carries an
/// old generation and is dropped, even if a new source has moved into the slot (and, likely, got
/// the same descriptor number).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Token(usize);

/// Bits of the index.
const INDEX_BITS: u32 = if usize::BITS >= 64 { 32 } else { 20 };
const INDEX_MASK: usize = (1 << INDEX_BITS) - 1;

impl Token {
    /// The largest number of sources. The two indices above it are never given away: they belong
    /// to [`Token::WAKE`] and to the key `usize::MAX`, which `polling` keeps for itself.
    pub(crate) const MAX_SOURCES: usize = INDEX_MASK - 1;

    /// The token of a poller's own wake-up descriptor.
    pub const WAKE: Token = Token(usize::MAX - 1);

    /// Joins a slot's index and generation; of the generation as many bits are kept as fit.
    pub(crate) const fn new(index: usize, generation: u32) -> Token {
        debug_assert!(index < Self::MAX_SOURCES);
        Token(((generation as usize) << INDEX_BITS) | index)
    }

    /// The place in the table.
    pub(crate) const fn index(self) -> usize {
        self.0 & INDEX_MASK
    }

    /// The bits of the generation that were kept.
    pub(crate) const fn generation(self) -> usize {
        self.0 >> INDEX_BITS
    }

    /// Whether this token was made for `generation`.
    pub(crate) const fn is_of(self, generation: u32) -> bool {
        self.generation() == Token::new(0, generation).generation()
    }

    /// The token as the key a poller stores.
    #[must_use]
    pub const fn key(self) -> usize {
        self.0
    }

    /// The token a poller got as a key.
    #[must_use]
    pub const fn from_key(key: usize) -> Token {
        Token(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_back() {
        let token = Token::new(77, 5);
        assert_eq!(token.index(), 77);
        assert!(token.is_of(5));
        assert!(!token.is_of(6));
        assert_eq!(Token::from_key(token.key()), token);
    }

    #[test]
    fn the_wake_token_is_nobodys() {
        assert_ne!(Token::WAKE.key(), usize::MAX, "taken by polling");
        assert!(Token::WAKE.index() >= Token::MAX_SOURCES);
    }
}
