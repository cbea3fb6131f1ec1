//! An axum application on this loop: routes, extractors and shared state as anywhere else.
//!
//! Run it: `cargo run --example axum_app` (asks itself), or with an address to stay there:
//! `cargo run --example axum_app -- 127.0.0.1:3000`, then
//! `curl -d tea 127.0.0.1:3000/orders; curl 127.0.0.1:3000/orders/1`
//!
//! Watch where a runtime is known: in the last lines of `serve` only. axum's router is a
//! tower service, hyper speaks HTTP for it, and both run on whatever gives them bytes, tasks and
//! time. `Host::new(2)` in place of `Host::new(1)` makes it two threads. The order is brewed on
//! the loop's timers: two of them take as long as one.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use demos::{Host, HostHandle};
use futures::future::join_all;
use futures::{AsyncReadExt, AsyncWriteExt};
use hyper::server::conn::http1;
use hyper_util::service::TowerToHyperService;
use reactor::{TcpListener, TcpStream};

/// How long an order takes.
const BREWING: Duration = Duration::from_millis(200);

#[derive(Clone)]
struct Kitchen {
    handle: HostHandle,
    orders: Arc<Mutex<Vec<String>>>,
}

async fn order(State(kitchen): State<Kitchen>, what: String) -> (StatusCode, String) {
    kitchen.handle.timers.sleep(BREWING).await;
    let mut orders = kitchen.orders.lock().expect("nobody panics with it");
    orders.push(what);
    (StatusCode::CREATED, format!("order {}\n", orders.len()))
}

async fn serve_order(
    State(kitchen): State<Kitchen>,
    Path(number): Path<usize>,
) -> Result<String, (StatusCode, String)> {
    let orders = kitchen.orders.lock().expect("nobody panics with it");
    let order = number.checked_sub(1).and_then(|place| orders.get(place));
    let none = || {
        (
            StatusCode::NOT_FOUND,
            format!("there is no order {number}\n"),
        )
    };
    order
        .map(|what| format!("{what}, please\n"))
        .ok_or_else(none)
}

fn app(handle: HostHandle) -> Router {
    let orders = Arc::default();
    Router::new()
        .route("/orders", post(order))
        .route("/orders/{number}", get(serve_order))
        .with_state(Kitchen { handle, orders })
}

async fn serve(handle: HostHandle, listener: TcpListener) -> io::Result<()> {
    let app = app(handle.clone());
    loop {
        let (stream, _) = listener.accept().await?;
        let service = TowerToHyperService::new(app.clone());
        drop(handle.spawner.spawn(async move {
            // An error means that the client has gone.
            let _ = http1::Builder::new()
                .serve_connection(stream, service)
                .await;
        }));
    }
}

/// A request by hand; gives the last line of the answer.
async fn ask(handle: &HostHandle, to: SocketAddr, what: &str, body: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(&handle.reactor, to).await?;
    let length = body.len();
    let request = format!(
        "{what} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
         content-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer.lines().last().unwrap_or_default().to_owned())
}

async fn visit(handle: HostHandle, to: SocketAddr) -> io::Result<()> {
    let clock = handle.timers.clock();
    let began = clock.now();
    let orders = ["tea", "coffee"].map(|what| ask(&handle, to, "POST /orders", what));
    for answer in join_all(orders).await {
        println!("{}", answer?);
    }
    let one_after_the_other = 2 * BREWING;
    let both = clock.now() - began;
    let verdict = if both < one_after_the_other {
        "at once"
    } else {
        "in turns"
    };
    println!("brewed {verdict}");
    for number in 1..=3 {
        println!(
            "{}",
            ask(&handle, to, &format!("GET /orders/{number}"), "").await?
        );
    }
    Ok(())
}

fn main() -> io::Result<()> {
    let host = Host::new(1)?;
    let handle = host.handle();
    let address = std::env::args().nth(1);
    let listener = TcpListener::bind(&handle.reactor, address.as_deref().unwrap_or("127.0.0.1:0"))?;
    let bound = listener.local_addr()?;
    println!("listening on http://{bound}");
    let serving = handle.spawner.spawn(serve(handle.clone(), listener));
    match address {
        Some(_) => host.run(serving)?.map_err(io::Error::other)?,
        None => host.run(visit(handle, bound))?,
    }
}
