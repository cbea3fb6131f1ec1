//! The arithmetic of the levels: where a deadline belongs, and which slot comes first.
//!
//! A deadline is read as a number of base 64, eleven digits long, like the rings of an odometer:
//!
//! ```text
//!  bits 63..60   59..54    ...   17..12   11..6     5..0
//!  level 10      level 9   ...   level 2  level 1   level 0
//!  16 slots      64 slots        64 slots 64 slots  64 slots
//! ```
//!
//! Seen from `now`, a deadline belongs to the level of the highest digit in which the two differ,
//! and there to the slot that the deadline's own digit names. All digits above agree with `now`,
//! so a slot stands for one range of ticks, no wrap-around exists, and nothing is left over:
//! eleven levels hold every `u64`.
//!
//! The hierarchy is Varghese's and Lauck's (1987), whose wheels turn tick by tick. To look for the
//! highest digit that differs is what tokio's wheel does, too, on six levels.

/// Bits of a deadline that one level looks at.
const DIGIT_BITS: u32 = 6;
/// Slots of a level.
const SLOTS: usize = 1 << DIGIT_BITS;
/// Levels it takes to cover all 64 bits.
const LEVELS: usize = 64usize.div_ceil(DIGIT_BITS as usize);
/// Slots of all levels together.
pub(crate) const SLOTS_TOTAL: usize = LEVELS * SLOTS;

/// For each bit of a deadline: how many bits are below its digit, and the first slot of its level.
/// Looking it up takes a third of the instructions that a division by six does.
const LEVEL_OF_BIT: [(u8, u16); 64] = {
    let mut table = [(0, 0); 64];
    let mut bit = 0;
    while bit < table.len() {
        let level = bit / DIGIT_BITS as usize;
        table[bit] = (level as u8 * DIGIT_BITS as u8, (level * SLOTS) as u16);
        bit += 1;
    }
    table
};

/// One slot of one level of a [`Wheel`](crate::Wheel).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(/** level times 64 plus digit */ pub(crate) u16);

impl Slot {
    /// The slot of this number, if it is one.
    pub(crate) fn new(number: u16) -> Option<Slot> {
        ((number as usize) < SLOTS_TOTAL).then_some(Slot(number))
    }

    /// The slot for `deadline` as seen from `now`, which must not be later.
    pub(crate) fn of(now: u64, deadline: u64) -> Slot {
        debug_assert!(now <= deadline);
        let differing = (now ^ deadline) | 1; // equal numbers belong to level 0
        let (shift, first) = LEVEL_OF_BIT[differing.ilog2() as usize];
        let digit = (deadline >> shift) as u16 % SLOTS as u16;
        Slot(first | digit)
    }

    /// The level this slot is on, 0 to 10; level 0 has slots of one tick, each further one has
    /// slots of 64 times as many.
    #[must_use]
    pub fn level(self) -> usize {
        self.0 as usize / SLOTS
    }

    /// Which of its level's 64 slots it is: the digit that deadlines in it have there.
    #[must_use]
    pub fn digit(self) -> usize {
        self.0 as usize % SLOTS
    }

    /// The first tick this slot stands for, given any `now` that shares its higher digits.
    pub(crate) fn start(self, now: u64) -> u64 {
        let shift = self.level() as u32 * DIGIT_BITS;
        let digit = u64::from(self.0) % SLOTS as u64;
        // the shifts are split so that level 10, whose range is all of u64, needs no exception
        (((now >> shift) & !(SLOTS as u64 - 1)) | digit) << shift
    }
}

/// Which slots hold timers: a bit for each slot, and a bit for each level above them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Occupancy {
    levels: u16,
    slots: [u64; LEVELS],
}

impl Occupancy {
    /// Notes that `slot` holds something.
    pub(crate) fn set(&mut self, slot: Slot) {
        self.slots[slot.level()] |= 1 << (slot.0 as usize % SLOTS);
        self.levels |= 1 << slot.level();
    }

    /// Notes that `slot` is empty.
    pub(crate) fn clear(&mut self, slot: Slot) {
        let slots = &mut self.slots[slot.level()];
        *slots &= !(1 << (slot.0 as usize % SLOTS));
        if *slots == 0 {
            self.levels &= !(1 << slot.level());
        }
    }

    /// The occupied slot with the earliest start.
    ///
    /// Everything on a level is earlier than everything on the levels above it, because it agrees
    /// with `now` in a digit where the others are ahead; and within a level slots go upwards.
    pub(crate) fn first(&self) -> Option<Slot> {
        if self.levels == 0 {
            return None;
        }
        let level = self.levels.trailing_zeros() as usize;
        let digit = self.slots[level].trailing_zeros() as usize;
        Some(Slot((level * SLOTS + digit) as u16))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_lands_on_the_level_of_the_highest_digit_that_differs() {
        assert_eq!(Slot::of(0, 0), Slot(0));
        assert_eq!(Slot::of(0, 63), Slot(63));
        assert_eq!(Slot::of(0, 64), Slot(64 + 1));
        assert_eq!(
            Slot::of(63, 64),
            Slot(64 + 1),
            "one tick away, but across a boundary"
        );
        assert_eq!(Slot::of(64, 127), Slot(63));
        assert_eq!(Slot::of(0, u64::MAX), Slot(10 * 64 + 15));
        assert_eq!(Slot::of(u64::MAX - 1, u64::MAX), Slot(63));
        assert_eq!(Slot::of(u64::MAX, u64::MAX), Slot(63));
    }

    #[test]
    fn a_slot_names_its_level_and_its_digit() {
        for number in 0..SLOTS_TOTAL as u16 {
            let slot = Slot::new(number).unwrap();
            assert!(slot.digit() < 64 && slot.level() < 11);
            assert_eq!(slot.level() * 64 + slot.digit(), usize::from(number));
        }
        assert_eq!(Slot::new(SLOTS_TOTAL as u16), None);
    }

    #[test]
    fn the_start_of_a_slot_is_the_first_tick_that_maps_to_it() {
        for now in [0, 1, 63, 64, 4_095, 1 << 35, u64::MAX / 3, u64::MAX - 64] {
            for distance in (0..64).map(|bit| 1u64 << bit) {
                let Some(deadline) = now.checked_add(distance) else {
                    continue;
                };
                let slot = Slot::of(now, deadline);
                let start = slot.start(now);
                assert!(start <= deadline && start > now, "{now} + {distance}");
                assert_eq!(Slot::of(now, start), slot, "{now} + {distance}");
                assert!(Slot::of(now, start - 1) != slot, "{now} + {distance}");
            }
        }
    }

    #[test]
    fn the_first_occupied_slot_is_the_lowest_of_the_lowest_level() {
        let mut occupied = Occupancy::default();
        assert_eq!(occupied.first(), None);
        for slot in [Slot(700), Slot(65), Slot(64), Slot(9), Slot(3)] {
            occupied.set(slot);
            assert_eq!(occupied.first(), Some(slot));
        }
        for (slot, next) in [(3, Some(9)), (9, Some(64)), (65, Some(64)), (64, Some(700))] {
            occupied.clear(Slot(slot));
            assert_eq!(occupied.first(), next.map(Slot));
        }
        occupied.clear(Slot(700));
        assert_eq!(occupied.first(), None);
    }
}
