//! What was written is read, and what was not written is refused or said to be missing.

use demos::trace::event::{Cause, Event};
use demos::trace::file::{MAGIC, Unreadable};
use demos::trace::reader::{MOST, Trace};

use crate::sample;

fn read(file: &[u8]) -> Result<Trace<'_>, Unreadable> {
    Trace::read(file, MOST)
}

#[test]
fn threads_are_merged_by_time_and_numbers_are_small() {
    let file = sample::file();
    let trace = read(&file).unwrap();
    assert_eq!(
        (trace.lost, trace.passed_over, trace.broken_off),
        (0, 0, None)
    );
    assert_eq!(trace.threads, ["loop", "blocking-1"]);
    assert_eq!(trace.places, ["a.rs:1", "b.rs:2", "c.rs:3"]);
    assert!(trace.entries.is_sorted_by_key(|entry| entry.at));
    let begin = trace
        .entries
        .iter()
        .position(|entry| entry.event == Event::JobBegin { job: 1 });
    let before = &trace.entries[begin.unwrap() - 1];
    assert!(matches!(before.event, Event::Park { .. }), "{before:?}");
    let has = |event| trace.entries.iter().any(|entry| entry.event == event);
    assert!(has(Event::Fire { timer: 1 }) && has(Event::Gone { source: 1 }));
    assert!(has(Event::Wake {
        task: 2,
        by: Cause::Timer(1)
    }));
}

#[test]
fn an_input_is_known_by_its_task() {
    let file = sample::file();
    let trace = read(&file).unwrap();
    let tasks = trace.entries.iter().filter_map(|entry| match entry.event {
        Event::Input { number, task, .. } => Some((number, task)),
        _ => None,
    });
    assert_eq!(tasks.collect::<Vec<_>>(), [(1, Some(2)), (2, Some(3))]);
}

#[test]
fn a_file_that_breaks_off_anywhere_gives_what_is_whole() {
    let file = sample::file();
    let whole = read(&file).unwrap();
    let mut counts = Vec::new();
    for length in 0..file.len() {
        match read(&file[..length]) {
            Ok(part) => {
                assert!(part.broken_off.is_some(), "cut at {length}");
                assert!(part.broken_off.unwrap() <= length);
                assert!(
                    part.entries
                        .iter()
                        .all(|entry| whole.entries.contains(entry))
                );
                counts.push(part.entries.len());
            }
            Err(error) => {
                assert!(length < MAGIC.len(), "cut at {length}: {error}");
                let nothing = length == 0;
                let expected = if nothing {
                    Unreadable::Empty
                } else {
                    Unreadable::NotATrace
                };
                assert_eq!(error, expected);
            }
        }
    }
    assert!(counts.is_sorted());
    counts.dedup();
    assert_eq!(counts, [0, 19, 21, whole.entries.len()], "block by block");
}

#[test]
fn a_file_that_was_changed_anywhere_is_found_out() {
    let file = sample::file();
    for at in 0..file.len() {
        for bit in 0..8 {
            let mut changed = file.clone();
            changed[at] ^= 1 << bit;
            match read(&changed) {
                Err(error) => assert!(!error.to_string().is_empty()),
                // An older version: what it had is read as ever.
                Ok(trace) if at == MAGIC.len() => {
                    assert_eq!(trace.entries, read(&file).unwrap().entries);
                }
                // A length that became larger: the rest is missing, or so it looks. A tag that
                // became unknown does not pass its checksum.
                Ok(trace) => assert!(trace.broken_off.is_some(), "byte {at}, bit {bit}"),
            }
        }
    }
}

#[test]
fn content_that_cannot_be_is_an_error_even_with_a_good_checksum() {
    let file = sample::file();
    let mut refused = 0;
    for at in MAGIC.len() + 1..file.len() {
        for bit in 0..8 {
            let mut changed = file.clone();
            changed[at] ^= 1 << bit;
            repair_checksums(&mut changed);
            refused += usize::from(read(&changed).is_err()); // and never a panic
        }
    }
    assert!(refused > 100, "{refused}");
}

/// Makes each block's checksum that of its content, as far as blocks can be told apart.
fn repair_checksums(file: &mut [u8]) {
    let mut at = MAGIC.len() + 1;
    while at + 2 < file.len() {
        let (tag, mut payload, mut length, mut shift) = (file[at], at + 1, 0usize, 0);
        loop {
            let Some(&byte) = file.get(payload) else {
                return;
            };
            payload += 1;
            length |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                break;
            }
            if shift > 21 {
                return;
            }
        }
        let end = payload + length;
        if end + 4 > file.len() {
            return;
        }
        let mut sum = crc32fast::Hasher::new();
        sum.update(&[tag]);
        sum.update(&file[payload..end]);
        let sum = sum.finalize().to_le_bytes();
        file[end..end + 4].copy_from_slice(&sum);
        at = end + 4;
    }
}

#[test]
fn each_refusal_says_what_to_think_of_it() {
    let says = |file: &[u8]| read(file).unwrap_err().to_string();
    assert_eq!(
        says(b"{\"event\":1}"),
        "this is no recording: it does not begin with `handrolled trace`; one is made by \
         `event-loop run --record FILE`, and by tour and serve"
    );
    assert_eq!(
        says(b""),
        "the file is empty: nothing was recorded in it, or it was not copied whole"
    );
    let mut newer = sample::file();
    newer[MAGIC.len()] = 9;
    assert_eq!(
        says(&newer),
        "this trace has version 9, and I read versions up to 3: a newer event-loop wrote it, \
         and can read it"
    );
    let mut changed = sample::file();
    changed[MAGIC.len() + 10] ^= 1;
    let message = says(&changed);
    assert!(
        message.starts_with("the trace is damaged: in the block at byte 18, ")
            && message.ends_with("; copy it again from where it was written, or record anew"),
        "{message}"
    );
    let file = sample::file();
    let too_many = Trace::read(&file, 20).unwrap_err().to_string();
    assert_eq!(
        too_many,
        "the trace has more than 20 events; --most raises the limit"
    );
}

#[test]
fn a_block_of_a_kind_not_known_is_passed_over() {
    let mut file = sample::file();
    let content = b"Qfrom a later day";
    let sum = crc32fast::hash(content).to_le_bytes();
    let mut block = vec![content[0], content.len() as u8 - 1];
    block.extend(&content[1..]);
    block.extend(sum);
    file.splice(MAGIC.len() + 1..MAGIC.len() + 1, block);
    let trace = read(&file).unwrap();
    assert_eq!((trace.passed_over, trace.broken_off), (1, None));
}

#[test]
fn a_file_of_an_older_version_is_read() {
    for version in [1, 2] {
        let mut file = sample::file();
        assert_eq!(
            file[MAGIC.len()],
            3,
            "the version, before blocks that the first had as well"
        );
        file[MAGIC.len()] = version;
        assert_eq!(
            read(&file).unwrap().entries,
            read(&sample::file()).unwrap().entries
        );
    }
}
