//! A run that is recorded: what is asked for on the command line, from its start to its end.

use std::cell::RefCell;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use timers::Clock;

use super::feed::Feed;
use super::file::Header;
use super::keeper::{Keeper, Kept, KeptFile};
use super::recorder::Recorder;
use super::watch::Watch;
use crate::host::HostHandle;
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

    /// Serve a page at ADDRESS that shows the loop live (port 0: any that is free)
    #[arg(long, value_name = "ADDRESS")]
    pub watch: Option<String>,

    /// How much of what happened last is kept for the page, for who comes late or reads slowly
    #[arg(long, value_name = "SIZE", value_parser = parse_size, default_value = "32MiB",
          requires = "watch")]
    pub watch_limit: usize,

    /// Serve that page also where other machines can reach it; they see what is processed
    #[arg(long, requires = "watch")]
    pub watch_remote: bool,
}

/// A recording that is made, or none. When dropped it ends, and says what it has.
#[derive(Debug)]
pub struct Recording {
    recorder: Option<Recorder>,
    header: Header,
    keeper: RefCell<Option<Keeper>>,
    file: Option<PathBuf>,
    feed: Option<Arc<Feed>>,
    /// Where to serve the page, and to whom.
    watch: Option<(String, bool)>,
}

impl RecordOptions {
    /// Starts to record a run by this clock, if that is asked for.
    ///
    /// # Errors
    /// A sentence: why there can be no such file.
    pub fn start(&self, program: &str, clock: &Clock) -> Result<Recording, String> {
        let watch = self
            .watch
            .clone()
            .map(|address| (address, self.watch_remote));
        let mut recording = Recording {
            recorder: None,
            header: Header::default(),
            keeper: RefCell::new(None),
            file: self.record.clone(),
            feed: watch
                .as_ref()
                .map(|_| Arc::new(Feed::new(self.watch_limit))),
            watch,
        };
        if self.record.is_none() && self.watch.is_none() {
            return Ok(recording);
        }
        let recorder = Recorder::new(clock);
        recording.header = recorder.header(program);
        let create = |path: &PathBuf| {
            KeptFile::create(path, &recording.header, self.record_limit as u64)
                .map_err(|error| format!("--record {}: {error}", path.display()))
        };
        let file = self.record.as_ref().map(create).transpose()?;
        let keeper = Keeper::start(&recorder, file, recording.feed.clone());
        let keeper = keeper.map_err(|error| error.to_string())?;
        recording.keeper = RefCell::new(Some(keeper));
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

    /// Starts to serve the page on the loop that is recorded, if that is asked for.
    ///
    /// # Errors
    /// A sentence: why it cannot listen there.
    pub fn serve(&self, handle: &HostHandle) -> Result<Option<Watch>, String> {
        let (Some(recorder), Some(feed), Some((address, remote))) =
            (&self.recorder, &self.feed, &self.watch)
        else {
            return Ok(None);
        };
        let watch = Watch {
            recorder: recorder.clone(),
            header: recorder.completed(&self.header),
            feed: Arc::clone(feed),
        };
        let url = watch.start(handle, address, *remote);
        let url = url.map_err(|error| format!("--watch {address}: {error}"))?;
        say(&format!("watch it at {url}"));
        Ok(Some(watch))
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        let (Some(recorder), Some(keeper)) = (&self.recorder, self.keeper.take()) else {
            return;
        };
        let kept = keeper.finish(recorder);
        if let Some(path) = &self.file {
            let path = path.display();
            say(&match kept {
                Ok(kept) => format!(
                    "{} in {path}; to read them: event-loop trace {path}",
                    told(kept)
                ),
                Err(error) => format!("--record {path}: the recording is not whole: {error}"),
            });
        }
    }
}

/// A line on standard error. That it cannot be said is no reason to panic.
fn say(message: &str) {
    let _ = writeln!(io::stderr(), "event-loop: {}", escape(message));
}

fn told(kept: Kept) -> String {
    let events = counted(kept.events as usize, "event");
    match kept.lost {
        0 => events,
        lost => format!("{events} (and {lost} that found no room)"),
    }
}
