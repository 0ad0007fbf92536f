//! A tool's call as a span. It is carried out in a task of its session's, which knows nothing of
//! the request it came with: what it belongs to travels with the message.

use aileron_contract::{Result, executor::Started};
use http::Extensions as Parts;
use opentelemetry::{
    Context,
    trace::{SpanContext, TraceContextExt as _},
};
use rmcp::model::Extensions;
use tracing::{Span, field};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// The request's span. Its name only: the span itself must end with the request.
#[derive(Clone)]
struct Asked(SpanContext);

/// Notes in which span a message came.
pub(super) fn mark(parts: &mut Parts) {
    let context = Span::current().context();
    parts.insert(Asked(context.span().span_context().clone()));
}

/// The span of one call of a tool.
pub(super) fn call(caller: &Extensions, context: &aileron_contract::Context) -> Span {
    let span = tracing::info_span!(
        parent: None,
        "aileron.mcp.tool.call",
        mcp.method.name = "tools/call",
        gen_ai.operation.name = "execute_tool",
        gen_ai.tool.name = field::Empty,
        aileron.action.name = field::Empty,
        aileron.run.id = field::Empty,
        aileron.run.outcome = field::Empty,
        aileron.session.id = context.session.as_ref().map(field::display),
        error.type = field::Empty,
        otel.status_code = field::Empty,
    );
    let parts = caller.get::<http::request::Parts>();
    if let Some(Asked(asked)) = parts.and_then(|parts| parts.extensions.get()) {
        // Without a layer for it there is no trace to belong to.
        drop(span.set_parent(Context::new().with_remote_span_context(asked.clone())));
    }
    span
}

/// Tells the span of an action's call what it came to.
pub(super) fn answered(span: &Span, started: &Result<Started>) {
    let outcome = match started {
        Ok(Started::Done(done)) => {
            span.record("aileron.run.id", done.run.as_str());
            "succeeded"
        }
        Ok(Started::Pending(pending)) => {
            span.record("aileron.run.id", pending.id.as_str());
            "pending"
        }
        Ok(Started::Failed(failure)) => {
            span.record("error.type", failure.class.text());
            "failed"
        }
        Err(error) => {
            span.record("error.type", error.reason().code());
            "refused"
        }
    };
    span.record("aileron.run.outcome", outcome);
    if started.is_err() || matches!(started, Ok(Started::Failed(_))) {
        span.record("otel.status_code", "ERROR");
    }
}
