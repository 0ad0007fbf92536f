//! How a connector obtains OAuth tokens.

use std::{fmt, str::FromStr};

use url::Url;

use crate::{Error, Reason, Result, names::HostPort};

/// A URL of an authorization server: `https`, or `http` to this machine; without user
/// information and fragment.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint(Url);

impl Endpoint {
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    pub fn url(&self) -> &Url {
        &self.0
    }

    /// `host:port`, for people.
    pub fn authority(&self) -> Option<String> {
        Some(format!("{}:{}", self.0.host_str()?, self.0.port_or_known_default()?))
    }
}

impl FromStr for Endpoint {
    type Err = Error;

    fn from_str(raw: &str) -> Result<Self> {
        let sound = |url: &Url| {
            let host = url.host_str()?.trim_start_matches('[').trim_end_matches(']');
            let host = HostPort::new(host, url.port_or_known_default()?).ok()?;
            let bare = url.username().is_empty() && url.password().is_none();
            let safe = url.scheme() == "https" || (url.scheme() == "http" && host.is_loopback());
            (bare && safe && url.fragment().is_none()).then_some(())
        };
        match Url::parse(raw) {
            Ok(url) if sound(&url).is_some() => Ok(Self(url)),
            _ => Err(Error::new(
                Reason::ValidationError,
                "it must be an https:// URL (http:// only to this machine)",
            )),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The client a connector's publisher registered, and where its tokens come from.
#[derive(Clone, PartialEq, Eq)]
pub struct Oauth2Client {
    pub authorize_url: Endpoint,
    pub token_url: Endpoint,
    /// Where the provider serves machines without a browser (RFC 8628).
    pub device_authorization_url: Option<Endpoint>,
    /// Where tokens are given back (RFC 7009).
    pub revocation_url: Option<Endpoint>,
    client_id: Box<str>,
    client_secret: Option<Box<str>>,
    scopes: Vec<String>,
}

impl Oauth2Client {
    /// A client that has no secret and knows no further endpoints. Needs a client id and at least
    /// one scope, none of them blank.
    pub fn new(
        authorize_url: Endpoint,
        token_url: Endpoint,
        client_id: &str,
        scopes: Vec<String>,
    ) -> Result<Self> {
        let refused = |rule: &str| Err(Error::new(Reason::ValidationError, rule));
        if !printable(client_id) {
            return refused("client_id must not be blank");
        }
        if scopes.is_empty() || !scopes.iter().all(|scope| printable(scope)) {
            return refused("scopes needs at least one scope, none blank");
        }
        let client_id = client_id.into();
        Ok(Self {
            authorize_url,
            token_url,
            device_authorization_url: None,
            revocation_url: None,
            client_id,
            client_secret: None,
            scopes,
        })
    }

    /// With a secret; an empty one is none.
    #[must_use]
    pub fn with_secret(mut self, secret: &str) -> Self {
        self.client_secret = Some(secret).filter(|secret| !secret.is_empty()).map(Into::into);
        self
    }

    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The secret of a public client: every installation has it, and yet it is not for show.
    pub fn client_secret(&self) -> Option<&str> {
        self.client_secret.as_deref()
    }

    /// Never empty.
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }
}

impl fmt::Debug for Oauth2Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Oauth2Client")
            .field("authorize_url", &self.authorize_url)
            .field("token_url", &self.token_url)
            .field("client_id", &self.client_id)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

fn printable(text: &str) -> bool {
    !text.trim().is_empty() && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_https_or_this_machine() {
        for raw in [
            "https://id.example/authorize?x=y",
            "http://localhost:8080/token",
            "http://127.0.0.1/token",
            "http://[::1]:9/token",
        ] {
            assert!(raw.parse::<Endpoint>().is_ok(), "{raw}");
        }
        for raw in [
            "",
            "/token",
            "http://id.example/token",
            "http://localhost.evil.example/",
            "https://user@id.example/",
            "https://user:pw@id.example/",
            "https://id.example/#token",
            "file:///etc/passwd",
            "javascript:alert(1)",
        ] {
            assert!(raw.parse::<Endpoint>().is_err(), "{raw}");
        }
    }

    #[test]
    fn a_client_needs_a_name_and_a_scope_and_hides_its_secret() {
        let endpoint: Endpoint = "https://id.example/".parse().unwrap();
        let client = |id: &str, scopes: &[&str]| {
            let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
            Oauth2Client::new(endpoint.clone(), endpoint.clone(), id, scopes)
        };
        for (id, scopes) in [(" ", &["a"][..]), ("id", &[]), ("id", &["a", " "]), ("i\nd", &["a"])]
        {
            assert!(client(id, scopes).is_err(), "{id:?} {scopes:?}");
        }
        let client = client("id", &["a"]).unwrap().with_secret("hush-hush");
        assert!(!format!("{client:?}").contains("hush"));
        assert_eq!(client.client_secret(), Some("hush-hush"));
        assert_eq!(client.with_secret("").client_secret(), None);
    }
}
