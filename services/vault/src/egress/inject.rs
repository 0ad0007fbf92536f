//! Joins a credential to a request.

use aileron_contract::{
    Secret, Timestamp,
    credential::{Form, HeaderTemplate, SigningWord, TokenTemplate},
    egress::CredentialUse,
    limits,
    names::BindingName,
};
use base64::prelude::{BASE64_STANDARD, Engine};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, header};
use zeroize::Zeroizing;

use super::{
    credentials::Resolved,
    mask::Masker,
    network::Draft,
    problem::Problem,
    sign::{self, SigningKey},
};

/// A credential on its way into requests.
#[derive(Debug)]
pub(crate) struct Credential {
    /// None for a package source's token.
    binding: Option<BindingName>,
    form: Form,
    value: Secret,
    access_key_id: Option<SigningWord>,
    region: Option<SigningWord>,
}

impl Credential {
    /// Refuses a credential that is not of the kind and form that was asked for and consented to.
    pub(crate) fn new(resolved: Resolved, wanted: &CredentialUse) -> Result<Self, Problem> {
        let Resolved { binding, reach, value, access_key_id, region } = resolved;
        let (stored, wanted) = (&reach.form, &wanted.form);
        if stored.kind() != wanted.kind() {
            let (stored, wanted) = (stored.kind(), wanted.kind());
            return Err(Problem::KindChanged { binding, stored, wanted });
        }
        if stored != wanted {
            return Err(Problem::FormChanged { binding });
        }
        Ok(Self { binding: Some(binding), form: reach.form, value, access_key_id, region })
    }

    /// A package source's token.
    pub(crate) fn of_source(token: &Secret) -> Self {
        Self {
            binding: None,
            form: Form::Oauth2,
            value: token.duplicate(),
            access_key_id: None,
            region: None,
        }
    }

    /// Hides everything of the credential that an upstream could hand back. A signature is no
    /// secret: it holds for one request and a few minutes.
    pub(crate) fn masker(&self) -> Masker {
        self.value.expose(|value| match &self.form {
            Form::ApiKey(_) | Form::Oauth2 | Form::Header(_) | Form::Query(_) => {
                Masker::new(&[value])
            }
            // Both together, as they are sent, and alone the half that is secret: some upstreams
            // take a key as the user, without a password.
            Form::Basic => match halves(value) {
                Some((user, b"")) => Masker::new(&[value, user]),
                Some((_, password)) => Masker::new(&[value, password]),
                None => Masker::new(&[value]),
            },
            Form::AwsSigv4(_) => match SigningKey::read(value) {
                Ok(key) => Masker::new(&key.secrets()),
                Err(_) => Masker::new(&[value]),
            },
        })
    }

    fn unfit(&self, reason: &'static str) -> Problem {
        match &self.binding {
            Some(binding) => Problem::ValueUnfit { binding: binding.clone(), reason },
            None => Problem::Malformed(format!("the source's token cannot be sent: {reason}")),
        }
    }
}

/// Joins a credential to a request, in the form that was consented to. The only place where one
/// meets a request; what the guest put in its place is gone afterwards.
pub(crate) fn join(
    credential: &Credential,
    draft: &mut Draft,
    now: Timestamp,
) -> Result<(), Problem> {
    let unfit = |reason| credential.unfit(reason);
    let mut put = |name, value: Result<_, _>| -> Result<(), Problem> {
        draft.headers.insert(name, value.map_err(unfit)?);
        Ok(())
    };
    let value = &credential.value;
    match &credential.form {
        Form::ApiKey(template) => {
            let (format, place) = (template.format(), HeaderTemplate::PLACE);
            put(named(template.header())?, value.expose(|key| formatted(key, format, place)))
        }
        Form::Header(template) => {
            let (format, place) = (template.format(), TokenTemplate::PLACE);
            put(named(template.header())?, value.expose(|token| formatted(token, format, place)))
        }
        Form::Oauth2 => {
            let bearer = value.expose(|token| formatted(token, "Bearer {token}", "{token}"));
            put(header::AUTHORIZATION, bearer)
        }
        Form::Basic => put(header::AUTHORIZATION, value.expose(basic)),
        Form::Query(parameter) => {
            value.expose(plain).map_err(unfit)?;
            let name = parameter.as_str();
            draft.target = value.expose(|token| draft.target.with_parameter(name, token));
            Ok(())
        }
        Form::AwsSigv4(signing) => {
            let key = value.expose(SigningKey::read).map_err(unfit)?;
            let (own_id, own_region) =
                (credential.access_key_id.as_ref(), credential.region.as_ref());
            let inputs = sign::Inputs {
                access_key_id: own_id.or(signing.access_key_id.as_ref()),
                region: own_region.or(signing.region.as_ref()),
                service: signing.service.as_ref(),
            };
            sign::sign(&key, &inputs, draft, now)
        }
    }
}

/// Can a value be joined in this form? Asked before it is stored.
pub(crate) fn check(form: &Form, value: &[u8]) -> Result<(), &'static str> {
    match form {
        Form::ApiKey(template) => {
            formatted(value, template.format(), HeaderTemplate::PLACE).map(drop)
        }
        Form::Header(template) => {
            formatted(value, template.format(), TokenTemplate::PLACE).map(drop)
        }
        Form::Oauth2 | Form::Query(_) => plain(value),
        Form::Basic => basic(value).map(drop),
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
    HeaderName::from_bytes(header.as_bytes())
        .map_err(|_| Problem::Malformed("the credential's header is no token".to_owned()))
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

/// `format` with every `place` replaced, in memory that is wiped.
fn formatted(value: &[u8], format: &str, place: &str) -> Result<HeaderValue, &'static str> {
    plain(value)?;
    let places = format.matches(place).count();
    let size = format.len() + places * value.len();
    if size > limits::EGRESS_CREDENTIAL {
        return Err("it is too long in its format");
    }
    // Sized beforehand: growing would leave copies behind.
    let mut text = Zeroizing::new(Vec::with_capacity(size));
    for (index, part) in format.split(place).enumerate() {
        if index > 0 {
            text.extend_from_slice(value);
        }
        text.extend_from_slice(part.as_bytes());
    }
    header_value(text)
}

/// RFC 7617: a user without a colon, a colon, a password; both as UTF-8 without control
/// characters.
fn basic(value: &[u8]) -> Result<HeaderValue, &'static str> {
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
    let mut text = Zeroizing::new(vec![0; size]);
    let (head, tail) = text.split_at_mut(scheme.len());
    head.copy_from_slice(scheme);
    BASE64_STANDARD.encode_slice(value, tail).map_err(|_| "it is too long")?;
    header_value(text)
}

/// The user ends at the first colon, the password may hold others.
fn halves(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = value.iter().position(|c| *c == b':')?;
    let (user, rest) = value.split_at(at);
    Some((user, rest.get(1..).unwrap_or_default()))
}

fn header_value(text: Zeroizing<Vec<u8>>) -> Result<HeaderValue, &'static str> {
    let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(Wiped(text)))
        .map_err(|_| "it contains a control character")?;
    value.set_sensitive(true);
    Ok(value)
}

struct Wiped(Zeroizing<Vec<u8>>);

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests;
