//! What hyper asks of a connection, asked directly.
#![cfg(not(loom))]

mod driver;

use std::future::poll_fn;
use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::pin::Pin;

use driver::{Driver, block_on};
use hyper::rt::{Read, ReadBuf, Write};
use reactor::{TcpListener, TcpStream, UnixStream};

/// Reads once into a buffer that was never initialised.
async fn read(stream: &mut (impl Read + Unpin), room: usize) -> Vec<u8> {
    let mut bytes = vec![MaybeUninit::uninit(); room];
    let mut buf = ReadBuf::uninit(&mut bytes);
    poll_fn(|cx| Pin::new(&mut *stream).poll_read(cx, buf.unfilled()))
        .await
        .unwrap();
    buf.filled().to_vec()
}

async fn talk(mut one: impl Read + Write + Unpin, mut other: impl Read + Write + Unpin) {
    assert!(one.is_write_vectored());
    let parts = [IoSlice::new(b"GET "), IoSlice::new(b"/")];
    let sent = poll_fn(|cx| Pin::new(&mut one).poll_write_vectored(cx, &parts))
        .await
        .unwrap();
    assert_eq!(sent, 5);
    assert_eq!(
        read(&mut other, 3).await,
        b"GET",
        "no more than there is room for"
    );
    assert_eq!(read(&mut other, 100).await, b" /");
    poll_fn(|cx| Pin::new(&mut one).poll_flush(cx))
        .await
        .unwrap();
    poll_fn(|cx| Pin::new(&mut one).poll_shutdown(cx))
        .await
        .unwrap();
    assert_eq!(read(&mut other, 100).await, b"", "the end");
    poll_fn(|cx| Pin::new(&mut other).poll_write(cx, b"200"))
        .await
        .unwrap();
    assert_eq!(
        read(&mut one, 100).await,
        b"200",
        "the other way is still open"
    );
}

#[test]
fn tcp() {
    let driver = Driver::new();
    let listener = TcpListener::bind(&driver.reactor, "127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    block_on(async {
        let client = TcpStream::connect(&driver.reactor, address).await.unwrap();
        talk(client, listener.accept().await.unwrap().0).await;
    });
}

#[test]
fn unix() {
    let driver = Driver::new();
    let (one, other) = UnixStream::pair(&driver.reactor).unwrap();
    block_on(talk(one, other));
    let (one, other) = UnixStream::pair(&driver.reactor).unwrap();
    block_on(talk(one.bytes_only(), other.bytes_only()));
}
