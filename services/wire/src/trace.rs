//! Trace context across a call, in the `traceparent` and `tracestate` headers of W3C Trace
//! Context. Not through the process-wide propagator, so that it works whoever configures tracing,
//! and when nobody does.

use aileron_contract::TraceParent;
use opentelemetry::{
    Context, SpanId, TraceFlags, TraceId,
    trace::{SpanContext, TraceContextExt, TraceState},
};
use tonic::metadata::MetadataMap;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The list that goes with it (W3C Trace Context, section 3.3), passed on as it came.
const STATE: &str = "tracestate";

/// Puts the current span on a call; without a tracing layer, the context the caller received.
pub(crate) fn inject(metadata: &mut MetadataMap) {
    let current = tracing::Span::current().context();
    let mut span = current.span().span_context().clone();
    if !span.is_valid() {
        span = Context::current().span().span_context().clone();
    }
    let (trace, id) = (span.trace_id().to_bytes(), span.span_id().to_bytes());
    let Some(parent) = TraceParent::new(trace, id, span.is_sampled()) else { return };
    if let Ok(parent) = parent.to_string().parse() {
        metadata.insert(TraceParent::HEADER, parent);
    }
    let state = span.trace_state().header();
    if !state.is_empty()
        && let Ok(state) = state.parse()
    {
        metadata.insert(STATE, state);
    }
}

/// The caller's span, if it sent a sound one. A damaged header costs the link, never the call.
pub(crate) fn extract(metadata: &MetadataMap) -> Option<Context> {
    let parent = metadata.get(TraceParent::HEADER)?.to_str().ok()?.parse().ok()?;
    let state = metadata
        .get(STATE)
        .and_then(|state| state.to_str().ok()?.parse::<TraceState>().ok())
        .unwrap_or_default();
    Some(Context::new().with_remote_span_context(remote(parent, state)))
}

fn remote(parent: TraceParent, state: TraceState) -> SpanContext {
    let flags = if parent.sampled() { TraceFlags::SAMPLED } else { TraceFlags::NOT_SAMPLED };
    let (trace, span) = (TraceId::from_bytes(parent.trace()), SpanId::from_bytes(parent.span()));
    SpanContext::new(trace, span, flags, true, state)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_received_context_is_passed_on_without_a_tracing_layer() {
        let mut received = MetadataMap::new();
        received.insert(TraceParent::HEADER, SOUND.parse().unwrap());
        received.insert(STATE, "vendor=1".parse().unwrap());
        let _attached = extract(&received).unwrap().attach();
        let mut sent = MetadataMap::new();
        inject(&mut sent);
        assert_eq!(sent.get(TraceParent::HEADER).unwrap(), SOUND);
        assert_eq!(sent.get(STATE).unwrap(), "vendor=1");
    }

    #[test]
    fn without_a_trace_nothing_is_sent() {
        let mut sent = MetadataMap::new();
        inject(&mut sent);
        assert!(sent.is_empty());
    }

    #[test]
    fn damaged_headers_are_left_aside() {
        for raw in ["", "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01"] {
            let mut received = MetadataMap::new();
            received.insert(TraceParent::HEADER, raw.parse().unwrap());
            assert!(extract(&received).is_none(), "{raw}");
        }
    }
}
