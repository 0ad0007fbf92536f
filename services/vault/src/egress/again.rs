//! Asking a second time, after an upstream refused a token that could be replaced.

use std::time::Duration;

use aileron_contract::{credential::CredentialKind, egress::Request};

/// Requests with a credential that can be replaced, that change nothing or were declared to do no
/// harm when they are carried out twice. Another request may have been acted upon, whatever the
/// answer says.
pub(super) fn repeatable(request: &Request) -> bool {
    let token = request
        .credential
        .as_ref()
        .is_some_and(|wanted| wanted.form.kind() == CredentialKind::Oauth2);
    let reads = matches!(request.method.as_str(), "" | "GET" | "HEAD" | "OPTIONS");
    token && (reads || request.idempotent)
}

/// The same request in what is left of its time; none when that is over.
pub(super) fn within(mut request: Box<Request>, spent: Duration) -> Option<Box<Request>> {
    request.timeout = request.timeout.checked_sub(spent).filter(|left| !left.is_zero())?;
    Some(request)
}
