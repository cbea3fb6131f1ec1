//! TCP through a driver thread and somebody else's `block_on`.
#![cfg(not(loom))]

mod driver;

use std::cell::Cell;
use std::io::{ErrorKind, IoSlice, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::pin::pin;
use std::task::Waker;

use driver::{Driver, block_on, poll_once};
use futures_lite::{AsyncReadExt, AsyncWriteExt, StreamExt, future};
use reactor::{TcpListener, TcpStream};

/// Two ends of one connection.
fn connection(driver: &Driver) -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind(&driver.reactor, "127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    block_on(async {
        let (client, server) = future::try_zip(
            TcpStream::connect(&driver.reactor, address),
            listener.accept(),
        )
        .await
        .unwrap();
        assert_eq!(server.1, client.local_addr().unwrap());
        (client, server.0)
    })
}

#[test]
fn echo() {
    let driver = Driver::new();
    let (mut client, mut server) = connection(&driver);
    let payload: Vec<u8> = (0..3_000_000u32).map(|i| (i * 7) as u8).collect();
    let echoing = std::thread::spawn(move || {
        block_on(async {
            let mut buf = vec![0; 10_000];
            loop {
                match server.read(&mut buf).await.unwrap() {
                    0 => return server.close().await.unwrap(),
                    n => server.write_all(&buf[..n]).await.unwrap(),
                }
            }
        })
    });
    let (mut reader, mut writer) = client.split();
    let mut back = Vec::new();
    let (written, read) = block_on(future::zip(
        async {
            writer.write_all(&payload).await?;
            writer.close().await
        },
        reader.read_to_end(&mut back),
    ));
    written.unwrap();
    read.unwrap();
    echoing.join().unwrap();
    assert!(back == payload);
}

#[test]
fn each_direction_closes_by_itself() {
    let driver = Driver::new();
    let (mut client, mut server) = connection(&driver);
    block_on(async {
        client.write_all(b"last words").await.unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        let mut heard = Vec::new();
        server.read_to_end(&mut heard).await.unwrap();
        assert_eq!(heard, b"last words");
        server.write_all(b"answer").await.unwrap();
        server.shutdown(Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer, b"answer");
    });
}

/// Data and end of stream come in one event; the reader, given a large buffer, sees a short read
/// and must still find the end.
#[test]
fn data_and_fin_before_the_first_read() {
    let driver = Driver::new();
    let (mut client, mut server) = connection(&driver);
    block_on(async {
        client.write_all(b"bye").await.unwrap();
        drop(client);
        let mut buf = [0; 100];
        assert_eq!(server.read(&mut buf).await.unwrap(), 3);
        assert_eq!(server.read(&mut buf).await.unwrap(), 0);
        assert_eq!(
            server.read(&mut buf).await.unwrap(),
            0,
            "the end stays the end"
        );
    });
}

/// The same with the two apart, so that the task sleeps in between.
#[test]
fn data_then_fin_while_the_reader_sleeps() {
    let driver = Driver::new();
    let (mut client, mut server) = connection(&driver);
    let reading = std::thread::spawn(move || {
        block_on(async {
            let mut sizes = Vec::new();
            let mut buf = [0; 100];
            loop {
                sizes.push(server.read(&mut buf).await.unwrap());
                if sizes.last() == Some(&0) {
                    return sizes;
                }
                server.write_all(b"go on").await.unwrap();
            }
        })
    });
    block_on(async {
        let mut buf = [0; 5];
        for _ in 0..3 {
            client.write_all(b"some").await.unwrap();
            client.read_exact(&mut buf).await.unwrap();
        }
        client.close().await.unwrap();
    });
    assert_eq!(reading.join().unwrap(), [4, 4, 4, 0]);
}

#[test]
fn refused_and_none_and_second_address() {
    let driver = Driver::new();
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let listener = TcpListener::bind(&driver.reactor, "127.0.0.1:0").unwrap();
    let open = listener.local_addr().unwrap();
    block_on(async {
        let refused = TcpStream::connect(&driver.reactor, closed)
            .await
            .unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        let all: [SocketAddr; 2] = [closed, open];
        let stream = TcpStream::connect_any(&driver.reactor, all).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), open);
        let last = TcpStream::connect_any(&driver.reactor, [closed])
            .await
            .unwrap_err();
        assert_eq!(last.kind(), ErrorKind::ConnectionRefused);
        assert!(
            last.to_string().contains(&closed.to_string()),
            "names the address: {last}"
        );
        let none = TcpStream::connect_any(&driver.reactor, [])
            .await
            .unwrap_err();
        assert_eq!(none.kind(), ErrorKind::InvalidInput);
    });
}

#[test]
fn peek_nodelay_vectored_and_zero_lengths() {
    let driver = Driver::new();
    let (mut client, mut server) = connection(&driver);
    client.set_nodelay(true).unwrap();
    assert!(client.nodelay().unwrap());
    block_on(async {
        let parts = [IoSlice::new(b"ab"), IoSlice::new(b""), IoSlice::new(b"cde")];
        assert_eq!(client.write_vectored(&parts).await.unwrap(), 5);
        let mut buf = [0; 8];
        assert_eq!(server.peek(&mut buf).await.unwrap(), 5);
        assert_eq!(server.read(&mut []).await.unwrap(), 0);
        assert_eq!(server.read(&mut buf).await.unwrap(), 5);
        assert_eq!(&buf[..5], b"abcde");
        assert_eq!(client.write(&[]).await.unwrap(), 0);
        client.write_all(b"x").await.unwrap();
        assert_eq!(server.read(&mut buf).await.unwrap(), 1);
    });
}

#[test]
fn connections_as_a_stream() {
    let driver = Driver::new();
    let listener = TcpListener::bind(&driver.reactor, "127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let clients = std::thread::spawn(move || {
        (0..5)
            .map(|_| std::net::TcpStream::connect(address).unwrap())
            .collect::<Vec<_>>()
    });
    let accepted: Vec<TcpStream> = block_on(listener.incoming().take(5).try_collect()).unwrap();
    assert_eq!(accepted.len(), 5);
    clients.join().unwrap();
}

#[test]
fn to_and_from_std() {
    let driver = Driver::new();
    let (client, server) = connection(&driver);
    let mut plain = client.into_inner();
    plain.set_nonblocking(false).unwrap();
    let mut server = TcpStream::from_std(&driver.reactor, server.into_inner()).unwrap();
    block_on(server.write_all(b"hi")).unwrap();
    let mut buf = [0; 2];
    plain.read_exact(&mut buf).unwrap();
    plain.write_all(&buf).unwrap();
    assert_eq!(block_on(server.read(&mut buf)).unwrap(), 2);
}

#[test]
fn owned_halves_find_together() {
    let driver = Driver::new();
    let (client, _server) = connection(&driver);
    let (other, _other_server) = connection(&driver);
    let (reader, writer) = client.into_split();
    let (other_reader, other_writer) = other.into_split();
    let (reader, other_writer) = reader.reunite(other_writer).unwrap_err();
    assert!(reader.reunite(writer).is_ok());
    drop((other_reader, other_writer));
}

/// A connection that was just made has nothing to read, most of the time: the failing read is saved,
/// as the poller tells of what has come already.
#[test]
fn a_new_connection_is_read_when_there_is_news() {
    let driver = Driver::new();
    let listener = TcpListener::bind(&driver.reactor, "127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    for early in [false, true] {
        let mut client = std::net::TcpStream::connect(address).unwrap();
        if early {
            client.write_all(b"hello").unwrap();
        }
        let (accepted, _) = block_on(listener.accept()).unwrap();
        let tries = Cell::new(0);
        let mut buf = [0; 10];
        let mut read = pin!(accepted.read_with(|mut io| {
            tries.set(tries.get() + 1);
            io.read(&mut buf)
        }));
        if !early {
            assert!(poll_once(&mut read, Waker::noop()).is_pending());
            assert_eq!(tries.get(), 0);
            client.write_all(b"hello").unwrap();
        }
        assert_eq!(block_on(read).unwrap(), 5);
        assert_eq!(tries.get(), 1);
    }
}
