//! Names from outside, parsed once into types whose constructor enforces the grammar
//! (reference: lexical rules of the published formats, tightened where they were ambiguous).

use std::{fmt, str::FromStr};

use crate::{Error, Reason, Result};

mod fqn;
mod hash;
mod host;
mod login;

pub use fqn::{Authority, Fqn, PackageRef, Scheme, Version};
pub use hash::Sha256Hash;
pub use host::HostPort;
pub use login::{Login, LoginWord};

fn invalid(reason: Reason, raw: &str, rule: &str) -> Error {
    let shown: String = raw.chars().take(80).flat_map(char::escape_debug).collect();
    Error::new(reason, format!("\"{shown}\" is not {rule}"))
}

/// Defines a text type with one grammar, checked by `$check` on construction.
macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $reason:expr, $rule:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Box<str>);

        impl $name {
            /// The text as it was read.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(raw: &str) -> Result<Self> {
                let check: fn(&str) -> bool = $check;
                if check(raw) { Ok(Self(raw.into())) } else { Err(invalid($reason, raw, $rule)) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

/// First character by `first`, the others by `rest`, at most `max` of them.
fn shaped(raw: &str, max: usize, first: fn(u8) -> bool, rest: fn(u8) -> bool) -> bool {
    match raw.as_bytes() {
        [head, tail @ ..] => raw.len() <= max && first(*head) && tail.iter().all(|c| rest(*c)),
        [] => false,
    }
}

fn lower(c: u8) -> bool {
    c.is_ascii_lowercase()
}

fn lower_digit(c: u8) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit()
}

fn dotted(c: u8) -> bool {
    lower_digit(c) || b"._-".contains(&c)
}

fn dashed(c: u8) -> bool {
    lower_digit(c) || b"_-".contains(&c)
}

fn snake(c: u8) -> bool {
    lower_digit(c) || c == b'_'
}

name!(
    /// `^[a-z0-9][a-z0-9._-]*$`, at most 128 characters.
    ActionName,
    Reason::ValidationError,
    "an action name (lower case letters, digits, '.', '_', '-')",
    |raw| shaped(raw, 128, lower_digit, dotted)
);

name!(
    /// `^[a-z][a-z0-9_]*$`, at most 128 characters.
    InputName,
    Reason::ValidationError,
    "an input name (a lower case letter, then lower case letters, digits, '_')",
    |raw| shaped(raw, 128, lower, snake)
);

name!(
    /// `<kind>/<service>/<identity>`, outside the namespaces other credentials live in.
    BindingName,
    Reason::InvalidRequest,
    "a binding name (<kind>/<service>/<identity>)",
    |raw| {
        let mut parts = raw.split('/');
        let (Some(kind), Some(service), Some(identity), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return false;
        };
        !RESERVED_NAMESPACES.contains(&kind)
            && shaped(kind, 64, lower, dashed)
            && shaped(service, 128, lower_digit, dotted)
            && shaped(identity, 128, lower_digit, dotted)
    }
);

/// First path segments that are never a binding's kind.
const RESERVED_NAMESPACES: &[&str] =
    &["agents", "user", "secret", "connected-accounts", "llm-config"];

impl BindingName {
    /// Puts a name together; `invalid_request` when a part does not fit the grammar.
    pub fn new(kind: &str, service: &str, identity: &Identity) -> Result<Self> {
        format!("{kind}/{service}/{identity}").parse()
    }

    /// The kind of credential, the first part.
    pub fn kind(&self) -> &str {
        self.part(0)
    }

    /// Whose API it is for, the second part.
    pub fn service(&self) -> &str {
        self.part(1)
    }

    /// Whose account it is, the third part.
    pub fn identity(&self) -> &str {
        self.part(2)
    }

    fn part(&self, index: usize) -> &str {
        self.0.split('/').nth(index).unwrap_or_default()
    }
}

name!(
    /// Whose account a binding is for: `^[a-z0-9][a-z0-9._-]*$`.
    Identity,
    Reason::InvalidIdentity,
    "an identity (lower case letters, digits, '.', '_', '-')",
    |raw| shaped(raw, 128, lower_digit, dotted)
);

name!(
    /// A secret's name below `secret/`: segments of `[A-Za-z0-9._-]`, joined by `/`.
    SecretName,
    Reason::InvalidRequest,
    "a secret name (letters, digits, '.', '_', '-', segments joined by '/')",
    |raw| raw.len() <= 200 && raw.split('/').all(path_segment)
);

name!(
    /// A path in the vault: two or more segments of `[A-Za-z0-9._-]`, joined by `/`.
    VaultPath,
    Reason::InvalidRequest,
    "a vault path (segments of letters, digits, '.', '_', '-' joined by '/')",
    |raw| raw.len() <= 256 && raw.contains('/') && raw.split('/').all(path_segment)
);

impl From<&BindingName> for VaultPath {
    fn from(name: &BindingName) -> Self {
        Self(name.0.clone())
    }
}

impl From<&SecretName> for VaultPath {
    fn from(name: &SecretName) -> Self {
        Self(format!("secret/{name}").into())
    }
}

/// One segment of a path: nothing in it can climb, hide or separate.
fn path_segment(raw: &str) -> bool {
    raw != "."
        && raw != ".."
        && !raw.is_empty()
        && raw.bytes().all(|c| c.is_ascii_alphanumeric() || b"._-".contains(&c))
}

name!(
    /// An agent session: a letter or digit, then `[A-Za-z0-9._-]`, at most 64 (a ULID when we make
    /// it).
    SessionId,
    Reason::InvalidRequest,
    "a session id",
    |raw| shaped(raw, 64, word, word_dotted)
);

name!(
    /// A kind of agent, such as `claude`: `^[a-z0-9][a-z0-9._-]*$`, at most 64 characters.
    AgentName,
    Reason::InvalidRequest,
    "an agent's name (lower case letters, digits, '.', '_', '-')",
    |raw| shaped(raw, 64, lower_digit, dotted)
);

name!(
    /// A run, and its approval: `act-<UTC time>-<16 hex>` when gated, the same shape otherwise.
    RunId,
    Reason::InvalidRequest,
    "a run or approval id",
    |raw| shaped(raw, 64, word, word_dotted)
);

name!(
    /// A standing grant: `grant-<UTC time>-<16 hex>`.
    GrantId,
    Reason::InvalidRequest,
    "a grant's id",
    |raw| shaped(raw, 64, word, word_dotted)
);

name!(
    /// A minted token, by its public name: `tok-<16 hex>`.
    TokenId,
    Reason::InvalidRequest,
    "a token's id (tok-…, as `aileron token list` shows it)",
    |raw| {
        let digits = raw.strip_prefix("tok-").unwrap_or_default();
        digits.len() == 16 && digits.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'))
    }
);

name!(
    /// An event of the log: `audit-<uuid>`.
    AuditId,
    Reason::InvalidRequest,
    "an audit id",
    |raw| shaped(raw, 128, word, word_dotted)
);

fn word(c: u8) -> bool {
    c.is_ascii_alphanumeric()
}

fn word_dotted(c: u8) -> bool {
    word(c) || b"._-".contains(&c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_namespaces_are_not_bindings() {
        assert!("api_key/linear/team".parse::<BindingName>().is_ok());
        for raw in ["agents/claude/oauth", "user/github/x", "_x/y/z", "a/b", "a/b/c/d", "a/../b"] {
            assert!(raw.parse::<BindingName>().is_err(), "{raw}");
        }
    }
}
