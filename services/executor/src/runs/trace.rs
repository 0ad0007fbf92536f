//! A run keeps the trace it was asked for in, because it may go on in another task, after a
//! person's decision, or after a restart.

use aileron_contract::{Timestamp, TraceParent, executor::Started, failure::Failure};
use opentelemetry::{
    Context, SpanId, TraceFlags, TraceId,
    context::{FutureExt as _, WithContext},
    trace::{SpanContext, TraceContextExt as _, TraceState},
};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use super::Record;

/// The span this call is in, if somebody records it.
pub(super) fn current() -> Option<TraceParent> {
    let context = tracing::Span::current().context();
    let span = context.span().span_context().clone();
    let (trace, id) = (span.trace_id().to_bytes(), span.span_id().to_bytes());
    TraceParent::new(trace, id, true).filter(|_| span.is_sampled())
}

/// Does the work in the trace a run was asked for in.
pub(super) fn within<F: Future>(parent: Option<TraceParent>, work: F) -> WithContext<F> {
    work.with_context(context(parent))
}

/// Tells how long a run waited for a person, now that it does not any more. The span is a sibling
/// of what follows from it; whoever decided did so in a trace of their own, which it points to.
pub(super) fn waited(record: &Record, decision: &'static str, now: Timestamp) {
    let waited = now.duration_since(record.requested_at).as_millis();
    let span = tracing::info_span!(
        parent: None,
        "aileron.approval.wait",
        aileron.approval.id = %record.id,
        aileron.approval.kind = "action",
        aileron.approval.action = %record.action,
        aileron.approval.decision = decision,
        // The exporter puts the span's start so long before its end.
        aileron.approval.wait_ms = i64::try_from(waited).unwrap_or(i64::MAX),
        aileron.run.id = %record.id,
        aileron.connector.fqn = record.connector.as_ref().map(tracing::field::display),
        aileron.session.id = record.session.as_ref().map(tracing::field::display),
    );
    // Without a layer for it there is no trace to belong to.
    drop(span.set_parent(context(record.trace)));
    let deciding = tracing::Span::current().context();
    span.add_link(deciding.span().span_context().clone());
}

/// Tells the span of a run, which is the current one, how it ended.
pub(super) fn ended(ended: &Started) {
    let span = tracing::Span::current();
    let failure = match ended {
        Started::Done(_) => {
            span.record("aileron.run.outcome", "succeeded");
            return;
        }
        Started::Pending(_) => return,
        Started::Failed(failure) => failure,
    };
    let details = failure.details.as_ref();
    let doubt = details.is_some_and(|it| it.get("outcome").is_some_and(|it| it == "ambiguous"));
    span.record("aileron.run.outcome", if doubt { "ambiguous" } else { "failed" });
    span.record("aileron.failure.class", failure.class.text());
    span.record("aileron.failure.boundary", failure.boundary.text());
    span.record("aileron.failure.retriable", failure.retriable);
    if let Some(id) = &failure.audit_id {
        span.record("aileron.audit.id", id.as_str());
    }
    failed(&span, failure);
}

/// Tells a span that what it stands for failed: the class alone, because a failure's words may
/// quote what somebody asked for or was answered.
pub(super) fn failed(span: &tracing::Span, failure: &Failure) {
    span.record("error.type", failure.class.text());
    span.record("otel.status_code", "ERROR");
    span.record("otel.status_description", failure.class.text());
}

fn context(parent: Option<TraceParent>) -> Context {
    let Some(parent) = parent else { return Context::new() };
    let (trace, span) = (TraceId::from_bytes(parent.trace()), SpanId::from_bytes(parent.span()));
    let flags = if parent.sampled() { TraceFlags::SAMPLED } else { TraceFlags::NOT_SAMPLED };
    let span = SpanContext::new(trace, span, flags, true, TraceState::default());
    Context::new().with_remote_span_context(span)
}
