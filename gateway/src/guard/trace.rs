//! One span per request, and the caller's trace context ([`TraceParent`]).

use std::time::Instant;

use aileron_api::SESSION_HEADER;
use aileron_contract::{TraceParent, names::SessionId};
use axum::{
    extract::{MatchedPath, Request},
    middleware::Next,
    response::Response,
};
use http::{HeaderMap, Method};
use opentelemetry::{
    Context,
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState},
};
use tracing::{Instrument, Span, field};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::finish::RequestId;

/// Names the request's span `METHOD /path/{template}`: never the path itself, which names things.
pub(crate) async fn trace(request: Request, next: Next) -> Response {
    let span = span(&request);
    let started = Instant::now();
    async {
        let response = next.run(request).await;
        let status = response.status();
        // As a signed number: spans have no other, and an unsigned one would be exported as text.
        Span::current().record("http.response.status_code", i64::from(status.as_u16()));
        if status.is_server_error() {
            Span::current().record("otel.status_code", "ERROR");
        }
        let elapsed = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        tracing::debug!(status = status.as_u16(), elapsed_us = elapsed, "answered");
        response
    }
    .instrument(span)
    .await
}

fn span(request: &Request) -> Span {
    let method = known(request.method());
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let name = route.map_or_else(|| method.to_owned(), |route| format!("{method} {route}"));
    let span = tracing::info_span!(
        "request",
        otel.name = %name,
        otel.kind = "server",
        otel.status_code = field::Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = field::Empty,
        request_id = request.extensions().get::<RequestId>().map(|id| id.0.as_str()),
        aileron.session.id = session(request.headers()),
        trace_id = field::Empty,
    );
    if let Some(parent) = parent(request.headers()) {
        span.record("trace_id", field::display(parent.trace_id()));
        // Without an exporter there is no layer to take it; the log still carries the id.
        drop(span.set_parent(Context::new().with_remote_span_context(parent)));
    }
    span
}

/// A method anybody made up is not shown: it could say anything. The word is that of the semantic
/// conventions.
fn known(method: &Method) -> &str {
    let known = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
    ];
    if known.contains(method) { method.as_str() } else { "_OTHER" }
}

/// Only a well-formed one: the header is not checked yet.
fn session(headers: &HeaderMap) -> Option<&str> {
    let raw = headers.get(SESSION_HEADER)?.to_str().ok()?;
    raw.parse::<SessionId>().is_ok().then_some(raw)
}

/// The caller's span; without a sound header the request starts a trace of its own.
fn parent(headers: &HeaderMap) -> Option<SpanContext> {
    let parent: TraceParent = headers.get(TraceParent::HEADER)?.to_str().ok()?.parse().ok()?;
    let flags = if parent.sampled() { TraceFlags::SAMPLED } else { TraceFlags::NOT_SAMPLED };
    let (trace, span) = (TraceId::from_bytes(parent.trace()), SpanId::from_bytes(parent.span()));
    Some(SpanContext::new(trace, span, flags, true, TraceState::default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &str) -> Option<SpanContext> {
        let mut headers = HeaderMap::new();
        headers.insert(TraceParent::HEADER, raw.parse().ok()?);
        parent(&headers)
    }

    #[test]
    fn a_trace_goes_on_where_the_caller_left_it() {
        let context = read("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap();
        assert_eq!(context.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(context.span_id().to_string(), "00f067aa0ba902b7");
        assert!(context.is_sampled() && context.is_remote());
    }

    #[test]
    fn a_malformed_trace_is_not_continued() {
        for raw in ["", "00-00000000000000000000000000000000-00f067aa0ba902b7-01"] {
            assert!(read(raw).is_none(), "{raw}");
        }
    }
}
