//! A run that is recorded: what is asked for on the command line, from its start to its end.

use std::cell::RefCell;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use timers::Clock;

use super::keeper::{Keeper, Kept};
use super::recorder::Recorder;
use crate::program::escape::escape;
use crate::program::quantity::{counted, parse_size};

/// The options of a run that may be recorded.
#[derive(Clone, Debug, Default, Args)]
pub struct RecordOptions {
    /// Record what happens into FILE; `event-loop trace FILE` tells it
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,

    /// How large that file may become; what happens then is counted, not kept
    #[arg(long, value_name = "SIZE", value_parser = parse_size, default_value = "64MiB")]
    pub record_limit: usize,
}

/// A recording that is made, or none. When dropped it ends, and says what it has.
#[derive(Debug)]
pub struct Recording {
    recorder: Option<Recorder>,
    kept: RefCell<Option<(PathBuf, Keeper)>>,
}

impl RecordOptions {
    /// Starts to record a run by this clock, if that is asked for.
    ///
    /// # Errors
    /// A sentence: why there can be no such file.
    pub fn start(&self, program: &str, clock: &Clock) -> Result<Recording, String> {
        let mut recording = Recording {
            recorder: None,
            kept: RefCell::new(None),
        };
        let Some(path) = &self.record else {
            return Ok(recording);
        };
        let recorder = Recorder::new(clock);
        let header = recorder.header(program);
        let keeper = Keeper::start(&recorder, &header, path, self.record_limit as u64)
            .map_err(|error| format!("--record {}: {error}", path.display()))?;
        recording.kept = RefCell::new(Some((path.clone(), keeper)));
        recording.recorder = Some(recorder);
        Ok(recording)
    }
}

impl Recording {
    /// The observer of the run, if it is recorded.
    #[must_use]
    pub fn recorder(&self) -> Option<&Recorder> {
        self.recorder.as_ref()
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        if let (Some(recorder), Some((path, keeper))) = (&self.recorder, self.kept.take()) {
            let path = path.display();
            let message = match keeper.finish(recorder) {
                Ok(kept) => format!("{} in {path}; event-loop trace {path}", told(kept)),
                Err(error) => format!("--record {path}: the recording is not whole: {error}"),
            };
            // That it cannot be said is no reason to panic.
            let _ = writeln!(io::stderr(), "event-loop: {}", escape(&message));
        }
    }
}

fn told(kept: Kept) -> String {
    let events = counted(kept.events as usize, "event");
    match kept.lost {
        0 => events,
        lost => format!("{events} (and {lost} that found no room)"),
    }
}
