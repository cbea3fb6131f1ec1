//! What is set on the value itself: multicast, linger, keep-alive, buffer sizes.
#![cfg(not(loom))]

mod driver;

use std::net::Ipv4Addr;
use std::time::Duration;

use driver::{Driver, block_on};
use futures_lite::{AsyncReadExt, future};
use reactor::{TcpListener, TcpStream, UdpSocket};
use socket2::SockRef;

#[test]
fn a_multicast_group_hears_what_is_sent_to_it() {
    let driver = Driver::new();
    let group = Ipv4Addr::new(239, 255, 77, 7);
    let member = UdpSocket::bind(&driver.reactor, "0.0.0.0:0").unwrap();
    let (joined, loopback) = (member.get_ref(), Ipv4Addr::LOCALHOST);
    joined.join_multicast_v4(&group, &loopback).unwrap();
    let sender = UdpSocket::bind(&driver.reactor, "127.0.0.1:0").unwrap();
    SockRef::from(sender.get_ref())
        .set_multicast_if_v4(&loopback)
        .unwrap();
    let port = member.local_addr().unwrap().port();
    block_on(async {
        sender.send_to(b"all", (group, port).into()).await.unwrap();
        let mut heard = [0; 9];
        let (len, from) = member.recv_from(&mut heard).await.unwrap();
        assert_eq!(
            (&heard[..len], from),
            (&b"all"[..], sender.local_addr().unwrap())
        );
    });
    member
        .get_ref()
        .leave_multicast_v4(&group, &loopback)
        .unwrap();
}

/// Lingering for no time turns the end of a connection into a reset.
#[test]
fn linger_keep_alive_and_buffers_through_socket2() {
    let driver = Driver::new();
    let listener = TcpListener::bind(&driver.reactor, "127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    block_on(async {
        let connect = TcpStream::connect(&driver.reactor, address);
        let (client, (mut server, _)) = future::try_zip(connect, listener.accept()).await.unwrap();
        let options = SockRef::from(client.get_ref());
        let keep_alive = socket2::TcpKeepalive::new().with_time(Duration::from_secs(60));
        options.set_tcp_keepalive(&keep_alive).unwrap();
        assert!(options.keepalive().unwrap());
        options.set_recv_buffer_size(16 * 1024).unwrap();
        assert!(options.recv_buffer_size().unwrap() >= 16 * 1024);
        options.set_linger(Some(Duration::ZERO)).unwrap();
        drop(client);
        let error = server.read(&mut [0]).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    });
}
