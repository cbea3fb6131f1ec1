//! From the command line to the exit status.

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use timers::Clock;

use super::cli::{Cli, Command, RunOptions, ServeOptions};
use super::display::Display;
use super::escape::{escape, shortened};
use super::json::Json;
use super::output::Render;
use super::session::{End, Ends, GRACE, Session, Settings};
use super::text::Text;
use super::{console, reader, signals, tour};
use crate::host::{Host, HostHandle};
use crate::processing::Processing;
use crate::processing::database::Database;
use crate::processing::reach::Reach;
use crate::seeded;
use crate::server::limits::Limits;
use crate::server::{self, Drained, Server};
use crate::trace::recording::RecordOptions;
use crate::trace::watch::Watch;
use crate::trace::{command, lessons};

/// Wrong use of the command line, or the loop itself failed.
const WRONG_USE: u8 = 2;

/// Does what the command line says.
#[must_use]
pub fn start(cli: Cli) -> ExitCode {
    let status = match cli.command {
        None => play_tour(&RecordOptions::default()),
        Some(Command::Tour(recording)) => play_tour(&recording),
        Some(Command::Run(options)) => run(&options),
        Some(Command::Serve(options)) => serve(&options),
        Some(Command::Trace(options)) => command::tell(&options),
        Some(Command::Lessons { out }) => lessons::write(&out).map(|()| 0),
    };
    ExitCode::from(status.unwrap_or_else(|message| {
        complain(&message);
        WRONG_USE
    }))
}

/// What requests are processed with.
fn processing(
    handle: &HostHandle,
    database: Option<&Path>,
    max_content: usize,
    timeout: Duration,
) -> Result<Processing, String> {
    let opened = match database {
        None => Database::sample().map_err(|failure| failure.0),
        Some(file) => Database::in_file(file)
            .map_err(|failure| format!("--database {}: {failure}", file.display())),
    };
    let (handle, database) = (handle.clone(), Arc::new(opened?));
    Ok(Processing {
        handle,
        database,
        max_content,
        timeout,
        reach: Reach::default(),
    })
}

fn play_tour(recording: &RecordOptions) -> Result<u8, String> {
    let processing =
        |handle: &HostHandle| processing(handle, None, 1 << 20, Duration::from_secs(30));
    let settings = Settings {
        trace: true,
        limit: 100,
        max_line: 1024,
        grace: None,
        grace_if_told: GRACE,
    };
    let seen = Arc::new(Mutex::new(tour::Seen::default()));
    let render = tour::Tour::new(Arc::clone(&seen));
    let recording = recording.start("event-loop tour", &Clock::monotonic())?;
    let host = Host::watched(1, recording.recorder()).map_err(failed)?;
    let watch = recording.serve(&host.handle())?;
    let opened = watch.clone();
    let end = on_a_host(
        host,
        watch,
        processing,
        async move |handle, processing, display| {
            if let Some(watch) = opened {
                watch.first_reader().await; // it is over in two seconds
            }
            let signals = signals::listen(&handle)?;
            let incoming = tour::play(&handle).await?;
            let ends = Ends {
                incoming,
                signals,
                render,
                display,
                numbers: Arc::default(),
            };
            Ok(Session::new(processing, settings, ends).run().await)
        },
    )?;
    drop(recording);
    let played_out = matches!(end, End::Finished(_));
    let status = status_of(end)?;
    if !played_out {
        return Ok(status);
    }
    let (farewell, as_announced) = tour::farewell(&seen.lock());
    // Who closed standard output by now has seen enough.
    let _ = io::stdout().write_all(farewell.as_bytes());
    Ok(u8::from(!as_announced))
}

fn run(options: &RunOptions) -> Result<u8, String> {
    let settings = Settings {
        trace: options.trace,
        limit: options.limit as usize,
        grace_if_told: GRACE,
        max_line: options.max_line,
        grace: options.grace,
    };
    let processing = |handle: &HostHandle| {
        processing(
            handle,
            options.database.as_deref(),
            options.max_content,
            options.timeout,
        )
    };
    let clock = options
        .seed
        .map_or_else(Clock::monotonic, |_| Clock::auto());
    let recording = options.recording.start("event-loop run", &clock)?;
    let host = match options.seed {
        None => Host::watched(options.threads as usize, recording.recorder()),
        Some(seed) => seeded::watched(seed, clock, recording.recorder()).map(Host::OneThread),
    };
    let options = options.clone();
    let session = async move |handle, processing, display| {
        let ends = ends(&options, &handle, display)?;
        Ok(Session::new(processing, settings, ends).run().await)
    };
    let host = host.map_err(failed)?;
    let watch = recording.serve(&host.handle())?;
    let end = on_a_host(host, watch, processing, session);
    drop(recording);
    status_of(end?)
}

/// What a session that was asked for on the command line is connected to.
fn ends(
    options: &RunOptions,
    handle: &HostHandle,
    display: Display,
) -> io::Result<Ends<Box<dyn Render + Send>>> {
    let render: Box<dyn Render + Send> = if options.json {
        Box::new(Json)
    } else {
        Box::new(Text {
            preview: options.preview,
        })
    };
    // A repeatable run reads its input without the loop, so the loop could not hear a signal;
    // unheard, ctrl-c ends the process as it does any other.
    let signals = match options.seed {
        None => signals::listen(handle)?,
        Some(_) => futures::channel::mpsc::unbounded().1,
    };
    let incoming = match &options.input {
        None => reader::read_stdin(handle, options.max_line)?,
        Some(file) => reader::read_file(handle, file, options.max_line).map_err(|error| {
            io::Error::new(error.kind(), format!("--input {}: {error}", file.display()))
        })?,
    };
    if options.input.is_none() && io::stdin().is_terminal() {
        eprintln!(
            "sleep 2s · read PATH · query SQL · get URL · stop (or ctrl-d); --help tells more"
        );
    }
    Ok(Ends {
        incoming,
        signals,
        render,
        display,
        numbers: Arc::default(),
    })
}

fn serve(options: &ServeOptions) -> Result<u8, String> {
    let recording = options
        .recording
        .start("event-loop serve", &Clock::monotonic())?;
    let host = Host::watched(options.threads as usize, recording.recorder()).map_err(failed)?;
    let handle = host.handle();
    recording.serve(&handle)?;
    let database = options.database.as_deref();
    let mut processing = processing(&handle, database, options.max_content, options.timeout)?;
    let files = options.files.canonicalize();
    let files = files.map_err(|error| format!("--files {}: {error}", options.files.display()))?;
    processing.reach = Reach {
        files: Some(files),
        public_only: options.allow_remote,
    };
    let processing = Arc::new(processing);
    let limits = Limits {
        connections: options.connections,
        in_flight: options.limit,
        in_flight_of_client: options.client_limit,
        in_flight_of_request: options.client_limit,
        body: options.max_body as u64,
        line: options.max_line,
        silence: options.silence,
        heartbeat: options.heartbeat,
        grace: options.grace,
        kept_outputs: options.keep,
    };
    let (listener, url) = server::listen(&processing, &options.listen, options.allow_remote)
        .map_err(|error| format!("--listen {}: {error}", options.listen))?;
    let signals = signals::listen(&handle).map_err(failed)?;
    // Whoever started us may wait for this line, to know the port; or may not listen at all.
    let _ = writeln!(io::stdout(), "listening on {url}");
    let server = Server::new(processing, limits, options.host.clone());
    let drained = host.run(server.serve(listener, signals)).map_err(failed)?;
    let _ = host.shutdown(Duration::ZERO); // the session and the server have told what they left
    drop(recording);
    let Drained {
        again,
        connections,
        undone,
    } = drained;
    if connections > 0 || undone > 0 {
        complain(&format!(
            "left undone: {undone} inputs, {connections} connections"
        ));
    }
    Ok(match again {
        Some(signal) => signal.exit_status(),
        None if connections > 0 || undone > 0 => 3,
        None => 0,
    })
}

fn failed(error: io::Error) -> String {
    error.to_string()
}

/// Makes what a session needs, and runs it.
fn on_a_host<F>(
    host: Host,
    watch: Option<Watch>,
    processing: impl FnOnce(&HostHandle) -> Result<Processing, String>,
    session: impl FnOnce(HostHandle, Arc<Processing>, Display) -> F,
) -> Result<End, String>
where
    F: Future<Output = io::Result<End>> + Send + 'static,
{
    let handle = host.handle();
    let processing = Arc::new(processing(&handle)?);
    let display = console::start(&handle, console::stdout().map_err(failed)?).map_err(failed)?;
    let session = session(handle.clone(), processing, display);
    let end = host.run(async move {
        let end = session.await;
        if let Some(watch) = watch {
            watch.farewell(&handle).await;
        }
        end
    });
    let _ = host.shutdown(Duration::ZERO); // the session and the server have told what they left
    end.and_then(|end| end).map_err(failed)
}

/// The exit status that tells how it ended; what standard output cannot tell goes to standard
/// error.
fn status_of(end: End) -> Result<u8, String> {
    match end {
        End::Finished(tally) => Ok(tally.exit_status()),
        // `| head -1`: who reads has had enough, and that is no error.
        End::Unheard(tally, error) if error.kind() == io::ErrorKind::BrokenPipe => {
            Ok(tally.exit_status())
        }
        End::Unheard(_, error) => Err(format!("standard output takes no more: {error}")),
        End::Broken(_, error) => Err(format!("the input broke off: {error}")),
        End::Interrupted(signal, undone) => {
            // Whoever holds standard error may hold us now; one more signal helps.
            let _ = signals::end_at_the_next();
            for (number, line) in &undone {
                complain(&format!(
                    "{} again: left undone: I{number} {}",
                    signal.name(),
                    shortened(line)
                ));
            }
            Ok(signal.exit_status())
        }
    }
}

/// A line on standard error. That it cannot be written is no reason to panic.
fn complain(message: &str) {
    let _ = writeln!(io::stderr(), "event-loop: {}", escape(message));
}
