//! What a call between services costs: the handle itself, the same handle behind a Unix socket,
//! and behind loopback TCP with mutual TLS. The services answer at once, so what is measured is
//! the way there and back.
//!
//! `event`: one message each way (the log's `append`). `16 B` and `64 KiB`: a request through
//! egress that is answered with its own body, which streams back.
#![expect(clippy::expect_used, reason = "a bench that cannot start ends")]
#![expect(clippy::disallowed_methods, reason = "the servers live as long as the bench")]

use std::{hint::black_box, sync::Arc, time::Duration};

use aileron_contract::{
    Audit, Context, Egress, Error, Reason, Result, Secret, Stream, Timestamp, audit as log,
    egress::{self, Fetch, Outcome, Request, Response},
    limits,
    names::AuditId,
};
use aileron_wire::{Channel, Server, audit, egress as wire_egress, tls};
use async_trait::async_trait;
use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures::{StreamExt as _, stream};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::runtime::Runtime;

/// Answers at once.
struct Instant;

#[async_trait]
impl Egress for Instant {
    async fn send(&self, _context: &Context, request: Request) -> Result<Outcome> {
        let body = stream::iter([Ok(request.body)]).boxed();
        Ok(Outcome::Answered(Response { status: 200, headers: Vec::new(), body, binding: None }))
    }

    async fn fetch(&self, _context: &Context, _request: Fetch) -> Result<Outcome> {
        Err(unused())
    }
}

#[async_trait]
impl Audit for Instant {
    async fn append(&self, _context: &Context, event: log::Event) -> Result<log::Record> {
        Ok(log::Record {
            index: 7,
            id: event.id.ok_or_else(unused)?,
            kind: event.kind.to_string(),
            timestamp: Timestamp::UNIX_EPOCH,
            actor: event.actor,
            payload: event.payload,
            trace_id: event.trace_id,
        })
    }

    async fn query(&self, _context: &Context, _filter: log::Filter) -> Result<Vec<log::Record>> {
        Err(unused())
    }

    async fn get(&self, _context: &Context, _id: AuditId) -> Result<log::Record> {
        Err(unused())
    }

    async fn watch(&self, _context: &Context, _from: u64) -> Result<Stream<log::Record>> {
        Err(unused())
    }

    async fn checkpoint(&self, _context: &Context) -> Result<log::Checkpoint> {
        Err(unused())
    }

    async fn receipt(&self, _context: &Context, _id: AuditId) -> Result<String> {
        Err(unused())
    }
}

fn unused() -> Error {
    Error::new(Reason::NotFound, "the bench does not ask for this")
}

/// The same two contracts, held in one way.
struct Held {
    way: &'static str,
    audit: log::Handle,
    egress: egress::Handle,
}

impl Held {
    fn here() -> Self {
        Self { way: "in process", audit: Arc::new(Instant), egress: Arc::new(Instant) }
    }

    fn at(way: &'static str, channel: Channel) -> Self {
        let audit = Arc::new(audit::Remote::new(channel.clone()));
        Self { way, audit, egress: Arc::new(wire_egress::Remote::new(channel)) }
    }
}

fn server() -> Server {
    Server::new(token()).audit(Arc::new(Instant)).egress(Arc::new(Instant))
}

fn token() -> Secret {
    Secret::new(b"a-service-token-for-benches-only".to_vec())
}

fn material(authority: &(String, Issuer<'static, KeyPair>), role: &str) -> tls::Material {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec![role.to_owned()]).expect("a role");
    let certificate = params.signed_by(&key, &authority.1).expect("a certificate").pem();
    let key = Secret::from(key.serialize_pem());
    tls::Material { certificate, key, authority: authority.0.clone() }
}

fn authority() -> (String, Issuer<'static, KeyPair>) {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pem = params.self_signed(&key).expect("a certificate").pem();
    (pem, Issuer::new(params, key))
}

/// The three ways; the servers run in tasks of the runtime and end with it.
async fn ways(folder: &std::path::Path) -> [Held; 3] {
    let socket = folder.join("run/service.sock");
    let listener = aileron_wire::listen(&socket).await.expect("a socket");
    drop(tokio::task::spawn(server().serve(listener, std::future::pending())));
    let unix = aileron_wire::connect(&socket, token()).expect("a channel");

    let authority = authority();
    let (ours, theirs) = (material(&authority, "audit"), material(&authority, "executor"));
    let any = "127.0.0.1:0".parse().expect("an address");
    let listener = tls::listen(any, &ours, &["executor"]).expect("a listener");
    let address = listener.address().expect("an address").to_string();
    drop(tokio::task::spawn(server().serve_tls(listener, std::future::pending())));
    let tcp = tls::connect(&address, "audit", &theirs, token()).expect("a channel");
    [Held::here(), Held::at("Unix socket", unix), Held::at("TCP, mutual TLS", tcp)]
}

fn event() -> log::Event {
    let id = "audit-bench".to_owned();
    let actor =
        log::Actor { kind: log::ActorKind::Service, id: "executor".to_owned(), display_name: None };
    let event = log::Event::new(log::EventKind::ExecutionStarted, actor)
        .with("aileron.connector.fqn", "github://acme/notes")
        .with("aileron.action.name", "notes-create");
    log::Event { id: id.parse().ok(), ..event }
}

fn request(body: &Bytes) -> Request {
    Request {
        connector: "github://acme/notes".parse().expect("a name"),
        allowed: vec!["api.example.com:443".parse().expect("a host")],
        credential: None,
        method: "POST".to_owned(),
        url: "https://api.example.com/notes".to_owned(),
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: body.clone(),
        idempotent: false,
        max_response: 1 << 20,
        timeout: Duration::from_secs(30),
    }
}

/// The request, and the answer read to its end.
async fn echo(egress: &egress::Handle, context: &Context, body: &Bytes) -> usize {
    let answer = egress.send(context, request(body)).await.expect("an answer");
    let Outcome::Answered(mut response) = answer else { return 0 };
    let mut length = 0;
    while let Some(piece) = response.body.next().await {
        length += piece.expect("a piece").len();
    }
    assert_eq!(length, body.len());
    length
}

fn calls(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let ways = runtime.block_on(ways(folder.path()));
    let context = Context::service("bench");
    let mut group = criterion.benchmark_group("wire");
    for held in &ways {
        group.bench_function(format!("event/{}", held.way), |bencher| {
            bencher.to_async(&runtime).iter(|| async {
                black_box(held.audit.append(&context, event()).await.expect("a record"))
            });
        });
    }
    for (name, size) in [("16 B", 16), ("64 KiB", 64 * 1024)] {
        assert!(size < limits::MESSAGE);
        let body = Bytes::from(vec![b'x'; size]);
        group.throughput(Throughput::Bytes(size as u64));
        for held in &ways {
            group.bench_function(format!("{name}/{}", held.way), |bencher| {
                bencher
                    .to_async(&runtime)
                    .iter(|| async { black_box(echo(&held.egress, &context, &body).await) });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, calls);
criterion_main!(benches);
