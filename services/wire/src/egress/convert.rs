//! Domain types of the egress contract and their messages. Bodies are not here: they are streamed.

use std::sync::Arc;

use aileron_contract::{
    Context, Result,
    egress::{CredentialUse, Fetch, Request, SendFailure, Sent},
    names::BindingName,
};
use aileron_proto::egress::v1 as pb;
use bytes::Bytes;

use crate::{
    context::{context_from_wire, context_to_wire},
    failure::{failure_from_wire, failure_to_wire, template_from_wire, template_to_wire},
    values::{
        duration_from_wire, duration_to_wire, invalid, parsed, parsed_if, parsed_list,
        secret_from_wire, secret_to_wire, text_if, texts,
    },
};

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
        max_response,
        timeout,
    } = request;
    let head = pb::SendHead {
        context: context_to_wire(context),
        connector: connector.to_string(),
        allowed: texts(allowed),
        credential: credential.map(credential_to_wire),
        method,
        url,
        headers: headers_to_wire(headers),
        body_length: u64::try_from(body.len()).map_err(aileron_contract::Error::internal)?,
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
        max_response,
        timeout,
    } = head;
    let request = Request {
        connector: parsed(connector)?,
        allowed: parsed_list(allowed)?,
        credential: credential.map(credential_from_wire).transpose()?,
        method,
        url,
        headers: headers_from_wire(headers),
        body: Bytes::new(),
        max_response,
        timeout: duration_from_wire(timeout, "timeout")?,
    };
    Ok((context_from_wire(context)?, request, body_length))
}

fn credential_to_wire(credential: CredentialUse) -> pb::CredentialUse {
    let CredentialUse { kind, template, binding } = credential;
    pb::CredentialUse {
        kind: kind.to_string(),
        template: Some(template_to_wire(&template)),
        binding: text_if(binding),
    }
}

fn credential_from_wire(credential: pb::CredentialUse) -> Result<CredentialUse> {
    let pb::CredentialUse { kind, template, binding } = credential;
    Ok(CredentialUse {
        kind: parsed(kind)?,
        template: template_from_wire(template)?,
        binding: parsed_if(binding)?,
    })
}

pub(super) fn fetch_to_wire(context: &Context, fetch: Fetch) -> Result<pb::FetchRequest> {
    let Fetch { url, accept, authorization, redirects, max_response, timeout } = fetch;
    Ok(pb::FetchRequest {
        context: context_to_wire(context),
        url,
        accept,
        authorization: authorization.map(|secret| secret_to_wire(&secret)),
        redirects: texts(redirects),
        max_response,
        timeout: Some(duration_to_wire(timeout, "timeout")?),
    })
}

pub(super) fn fetch_from_wire(fetch: pb::FetchRequest) -> Result<(Context, Fetch)> {
    let pb::FetchRequest { context, url, accept, authorization, redirects, max_response, timeout } =
        fetch;
    let authorization = authorization.map(|bytes| Arc::new(secret_from_wire(bytes)));
    let fetch = Fetch {
        url,
        accept,
        authorization,
        redirects: parsed_list(redirects)?,
        max_response,
        timeout: duration_from_wire(timeout, "timeout")?,
    };
    Ok((context_from_wire(context)?, fetch))
}

fn headers_to_wire(headers: Vec<(String, String)>) -> Vec<pb::Header> {
    headers.into_iter().map(|(name, value)| pb::Header { name, value }).collect()
}

fn headers_from_wire(headers: Vec<pb::Header>) -> Vec<(String, String)> {
    headers.into_iter().map(|pb::Header { name, value }| (name, value)).collect()
}

/// An answer without its body.
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) binding: Option<BindingName>,
}

pub(super) fn head_to_wire(head: Head) -> pb::ResponseHead {
    let Head { status, headers, binding } = head;
    pb::ResponseHead {
        status: status.into(),
        headers: headers_to_wire(headers),
        binding: text_if(binding),
    }
}

pub(super) fn head_from_wire(head: pb::ResponseHead) -> Result<Head> {
    let pb::ResponseHead { status, headers, binding } = head;
    Ok(Head {
        status: u16::try_from(status).map_err(|_| invalid("that is no HTTP status"))?,
        headers: headers_from_wire(headers),
        binding: parsed_if(binding)?,
    })
}

pub(super) fn send_failure_to_wire(failure: SendFailure) -> pb::SendFailure {
    let SendFailure { sent, failure } = failure;
    let sent = match sent {
        Sent::NotSent => pb::Sent::NotSent,
        Sent::MaybeSent => pb::Sent::MaybeSent,
    };
    pb::SendFailure { sent: sent.into(), failure: Some(failure_to_wire(failure)) }
}

pub(super) fn send_failure_from_wire(failure: pb::SendFailure) -> Result<SendFailure> {
    let pb::SendFailure { sent, failure } = failure;
    let sent = match pb::Sent::try_from(sent) {
        Ok(pb::Sent::NotSent) => Sent::NotSent,
        Ok(pb::Sent::MaybeSent) => Sent::MaybeSent,
        Ok(pb::Sent::Unspecified) | Err(_) => {
            return Err(invalid("it is not said whether the request was sent"));
        }
    };
    Ok(SendFailure { sent, failure: failure_from_wire(failure)? })
}

#[cfg(test)]
mod tests {
    use aileron_contract::failure::{Boundary, Class, Failure};

    use super::*;

    #[test]
    fn an_unknown_fate_is_refused_rather_than_guessed() {
        let failure = Failure::new(Class::NetworkError, Boundary::External, "no route");
        for sent in [0, 3, -1] {
            let message = pb::SendFailure { sent, failure: Some(failure_to_wire(failure.clone())) };
            assert!(send_failure_from_wire(message).is_err(), "{sent}");
        }
    }
}
