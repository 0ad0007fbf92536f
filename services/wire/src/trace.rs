//! Trace context across a call, in the W3C `traceparent` and `tracestate` headers. Written by
//! hand rather than through the process-wide propagator, so that it works whoever configures
//! tracing, and when nobody does.

use opentelemetry::{
    Context, SpanId, TraceFlags, TraceId,
    trace::{SpanContext, TraceContextExt, TraceState},
};
use tonic::metadata::MetadataMap;
use tracing_opentelemetry::OpenTelemetrySpanExt;

const PARENT: &str = "traceparent";
const STATE: &str = "tracestate";

/// Puts the current span on a call; without a tracing layer, the context the caller received.
pub(crate) fn inject(metadata: &mut MetadataMap) {
    let current = tracing::Span::current().context();
    let mut span = current.span().span_context().clone();
    if !span.is_valid() {
        span = Context::current().span().span_context().clone();
    }
    if !span.is_valid() {
        return;
    }
    let flags = span.trace_flags().to_u8();
    let parent = format!("00-{}-{}-{flags:02x}", span.trace_id(), span.span_id());
    if let Ok(parent) = parent.parse() {
        metadata.insert(PARENT, parent);
    }
    let state = span.trace_state().header();
    if let Ok(state) = state.parse()
        && !span.trace_state().header().is_empty()
    {
        metadata.insert(STATE, state);
    }
}

/// The caller's span, if it sent a sound one. A damaged header costs the link, never the call.
pub(crate) fn extract(metadata: &MetadataMap) -> Option<Context> {
    let parent = metadata.get(PARENT)?.to_str().ok()?;
    let state = metadata
        .get(STATE)
        .and_then(|state| state.to_str().ok()?.parse::<TraceState>().ok())
        .unwrap_or_default();
    let span = parse(parent, state)?;
    Some(Context::new().with_remote_span_context(span))
}

fn parse(parent: &str, state: TraceState) -> Option<SpanContext> {
    let mut parts = parent.split('-');
    let (version, trace, span, flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let sound =
        [(version, 2), (trace, 32), (span, 16), (flags, 2)].into_iter().all(|(part, length)| {
            part.len() == length
                && part.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c))
        });
    // Later versions may append fields; version 00 has four, and ff is none.
    if !sound || version == "ff" || (version == "00" && parts.next().is_some()) {
        return None;
    }
    let flags = u8::from_str_radix(flags, 16).ok()?;
    let context = SpanContext::new(
        TraceId::from_hex(trace).ok()?,
        SpanId::from_hex(span).ok()?,
        TraceFlags::new(flags) & TraceFlags::SAMPLED,
        true,
        state,
    );
    context.is_valid().then_some(context)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_received_context_is_passed_on_without_a_tracing_layer() {
        let mut received = MetadataMap::new();
        received.insert(PARENT, SOUND.parse().unwrap());
        received.insert(STATE, "vendor=1".parse().unwrap());
        let _attached = extract(&received).unwrap().attach();
        let mut sent = MetadataMap::new();
        inject(&mut sent);
        assert_eq!(sent.get(PARENT).unwrap(), SOUND);
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
        for raw in [
            "",
            "00",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
        ] {
            assert!(parse(raw, TraceState::default()).is_none(), "{raw}");
        }
        assert!(parse(SOUND, TraceState::default()).is_some());
    }
}
