//! Joins a credential to a request.

use std::sync::Arc;

use aileron_contract::{
    Secret, Timestamp,
    credential::{Form, HeaderTemplate, TokenTemplate},
    egress::CredentialUse,
    limits,
};
use base64::prelude::{BASE64_STANDARD, Engine};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, header};

use super::{
    credentials::{Resolved, Value},
    mask::Masker,
    network::Draft,
    problem::Problem,
    sign::{self, SigningKey},
};
use crate::guarded::{Guarded, Memory};

/// A credential on its way into requests.
#[derive(Debug)]
pub(crate) enum Credential {
    Bound(Arc<Resolved>),
    /// A package source's token. Boxed: it is larger than all else of a request.
    OfSource(Box<Value>),
}

/// What a value comes to in its form, the same for each request.
#[derive(Clone, Debug)]
pub(crate) struct Ready {
    masker: Masker,
    /// Of the forms that write one.
    header: Option<(HeaderName, HeaderValue)>,
}

/// Or why the value is not fit for it.
pub(crate) type Made = Result<Ready, &'static str>;

impl Credential {
    /// Refuses a credential that is not of the kind and form that was asked for and consented to.
    pub(crate) fn new(resolved: Arc<Resolved>, wanted: &CredentialUse) -> Result<Self, Problem> {
        let (stored, wanted) = (&resolved.reach.form, &wanted.form);
        let binding = || resolved.binding.clone();
        if stored.kind() != wanted.kind() {
            let (stored, wanted) = (stored.kind(), wanted.kind());
            return Err(Problem::KindChanged { binding: binding(), stored, wanted });
        }
        if stored != wanted {
            return Err(Problem::FormChanged { binding: binding() });
        }
        Ok(Self::Bound(resolved))
    }

    /// A package source's token.
    pub(crate) fn of_source(token: &Secret) -> Self {
        Self::OfSource(Box::new(token.duplicate().into()))
    }

    /// Hides everything of the credential that an upstream could hand back.
    pub(crate) fn masker(&self) -> Result<Masker, Problem> {
        Ok(self.ready()?.masker)
    }

    fn ready(&self) -> Result<Ready, Problem> {
        let form = self.form();
        let ready = self.value().ready(|value, memory| {
            let masker = masker(form, value, memory).map_err(|_| "there is no memory for it")?;
            Ok(Ready { masker, header: header(form, value, memory)? })
        });
        ready.map_err(|reason| self.unfit(reason))
    }

    fn form(&self) -> &Form {
        match self {
            Self::Bound(resolved) => &resolved.reach.form,
            Self::OfSource(_) => &Form::Oauth2,
        }
    }

    fn value(&self) -> &Value {
        match self {
            Self::Bound(resolved) => &resolved.value,
            Self::OfSource(token) => token,
        }
    }

    fn unfit(&self, reason: &'static str) -> Problem {
        match self {
            Self::Bound(resolved) => {
                Problem::ValueUnfit { binding: resolved.binding.clone(), reason }
            }
            Self::OfSource(_) => {
                Problem::Malformed(format!("the source's token cannot be sent: {reason}"))
            }
        }
    }
}

/// Hides all that an upstream could hand back of a value in this form. A signature is no secret:
/// it holds for one request and a few minutes.
fn masker(form: &Form, value: &[u8], memory: Memory) -> rustix::io::Result<Masker> {
    match form {
        Form::ApiKey(_) | Form::Oauth2 | Form::Header(_) | Form::Query(_) => {
            Masker::new(&[value], memory)
        }
        // Both together, as they are sent, and alone the half that is secret: some upstreams
        // take a key as the user, without a password.
        Form::Basic => match halves(value) {
            Some((user, b"")) => Masker::new(&[value, user], memory),
            Some((_, password)) => Masker::new(&[value, password], memory),
            None => Masker::new(&[value], memory),
        },
        Form::AwsSigv4(_) => match SigningKey::read(value) {
            Ok(key) => Masker::new(&key.secrets(), memory),
            Err(_) => Masker::new(&[value], memory),
        },
    }
}

/// The header a value is written in; none in the forms that are written elsewhere, or anew for
/// each request.
fn header(
    form: &Form,
    value: &[u8],
    memory: Memory,
) -> Result<Option<(HeaderName, HeaderValue)>, &'static str> {
    let (name, text) = match form {
        Form::ApiKey(template) => {
            let text = formatted(value, template.format(), HeaderTemplate::PLACE, memory)?;
            (name(template.header())?, text)
        }
        Form::Header(template) => {
            let text = formatted(value, template.format(), TokenTemplate::PLACE, memory)?;
            (name(template.header())?, text)
        }
        Form::Oauth2 => {
            (header::AUTHORIZATION, formatted(value, "Bearer {token}", "{token}", memory)?)
        }
        Form::Basic => (header::AUTHORIZATION, basic(value, memory)?),
        Form::Query(_) | Form::AwsSigv4(_) => return Ok(None),
    };
    let mut text = HeaderValue::from_maybe_shared(Bytes::from_owner(text))
        .map_err(|_| "it contains a control character")?;
    text.set_sensitive(true);
    Ok(Some((name, text)))
}

/// Joins a credential to a request, in the form that was consented to. The only place where one
/// meets a request; what the guest put in its place is gone afterwards.
pub(crate) fn join(
    credential: &Credential,
    draft: &mut Draft,
    clock: fn() -> Timestamp,
) -> Result<(), Problem> {
    let unfit = |reason| credential.unfit(reason);
    let value = credential.value();
    match credential.form() {
        Form::ApiKey(_) | Form::Header(_) | Form::Oauth2 | Form::Basic => {
            let (name, text) =
                credential.ready()?.header.ok_or_else(|| unfit("it has no header"))?;
            draft.headers.insert(name, text);
            Ok(())
        }
        Form::Query(parameter) => {
            value.expose(plain).map_err(unfit)?;
            let name = parameter.as_str();
            draft.target = value.expose(|token| draft.target.with_parameter(name, token))?;
            Ok(())
        }
        Form::AwsSigv4(signing) => {
            let key = value.expose(SigningKey::read).map_err(unfit)?;
            let (own_id, own_region) = match credential {
                Credential::Bound(resolved) => {
                    (resolved.access_key_id.as_ref(), resolved.region.as_ref())
                }
                Credential::OfSource(_) => (None, None),
            };
            let inputs = sign::Inputs {
                access_key_id: own_id.or(signing.access_key_id.as_ref()),
                region: own_region.or(signing.region.as_ref()),
                service: signing.service.as_ref(),
            };
            sign::sign(&key, &inputs, draft, clock())
        }
    }
}

/// Can a value be joined in this form? Asked before it is stored.
pub(crate) fn check(form: &Form, value: &[u8]) -> Result<(), &'static str> {
    match form {
        Form::ApiKey(_) | Form::Header(_) | Form::Basic => {
            header(form, value, Memory::Plain).map(drop)
        }
        Form::Oauth2 | Form::Query(_) => plain(value),
        Form::AwsSigv4(_) => SigningKey::read(value).map(drop),
    }
}

/// The headers a form writes: a guest's own of these names are dropped.
pub(crate) fn headers(form: &Form) -> Result<Vec<HeaderName>, Problem> {
    Ok(match form {
        Form::ApiKey(template) => vec![named(template.header())?],
        Form::Header(template) => vec![named(template.header())?],
        Form::Oauth2 | Form::Basic => vec![header::AUTHORIZATION],
        Form::AwsSigv4(_) => sign::HEADERS.to_vec(),
        Form::Query(_) => Vec::new(),
    })
}

fn named(header: &str) -> Result<HeaderName, Problem> {
    name(header).map_err(|reason| Problem::Malformed(reason.to_owned()))
}

fn name(header: &str) -> Result<HeaderName, &'static str> {
    HeaderName::from_bytes(header.as_bytes()).map_err(|_| "the credential's header is no token")
}

/// What can stand in a header or a query: anything else was pasted wrongly, or is an attack.
fn plain(value: &[u8]) -> Result<(), &'static str> {
    if value.is_empty() || value.len() > limits::EGRESS_CREDENTIAL {
        return Err("it is empty or too long");
    }
    let edge = |c: Option<&u8>| c.is_some_and(|c| *c == b' ');
    let printable = value.iter().all(|c| (0x20..0x7f).contains(c));
    if !printable || edge(value.first()) || edge(value.last()) {
        return Err("it is not printable ASCII, or begins or ends with a space");
    }
    Ok(())
}

/// `format` with every `place` replaced.
fn formatted(
    value: &[u8],
    format: &str,
    place: &str,
    memory: Memory,
) -> Result<Guarded, &'static str> {
    plain(value)?;
    let parts = || format.split(place);
    let places = parts().count().saturating_sub(1);
    let size = parts().map(str::len).sum::<usize>() + places * value.len();
    if size > limits::EGRESS_CREDENTIAL {
        return Err("it is too long in its format");
    }
    let mut text = memory.zeros(size).map_err(|_| "there is no memory for it")?;
    let mut rest = text.bytes_mut();
    for (index, part) in parts().enumerate() {
        let before = if index > 0 { value } else { b"" };
        for piece in [before, part.as_bytes()] {
            let (place, behind) = rest.split_at_mut(piece.len());
            place.copy_from_slice(piece);
            rest = behind;
        }
    }
    Ok(text)
}

/// RFC 7617: a user without a colon, a colon, a password; both as UTF-8 without control
/// characters.
fn basic(value: &[u8], memory: Memory) -> Result<Guarded, &'static str> {
    let Some((user, password)) = halves(value) else {
        return Err("it is not a user and a password with a colon between");
    };
    if user.is_empty() && password.is_empty() {
        return Err("neither its user nor its password says anything");
    }
    let sound = std::str::from_utf8(value).is_ok_and(|text| !text.chars().any(char::is_control));
    if !sound {
        return Err("it is not UTF-8 without control characters");
    }
    let scheme = b"Basic ";
    let length = base64::encoded_len(value.len(), true).unwrap_or(usize::MAX);
    let size = length.saturating_add(scheme.len());
    if size > limits::EGRESS_CREDENTIAL {
        return Err("it is too long");
    }
    let mut text = memory.zeros(size).map_err(|_| "there is no memory for it")?;
    let (head, tail) = text.bytes_mut().split_at_mut(scheme.len());
    head.copy_from_slice(scheme);
    BASE64_STANDARD.encode_slice(value, tail).map_err(|_| "it is too long")?;
    Ok(text)
}

/// The user ends at the first colon, the password may hold others.
fn halves(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = value.iter().position(|c| *c == b':')?;
    let (user, rest) = value.split_at(at);
    Some((user, rest.get(1..).unwrap_or_default()))
}

#[cfg(test)]
mod tests;
