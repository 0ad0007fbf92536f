//! Headers with a place for a credential.

use std::fmt;

use crate::{Error, Reason, Result};

/// Headers that frame a message or speak to a proxy: none of them carries a credential to an
/// upstream.
const FRAMING: &[&str] = &[
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

/// Defines a header whose format has one kind of place.
macro_rules! template {
    ($(#[$doc:meta])* $name:ident, $place:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub struct $name {
            header: Box<str>,
            format: Box<str>,
        }

        impl $name {
            /// What the credential stands for in the format.
            pub const PLACE: &str = $place;

            /// `header` must be an RFC 9110 token that frames no message; `format` visible text
            /// that contains [`Self::PLACE`].
            pub fn new(header: &str, format: &str) -> Result<Self> {
                check(header, format, Self::PLACE)?;
                Ok(Self { header: header.into(), format: format.into() })
            }

            pub fn header(&self) -> &str {
                &self.header
            }

            pub fn format(&self) -> &str {
                &self.format
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}: {}", self.header, self.format)
            }
        }
    };
}

template!(
    /// How an API key joins a request: header `name`, value `format` with `{key}` replaced.
    /// Published default: `Authorization: Bearer {key}`.
    HeaderTemplate,
    "{key}"
);

template!(
    /// How a credential of kind `header` joins a request: the manifest says both, and the place
    /// is spelled `{token}`, as in the published scheme for sandboxes.
    TokenTemplate,
    "{token}"
);

impl Default for HeaderTemplate {
    fn default() -> Self {
        Self { header: "Authorization".into(), format: "Bearer {key}".into() }
    }
}

fn check(header: &str, format: &str, place: &str) -> Result<()> {
    let token = |c: u8| c.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&c);
    let name = header.to_ascii_lowercase();
    let sound = (1..=128).contains(&header.len()) && header.bytes().all(token);
    if !sound || FRAMING.contains(&name.as_str()) {
        return Err(Error::new(
            Reason::ValidationError,
            format!("{header:?} cannot carry a credential: name an ordinary header"),
        ));
    }
    let visible = format.bytes().all(|c| (0x20..0x7f).contains(&c));
    if !visible || format.len() > 1024 || !format.contains(place) {
        return Err(Error::new(
            Reason::ValidationError,
            format!("a credential format is printable ASCII that contains {place}"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_template_has_a_place_of_its_own() {
        assert!(HeaderTemplate::new("X-Key", "{token}").is_err());
        assert!(TokenTemplate::new("X-Key", "{key}").is_err());
        let template = TokenTemplate::new("X-Key", "t={token}").unwrap();
        assert_eq!(template.to_string(), "X-Key: t={token}");
    }

    #[test]
    fn headers_that_frame_a_message_carry_no_credential() {
        for header in ["Host", "content-length", "TE", "a b", "", "x\r\ny", "Proxy-Authorization"] {
            assert!(TokenTemplate::new(header, "{token}").is_err(), "{header:?}");
        }
        assert!(TokenTemplate::new("Cookie", "session={token}").is_ok());
        assert!(TokenTemplate::new("X-Key", "{token}\r\nHost: x").is_err());
    }
}
