//! One span per request, and the caller's trace context (W3C Trace Context, level 1).

use std::time::Instant;

use aileron_api::SESSION_HEADER;
use axum::{
    extract::{MatchedPath, Request},
    middleware::Next,
    response::Response,
};
use http::HeaderMap;
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
        Span::current().record("http.response.status_code", status.as_u16());
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
    let method = request.method();
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let name = route.map_or_else(|| method.to_string(), |route| format!("{method} {route}"));
    let span = tracing::info_span!(
        "request",
        otel.name = %name,
        otel.kind = "server",
        otel.status_code = field::Empty,
        http.request.method = %method,
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

/// Only a well-formed one: the header is not checked yet.
fn session(headers: &HeaderMap) -> Option<&str> {
    let raw = headers.get(SESSION_HEADER)?.to_str().ok()?;
    raw.parse::<aileron_contract::names::SessionId>().is_ok().then_some(raw)
}

/// `00-<32 hex>-<16 hex>-<2 hex>`; anything else starts a trace of our own.
fn parent(headers: &HeaderMap) -> Option<SpanContext> {
    let raw = headers.get("traceparent")?.to_str().ok()?;
    let mut parts = raw.split('-');
    let (version, trace, span, flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let hexadecimal = |text: &str, digits: usize| {
        text.len() == digits && text.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'))
    };
    let later = version != "00";
    if !hexadecimal(version, 2)
        || version == "ff"
        || (!later && parts.next().is_some())
        || !hexadecimal(trace, 32)
        || !hexadecimal(span, 16)
        || !hexadecimal(flags, 2)
    {
        return None;
    }
    let context = SpanContext::new(
        TraceId::from_hex(trace).ok()?,
        SpanId::from_hex(span).ok()?,
        TraceFlags::new(u8::from_str_radix(flags, 16).ok()?),
        true,
        TraceState::default(),
    );
    context.is_valid().then_some(context)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(raw: &str) -> Option<SpanContext> {
        let mut headers = HeaderMap::new();
        headers.insert("traceparent", raw.parse().ok()?);
        parent(&headers)
    }

    #[test]
    fn a_trace_goes_on_where_the_caller_left_it() {
        let context = read("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap();
        assert_eq!(context.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert!(context.is_sampled() && context.is_remote());
    }

    #[test]
    fn a_malformed_trace_is_not_continued() {
        for raw in [
            "",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        ] {
            assert!(read(raw).is_none(), "{raw}");
        }
    }

    proptest! {
        #[test]
        fn what_is_continued_is_what_the_header_says(
            raw in "(00|01|ff|0)-([0-9a-f]{32}|[0-9a-fA-F]{0,33})-([0-9a-f]{16}|[ -~]{0,17})-(0[0-3]|[ -~]{0,3})",
        ) {
            if let Some(context) = read(&raw) {
                let (trace, span) = (context.trace_id(), context.span_id());
                let said = format!("-{trace}-{span}");
                prop_assert_eq!(raw.get(2..52), Some(said.as_str()));
            }
        }
    }
}
