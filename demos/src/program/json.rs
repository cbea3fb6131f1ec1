//! Records for programs: one JSON object a line, the whole content in it.

use serde::Serialize;

use super::output::{Outcome, Output, Record, Render, Tally};
use super::text::step_text;
use crate::processing::Answer;

/// Renders for programs.
#[derive(Clone, Copy, Debug)]
pub struct Json;

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Line<'a> {
    Input {
        number: u64,
        line: &'a str,
    },
    Output {
        number: u64,
        line: &'a str,
        after_ms: f64,
        status: &'static str,
        #[serde(flatten)]
        answer: Option<&'a Answer>,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<&'a str>,
    },
    Step {
        step: String,
    },
    End {
        inputs: u64,
        done: u64,
        failed: u64,
        undone: u64,
    },
}

impl Render for Json {
    fn render(&mut self, record: Record<'_>) -> String {
        let line = match record {
            Record::Input(number, line) => Line::Input { number, line },
            Record::Output(output) => output_line(output),
            Record::Step(step) => Line::Step {
                step: step_text(step),
            },
            Record::End(&Tally {
                inputs,
                done,
                failed,
                undone,
            }) => Line::End {
                inputs,
                done,
                failed,
                undone,
            },
        };
        // Of the types above none can fail: no map with odd keys, no writer.
        let mut text = serde_json::to_string(&line).unwrap_or_default();
        text.push('\n');
        text
    }
}

fn output_line(output: &Output) -> Line<'_> {
    let (status, answer, error) = match &output.outcome {
        Outcome::Done(answer) => ("ok", Some(answer), None),
        Outcome::Failed(failure) => ("error", None, Some(failure.0.as_str())),
        Outcome::Undone(why) => ("undone", None, Some(why.as_str())),
    };
    let after_ms = output.after.as_micros() as f64 / 1000.0;
    Line::Output {
        number: output.number,
        line: &output.line,
        after_ms,
        status,
        answer,
        error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::processing::{Cell, Failure, Rows};
    use crate::program::output::Step;
    use std::time::Duration;

    fn shown(outcome: Outcome) -> String {
        let after = Duration::from_micros(1_500);
        Json.render(Record::Output(&Output {
            number: 2,
            line: "x".to_owned(),
            after,
            outcome,
        }))
    }

    #[test]
    fn one_object_a_line() {
        let head = r#"{"event":"output","number":2,"line":"x","after_ms":1.5,"status":"#;
        let cells = vec![
            Cell::Null,
            Cell::Integer(1),
            Cell::Real(2.5),
            Cell::Text("\n\x1b".to_owned()),
        ];
        let rows = Rows {
            columns: vec!["c".to_owned(); 4],
            rows: vec![cells],
        };
        let page = Answer::Text {
            http_status: Some(200),
            bytes: 2,
            text: "hi".to_owned(),
        };
        for (outcome, rest) in [
            (Outcome::Done(Answer::Slept), r#""ok","kind":"slept"}"#),
            (
                Outcome::Done(page),
                r#""ok","kind":"text","http_status":200,"bytes":2,"text":"hi"}"#,
            ),
            (
                Outcome::Done(Answer::Rows(rows)),
                concat!(
                    r#""ok","kind":"rows","columns":["c","c","c","c"],"#,
                    r#""rows":[[null,1,2.5,"\n\u001b"]]}"#
                ),
            ),
            (
                Outcome::Failed(Failure("no".to_owned())),
                r#""error","error":"no"}"#,
            ),
            (
                Outcome::Undone("late".to_owned()),
                r#""undone","error":"late"}"#,
            ),
        ] {
            assert_eq!(shown(outcome), format!("{head}{rest}\n"));
        }
        assert_eq!(
            Json.render(Record::Input(1, "a\"b")),
            "{\"event\":\"input\",\"number\":1,\"line\":\"a\\\"b\"}\n"
        );
        let step = Json.render(Record::Step(Step::Ready(2)));
        assert_eq!(
            step,
            "{\"event\":\"step\",\"step\":\"O2 ready, sent for display\"}\n"
        );
        let end = Json.render(Record::End(&Tally {
            inputs: 1,
            ..Tally::default()
        }));
        assert_eq!(
            end,
            "{\"event\":\"end\",\"inputs\":1,\"done\":0,\"failed\":0,\"undone\":0}\n"
        );
    }
}
