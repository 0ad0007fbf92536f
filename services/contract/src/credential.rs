//! Which kinds of credential exist, and how a connector's manifest asks for one.

use std::fmt;

use crate::{Error, Reason, Result, closed::closed, names::HostPort};

closed! {
    /// The kind of a credential, as manifests and binding names spell it.
    CredentialKind {
        ApiKey = "api_key",
        Oauth2 = "oauth2",
        AwsSigv4 = "aws_sigv4",
    }
}

/// How an API key joins a request: header `name`, value `format` with `{key}` replaced.
/// Published default: `Authorization: Bearer {key}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HeaderTemplate {
    header: Box<str>,
    format: Box<str>,
}

impl HeaderTemplate {
    /// `header` must be an RFC 9110 token that frames no message; `format` visible text that
    /// contains `{key}`.
    pub fn new(header: &str, format: &str) -> Result<Self> {
        let token = |c: u8| c.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&c);
        let name = header.to_ascii_lowercase();
        let framing = [
            "host",
            "content-length",
            "transfer-encoding",
            "connection",
            "te",
            "trailer",
            "upgrade",
            "keep-alive",
            "proxy-authorization",
            "proxy-connection",
            "expect",
        ];
        if header.is_empty()
            || header.len() > 128
            || !header.bytes().all(token)
            || framing.contains(&name.as_str())
        {
            return Err(Error::new(
                Reason::ValidationError,
                format!("{header:?} cannot carry a credential: name an ordinary header"),
            ));
        }
        let visible = format.bytes().all(|c| (0x20..0x7f).contains(&c));
        if !visible || format.len() > 1024 || !format.contains("{key}") {
            return Err(Error::new(
                Reason::ValidationError,
                "a credential format is printable ASCII that contains {key}",
            ));
        }
        Ok(Self { header: header.into(), format: format.into() })
    }

    pub fn header(&self) -> &str {
        &self.header
    }

    pub fn format(&self) -> &str {
        &self.format
    }
}

impl Default for HeaderTemplate {
    fn default() -> Self {
        Self { header: "Authorization".into(), format: "Bearer {key}".into() }
    }
}

impl fmt::Display for HeaderTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.header, self.format)
    }
}

/// What a connector's manifest declares about credentials, shown to the person and sealed with
/// the binding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialNeed {
    pub kind: CredentialKind,
    /// Prose for prompts.
    pub scope: Option<String>,
    pub template: HeaderTemplate,
}

/// What a person consents to when binding a credential: these hosts, in this form, no others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    pub hosts: Vec<HostPort>,
    pub template: HeaderTemplate,
}
