//! OTLP over HTTP: one request for each batch, and again where that is worth it.
//!
//! The one connection of the house that does not leave through egress. It is the process's own
//! telemetry, to the one address its operator configured at the start; no program, no connector and
//! no person's action can choose or change that address, and no credential of the vault is near.

use std::{fmt, io::Write as _, path::Path, sync::Arc, time::Duration};

use aileron_contract::limits;
use aileron_store::files;
use flate2::{Compression, write::GzEncoder};
use http::{HeaderValue, StatusCode, header};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message as _;
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use tokio_util::sync::CancellationToken;

use super::settings::Collector;

/// Waits before a batch is sent again.
const PAUSES: [Duration; 3] =
    [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

/// The longest wait a collector may ask for.
const PAUSE_MAX: Duration = Duration::from_secs(30);

pub(super) struct Client {
    http: reqwest::Client,
    collector: Collector,
}

/// Why a batch did not arrive.
enum Refused {
    /// It may the next time; after this long if the collector said so.
    Passing(String, Option<Duration>),
    Final(String),
}

impl Client {
    pub(super) fn new(collector: Collector) -> Result<Self, String> {
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls(&collector)?)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .connect_timeout(limits::CONNECT_WALL)
            .timeout(collector.timeout)
            .https_only(collector.url.scheme() == "https")
            .user_agent(concat!("aileron/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self { http, collector })
    }

    /// How many spans the collector refused, and no more than there were, whatever it says; an
    /// error when the batch is lost. After `stop` it is tried once.
    pub(super) async fn send(
        &self,
        batch: &ExportTraceServiceRequest,
        stop: &CancellationToken,
    ) -> Result<u64, String> {
        let body = self.body(batch).map_err(|error| error.to_string())?;
        let scopes = batch.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
        let sent: u64 =
            scopes.map(|scope| u64::try_from(scope.spans.len()).unwrap_or(u64::MAX)).sum();
        let mut pauses = PAUSES.into_iter();
        loop {
            let (why, asked) = match self.attempt(body.clone()).await {
                Ok(refused) => return Ok(refused.min(sent)),
                Err(Refused::Final(why)) => return Err(why),
                Err(Refused::Passing(why, asked)) => (why, asked),
            };
            let Some(pause) = pauses.next() else { return Err(why) };
            let pause = asked.unwrap_or(pause).min(PAUSE_MAX);
            if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                return Err(why);
            }
        }
    }

    fn body(&self, batch: &ExportTraceServiceRequest) -> std::io::Result<bytes::Bytes> {
        let plain =
            if self.collector.json { serde_json::to_vec(batch)? } else { batch.encode_to_vec() };
        if !self.collector.gzip {
            return Ok(plain.into());
        }
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(&plain)?;
        Ok(packed.finish()?.into())
    }

    async fn attempt(&self, body: bytes::Bytes) -> Result<u64, Refused> {
        let kind = if self.collector.json { "application/json" } else { "application/x-protobuf" };
        let mut headers = self.collector.headers.clone();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        if self.collector.gzip {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        let request = self.http.post(self.collector.url.clone()).headers(headers).body(body);
        // The address may carry a key in its query.
        let passing = |error: reqwest::Error| Refused::Passing(chain(&error.without_url()), None);
        let mut response = request.send().await.map_err(passing)?;
        let status = response.status();
        if !status.is_success() {
            let why = format!("the collector answers {}", status.as_u16());
            let again = [
                StatusCode::TOO_MANY_REQUESTS,
                StatusCode::BAD_GATEWAY,
                StatusCode::SERVICE_UNAVAILABLE,
                StatusCode::GATEWAY_TIMEOUT,
            ];
            if !again.contains(&status) {
                return Err(Refused::Final(why));
            }
            let after = response.headers().get(header::RETRY_AFTER);
            let after = after.and_then(|after| after.to_str().ok()?.parse().ok());
            return Err(Refused::Passing(why, after.map(Duration::from_secs)));
        }
        let mut answer = Vec::new();
        while let Ok(Some(part)) = response.chunk().await {
            if answer.len().saturating_add(part.len()) > limits::TRACE_ANSWER {
                return Ok(0);
            }
            answer.extend_from_slice(&part);
        }
        Ok(self.refused(&answer))
    }

    /// An answer that cannot be read is still one of success.
    fn refused(&self, answer: &[u8]) -> u64 {
        let read = if self.collector.json {
            serde_json::from_slice(answer).ok()
        } else {
            ExportTraceServiceResponse::decode(answer).ok()
        };
        let partial = read.and_then(|read: ExportTraceServiceResponse| read.partial_success);
        partial.and_then(|it| u64::try_from(it.rejected_spans).ok()).unwrap_or_default()
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.collector.shown())
    }
}

/// With ring, the system's authorities or the configured ones, and a certificate if there is one.
fn tls(collector: &Collector) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    match (&collector.authority, collector.url.scheme()) {
        (Some(path), _) => {
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(|error| unusable(path, &error))?;
            }
        }
        (None, "https") => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        (None, _) => {}
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots);
    let mut config = match &collector.identity {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let pem = read(key)?;
            let secret =
                PrivateKeyDer::from_pem_slice(&pem).map_err(|error| unusable(key, &error))?;
            builder
                .with_client_auth_cert(certificates(certificate)?, secret)
                .map_err(|error| unusable(certificate, &error))?
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let pem = read(path)?;
    let read = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
    read.map_err(|error| unusable(path, &error))
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    files::read_bounded(path, limits::TLS_FILE).map_err(|error| unusable(path, &error))
}

fn unusable(path: &Path, why: &dyn fmt::Display) -> String {
    format!("{}: {why}", path.display())
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::{
        collector::trace::v1::ExportTracePartialSuccess,
        trace::v1::{ResourceSpans, ScopeSpans, Span},
    };
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;

    #[tokio::test]
    async fn a_collector_refuses_no_more_than_it_was_sent() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let collector = Collector {
            url: format!("http://{}", listener.local_addr().unwrap()).parse().unwrap(),
            headers: http::HeaderMap::new(),
            timeout: limits::TRACE_WALL,
            json: false,
            gzip: false,
            authority: None,
            identity: None,
        };
        let client = Client::new(collector).unwrap();
        let answering = async {
            let partial =
                ExportTracePartialSuccess { rejected_spans: i64::MAX, ..Default::default() };
            let answer = ExportTraceServiceResponse { partial_success: Some(partial) };
            let answer = answer.encode_to_vec();
            let head = format!(
                "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                answer.len()
            );
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.read_u8().await.unwrap();
            stream.write_all(&[head.as_bytes(), &answer].concat()).await.unwrap();
            stream.read_to_end(&mut Vec::new()).await.unwrap();
        };
        let scope = ScopeSpans { spans: vec![Span::default(); 3], ..Default::default() };
        let resource = ResourceSpans { scope_spans: vec![scope], ..Default::default() };
        let batch = ExportTraceServiceRequest { resource_spans: vec![resource] };
        let stop = CancellationToken::new();
        let (refused, ()) = tokio::join!(client.send(&batch, &stop), answering);
        assert_eq!(refused, Ok(3));
    }
}
