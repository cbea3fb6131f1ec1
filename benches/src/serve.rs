//! The servers that child processes run: one for each peer, the same code on each runtime.

use std::net::TcpListener;

use crate::child::say;
use crate::contest::{Invalid, OURS};
use crate::peers;
use crate::runtime::{LocalNet, LocalSpawn};
use crate::workloads::echo_inproc;

/// Echoes whatever comes, with a buffer of `buffer` bytes for each connection, until it is killed.
///
/// # Errors
/// When the peer is unknown or cannot start.
pub fn echo(peer: &str, buffer: usize) -> Result<(), Invalid> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    say("ready", listener.local_addr()?)?;
    match peer {
        OURS => echo_on::<peers::ours::EventLoop>(listener, buffer),
        "bare" => peers::bare::echo_server(&listener, buffer, false),
        "bare-shared" => peers::bare::echo_server(&listener, buffer, true),
        "tokio" => echo_on::<peers::tokio::WithDrivers>(listener, buffer),
        "smol" => echo_on::<peers::smol::WithReactor>(listener, buffer),
        #[cfg(feature = "monoio")]
        "monoio" => echo_on::<peers::monoio::Epoll>(listener, buffer),
        #[cfg(feature = "monoio")]
        "monoio-uring" => echo_on::<peers::monoio::Uring>(listener, buffer),
        _ => Err(Invalid(format!("no server is called {peer}"))),
    }
}

fn echo_on<R: LocalNet>(listener: TcpListener, buffer: usize) -> Result<(), Invalid> {
    let mut runtime = R::new();
    let spawner = runtime.spawner();
    let net = runtime.net();
    runtime.block_on(async {
        let listener = R::listener(&net, listener)?;
        loop {
            let stream = R::accept(&listener).await?;
            spawner.detach(echo_inproc::serve(stream, vec![0; buffer]));
        }
    })
}
