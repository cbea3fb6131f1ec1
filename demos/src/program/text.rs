//! Records for people: `I1 sleep 2s`, later `O1 (2s) sleep 2s: slept`.
//!
//! What files, pages and databases hold is indented and escaped, so that nothing in it can pass
//! for a line of the program's own, and it is cut after a stated number of lines.

use std::fmt::Write as _;

use super::escape::{escape, shortened};
use super::output::{Outcome, Output, Record, Render, Step, Tally};
use super::quantity::{counted, grouped, human_duration};
use crate::processing::{Answer, Rows};

/// How wide a line of content may be before it is cut, in characters.
const WIDTH: usize = 200;

/// Renders for people.
#[derive(Clone, Debug)]
pub struct Text {
    /// How many lines of a content are shown.
    pub preview: usize,
}

impl Render for Text {
    fn render(&mut self, record: Record<'_>) -> String {
        match record {
            Record::Input(number, line) => format!("I{number} {}\n", escape(&shortened(line))),
            Record::Output(output) => self.output(output),
            Record::Step(step) => format!("  . {}\n", step_text(step)),
            Record::End(tally) => format!("end: {}\n", tally_text(tally)),
        }
    }
}

impl Text {
    fn output(&self, output: &Output) -> String {
        let Output {
            number,
            line,
            after,
            outcome,
        } = output;
        let line = shortened(line);
        let mut text = format!("O{number} ({}) {}: ", human_duration(*after), escape(&line));
        match outcome {
            Outcome::Done(answer) => self.answer(&mut text, answer),
            Outcome::Failed(failure) => text.extend(["error: ", &escape(&failure.0), "\n"]),
            Outcome::Undone(why) => text.extend(["left undone: ", why, "\n"]),
        }
        text
    }

    fn answer(&self, text: &mut String, answer: &Answer) {
        match answer {
            Answer::Slept => text.push_str("slept\n"),
            Answer::Text {
                http_status,
                bytes,
                text: content,
            } => {
                if let Some(status) = http_status {
                    let _ = write!(text, "{status}, ");
                }
                let lines = content.lines().count();
                let _ = writeln!(
                    text,
                    "{}, {}",
                    counted(*bytes, "byte"),
                    counted(lines, "line")
                );
                self.preview(text, content.lines(), lines);
            }
            Answer::Rows(rows) => {
                let _ = writeln!(text, "{}", counted(rows.rows.len(), "row"));
                self.rows(text, rows);
            }
            Answer::Stopping { in_flight: 0 } => text.push_str("no more input is taken\n"),
            Answer::Stopping { in_flight } => {
                let _ = writeln!(text, "no more input is taken; {in_flight} in flight");
            }
        }
    }

    fn preview<'a>(&self, text: &mut String, lines: impl Iterator<Item = &'a str>, total: usize) {
        for line in lines.take(self.preview) {
            let line = escape(line);
            let (shown, more) = match line.char_indices().nth(WIDTH) {
                Some((end, _)) => (&line[..end], "…"),
                None => (&*line, ""),
            };
            text.extend(["    | ", shown, more, "\n"]);
        }
        if total > self.preview && self.preview > 0 {
            let more = counted(total - self.preview, "more line");
            let _ = writeln!(text, "    … {more} (--preview)");
        }
    }

    /// Columns as wide as their widest cell shown.
    fn rows(&self, text: &mut String, rows: &Rows) {
        let head = rows
            .columns
            .iter()
            .map(|name| cut(name))
            .collect::<Vec<_>>();
        let shown = rows.rows.iter().take(self.preview);
        let body = shown.map(|row| row.iter().map(|cell| cut(&cell.to_string())).collect());
        let table: Vec<Vec<String>> = std::iter::once(head).chain(body).collect();
        let width = |column: usize| {
            table
                .iter()
                .map(|row| row[column].chars().count())
                .max()
                .unwrap_or_default()
        };
        let widths: Vec<usize> = (0..rows.columns.len()).map(width).collect();
        let lines: Vec<String> = table.iter().map(|row| aligned(row, &widths)).collect();
        let total = 1 + rows.rows.len();
        let preview = Self {
            preview: if self.preview == 0 {
                0
            } else {
                self.preview + 1
            },
        };
        preview.preview(text, lines.iter().map(String::as_str), total);
    }
}

fn aligned(row: &[String], widths: &[usize]) -> String {
    let cells = row
        .iter()
        .zip(widths)
        .map(|(cell, width)| format!("{cell:<width$}"));
    cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

/// A cell as a table shows it: one line, of bounded width.
fn cut(cell: &str) -> String {
    const CELL_WIDTH: usize = 40;
    let cell = escape(cell);
    match cell.char_indices().nth(CELL_WIDTH) {
        Some((end, _)) => format!("{}…", &cell[..end]),
        None => cell.into_owned(),
    }
}

/// A step in the words of the article the program plays.
#[must_use]
pub fn step_text(step: Step) -> String {
    match step {
        Step::CheckingForInput => "checking for input".to_owned(),
        Step::Available(number) => format!("I{number} available, sent for processing"),
        Step::CheckingForOutput => "checking for output".to_owned(),
        Step::Ready(number) => format!("O{number} ready, sent for display"),
        Step::Closing(why) => format!("closing: {why}"),
    }
}

/// The tally as a sentence.
#[must_use]
pub fn tally_text(tally: &Tally) -> String {
    let Tally {
        inputs,
        done,
        failed,
        undone,
    } = *tally;
    let mut text = format!(
        "{}, {} done",
        counted(inputs as usize, "input"),
        grouped(done as usize)
    );
    for (count, what) in [(failed, "failed"), (undone, "left undone")] {
        if count > 0 {
            let _ = write!(text, ", {} {what}", grouped(count as usize));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::processing::{Cell, Failure};
    use std::time::Duration;

    fn shown(line: &str, outcome: Outcome) -> String {
        let after = Duration::from_millis(20);
        let output = Output {
            number: 7,
            line: line.to_owned(),
            after,
            outcome,
        };
        Text { preview: 2 }.render(Record::Output(&output))
    }

    fn page(content: &str) -> Outcome {
        let text = content.to_owned();
        Outcome::Done(Answer::Text {
            http_status: None,
            bytes: text.len(),
            text,
        })
    }

    #[test]
    fn one_line_each() {
        let mut text = Text { preview: 2 };
        assert_eq!(text.render(Record::Input(1, "sleep 2s")), "I1 sleep 2s\n");
        assert_eq!(
            shown("sleep 20ms", Outcome::Done(Answer::Slept)),
            "O7 (20ms) sleep 20ms: slept\n"
        );
        let failure = Outcome::Failed(Failure("no\x1b[2J".to_owned()));
        assert_eq!(
            shown("x\r", failure),
            "O7 (20ms) x\\u{d}: error: no\\u{1b}[2J\n"
        );
        assert_eq!(
            shown("sleep 1h", Outcome::Undone("time is up".to_owned())),
            "O7 (20ms) sleep 1h: left undone: time is up\n"
        );
        let tally = Tally {
            inputs: 1,
            done: 1,
            failed: 0,
            undone: 0,
        };
        assert_eq!(text.render(Record::End(&tally)), "end: 1 input, 1 done\n");
        let tally = Tally {
            inputs: 4,
            done: 1,
            failed: 2,
            undone: 1,
        };
        assert_eq!(
            text.render(Record::End(&tally)),
            "end: 4 inputs, 1 done, 2 failed, 1 left undone\n"
        );
    }

    #[test]
    fn content_is_indented_escaped_and_cut() {
        assert_eq!(
            shown(
                "read x",
                page("O1 (0s) forged: slept\n\x1b]0;title\x07\nthird\nfourth")
            ),
            "O7 (20ms) read x: 45 bytes, 4 lines\n    | O1 (0s) forged: slept\n    \
             | \\u{1b}]0;title\\u{7}\n    … 2 more lines (--preview)\n"
        );
        let wide = shown("read x", page(&"w".repeat(1_000_000)));
        assert!(wide.len() < 300 && wide.contains('…'), "{}", wide.len());
        assert_eq!(
            shown("read x", page("")),
            "O7 (20ms) read x: 0 bytes, 0 lines\n"
        );
    }

    #[test]
    fn rows_stand_in_columns() {
        let row = |a: &str, b| vec![Cell::Text(a.to_owned()), Cell::Integer(b)];
        let rows = Rows {
            columns: vec!["name".to_owned(), "n".to_owned()],
            rows: vec![row("Moon", 1), row("Ganymede", 22), row("Io", 3)],
        };
        assert_eq!(
            shown("query x", Outcome::Done(Answer::Rows(rows))),
            "O7 (20ms) query x: 3 rows\n    | name      n\n    | Moon      1\n    \
             | Ganymede  22\n    … 1 more line (--preview)\n"
        );
    }

    #[test]
    fn steps_in_the_words_of_the_article() {
        assert_eq!(
            step_text(Step::Available(2)),
            "I2 available, sent for processing"
        );
        assert_eq!(step_text(Step::Ready(2)), "O2 ready, sent for display");
    }
}
