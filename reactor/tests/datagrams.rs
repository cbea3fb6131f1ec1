//! UDP and the Unix-domain family, abstract names included.
#![cfg(not(loom))]

mod driver;

use driver::{Driver, block_on};
use futures_lite::{AsyncReadExt, AsyncWriteExt, StreamExt, future};
use reactor::{UdpSocket, UnixDatagram, UnixListener, UnixStream};

#[test]
fn udp_to_and_fro() {
    let driver = Driver::new();
    let one = UdpSocket::bind(&driver.reactor, "127.0.0.1:0").unwrap();
    let other = UdpSocket::bind(&driver.reactor, "127.0.0.1:0").unwrap();
    let (one_addr, other_addr) = (one.local_addr().unwrap(), other.local_addr().unwrap());
    block_on(async {
        let mut buf = [0; 4];
        let (received, _) = future::try_zip(
            other.recv_from(&mut buf),
            one.send_to(b"long datagram", other_addr),
        )
        .await
        .unwrap();
        assert_eq!(received, (4, one_addr), "cut off at the buffer's end");
        one.connect(other_addr).unwrap();
        other.send_to(b"", one_addr).await.unwrap();
        other.send_to(b"x", one_addr).await.unwrap();
        assert_eq!(
            one.recv(&mut buf).await.unwrap(),
            0,
            "an empty datagram is no end"
        );
        assert_eq!(one.peek_from(&mut buf).await.unwrap().0, 1);
        assert_eq!(one.recv(&mut buf).await.unwrap(), 1);
    });
}

/// Every datagram reaches exactly one of several receivers.
#[test]
fn several_tasks_receive_from_one_socket() {
    let driver = Driver::new();
    let socket = UdpSocket::bind(&driver.reactor, "127.0.0.1:0").unwrap();
    let sender = UdpSocket::bind(&driver.reactor, "127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let socket = &socket;
    let all: Vec<u8> = std::thread::scope(|scope| {
        let receivers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(move || {
                    let receive = async |_| {
                        let mut buf = [0; 1];
                        socket.recv_from(&mut buf).await.unwrap();
                        buf[0]
                    };
                    (0..10).map(|i| block_on(receive(i))).collect::<Vec<_>>()
                })
            })
            .collect();
        for i in 0..30 {
            block_on(sender.send_to(&[i], address)).unwrap();
        }
        receivers
            .into_iter()
            .flat_map(|receiver| receiver.join().unwrap())
            .collect()
    });
    let mut sorted = all;
    sorted.sort_unstable();
    assert_eq!(sorted, (0..30).collect::<Vec<u8>>());
}

#[test]
fn a_full_unix_datagram_socket_makes_the_sender_wait() {
    let driver = Driver::new();
    let (one, other) = UnixDatagram::pair(&driver.reactor).unwrap();
    block_on(future::zip(
        async {
            for i in 0..2000u16 {
                one.send(&i.to_le_bytes()).await.unwrap();
            }
        },
        async {
            let mut buf = [0; 2];
            for i in 0..2000u16 {
                assert_eq!(other.recv(&mut buf).await.unwrap(), 2);
                assert_eq!(u16::from_le_bytes(buf), i);
            }
        },
    ));
}

#[test]
fn unix_streams_by_path_and_by_abstract_name() {
    let driver = Driver::new();
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let path = folder.join(format!("reactor-{}.socket", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&driver.reactor, &path).unwrap();
    talk(
        &listener,
        block_on(UnixStream::connect(&driver.reactor, &path)).unwrap(),
    );
    std::fs::remove_file(&path).unwrap();

    #[cfg(target_os = "linux")]
    {
        use std::os::linux::net::SocketAddrExt;
        let name = format!("reactor-{}", std::process::id());
        let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
        let listener = UnixListener::bind_addr(&driver.reactor, &address).unwrap();
        let path = format!("\0{name}");
        talk(
            &listener,
            block_on(UnixStream::connect(&driver.reactor, path)).unwrap(),
        );
    }
}

fn talk(listener: &UnixListener, mut client: UnixStream) {
    block_on(async {
        let mut server = listener.incoming().next().await.unwrap();
        let mut buf = [0; 5];
        future::try_zip(client.write_all(b"hello"), server.read_exact(&mut buf))
            .await
            .unwrap();
        assert_eq!(&buf, b"hello");
        drop(client);
        assert_eq!(server.read(&mut buf).await.unwrap(), 0);
    });
}

#[test]
fn unix_datagrams_by_path() {
    let driver = Driver::new();
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let path = folder.join(format!("reactor-{}.datagram", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let bound = UnixDatagram::bind(&driver.reactor, &path).unwrap();
    let unbound = std::os::unix::net::UnixDatagram::unbound().unwrap();
    let unbound = UnixDatagram::from_std(&driver.reactor, unbound).unwrap();
    block_on(unbound.send_to(b"x", &path)).unwrap();
    let (len, from) = block_on(bound.recv_from(&mut [0; 9])).unwrap();
    assert_eq!((len, from.is_unnamed()), (1, true));
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn unix_connections_as_a_stream() {
    let driver = Driver::new();
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let path = folder.join(format!("reactor-{}.stream", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&driver.reactor, &path).unwrap();
    let connect = || std::os::unix::net::UnixStream::connect(&path).unwrap();
    let clients = [connect(), connect(), connect()];
    let accepted: Vec<UnixStream> =
        block_on(listener.incoming().take(clients.len()).try_collect()).unwrap();
    assert_eq!(accepted.len(), clients.len());
    std::fs::remove_file(&path).unwrap();
}
