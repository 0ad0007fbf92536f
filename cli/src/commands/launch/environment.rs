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

/// The runtime's own credentials for a collector of traces, under the names the field has for them.
const CREDENTIALS: [&str; 5] = [
    "OTEL_EXPORTER_OTLP_HEADERS",
    "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
    "OTEL_EXPORTER_OTLP_METRICS_HEADERS",
    "OTEL_EXPORTER_OTLP_LOGS_HEADERS",
    "OTEL_EXPORTER_OTLP_PROFILES_HEADERS",
];

/// Those of `names` that an agent does not get. What is not the runtime's is the person's own.
pub(super) fn withheld(names: &[OsString]) -> impl Iterator<Item = &OsString> {
    names.iter().filter(|name| withholds(name))
}

fn withholds(name: &OsStr) -> bool {
    let kept = KEPT.iter().any(|kept| name == *kept);
    (ours(name) && !kept) || CREDENTIALS.iter().any(|credential| name == *credential)
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
        let collector = ["OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_ENDPOINT"];
        let all = names.into_iter().chain(further).chain(collector);
        let all: Vec<_> = all.map(OsString::from).collect();
        let expected = [
            "AILERON_TOKEN",
            "AILERON_NEW_SECRET",
            "AILERON_VAULT_PASSPHRASE",
            "AILERON_DATABASE_URL",
            "OTEL_EXPORTER_OTLP_HEADERS",
        ];
        assert_eq!(withheld(&all).collect::<Vec<_>>(), expected);
    }
}
