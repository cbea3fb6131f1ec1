//! A small HTTP server on the same loop: `GET /after/200ms` answers after 200 ms.
//!
//! It is there for the tour and the tests, which must not need a network, and as the shortest
//! example of hyper's server on these parts: accept, spawn, serve.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use reactor::{TcpListener, TcpStream};

use crate::host::HostHandle;
use crate::program::quantity::parse_duration;

/// Starts to serve on a free port of the loop-back interface; ends with the loop.
///
/// # Errors
/// The operating system's, if there is no port.
pub async fn start(handle: &HostHandle) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(&handle.reactor, (Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    drop(
        handle
            .spawner
            .spawn_named("tour server", accept(handle.clone(), listener)),
    );
    Ok(address)
}

async fn accept(handle: HostHandle, listener: TcpListener) {
    loop {
        match listener.accept().await {
            Ok((stream, _peer)) => drop(
                handle
                    .spawner
                    .spawn_named("tour connection", serve(handle.clone(), stream)),
            ),
            // Out of descriptors, or a client that gave up: neither is a reason to stop, and
            // the first no reason to try again at once.
            Err(_) => handle.timers.sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn serve(handle: HostHandle, stream: TcpStream) {
    let service = service_fn(|request| {
        let handle = handle.clone();
        async move { Ok::<_, Infallible>(answer(&handle, &request).await) }
    });
    // A client that breaks off is the client's affair.
    let _ = http1::Builder::new()
        .serve_connection(stream, service)
        .await;
}

async fn answer(handle: &HostHandle, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let path = request.uri().path();
    let (status, body) = match path.strip_prefix("/after/").map(parse_duration) {
        Some(Ok(delay)) => {
            handle.timers.sleep(delay).await;
            (
                StatusCode::OK,
                format!("a page that took {}\n", &path["/after/".len()..]),
            )
        }
        Some(Err(bad)) => (StatusCode::BAD_REQUEST, format!("{bad}\n")),
        None => (
            StatusCode::NOT_FOUND,
            "there is only /after/DURATION\n".to_owned(),
        ),
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response
}
