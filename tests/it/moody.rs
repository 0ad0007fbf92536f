//! A package source that misbehaves: HTTPS on loopback, one thread a connection, answers byte by
//! byte as told.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Barrier},
    time::Duration,
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{ServerConfig, ServerConnection, StreamOwned, crypto::ring, pki_types::PrivateKeyDer};

/// What is done to one request.
#[derive(Clone)]
pub(crate) enum Mood {
    /// Status and header lines, and a whole body.
    Answers(&'static str, String, Vec<u8>),
    /// Announces all of the body, sends half, and the rest once somebody else has come.
    Waits(Vec<u8>, Arc<Barrier>),
    /// Announces all of the body, sends half and hangs up.
    HangsUp(Vec<u8>),
    /// Sends a byte now and then, for as long as anybody listens.
    Dawdles,
    /// Sends without an end.
    Pours,
}

/// The source. Its threads end with the test's process.
pub(crate) struct Moody {
    pub(crate) authority_pem: String,
    /// `localhost:<port>`
    pub(crate) host: String,
}

impl Moody {
    /// `mood` is asked with each request's path.
    pub(crate) fn start(mood: impl Fn(&str) -> Mood + Send + Sync + 'static) -> Self {
        let (authority_pem, config) = tls();
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let host = format!("localhost:{}", listener.local_addr().unwrap().port());
        let mood = Arc::new(mood);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (config, mood) = (Arc::clone(&config), Arc::clone(&mood));
                std::thread::spawn(move || drop(serve(stream, config, &*mood)));
            }
        });
        Self { authority_pem, host }
    }
}

fn serve(
    stream: TcpStream,
    config: Arc<ServerConfig>,
    mood: &dyn Fn(&str) -> Mood,
) -> std::io::Result<()> {
    let connection = ServerConnection::new(config).map_err(std::io::Error::other)?;
    let mut stream = StreamOwned::new(connection, stream);
    let mut request = Vec::new();
    let mut block = [0; 4096];
    while memchr::memmem::find(&request, b"\r\n\r\n").is_none() {
        let read = stream.read(&mut block)?;
        if read == 0 {
            return Ok(());
        }
        request.extend_from_slice(&block[..read]);
    }
    let request = String::from_utf8_lossy(&request);
    let path = request.split(' ').nth(1).unwrap_or_default();
    let head = |status: &str, headers: &str, length: usize| {
        format!(
            "HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n"
        )
    };
    match mood(path) {
        Mood::Answers(status, headers, body) => {
            stream.write_all(head(status, &headers, body.len()).as_bytes())?;
            stream.write_all(&body)?;
        }
        Mood::Waits(body, barrier) => {
            let (first, rest) = body.split_at(body.len() / 2);
            stream.write_all(head("200 OK", "", body.len()).as_bytes())?;
            stream.write_all(first)?;
            stream.flush()?;
            barrier.wait();
            stream.write_all(rest)?;
        }
        Mood::HangsUp(body) => {
            stream.write_all(head("200 OK", "", body.len()).as_bytes())?;
            stream.write_all(&body[..body.len() / 2])?;
            stream.flush()?;
            return stream.sock.shutdown(std::net::Shutdown::Both);
        }
        Mood::Dawdles => {
            stream.write_all(head("200 OK", "", 60_000).as_bytes())?;
            loop {
                stream.write_all(b"x")?;
                stream.flush()?;
                std::thread::sleep(Duration::from_millis(200));
            }
        }
        Mood::Pours => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")?;
            loop {
                stream.write_all(&[b'x'; 16 * 1024])?;
            }
        }
    }
    stream.conn.send_close_notify();
    stream.flush()
}

/// A certificate authority, and a server for `localhost` that it vouches for.
fn tls() -> (String, Arc<ServerConfig>) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let leaf = params.signed_by(&key, &authority).unwrap();
    let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], private)
        .unwrap();
    (authority.pem(), Arc::new(config))
}
