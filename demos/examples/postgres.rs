//! PostgreSQL through tokio-postgres, without tokio: its raw connection over our socket.
//!
//! Run it: `cargo run --example postgres -- postgres://USER:PASSWORD@127.0.0.1/DATABASE` (or with
//! the URL in `DATABASE_URL`; without either it looks on this machine, and says if nobody is there)
//!
//! Watch the order: three connections, each with a query that takes its time on the server. All wait
//! at once, on one thread here, and are done in the order of their lengths, after the longest and
//! not after the sum. A connection is a future like any other: it moves bytes while it is polled,
//! so it is a task of ours. Only the names of the I/O traits differ, which `compat` translates.

use std::io;
use std::time::Duration;

use demos::{EventLoop, Handle};
use futures::future::try_join_all;
use reactor::TcpStream;
use tokio_postgres::config::Host;
use tokio_postgres::{Client, Config, NoTls};
use tokio_util::compat::FuturesAsyncReadCompatExt;

async fn connect(handle: &Handle, config: &Config) -> io::Result<Client> {
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(name)) => name.clone(),
        _ => "127.0.0.1".to_owned(),
    };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    let known = handle.blocking(move || {
        use std::net::ToSocketAddrs;
        (host, port).to_socket_addrs().map(Vec::from_iter)
    });
    let addresses = known.await.map_err(io::Error::other)??;
    let stream = TcpStream::connect_any(&handle.reactor, addresses).await?;
    stream.set_nodelay(true)?;
    let connected = config.connect_raw(stream.compat(), NoTls).await;
    let (client, connection) = connected.map_err(io::Error::other)?;
    drop(handle.spawner.spawn(connection));
    Ok(client)
}

/// Lets the server sleep, on a connection of its own.
async fn nap(handle: &Handle, config: &Config, seconds: f64) -> io::Result<()> {
    let client = connect(handle, config).await?;
    let query = "select pg_sleep($1::float8), $1::float8";
    let rows = client.query_one(query, &[&seconds]).await;
    let row = rows.map_err(io::Error::other)?;
    println!("napped {} s", row.get::<_, f64>(1));
    Ok(())
}

async fn ask(handle: &Handle, config: &Config, client: &Client) -> io::Result<()> {
    let row = client.query_one("select version()", &[]).await;
    println!("{}", row.map_err(io::Error::other)?.get::<_, &str>(0));
    let clock = handle.timers.clock();
    let began = clock.now();
    try_join_all([0.3, 0.2, 0.1].map(|seconds| nap(handle, config, seconds))).await?;
    let took = (clock.now() - began).as_secs_f64();
    println!("all done after {took:.1} s");
    Ok(())
}

fn main() -> io::Result<()> {
    let url = std::env::args()
        .nth(1)
        .or_else(|| std::env::var("DATABASE_URL").ok());
    let asked_for = url.is_some();
    let url = url.unwrap_or_else(|| "postgres://postgres@127.0.0.1:5432/postgres".to_owned());
    let config: Config = url.parse().map_err(io::Error::other)?;
    let event_loop = EventLoop::new()?;
    let handle = event_loop.handle();
    event_loop.run(async {
        let connecting = connect(handle, &config);
        let connected = handle
            .timers
            .timeout(Duration::from_secs(5), connecting)
            .await;
        match connected.map_err(io::Error::other).flatten() {
            Ok(client) => ask(handle, &config, &client).await,
            Err(error) if !asked_for => {
                println!("no server of PostgreSQL is here ({error}); give its URL");
                Ok(())
            }
            Err(error) => Err(error),
        }
    })?
}
