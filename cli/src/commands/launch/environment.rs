//! What of the person's environment an agent gets.

use std::ffi::{OsStr, OsString};

/// Ours that hold no secret and that tools started by the agent may need. Every other variable of
/// ours stays behind, known or not: tokens, passphrases, a database's address with its password.
const KEPT: [&str; 7] = [
    "AILERON_HOME",
    "AILERON_API_URL",
    "AILERON_LOG",
    "AILERON_MCP_REFRESH_INTERVAL",
    "AILERON_OTEL_ENABLED",
    "AILERON_OTEL_SERVICE_NAME",
    "AILERON_OTEL_EXPORTER",
];

/// Those of `names` that an agent does not get. What is not ours is the person's own.
pub(super) fn withheld(names: impl Iterator<Item = OsString>) -> Vec<OsString> {
    names.filter(|name| ours(name) && !KEPT.iter().any(|kept| name == *kept)).collect()
}

fn ours(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b"AILERON_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_of_ours_reaches_an_agent() {
        let names = ["PATH", "GH_TOKEN", "AILERON_HOME", "AILERON_TOKEN", "AILERON_NEW_SECRET"];
        let further = ["AILERON_VAULT_PASSPHRASE", "AILERON_DATABASE_URL"];
        let all = names.into_iter().chain(further).map(OsString::from);
        let expected = [
            "AILERON_TOKEN",
            "AILERON_NEW_SECRET",
            "AILERON_VAULT_PASSPHRASE",
            "AILERON_DATABASE_URL",
        ];
        assert_eq!(withheld(all), expected);
    }
}
