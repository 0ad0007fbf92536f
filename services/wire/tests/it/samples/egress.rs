use std::{sync::Arc, time::Duration};

use aileron_contract::{
    Error, Reason, Secret,
    credential::Form,
    egress::{Authorization, CredentialUse, Fetch, Request, SendFailure, Sent},
    names::BindingName,
};
use bytes::Bytes;

use super::{failure, form, hosts, name, text};
use crate::fakes::shown;

pub(crate) fn request(full: bool, method: &str, body: Bytes) -> Request {
    Request {
        connector: name("github://acme/tools"),
        allowed: hosts(full),
        credential: full
            .then(|| CredentialUse { form: form(true), binding: Some(name("api_key/notes/me")) }),
        method: method.to_owned(),
        url: text(full).unwrap_or_default(),
        headers: headers(full),
        body,
        idempotent: full,
        max_response: if full { u64::MAX } else { 0 },
        timeout: if full { Duration::new(3_600, 999_999_999) } else { Duration::from_secs(30) },
    }
}

/// A credential without a binding: the only one is meant.
pub(crate) fn unbound(form: Form) -> CredentialUse {
    CredentialUse { form, binding: None }
}

pub(crate) fn fetch(full: bool) -> Fetch {
    Fetch {
        url: text(full).unwrap_or_default(),
        accept: text(full),
        if_none_match: text(full),
        authorization: Some(if full {
            Authorization::Token(Arc::new(Secret::new(b"gh-token".to_vec())))
        } else {
            Authorization::Stored(name("team/github"))
        }),
        redirects: hosts(full),
        max_response: if full { u64::MAX } else { 0 },
        timeout: Duration::from_secs(30),
    }
}

/// A source's token, as far as a test may look at it.
pub(crate) fn token(fetch: &Fetch) -> Option<Vec<u8>> {
    match fetch.authorization.as_ref()? {
        Authorization::Token(token) => Some(shown(token)),
        Authorization::Stored(_) => None,
    }
}

pub(crate) fn head(full: bool) -> (u16, Vec<(String, String)>, Option<BindingName>) {
    (if full { 599 } else { 200 }, headers(full), full.then(|| name("api_key/notes/me")))
}

pub(crate) fn send_failure(full: bool) -> SendFailure {
    SendFailure { sent: if full { Sent::MaybeSent } else { Sent::NotSent }, failure: failure(full) }
}

pub(crate) fn cut() -> Error {
    Error::new(Reason::FetchFailed, "the upstream stopped in the middle")
}

/// In order, with a name twice and an empty value.
fn headers(full: bool) -> Vec<(String, String)> {
    let all = [("x-b", "1"), ("x-a", ""), ("x-b", "2")];
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    if full { all.map(owned).to_vec() } else { Vec::new() }
}
