//! Joins a credential to a request.

use aileron_contract::{Secret, credential::CredentialKind, egress::CredentialUse, limits};
use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use zeroize::Zeroizing;

use super::{credentials::Resolved, problem::Problem};

/// Refuses a credential that is not of the kind and form that was asked for and consented to.
pub(crate) fn fits(resolved: &Resolved, wanted: &CredentialUse) -> Result<(), Problem> {
    let binding = || resolved.binding.clone();
    if resolved.kind != wanted.kind {
        let (stored, wanted) = (resolved.kind, wanted.kind);
        return Err(Problem::KindChanged { binding: binding(), stored, wanted });
    }
    if resolved.reach.template != wanted.template {
        return Err(Problem::FormChanged { binding: binding() });
    }
    Ok(())
}

/// The header a credential of this kind and form replaces.
pub(crate) fn header(wanted: &CredentialUse) -> Result<HeaderName, Problem> {
    match wanted.kind {
        CredentialKind::ApiKey => HeaderName::from_bytes(wanted.template.header().as_bytes())
            .map_err(|_| Problem::Malformed("the credential's header is no token".to_owned())),
        // Refreshing tokens and signing requests are other ways of joining than a header.
        CredentialKind::Oauth2 | CredentialKind::AwsSigv4 => {
            Err(Problem::KindUnsupported(wanted.kind))
        }
    }
}

/// The header a credential becomes, by its kind. The only place where one meets a request.
pub(crate) fn credential(resolved: &Resolved) -> Result<(HeaderName, HeaderValue), Problem> {
    let unfit = |reason| Problem::ValueUnfit { binding: resolved.binding.clone(), reason };
    match resolved.kind {
        CredentialKind::ApiKey => {
            let template = &resolved.reach.template;
            let name = HeaderName::from_bytes(template.header().as_bytes())
                .map_err(|_| unfit("its header is no token"))?;
            let value = resolved.value.expose(|key| formatted(key, template.format()));
            Ok((name, value.map_err(unfit)?))
        }
        CredentialKind::Oauth2 | CredentialKind::AwsSigv4 => {
            Err(Problem::KindUnsupported(resolved.kind))
        }
    }
}

/// A package source's token as a bearer token.
pub(crate) fn bearer(token: &Secret) -> Result<HeaderValue, Problem> {
    token.expose(|token| formatted(token, "Bearer {key}")).map_err(|reason| {
        Problem::Malformed(format!("the source's token cannot be sent: {reason}"))
    })
}

/// `format` with every `{key}` replaced, in memory that is wiped.
fn formatted(key: &[u8], format: &str) -> Result<HeaderValue, &'static str> {
    if key.is_empty() || key.len() > limits::EGRESS_CREDENTIAL {
        return Err("it is empty or too long");
    }
    let edge = |c: Option<&u8>| c.is_some_and(|c| *c == b' ');
    if !key.iter().all(|c| (0x20..0x7f).contains(c)) || edge(key.first()) || edge(key.last()) {
        return Err("it is not printable ASCII, or begins or ends with a space");
    }
    let places = format.matches("{key}").count();
    let size = format.len() + places * key.len();
    if size > limits::EGRESS_CREDENTIAL {
        return Err("it is too long in its format");
    }
    // Sized beforehand: growing would leave copies behind.
    let mut value = Zeroizing::new(Vec::with_capacity(size));
    for (index, part) in format.split("{key}").enumerate() {
        if index > 0 {
            value.extend_from_slice(key);
        }
        value.extend_from_slice(part.as_bytes());
    }
    let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(Wiped(value)))
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
mod tests {
    use aileron_contract::{
        credential::{HeaderTemplate, Reach},
        egress::CredentialUse,
    };

    use http::header;

    use super::*;

    fn resolved(kind: CredentialKind, key: &str) -> Resolved {
        Resolved {
            binding: "api_key/x/y".parse().unwrap(),
            reach: Reach { hosts: Vec::new(), template: HeaderTemplate::default() },
            kind,
            value: Secret::from(key.to_owned()),
        }
    }

    #[test]
    fn a_key_takes_the_form_that_was_consented_to() {
        let (name, value) = credential(&resolved(CredentialKind::ApiKey, "k1")).unwrap();
        assert_eq!((name, value.as_bytes()), (header::AUTHORIZATION, b"Bearer k1".as_slice()));
        assert!(value.is_sensitive());
    }

    #[test]
    fn a_key_that_breaks_a_line_is_never_sent() {
        for key in ["", "a\r\nb", "a\n", " a", "a ", "ключ", "a\0"] {
            assert!(credential(&resolved(CredentialKind::ApiKey, key)).is_err(), "{key:?}");
        }
        let long = "k".repeat(limits::EGRESS_CREDENTIAL + 1);
        assert!(credential(&resolved(CredentialKind::ApiKey, &long)).is_err());
    }

    #[test]
    fn kinds_that_join_otherwise_are_refused_with_a_reason() {
        for kind in [CredentialKind::Oauth2, CredentialKind::AwsSigv4] {
            assert!(matches!(
                credential(&resolved(kind, "k1")),
                Err(Problem::KindUnsupported(refused)) if refused == kind
            ));
        }
    }

    #[test]
    fn another_kind_or_form_than_consented_is_refused() {
        let stored = resolved(CredentialKind::ApiKey, "k1");
        let wanted = CredentialUse {
            kind: CredentialKind::ApiKey,
            template: HeaderTemplate::new("X-Key", "{key}").unwrap(),
            binding: None,
        };
        assert!(matches!(fits(&stored, &wanted), Err(Problem::FormChanged { .. })));
        let wanted = CredentialUse { kind: CredentialKind::Oauth2, ..wanted };
        assert!(matches!(fits(&stored, &wanted), Err(Problem::KindChanged { .. })));
    }
}
