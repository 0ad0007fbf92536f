//! A request as a span. Where it went is told once it may go there, and the host alone: what a
//! guest writes into an address, a header or a body is nobody's business.

use aileron_contract::{
    Result,
    egress::{Outcome, Sent},
    names::Fqn,
};
use tracing::{Span, field};

use super::order::Order;

/// The span of one request; of a package's without a connector.
pub(super) fn request(connector: Option<&Fqn>) -> Span {
    tracing::debug_span!(
        "aileron.egress.request",
        otel.kind = "client",
        otel.status_code = field::Empty,
        otel.status_description = field::Empty,
        aileron.connector.fqn = connector.map(field::display),
        aileron.egress.sent = field::Empty,
        error.type = field::Empty,
        http.request.method = field::Empty,
        http.response.status_code = field::Empty,
        server.address = field::Empty,
        server.port = field::Empty,
    )
}

/// The current span is of an order that may leave.
pub(super) fn addressed(order: &Order) {
    let (span, host) = (Span::current(), order.target.host());
    span.record("http.request.method", order.method.as_str());
    span.record("server.address", host.host());
    span.record("server.port", i64::from(host.port()));
}

pub(super) fn ended(span: &Span, outcome: &Result<Outcome>) {
    let failed = |what: &str| {
        span.record("otel.status_code", "ERROR");
        span.record("error.type", what);
    };
    match outcome {
        Ok(Outcome::Answered(answer)) => {
            // As a signed number: spans have no other, and unsigned ones would be exported as text.
            span.record("http.response.status_code", i64::from(answer.status));
            if answer.status >= 400 {
                failed(&answer.status.to_string());
            }
        }
        Ok(Outcome::Failed(lost)) => {
            let class = lost.failure.class.text();
            span.record("aileron.egress.sent", lost.sent == Sent::MaybeSent);
            span.record("otel.status_description", class);
            failed(class);
        }
        Err(error) => failed(error.reason().code()),
    }
}
