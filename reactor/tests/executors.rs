//! Under somebody else's executor, with one thread that polls: nothing but std's traits is shared.
#![cfg(not(loom))]

mod driver;

use std::future::Future;
use std::io;
use std::net::SocketAddr;

use driver::Driver;
use futures_lite::{AsyncReadExt, AsyncWriteExt, future};
use reactor::{Reactor, TcpListener, TcpStream};

/// Serves so many connections until each ends.
async fn serve(listener: TcpListener, connections: usize) -> io::Result<usize> {
    let mut echoed = 0;
    for _ in 0..connections {
        let (mut stream, _) = listener.accept().await?;
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await?;
        stream.write_all(&all).await?;
        echoed += all.len();
    }
    Ok(echoed)
}

async fn ask(reactor: Reactor, address: SocketAddr, question: Vec<u8>) -> io::Result<usize> {
    let mut stream = TcpStream::connect(&reactor, address).await?;
    let (mut reader, mut writer) = stream.split();
    let mut answer = Vec::new();
    let say = async {
        writer.write_all(&question).await?;
        writer.close().await
    };
    future::try_zip(say, reader.read_to_end(&mut answer)).await?;
    assert!(answer == question);
    Ok(answer.len())
}

const SIZES: [usize; 3] = [1, 1000, 300_000];
const TOTAL: usize = 301_001;

/// A server and its clients, as three kinds of tasks that `spawn` starts and hands back.
async fn conversation<S, J>(reactor: Reactor, spawn: S) -> io::Result<()>
where
    S: Fn(future::Boxed<io::Result<usize>>) -> J,
    J: Future<Output = io::Result<usize>>,
{
    let listener = TcpListener::bind(&reactor, "127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let server = spawn(Box::pin(serve(listener, SIZES.len())));
    let clients: Vec<_> = SIZES
        .iter()
        .map(|size| {
            let question = (0..*size).map(|i| (i % 251) as u8).collect();
            spawn(Box::pin(ask(reactor.clone(), address, question)))
        })
        .collect();
    let mut heard = 0;
    for client in clients {
        heard += client.await?;
    }
    assert_eq!((heard, server.await?), (TOTAL, TOTAL));
    Ok(())
}

#[test]
fn tokio_on_two_threads() {
    let driver = Driver::new();
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).build().unwrap();
    let spawn = |task| {
        let task = tokio::spawn(task);
        async { task.await.expect("it does not panic") }
    };
    let talk = conversation(driver.reactor.clone(), spawn);
    runtime.block_on(talk).unwrap();
}

#[test]
fn smols_executor() {
    let driver = Driver::new();
    let executor = async_executor::Executor::new();
    let talk = conversation(driver.reactor.clone(), |task| executor.spawn(task));
    driver::block_on(executor.run(talk)).unwrap();
}

#[test]
fn nothing_but_block_on() {
    let driver = Driver::new();
    let reactor = driver.reactor.clone();
    let listener = TcpListener::bind(&reactor, "127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || pollster::block_on(serve(listener, 1)).unwrap());
    let heard = pollster::block_on(ask(reactor, address, vec![7; 5000])).unwrap();
    assert_eq!((heard, server.join().unwrap()), (5000, 5000));
}
