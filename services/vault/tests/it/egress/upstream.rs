//! Servers on loopback that answer as a test wants.
#![expect(clippy::unwrap_used, reason = "a test server that cannot start fails its test")]

use std::{
    io,
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use http::{HeaderMap, Response, Version};
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::{
    body::{Frame, Incoming},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
};
use tokio_util::task::TaskTracker;

use super::authority;

pub(crate) type Body = BoxBody<Bytes, io::Error>;

/// A request as the server got it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) version: Version,
    /// On which connection, counted from zero.
    pub(crate) connection: usize,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// A running server.
#[derive(Clone)]
pub(crate) struct Upstream {
    pub(crate) port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
    connections: Arc<AtomicUsize>,
}

impl Upstream {
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn named(&self) -> String {
        format!("localhost:{}", self.port)
    }

    pub(crate) fn numbered(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

type Handler = Arc<dyn Fn(&Seen) -> Response<Body> + Send + Sync>;

/// A server without TLS.
pub(crate) async fn plain(
    answer: impl Fn(&Seen) -> Response<Body> + Send + Sync + 'static,
) -> Upstream {
    let handler: Handler = Arc::new(answer);
    let (listener, upstream) = bound().await;
    let tracker = TaskTracker::new();
    let served = upstream.clone();
    tracker.clone().spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let number = served.connections.fetch_add(1, Ordering::SeqCst);
            tracker.spawn(serve(stream, number, served.clone(), Arc::clone(&handler)));
        }
    });
    upstream
}

/// A server with TLS, certified by `authority` for `names`.
pub(crate) async fn secure(
    authority: &Authority,
    names: &[&str],
    protocol: &[u8],
    answer: impl Fn(&Seen) -> Response<Body> + Send + Sync + 'static,
) -> Upstream {
    let handler: Handler = Arc::new(answer);
    let acceptor = authority.acceptor(names, protocol);
    let (listener, upstream) = bound().await;
    let tracker = TaskTracker::new();
    let served = upstream.clone();
    tracker.clone().spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let number = served.connections.fetch_add(1, Ordering::SeqCst);
            let (acceptor, served) = (acceptor.clone(), served.clone());
            let handler = Arc::clone(&handler);
            tracker.spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    serve(stream, number, served, handler).await;
                }
            });
        }
    });
    upstream
}

/// A server that does with each connection what the test says.
pub(crate) async fn raw<F>(
    converse: impl Fn(usize, TcpStream) -> F + Send + Sync + 'static,
) -> Upstream
where
    F: Future<Output = ()> + Send + 'static,
{
    let (listener, upstream) = bound().await;
    let tracker = TaskTracker::new();
    let served = upstream.clone();
    tracker.clone().spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let number = served.connections.fetch_add(1, Ordering::SeqCst);
            tracker.spawn(converse(number, stream));
        }
    });
    upstream
}

async fn bound() -> (TcpListener, Upstream) {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, Upstream { port, seen: Arc::default(), connections: Arc::default() })
}

async fn serve<S>(stream: S, connection: usize, upstream: Upstream, handler: Handler)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(|request: http::Request<Incoming>| {
        let (upstream, handler) = (upstream.clone(), Arc::clone(&handler));
        async move {
            let (head, body) = request.into_parts();
            let seen = Seen {
                method: head.method.to_string(),
                path: head.uri.path_and_query().unwrap().to_string(),
                headers: head.headers,
                body: body.collect().await.unwrap().to_bytes(),
                version: head.version,
                connection,
            };
            let answer = handler(&seen);
            upstream.seen.lock().unwrap().push(seen);
            Ok::<_, io::Error>(answer)
        }
    });
    // A caller that hangs up is part of some tests.
    drop(
        auto::Builder::new(TokioExecutor::new())
            .serve_connection(TokioIo::new(stream), service)
            .await,
    );
}

/// An answer with a whole body.
pub(crate) fn whole(status: u16, body: impl Into<Bytes>) -> Response<Body> {
    let body = Full::new(body.into()).map_err(|never| match never {}).boxed();
    Response::builder().status(status).body(body).unwrap()
}

/// An answer whose body comes in these pieces.
pub(crate) fn pieces(pieces: Vec<Bytes>) -> Response<Body> {
    let frames = futures::stream::iter(pieces.into_iter().map(|piece| Ok(Frame::data(piece))));
    Response::new(BodyExt::boxed(StreamBody::new(frames)))
}

pub(crate) fn redirect(status: u16, location: &str) -> Response<Body> {
    let mut answer = whole(status, "");
    answer.headers_mut().insert("location", location.parse().unwrap());
    answer
}

/// An authority whose certificate is in a file.
pub(crate) struct Authority {
    issuing: authority::Authority,
    folder: tempfile::TempDir,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let (issuing, folder) = (authority::Authority::new(), tempfile::tempdir().unwrap());
        std::fs::write(folder.path().join("ca.pem"), &issuing.pem).unwrap();
        Self { issuing, folder }
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    fn acceptor(&self, names: &[&str], protocol: &[u8]) -> tokio_rustls::TlsAcceptor {
        let (certificate, key) = self.issuing.certify(names);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                rustls_pki_types::PrivateKeyDer::Pkcs8(key.serialize_der().into()),
            )
            .unwrap();
        config.alpn_protocols = vec![protocol.to_vec()];
        tokio_rustls::TlsAcceptor::from(Arc::new(config))
    }
}
