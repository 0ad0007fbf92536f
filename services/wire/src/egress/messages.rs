//! The types of the egress contract, field by field. Bodies are not here: they are streamed.

use std::sync::Arc;

use aileron_contract::{
    Context, Error, Result, Secret,
    egress::{Authorization, CredentialUse, Fetch, Request, SendFailure, Sent},
    names::BindingName,
};
use aileron_proto::egress::v1 as pb;
use bytes::Bytes;

use crate::{
    context::context_to_wire,
    message::{Wire, invalid, messages, read},
    values::{duration_from_wire, duration_to_wire},
};

messages! {
    CredentialUse => pb::CredentialUse { form, binding }

    Head => pb::ResponseHead { status, headers, binding }

    SendFailure => pb::SendFailure { sent, failure }
}

/// An answer without its body.
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) binding: Option<BindingName>,
}

/// The head of a request, and the body that follows it.
pub(super) fn request_to_wire(
    context: &Context,
    request: Request,
) -> Result<(pb::SendHead, Bytes)> {
    let Request {
        connector,
        allowed,
        credential,
        method,
        url,
        headers,
        body,
        idempotent,
        max_response,
        timeout,
    } = request;
    let head = pb::SendHead {
        context: context_to_wire(context),
        connector: connector.into_wire(),
        allowed: allowed.into_wire(),
        credential: credential.into_wire(),
        method,
        url,
        headers: headers.into_wire(),
        body_length: u64::try_from(body.len()).map_err(Error::internal)?,
        idempotent,
        max_response,
        timeout: Some(duration_to_wire(timeout, "timeout")?),
    };
    Ok((head, body))
}

/// A request still without its body, and how long that is announced to be.
pub(super) fn request_from_wire(head: pb::SendHead) -> Result<(Context, Request, u64)> {
    let pb::SendHead {
        context,
        connector,
        allowed,
        credential,
        method,
        url,
        headers,
        body_length,
        idempotent,
        max_response,
        timeout,
    } = head;
    let request = Request {
        connector: read(connector, "connector")?,
        allowed: read(allowed, "allowed")?,
        credential: read(credential, "credential")?,
        method,
        url,
        headers: read(headers, "headers")?,
        body: Bytes::new(),
        idempotent,
        max_response,
        timeout: duration_from_wire(timeout, "timeout")?,
    };
    Ok((read(context, "context")?, request, body_length))
}

pub(super) fn fetch_to_wire(context: &Context, fetch: Fetch) -> Result<pb::FetchRequest> {
    let Fetch { url, accept, if_none_match, authorization, redirects, max_response, timeout } =
        fetch;
    let (authorization, stored_authorization) = match authorization {
        None => (None, None),
        Some(Authorization::Token(token)) => (Some(token.expose(<[u8]>::to_vec)), None),
        Some(Authorization::Stored(name)) => (None, Some(name.into_wire())),
    };
    Ok(pb::FetchRequest {
        context: context_to_wire(context),
        url,
        accept,
        if_none_match,
        authorization,
        stored_authorization,
        redirects: redirects.into_wire(),
        max_response,
        timeout: Some(duration_to_wire(timeout, "timeout")?),
    })
}

pub(super) fn fetch_from_wire(fetch: pb::FetchRequest) -> Result<(Context, Fetch)> {
    let pb::FetchRequest {
        context,
        url,
        accept,
        if_none_match,
        authorization,
        stored_authorization,
        redirects,
        max_response,
        timeout,
    } = fetch;
    let authorization = match (authorization, stored_authorization) {
        (None, None) => None,
        (Some(token), None) => Some(Authorization::Token(Arc::new(Secret::new(token)))),
        (None, Some(name)) => Some(Authorization::Stored(read(name, "stored_authorization")?)),
        (Some(_), Some(_)) => return Err(invalid("a fetch has one authorization, not two")),
    };
    let fetch = Fetch {
        url,
        accept,
        if_none_match,
        authorization,
        redirects: read(redirects, "redirects")?,
        max_response,
        timeout: duration_from_wire(timeout, "timeout")?,
    };
    Ok((read(context, "context")?, fetch))
}

impl Wire<pb::Header> for (String, String) {
    fn into_wire(self) -> pb::Header {
        let (name, value) = self;
        pb::Header { name, value }
    }

    fn from_wire(header: pb::Header, _field: &'static str) -> Result<Self> {
        let pb::Header { name, value } = header;
        Ok((name, value))
    }
}

/// An HTTP status; Protobuf has no shorter number.
impl Wire<u32> for u16 {
    fn into_wire(self) -> u32 {
        self.into()
    }

    fn from_wire(status: u32, _field: &'static str) -> Result<Self> {
        Self::try_from(status).map_err(|_| invalid("that is no HTTP status"))
    }
}

impl Wire<i32> for Sent {
    fn into_wire(self) -> i32 {
        match self {
            Self::NotSent => pb::Sent::NotSent.into(),
            Self::MaybeSent => pb::Sent::MaybeSent.into(),
        }
    }

    fn from_wire(sent: i32, _field: &'static str) -> Result<Self> {
        match pb::Sent::try_from(sent) {
            Ok(pb::Sent::NotSent) => Ok(Self::NotSent),
            Ok(pb::Sent::MaybeSent) => Ok(Self::MaybeSent),
            Ok(pb::Sent::Unspecified) | Err(_) => {
                Err(invalid("it is not said whether the request was sent"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use aileron_contract::failure::{Boundary, Class, Failure};

    use super::*;

    #[test]
    fn an_unknown_fate_is_refused_rather_than_guessed() {
        let failure = Failure::new(Class::NetworkError, Boundary::External, "no route");
        for sent in [0, 3, -1] {
            let message = pb::SendFailure { sent, failure: failure.clone().into_wire() };
            assert!(SendFailure::from_wire(message, "failed").is_err(), "{sent}");
        }
    }
}
