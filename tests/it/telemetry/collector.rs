//! A collector of our own that keeps what it gets, and one that others wrote.

use std::{
    collections::BTreeMap,
    io::Read as _,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    trace::v1::ResourceSpans,
};
use prost::Message as _;
use tokio::{net::TcpListener, sync::Semaphore, task::JoinSet};

use crate::house::until;

/// Takes OTLP over HTTP. Gone when dropped.
pub(super) struct Collector {
    address: String,
    kept: Arc<Kept>,
    _tasks: JoinSet<()>,
}

struct Kept {
    /// Closed while it only listens.
    speaks: Semaphore,
    /// Headers and unpacked body of each request.
    requests: Mutex<Vec<(HeaderMap, Vec<u8>)>>,
}

/// Every span, from whatever process.
pub(super) struct Spans(pub(super) Vec<Span>);

#[derive(Clone, Debug)]
pub(super) struct Span {
    pub(super) roles: String,
    pub(super) trace: String,
    pub(super) id: String,
    pub(super) parent: String,
    pub(super) name: String,
    pub(super) start: u64,
    pub(super) end: u64,
    /// Ids of spans.
    pub(super) links: Vec<String>,
    attributes: BTreeMap<String, Value>,
}

impl Collector {
    pub(super) async fn start() -> Self {
        let collector = Self::mute().await;
        collector.speaks();
        collector
    }

    /// Reads, and answers nothing until it is told to.
    pub(super) async fn mute() -> Self {
        let kept = Arc::new(Kept { speaks: Semaphore::new(0), requests: Mutex::default() });
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let router = Router::new().route("/v1/traces", post(keep)).with_state(Arc::clone(&kept));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { drop(axum::serve(listener, router).await) });
        Self { address, kept, _tasks: tasks }
    }

    /// From here on it answers.
    pub(super) fn speaks(&self) {
        self.kept.speaks.add_permits(1);
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All that was sent, headers apart.
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.kept.requests().iter().flat_map(|(_, body)| body.clone()).collect()
    }

    /// What each request said in `authorization`.
    pub(super) fn headers(&self) -> Vec<String> {
        let told = |headers: &HeaderMap| headers["authorization"].to_str().unwrap().to_owned();
        self.kept.requests().iter().map(|(headers, _)| told(headers)).collect()
    }

    pub(super) fn spans(&self) -> Spans {
        let requests = self.kept.requests();
        Spans(requests.iter().flat_map(|(_, body)| read(body)).collect())
    }

    /// The spans so far, which are forgotten.
    pub(super) fn take(&self) -> Spans {
        let spans = self.spans();
        self.kept.requests().clear();
        spans
    }

    pub(super) async fn until(&self, there: impl Fn(&Spans) -> bool) {
        until("the spans arrive", async || there(&self.spans()).then_some(())).await;
    }
}

impl Kept {
    fn requests(&self) -> std::sync::MutexGuard<'_, Vec<(HeaderMap, Vec<u8>)>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn keep(State(kept): State<Arc<Kept>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let plain = match headers.get("content-encoding") {
        Some(_) => {
            let mut plain = Vec::new();
            flate2::read::GzDecoder::new(&body[..]).read_to_end(&mut plain).unwrap();
            plain
        }
        None => body.to_vec(),
    };
    if ExportTraceServiceRequest::decode(plain.as_slice()).is_err() {
        return StatusCode::BAD_REQUEST;
    }
    kept.requests().push((headers, plain));
    drop(kept.speaks.acquire().await);
    StatusCode::OK
}

fn read(body: &[u8]) -> Vec<Span> {
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    request.resource_spans.into_iter().flat_map(of_process).collect()
}

fn of_process(spans: ResourceSpans) -> Vec<Span> {
    let resource = attributes(spans.resource.unwrap().attributes);
    let roles = text(&resource["aileron.roles"]);
    let all = spans.scope_spans.into_iter().flat_map(|scope| scope.spans);
    all.map(|span| Span {
        roles: roles.clone(),
        trace: hex::encode(span.trace_id),
        id: hex::encode(span.span_id),
        parent: hex::encode(span.parent_span_id),
        name: span.name,
        start: span.start_time_unix_nano,
        end: span.end_time_unix_nano,
        links: span.links.into_iter().map(|link| hex::encode(link.span_id)).collect(),
        attributes: attributes(span.attributes),
    })
    .collect()
}

fn attributes(all: Vec<KeyValue>) -> BTreeMap<String, Value> {
    all.into_iter().map(|it| (it.key, it.value.unwrap().value.unwrap())).collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::StringValue(text) => text.clone(),
        other => panic!("{other:?}"),
    }
}

impl Span {
    pub(super) fn text(&self, key: &str) -> String {
        self.attributes.get(key).map_or_else(|| panic!("{key}: {self:?}"), text)
    }

    pub(super) fn number(&self, key: &str) -> i64 {
        match self.attributes.get(key) {
            Some(Value::IntValue(number)) => *number,
            _ => panic!("{key}: {self:?}"),
        }
    }

    pub(super) fn says(&self, key: &str, value: &str) -> bool {
        self.attributes.get(key).is_some_and(|it| text(it) == value)
    }

    /// Made by the way between two processes.
    fn is_between(&self) -> bool {
        self.attributes.contains_key("rpc.system")
    }
}

impl Spans {
    /// The one span of this name.
    pub(super) fn only(&self, name: &str) -> &Span {
        let found: Vec<_> = self.0.iter().filter(|span| span.name == name).collect();
        let [span] = found.as_slice() else { panic!("{name}: {found:?}") };
        span
    }

    /// The one span of this name with this attribute.
    pub(super) fn with(&self, name: &str, key: &str, value: &str) -> &Span {
        let told = |span: &&Span| span.name == name && span.says(key, value);
        let found: Vec<_> = self.0.iter().filter(told).collect();
        let [span] = found.as_slice() else { panic!("{name} {key}={value}: {found:?}") };
        span
    }

    /// A span after those above it, without what lies between two processes.
    pub(super) fn way<'s>(&'s self, span: &'s Span) -> Vec<&'s Span> {
        let mut way = Vec::new();
        let mut next = Some(span);
        while let Some(span) = next {
            way.push(span);
            next = self.0.iter().find(|it| it.trace == span.trace && it.id == span.parent);
        }
        way.reverse();
        way.retain(|span| !span.is_between());
        way
    }

    pub(super) fn path(&self, span: &Span) -> Vec<&str> {
        let names = self.way(span).into_iter().map(|it| it.id.clone()).collect::<Vec<_>>();
        names
            .iter()
            .map(|id| self.0.iter().find(|it| it.id == *id).unwrap().name.as_str())
            .collect()
    }

    pub(super) fn root<'s>(&'s self, span: &'s Span) -> &'s Span {
        self.way(span)[0]
    }

    /// Is its parent neither here nor the caller of the whole?
    pub(super) fn is_lost(&self, span: &Span) -> bool {
        !span.parent.is_empty()
            && span.parent != super::CALLER
            && !self.0.iter().any(|it| it.trace == span.trace && it.id == span.parent)
    }
}

/// `rotel`, which reads OTLP, and writes it anew to what is behind it.
pub(super) struct Foreign {
    pub(super) url: String,
    process: Child,
    _folder: tempfile::TempDir,
}

impl Foreign {
    pub(super) async fn start(behind: &Collector) -> Self {
        let program = std::env::var_os("AILERON_OTEL_COLLECTOR").map(PathBuf::from);
        let Some(program) = program else {
            panic!("AILERON_OTEL_COLLECTOR must name the program of rotel: use tests/run");
        };
        let folder = tempfile::tempdir().unwrap();
        let free = |_| std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let doors: Vec<_> = (0..2).map(free).map(|it| it.local_addr().unwrap()).collect();
        let (http, grpc) = (doors[0].to_string(), doors[1].to_string());
        let process = Command::new(program)
            .arg("start")
            .args(["--otlp-http-endpoint", &http, "--otlp-grpc-endpoint", &grpc])
            .args(["--exporter", "otlp", "--otlp-exporter-protocol", "http"])
            .args(["--otlp-exporter-endpoint", &behind.url(), "--batch-timeout", "100ms"])
            .args(["--otlp-exporter-custom-headers", "authorization=Bearer canary-header"])
            .arg("--pid-file")
            .arg(folder.path().join("pid"))
            .arg("--log-file")
            .arg(folder.path().join("log"))
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let started = Self { url: format!("http://{http}/v1/traces"), process, _folder: folder };
        until("rotel listens", async || tokio::net::TcpStream::connect(&http).await.ok()).await;
        started
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
