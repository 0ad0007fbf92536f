//! Every environment variable this program knows. Read once, at start; nothing reads the
//! environment later.

use std::{collections::BTreeMap, ffi::OsString, fmt, path::PathBuf};

/// One known variable, for the manual and for warnings about unknown ones.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    pub name: &'static str,
    pub meaning: &'static str,
}

macro_rules! known {
    ($($constant:ident = $name:literal: $meaning:literal;)*) => {
        $(#[doc = $meaning] pub const $constant: &str = $name;)*

        /// The closed list.
        pub const KNOWN: &[Known] = &[$(Known { name: $name, meaning: $meaning },)*];
    };
}

known! {
    HOME = "AILERON_HOME": "the state folder, instead of ~/.aileron";
    API_URL = "AILERON_API_URL": "where the client finds the runtime, with /v1";
    TOKEN = "AILERON_TOKEN": "the client's bearer token";
    VAULT_PASSPHRASE = "AILERON_VAULT_PASSPHRASE": "the vault passphrase, for the client only";
    LISTEN = "AILERON_LISTEN": "the address the daemon listens on, such as 127.0.0.1:0";
    DATABASE_URL = "AILERON_DATABASE_URL": "a database server instead of the files in the state folder";
    LOG = "AILERON_LOG": "what the daemon logs: trace, debug, info, warn, error or a filter";
    AUDIT_DIR = "AILERON_AUDIT_DIR": "the folder that holds audit/, instead of the state folder";
    TRACES_DIR = "AILERON_TRACES_DIR": "the folder of the file trace exporter";
    SESSION_ID = "AILERON_SESSION_ID": "the agent session a client belongs to";
    URL = "AILERON_URL": "the runtime's base URL, for MCP adapters";
    COMMS_URL = "AILERON_COMMS_URL": "the base URL of message tools, for MCP adapters";
    APPROVAL_URL = "AILERON_APPROVAL_URL": "where a person decides, for agents to show";
    WEBAPP_URL = "AILERON_WEBAPP_URL": "the base URL of review links";
    MCP_REFRESH_INTERVAL = "AILERON_MCP_REFRESH_INTERVAL": "how often MCP adapters list actions";
    OTEL_ENABLED = "AILERON_OTEL_ENABLED": "export of traces";
    OTEL_SERVICE_NAME = "AILERON_OTEL_SERVICE_NAME": "the service name in exported traces";
    OTEL_EXPORTER = "AILERON_OTEL_EXPORTER": "where traces are exported to";
    OPENAI_BASE_URL = "AILERON_OPENAI_BASE_URL": "upstream of the LLM gateway";
    ANTHROPIC_BASE_URL = "AILERON_ANTHROPIC_BASE_URL": "upstream of the LLM gateway";
    SANDBOX_PROXY = "AILERON_SANDBOX_PROXY": "the sandbox's way out, for launch";
    LAUNCH_HOST_LOGIN = "AILERON_LAUNCH_HOST_LOGIN": "logins of the host, for launch";
    SANDBOX_BASE_CONTEXT = "AILERON_SANDBOX_BASE_CONTEXT": "build context of the base image";
}

/// Where the desktop's own programs meet; not a variable of ours.
pub const SESSION_BUS: &str = "DBUS_SESSION_BUS_ADDRESS";

/// A copy of the environment, taken by `main`.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Variables whose name or value is not UTF-8 are left out: none of ours is.
    pub fn new(variables: impl Iterator<Item = (OsString, OsString)>) -> Self {
        Self(
            variables
                .filter_map(|(name, value)| {
                    Some((name.into_string().ok()?, value.into_string().ok()?))
                })
                .collect(),
        )
    }

    /// The value of a variable; none when it was not set.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The state folder: `AILERON_HOME`, else `~/.aileron`, else `./.aileron`.
    pub fn home(&self) -> PathBuf {
        match (self.get(HOME), self.get("HOME")) {
            (Some(home), _) if !home.is_empty() => PathBuf::from(home),
            (_, Some(user)) if !user.is_empty() => PathBuf::from(user).join(".aileron"),
            _ => PathBuf::from(".aileron"),
        }
    }

    /// Variables that look like ours and are not: probably misspelt.
    pub fn unknown(&self) -> Vec<&str> {
        self.0
            .keys()
            .map(String::as_str)
            .filter(|name| name.starts_with("AILERON_"))
            .filter(|name| !KNOWN.iter().any(|known| known.name == *name))
            .collect()
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values may be tokens and passphrases.
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_variable_is_noticed_and_no_value_is_printed() {
        let variables = [("AILERON_TOKN", "secret"), ("AILERON_HOME", "/x"), ("PATH", "/bin")];
        let environment =
            Environment::new(variables.iter().map(|(k, v)| (OsString::from(k), OsString::from(v))));
        assert_eq!(environment.unknown(), ["AILERON_TOKN"]);
        assert_eq!(environment.home(), PathBuf::from("/x"));
        assert!(!format!("{environment:?}").contains("secret"));
    }
}
