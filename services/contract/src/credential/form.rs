//! The forms in which a credential joins a request: one closed set, each valid by construction.

use std::{fmt, str::FromStr};

use super::{CredentialKind, HeaderTemplate, TokenTemplate};
use crate::{Error, Reason, Result};

/// How a credential joins a request. The kind follows from the form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// A key, in a header.
    ApiKey(HeaderTemplate),
    /// An access token, as `Authorization: Bearer`.
    Oauth2,
    /// A signature over the request (AWS Signature Version 4); the key itself never leaves.
    AwsSigv4(Signing),
    /// `user:password`, as `Authorization: Basic` (RFC 7617).
    Basic,
    /// A token, in a header that the manifest spells out.
    Header(TokenTemplate),
    /// A token, in a parameter of the query.
    Query(QueryParameter),
}

impl Form {
    pub fn kind(&self) -> CredentialKind {
        match self {
            Self::ApiKey(_) => CredentialKind::ApiKey,
            Self::Oauth2 => CredentialKind::Oauth2,
            Self::AwsSigv4(_) => CredentialKind::AwsSigv4,
            Self::Basic => CredentialKind::Basic,
            Self::Header(_) => CredentialKind::Header,
            Self::Query(_) => CredentialKind::Query,
        }
    }
}

/// For people: what the upstream will get, with the place of the credential in braces.
impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ApiKey(template) => template.fmt(f),
            Self::Oauth2 => f.write_str("Authorization: Bearer {token}"),
            Self::AwsSigv4(signing) => signing.fmt(f),
            Self::Basic => f.write_str("Authorization: Basic {user:password}"),
            Self::Header(template) => template.fmt(f),
            Self::Query(parameter) => write!(f, "?{parameter}={{token}}"),
        }
    }
}

/// What a manifest says about signatures. What is missing comes from the request's host, which
/// comes first, or from the binding.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Signing {
    pub service: Option<SigningWord>,
    pub region: Option<SigningWord>,
    /// The binding's own comes first.
    pub access_key_id: Option<SigningWord>,
}

impl fmt::Display for Signing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a signature (AWS SigV4)")?;
        let named = [("service", &self.service), ("region", &self.region)];
        let named = named.iter().filter_map(|(what, word)| Some((what, word.as_ref()?)));
        for (index, (what, word)) in named.enumerate() {
            write!(f, "{} {what} {word}", if index == 0 { " for" } else { "," })?;
        }
        Ok(())
    }
}

/// A service, a region or an access key id: a word of a signature's scope, where `/`, `,` and `=`
/// would mean something.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SigningWord(Box<str>);

impl SigningWord {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SigningWord {
    type Err = Error;

    fn from_str(raw: &str) -> Result<Self> {
        let sound = |c: u8| c.is_ascii_graphic() && !b"/,=;\"\\".contains(&c);
        if (1..=128).contains(&raw.len()) && raw.bytes().all(sound) {
            return Ok(Self(raw.into()));
        }
        Err(refused(
            raw,
            "a word of a signature (printable ASCII without spaces, '/', ',' and '=')",
        ))
    }
}

impl fmt::Display for SigningWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a parameter that carries a credential, as it is meant: it is percent-encoded where
/// it is sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct QueryParameter(Box<str>);

impl QueryParameter {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for QueryParameter {
    type Err = Error;

    fn from_str(raw: &str) -> Result<Self> {
        if (1..=128).contains(&raw.len()) && raw.bytes().all(|c| c.is_ascii_graphic()) {
            return Ok(Self(raw.into()));
        }
        Err(refused(raw, "the name of a query parameter (printable ASCII without spaces)"))
    }
}

impl fmt::Display for QueryParameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn refused(raw: &str, rule: &str) -> Error {
    let shown: String = raw.chars().take(80).flat_map(char::escape_debug).collect();
    Error::new(Reason::ValidationError, format!("\"{shown}\" is not {rule}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_form_and_says_what_is_sent() {
        let signing = Signing { service: Some("s3".parse().unwrap()), ..Signing::default() };
        let region = Some("eu-west-1".parse().unwrap());
        let forms = [
            (Form::ApiKey(HeaderTemplate::default()), "Authorization: Bearer {key}"),
            (Form::Oauth2, "Authorization: Bearer {token}"),
            (Form::AwsSigv4(Signing::default()), "a signature (AWS SigV4)"),
            (Form::Basic, "Authorization: Basic {user:password}"),
            (Form::Header(TokenTemplate::new("X-T", "{token}").unwrap()), "X-T: {token}"),
            (Form::Query("key".parse().unwrap()), "?key={token}"),
        ];
        let kinds: Vec<_> = forms.iter().map(|(form, _)| form.kind()).collect();
        assert_eq!(kinds, CredentialKind::ALL);
        for (form, text) in forms {
            assert_eq!(form.to_string(), text);
        }
        let both = Signing { region, ..signing };
        assert_eq!(both.to_string(), "a signature (AWS SigV4) for service s3, region eu-west-1");
    }

    #[test]
    fn words_that_would_change_a_scope_are_refused() {
        for raw in ["", "a/b", "a,b", "a=b", "a b", "a\r\n", "ä", "\u{202e}"] {
            assert!(raw.parse::<SigningWord>().is_err(), "{raw:?}");
        }
        for raw in ["", "a b", "a\r\n", "ä"] {
            assert!(raw.parse::<QueryParameter>().is_err(), "{raw:?}");
        }
        assert!("filter[api+key]&".parse::<QueryParameter>().is_ok());
    }
}
