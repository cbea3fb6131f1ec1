//! The tour: the article's own sequence I1, I2, O2, O1, played and explained.
//!
//! It is the same session that `run` has, with three things put in place of the outside: the
//! lines come from a script, the pages from a server on this very loop, and a renderer adds to
//! each line what it means. Nothing is staged but the server's delays: O2 comes before O1 because
//! it is ready before it, and were it not so, the tour would say so and fail.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::SinkExt;
use futures::channel::mpsc;
use parking_lot::Mutex;

use super::lines::Line;
use super::output::{Record, Render, Step};
use super::reader::Incoming;
use super::text::Text;
use crate::host::HostHandle;
use crate::{tour_server, trace};

const WELCOME: &str = "\
An event loop is a while loop: check for input, hand what came to processing, check for output,
deliver what is ready. It never waits for one input's processing before it takes the next.

    I1 is taken first, and is slow. I2 is taken second, and is quick. Which output is first?

Lines that begin with a dot are the loop's own steps; the indented ones explain.

";

/// What the tour adds when an input was sent for processing, by the input's number.
const INPUT_NOTES: [&str; 7] = [
    "I1 has its number and is being processed: a page that its server gives after 900 ms.
     The loop does not wait for it. It goes on checking for input.",
    "I2 is taken in while I1 is still being processed: a page that is there after 200 ms.
     Both wait in the kernel now: the loop's one thread sleeps in a single system call.",
    "A sleep is an entry in a wheel of timers. A million of them would need no thread either.",
    "A disk has no 'ready': this call blocks, so a thread of the pool makes it.",
    "SQLite blocks as well: the pool again, beside the read and not behind it.",
    "A bad line is an input too. It gets its number, and its output says what is wrong.",
    "The last input. What is in flight is finished; then the loop ends.",
];

/// What it adds to an output.
const OUTPUT_NOTES: [(u64, &str); 4] = [
    (
        2,
        "O2 goes out before O1, because it was ready before it. Nobody decided that: the
     socket of I2 became readable first, its waker queued its task, the loop polled it.",
    ),
    (
        1,
        "And O1, when it is ready. Taken in first, delivered last; nothing waited for it.",
    ),
    (6, "Ready at once: there was nothing to process."),
    (
        3,
        "The sleep was the slowest of the last five, and held up none of them.",
    ),
];

/// The orders in which things happened.
#[derive(Debug, Default)]
pub struct Seen {
    /// The numbers of the outputs, as they went out.
    pub outputs: Vec<u64>,
}

/// Renders for the visitor of the tour.
#[derive(Debug)]
pub struct Tour {
    text: Text,
    welcomed: bool,
    seen: Arc<Mutex<Seen>>,
}

impl Tour {
    /// A renderer that notes in `seen` what it rendered.
    #[must_use]
    pub fn new(seen: Arc<Mutex<Seen>>) -> Self {
        Self {
            text: Text { preview: 3 },
            welcomed: false,
            seen,
        }
    }
}

impl Render for Tour {
    fn render(&mut self, record: Record<'_>) -> String {
        let mut shown = String::new();
        if !std::mem::replace(&mut self.welcomed, true) {
            shown.push_str(WELCOME);
        }
        shown.push_str(&self.text.render(record));
        let note = match record {
            Record::Step(Step::Available(number)) => INPUT_NOTES.get(number as usize - 1).copied(),
            Record::Output(output) => {
                self.seen.lock().outputs.push(output.number);
                let mut notes = OUTPUT_NOTES.iter();
                notes
                    .find(|(number, _)| *number == output.number)
                    .map(|(_, note)| *note)
            }
            Record::Input(..) | Record::Step(_) | Record::End(_) => None,
        };
        if let Some(note) = note {
            trace::note(&note.split_whitespace().collect::<Vec<_>>().join(" "));
            shown.extend(["     ", note, "\n"]);
        }
        if note.is_some() || matches!(record, Record::Output(_)) {
            shown.push('\n');
        }
        shown
    }
}

/// Starts the local server and the script; gives the lines as they come.
///
/// # Errors
/// The operating system's, if the loop-back interface gives no port.
pub async fn play(handle: &HostHandle) -> io::Result<Incoming> {
    let server = tour_server::start(handle).await?;
    let file = ["Cargo.toml", "/etc/hosts", "/etc/passwd"]
        .into_iter()
        .find(|file| Path::new(file).is_file());
    let ms = Duration::from_millis;
    let script = [
        (ms(0), format!("get http://{server}/after/900ms")),
        (ms(300), format!("get http://{server}/after/200ms")),
        (ms(1_100), "sleep 600ms".to_owned()),
        (ms(100), format!("read {}", file.unwrap_or("Cargo.toml"))),
        (
            ms(100),
            "query select name, radius_km from planets order by radius_km desc limit 3".to_owned(),
        ),
        (ms(100), "slep 1s".to_owned()),
        (ms(100), "stop".to_owned()),
    ];
    let (mut lines, incoming) = mpsc::channel(1);
    let timers = handle.timers.clone();
    drop(handle.spawner.spawn_named("script", async move {
        for (pause, line) in script {
            timers.sleep(pause).await;
            if lines.send(Ok(Line::Text(line))).await.is_err() {
                return;
            }
        }
    }));
    Ok(incoming)
}

/// What was typed to call this program. Its name alone would be found by those only who have put it
/// on their path.
fn called() -> String {
    let name = std::env::args_os().next();
    name.map_or_else(
        || "event-loop".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}

/// What the visitor is told at the end, and whether all went as announced.
#[must_use]
pub fn farewell(seen: &Seen) -> (String, bool) {
    let order: Vec<String> = seen
        .outputs
        .iter()
        .map(|number| format!("O{number}"))
        .collect();
    let place = |wanted| seen.outputs.iter().position(|&number| number == wanted);
    let (verdict, as_announced) = match (place(2), place(1)) {
        (Some(second), Some(first)) if second < first => (
            format!(
                "Now with your own lines: {} run (try `sleep 3s`, then `query select 1`; \
                 --help tells the rest).",
                called()
            ),
            true,
        ),
        (Some(_), Some(_)) => (
            "O1 came before O2: this machine was too busy for the tour's delays. Please try again."
                .to_owned(),
            false,
        ),
        _ => ("The tour was left early.".to_owned(), true),
    };
    (
        format!(
            "\nThe order of the outputs: {}.\n{verdict}\n",
            order.join(", ")
        ),
        as_announced,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verdict_can_be_bad() {
        let verdict = |outputs: &[u64]| {
            farewell(&Seen {
                outputs: outputs.to_vec(),
            })
        };
        assert!(verdict(&[2, 1, 3]).1);
        assert!(!verdict(&[1, 2, 3]).1);
        assert!(verdict(&[1]).0.contains("left early"));
    }
}
