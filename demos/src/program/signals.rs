//! ctrl-c and SIGTERM as input of the loop: a byte in a pipe, and the pipe a source.
//!
//! A signal handler may do next to nothing; a byte written into a socket is something it may do.
//! The loop reads it like any other input, so a signal needs no thread and interrupts nothing.

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::channel::mpsc;
use reactor::Source;
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::host::HostHandle;
use crate::trace;

/// A wish that the program end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// ctrl-c.
    Interrupt,
    /// SIGTERM, by a supervisor.
    Terminate,
}

impl Signal {
    /// Its name for a person.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "ctrl-c",
            Self::Terminate => "SIGTERM",
        }
    }

    /// The exit status of a program it ended: 128 and its number.
    #[must_use]
    pub fn exit_status(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }
}

/// Signals as they come.
pub type Signals = mpsc::UnboundedReceiver<Signal>;

/// Starts to listen.
///
/// # Errors
/// The operating system's.
pub fn listen(handle: &HostHandle) -> io::Result<Signals> {
    let (sender, signals) = mpsc::unbounded();
    for (number, signal) in [(SIGINT, Signal::Interrupt), (SIGTERM, Signal::Terminate)] {
        let (read_end, write_end) = UnixStream::pair()?;
        signal_hook::low_level::pipe::register(number, write_end)?;
        read_end.set_nonblocking(true)?;
        let source =
            trace::remark::calling(signal.name(), || Source::new(&handle.reactor, read_end))?;
        drop(
            handle
                .spawner
                .spawn_named(signal.name(), forward(source, signal, sender.clone())),
        );
    }
    Ok(signals)
}

async fn forward(
    source: Source<UnixStream>,
    signal: Signal,
    sender: mpsc::UnboundedSender<Signal>,
) {
    let mut bytes = [0; 16];
    // A byte a signal, if the kernel did not merge them.
    while let Ok(count) = source
        .read_with(|mut io| io::Read::read(&mut io, &mut bytes))
        .await
    {
        for _ in 0..count {
            if sender.unbounded_send(signal).is_err() {
                return;
            }
        }
    }
}

/// From now on a signal ends the process from within its handler, whatever the loop is doing:
/// for the last words, which somebody may not let us say.
///
/// # Errors
/// The operating system's.
pub fn end_at_the_next() -> io::Result<()> {
    let armed = Arc::new(AtomicBool::new(true));
    for signal in [Signal::Interrupt, Signal::Terminate] {
        let number = if signal == Signal::Interrupt {
            SIGINT
        } else {
            SIGTERM
        };
        let status = i32::from(signal.exit_status());
        signal_hook::flag::register_conditional_shutdown(number, status, Arc::clone(&armed))?;
    }
    // Registered after it was set: the flag only has to stay true.
    armed.store(true, Ordering::SeqCst);
    Ok(())
}
