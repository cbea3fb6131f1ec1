//! The load generator for connections that come and go: each is opened, echoes one message and is
//! closed, so many at a time.

use std::io::{self, BufRead, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

use crate::child::say;
use crate::workload::Invalid;
use crate::workloads::echo_inproc::message;

/// For each line `go N` from the parent opens N times `at_once` connections, uses and closes them,
/// and answers `done CONNECTIONS`.
///
/// # Errors
/// When a connection fails, or something else comes back than was sent.
pub fn generate(server: SocketAddr, at_once: usize) -> Result<(), Invalid> {
    say("ready", "")?;
    for line in io::stdin().lock().lines() {
        let line = line?;
        let rounds = line.strip_prefix("go ").and_then(|n| n.parse::<u64>().ok());
        let rounds = rounds.ok_or_else(|| Invalid(format!("what is '{line}'?")))?;
        for number in 0..rounds {
            together(server, at_once, number)?;
        }
        say("done", rounds * at_once as u64)?;
    }
    Ok(())
}

fn together(server: SocketAddr, at_once: usize, number: u64) -> Result<(), Invalid> {
    let streams: io::Result<Vec<_>> = (0..at_once).map(|_| TcpStream::connect(server)).collect();
    let mut streams = streams?;
    for stream in &mut streams {
        stream.set_nodelay(true)?;
        stream.write_all(&message(number))?;
    }
    for stream in &mut streams {
        let mut back = message(number + 1);
        stream.read_exact(&mut back)?;
        if back != message(number) {
            return Err(Invalid("something else came back than was sent".into()));
        }
        stream.shutdown(Shutdown::Write)?;
        if stream.read(&mut back)? > 0 {
            return Err(Invalid("more came back than was sent".into()));
        }
    }
    Ok(())
}
