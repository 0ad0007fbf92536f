//! The upstream both sides ask, and the house one of them asks through.

use std::{net::SocketAddr, sync::Arc};

use aileron_contract::{
    Audit, Context, Error, Reason, Result, Secret, Stream, Timestamp,
    audit::{Checkpoint, Event, Filter, Record},
    bindings::Consent,
    credential::{Form, HeaderTemplate, Reach},
    names::AuditId,
};
use aileron_store::{Database, Location};
use aileron_vault::{Kdf, Options, Service, egress};
use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    body::Incoming,
    client::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector, client::TlsStream};
use tokio_util::task::TaskTracker;

pub(crate) const CONNECTOR: &str = "github://acme/notes";
pub(crate) const KEY: &str = "lin_api_9fK2mQxw7Lr0TzVb";

/// A server that answers every request alike, over TLS, with one version of HTTP.
pub(crate) struct Ground {
    pub(crate) host: String,
    address: SocketAddr,
    authority: CertificateDer<'static>,
    folder: tempfile::TempDir,
    protocol: Vec<u8>,
    tasks: TaskTracker,
}

impl Ground {
    pub(crate) async fn new(protocol: &str, size: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (key, mut params) = (KeyPair::generate().unwrap(), parameters(&[]));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = params.self_signed(&key).unwrap();
        std::fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
        let acceptor = acceptor(&Issuer::new(params, key), protocol.as_bytes());
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let tasks = TaskTracker::new();
        let answer = Bytes::from(notes(size));
        tasks.spawn(serve(listener, acceptor, answer, tasks.clone()));
        Self {
            host: format!("localhost:{}", address.port()),
            address,
            authority: authority.der().clone(),
            folder,
            protocol: protocol.as_bytes().to_vec(),
            tasks,
        }
    }

    /// A vault that holds the key for this server.
    pub(crate) async fn house(&self) -> Service {
        let home = tempfile::tempdir_in(self.folder.path()).unwrap().keep();
        let database = Database::open(Location::File(home.join("state.db")), &[]).await.unwrap();
        let service = Service::open(Options {
            home,
            database,
            audit: Arc::new(NoLog("audit-bench".parse().unwrap())),
            daemon_token: None,
            kdf: Kdf { memory_kib: 8, passes: 1, lanes: 1 },
            egress: egress::Options {
                extra_roots: vec![self.folder.path().join("ca.pem")],
                ..egress::Options::default()
            },
            idle_lock: None,
            clock: Timestamp::now,
        })
        .await
        .unwrap();
        let context = Context::service("bench");
        service.vault().create(&context, Secret::from("open sesame".to_owned())).await.unwrap();
        let consent = Consent {
            connector: CONNECTOR.parse().unwrap(),
            service: "notes".to_owned(),
            identity: "me".parse().unwrap(),
            account: None,
            scope: None,
            reach: Reach {
                hosts: vec![self.host.parse().unwrap()],
                form: Form::ApiKey(HeaderTemplate::default()),
            },
            access_key_id: None,
            region: None,
            refuse_existing: true,
        };
        service.bindings().bind(&context, consent, Secret::from(KEY.to_owned())).await.unwrap();
        service
    }

    pub(crate) async fn first(&self) -> http1::SendRequest<Full<Bytes>> {
        let stream = TokioIo::new(self.dialled().await);
        let (sender, connection) = http1::handshake(stream).await.unwrap();
        self.tasks.spawn(async move { drop(connection.await) });
        sender
    }

    pub(crate) async fn second(&self) -> http2::SendRequest<Full<Bytes>> {
        let stream = TokioIo::new(self.dialled().await);
        let (sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
        self.tasks.spawn(async move { drop(connection.await) });
        sender
    }

    async fn dialled(&self) -> TlsStream<TcpStream> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self.authority.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![self.protocol.clone()];
        let stream = TcpStream::connect(self.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
    }
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, answer: Bytes, tasks: TaskTracker) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (acceptor, answer) = (acceptor.clone(), answer.clone());
        tasks.spawn(async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let service = service_fn(move |_: http::Request<Incoming>| {
                let answer = http::Response::builder()
                    .header("content-type", "application/json")
                    .body(Full::new(answer.clone()));
                std::future::ready(answer)
            });
            let builder = auto::Builder::new(TokioExecutor::new());
            drop(builder.serve_connection(TokioIo::new(stream), service).await);
        });
    }
}

/// As an API answers: names, identifiers, times, text.
fn notes(size: usize) -> String {
    let note = |at: usize| {
        format!(
            "{{\"id\":\"9b1deb4d-3b7d-4bad-{at:04}-2b0d7b3dcb6d\",\"created_at\":\
             \"2026-05-04T10:{:02}:00Z\",\"title\":\"Minutes of meeting {at}\",\"body\":\
             \"Everybody was there; nothing was decided, and lunch was good & long.\"}},",
            at % 60
        )
    };
    let mut text: String = std::iter::once("[".to_owned())
        .chain((0..).map(note))
        .scan(0, |length, part| {
            let enough = *length >= size;
            *length += part.len();
            (!enough).then_some(part)
        })
        .collect();
    text.truncate(size - 1);
    text.push(']');
    text
}

fn parameters(names: &[&str]) -> CertificateParams {
    CertificateParams::new(names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>()).unwrap()
}

fn acceptor(issuer: &Issuer<'_, KeyPair>, protocol: &[u8]) -> TlsAcceptor {
    let key = KeyPair::generate().unwrap();
    let certificate = parameters(&["localhost"]).signed_by(&key, issuer).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        )
        .unwrap();
    config.alpn_protocols = vec![protocol.to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

/// Takes every event at once: what the log costs is measured where the log lives.
struct NoLog(AuditId);

#[async_trait]
impl Audit for NoLog {
    async fn append(&self, _: &Context, event: Event) -> Result<Record> {
        Ok(Record {
            index: 0,
            id: self.0.clone(),
            kind: String::new(),
            timestamp: Timestamp::UNIX_EPOCH,
            actor: event.actor,
            payload: event.payload,
            trace_id: None,
        })
    }

    async fn query(&self, _: &Context, _: Filter) -> Result<Vec<Record>> {
        Ok(Vec::new())
    }

    async fn get(&self, _: &Context, _: AuditId) -> Result<Record> {
        Err(unused())
    }

    async fn watch(&self, _: &Context, _: u64) -> Result<Stream<Record>> {
        Err(unused())
    }

    async fn checkpoint(&self, _: &Context) -> Result<Checkpoint> {
        Err(unused())
    }

    async fn receipt(&self, _: &Context, _: AuditId) -> Result<String> {
        Err(unused())
    }
}

fn unused() -> Error {
    Error::new(Reason::NotFound, "the bench does not ask for this")
}
