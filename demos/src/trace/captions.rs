//! Captions at what no code of a lesson is there for: when a worker steals, when a timer moves.

use super::block::Block;
use super::event::Event;

/// A caption for the first event of a kind that comes after a lesson's first remark.
pub(super) struct Caption {
    pub(super) at_first: fn(&Event<'_>) -> bool,
    pub(super) text: &'static str,
}

impl Caption {
    /// Writes it into the blocks of a recording, on the event's thread and right before it. There
    /// is none if there was no such event.
    pub(super) fn write_into(&self, blocks: &mut [Block]) {
        let is_note = |event: &Event<'_>| matches!(event, Event::Note { .. });
        let Some((begin, ..)) = first(blocks, 0, is_note) else {
            return;
        };
        let Some((_, block, place)) = first(blocks, begin, self.at_first) else {
            return;
        };
        let mut with = Block {
            lost: blocks[block].lost,
            ..Block::new(blocks[block].thread)
        };
        for (index, entry) in blocks[block].entries().flatten().enumerate() {
            if index == place {
                with.push(entry.at, &Event::Note { text: self.text });
            }
            with.push(entry.at, &entry.event);
        }
        blocks[block] = with;
    }
}

/// The first event of a kind since `begin`: when it was, in which block, and where in that.
fn first(
    blocks: &[Block],
    begin: u64,
    is_it: impl Fn(&Event<'_>) -> bool,
) -> Option<(u64, usize, usize)> {
    let found = blocks.iter().enumerate().filter_map(|(number, block)| {
        let mut entries = block.entries().flatten().enumerate();
        let it = entries.find(|(_, entry)| entry.at >= begin && is_it(&entry.event));
        it.map(|(place, entry)| (entry.at, number, place))
    });
    found.min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caption_stands_before_the_first_of_its_kind_after_the_first_remark() {
        let theft = |thread, times: &[u64]| {
            let mut block = Block::new(thread);
            for &at in times {
                block.push(
                    at,
                    &Event::Steal {
                        from: 0,
                        tasks: at as u32,
                    },
                );
            }
            block
        };
        let mut remark = Block::new(0);
        remark.push(10, &Event::Note { text: "it begins" });
        let mut blocks = [theft(1, &[5, 40]), remark, theft(2, &[7, 20, 30])];
        let caption = Caption {
            at_first: |event| matches!(event, Event::Steal { .. }),
            text: "see",
        };
        let before = blocks.clone();
        caption.write_into(&mut blocks);
        assert_eq!(blocks[..2], before[..2]);
        let told: Vec<(u64, bool)> = blocks[2]
            .entries()
            .flatten()
            .map(|entry| (entry.at, entry.event == Event::Note { text: "see" }))
            .collect();
        assert_eq!(told, [(7, false), (20, true), (20, false), (30, false)]);
        caption.write_into(&mut blocks[..1]); // no remark, no caption
        assert_eq!(blocks[0], before[0]);
    }
}
