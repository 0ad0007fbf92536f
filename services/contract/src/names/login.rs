use std::{fmt, str::FromStr};

use super::{VaultPath, dashed, invalid, lower_digit, shaped};
use crate::{Error, Reason, Result};

/// Where a login lies: the credentials that are handed out as they are, to an agent's sandbox or
/// to a tool, instead of being joined to requests. No other path of the vault can be named by it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Login {
    /// `agents/<name>/<purpose>`, an agent's own.
    Agent { name: LoginWord, purpose: LoginWord },
    /// `user/<service>`, the person's at a service.
    User { service: LoginWord },
}

impl FromStr for Login {
    type Err = Error;

    fn from_str(raw: &str) -> Result<Self> {
        let mut parts = raw.split('/');
        match [parts.next(), parts.next(), parts.next(), parts.next()] {
            [Some("agents"), Some(name), Some(purpose), None] => {
                Ok(Self::Agent { name: name.parse()?, purpose: purpose.parse()? })
            }
            [Some("user"), Some(service), None, None] => {
                Ok(Self::User { service: service.parse()? })
            }
            _ => Err(invalid(
                Reason::InvalidRequest,
                raw,
                "a login (agents/<name>/<purpose> or user/<service>)",
            )),
        }
    }
}

impl fmt::Display for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agent { name, purpose } => write!(f, "agents/{name}/{purpose}"),
            Self::User { service } => write!(f, "user/{service}"),
        }
    }
}

impl From<&Login> for VaultPath {
    fn from(login: &Login) -> Self {
        Self(login.to_string().into())
    }
}

/// One part of a login's path: `^[a-z0-9][a-z0-9_-]*$`, at most 100 characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LoginWord(Box<str>);

impl LoginWord {
    /// The text as it was read.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for LoginWord {
    type Err = Error;

    fn from_str(raw: &str) -> Result<Self> {
        if shaped(raw, 100, lower_digit, dashed) {
            return Ok(Self(raw.into()));
        }
        let rule = "part of a login's path (lower case letters, digits, '_', '-')";
        Err(invalid(Reason::InvalidRequest, raw, rule))
    }
}

impl fmt::Display for LoginWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_names_the_two_namespaces_and_nothing_else() {
        for raw in ["agents/claude/oauth", "agents/a-b_c/apikey", "user/github"] {
            let login: Login = raw.parse().unwrap();
            assert_eq!(login.to_string(), raw);
            assert_eq!(VaultPath::from(&login).as_str(), raw);
        }
        for raw in [
            "secret/x",
            "agents/claude",
            "agents//oauth",
            "agents/claude/oauth/x",
            "agents/../oauth",
            "agents/Claude/oauth",
            "user/",
            "user/../secret",
            "user/a/b",
            "user/a.b",
            "api_key/linear/team",
            "llm-config/x",
            "/user/x",
            "",
        ] {
            assert!(raw.parse::<Login>().is_err(), "{raw}");
        }
    }
}
