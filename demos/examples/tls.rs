//! TLS by rustls over our sockets: a server with a certificate of its own making, and two clients.
//!
//! Run it: `cargo run --example tls`
//!
//! Watch who knows whom: rustls is a state machine that eats and gives bytes, and futures-rustls wraps it
//! around anything with the I/O traits of `futures`, which our streams have. So neither knows of
//! the other. The first client trusts the certificate, and what it sends comes back; an eavesdropper
//! in between counts how much of it could be read. The second client trusts nobody, and the
//! handshake fails, with a reason, on that connection only.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use demos::{EventLoop, Handle};
use futures::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, StreamExt, io::BufReader};
use futures_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use futures_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use futures_rustls::{TlsAcceptor, TlsConnector};
use reactor::{TcpListener, TcpStream};

const SECRET: &str = "the tea is in the second cupboard";

/// A certificate for localhost that is its own authority, and its key.
fn certificate() -> io::Result<(CertificateDer<'static>, PrivateKeyDer<'static>)> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]);
    let made = made.map_err(io::Error::other)?;
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    Ok((made.cert.der().clone(), key))
}

/// Sends each line back.
async fn serve(handle: Handle, listener: TcpListener, tls: TlsAcceptor) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let tls = tls.clone();
        drop(handle.spawner.spawn(async move {
            let stream = tls.accept(stream).await?;
            let (reader, mut writer) = stream.split();
            let mut lines = BufReader::new(reader).lines();
            while let Some(line) = lines.next().await {
                writer.write_all(format!("{}\n", line?).as_bytes()).await?;
                writer.flush().await?;
            }
            io::Result::Ok(())
        }));
    }
}

/// Passes bytes on, both ways, and says how many there were and whether the secret was among them.
async fn eavesdrop(
    handle: &Handle,
    listener: &TcpListener,
    to: SocketAddr,
) -> io::Result<(usize, bool)> {
    let (client, _) = listener.accept().await?;
    let server = TcpStream::connect(&handle.reactor, to).await?;
    let ((client_in, client_out), (server_in, server_out)) = (client.split(), server.split());
    let there = pass_on(client_in, server_out);
    let back = pass_on(server_in, client_out);
    let (mut heard, more) = futures::try_join!(there, back)?;
    heard.extend(more);
    let found = heard
        .windows(SECRET.len())
        .any(|part| part == SECRET.as_bytes());
    Ok((heard.len(), found))
}

async fn pass_on(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
) -> io::Result<Vec<u8>> {
    let (mut heard, mut bytes) = (Vec::new(), [0; 4096]);
    loop {
        let length = from.read(&mut bytes).await?;
        if length == 0 {
            to.close().await?;
            return Ok(heard);
        }
        heard.extend_from_slice(&bytes[..length]);
        to.write_all(&bytes[..length]).await?;
    }
}

/// Says the secret and hears it back; closes.
async fn visit(handle: &Handle, to: SocketAddr, trusted: RootCertStore) -> io::Result<String> {
    let config = ClientConfig::builder()
        .with_root_certificates(trusted)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").expect("a name");
    let stream = TcpStream::connect(&handle.reactor, to).await?;
    let mut stream = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await?;
    let version = stream.get_ref().1.protocol_version();
    let version = version.and_then(|version| version.as_str());
    stream.write_all(format!("{SECRET}\n").as_bytes()).await?;
    stream.flush().await?;
    let mut line = String::new();
    BufReader::new(&mut stream).read_line(&mut line).await?;
    stream.close().await?;
    Ok(format!(
        "{}, over {}",
        line.trim_end(),
        version.unwrap_or("?")
    ))
}

fn main() -> io::Result<()> {
    let (certificate, key) = certificate()?;
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .map_err(io::Error::other)?;
    let event_loop = EventLoop::new()?;
    let handle = event_loop.handle();
    let [listener, between] = [(); 2].map(|()| TcpListener::bind(&handle.reactor, "127.0.0.1:0"));
    let (listener, between) = (listener?, between?);
    let (server, in_between) = (listener.local_addr()?, between.local_addr()?);
    let serving = serve(
        handle.clone(),
        listener,
        TlsAcceptor::from(Arc::new(config)),
    );
    drop(handle.spawner.spawn(serving));
    event_loop.run(async {
        let mut trusted = RootCertStore::empty();
        trusted.add(certificate).map_err(io::Error::other)?;
        let visit_and_spy = futures::try_join!(
            visit(handle, in_between, trusted),
            eavesdrop(handle, &between, server),
        );
        let (answer, (bytes, found)) = visit_and_spy?;
        println!("the server says: {answer}");
        let verdict = if found { "the secret" } else { "no secret" };
        println!(
            "who listened in got {} and {verdict}",
            if bytes > 0 { "bytes" } else { "nothing" }
        );
        match visit(handle, server, RootCertStore::empty()).await {
            Ok(answer) => println!("who trusts nobody hears: {answer}"),
            Err(error) => println!("who trusts nobody is told: {error}"),
        }
        Ok(())
    })?
}
