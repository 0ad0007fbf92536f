//! What the log is told about an installation, under the published keys.

use aileron_contract::{Context, audit};

use crate::packages::{Parts, describe, journal, records::ConnectorRecord, verify::VerifiedAction};

/// Whoever holds the right to install has consented: the preview is theirs to read.
const CONSENT: &str = "approved";

pub(in crate::packages) fn connector(
    context: &Context,
    record: &ConnectorRecord,
    already: bool,
) -> audit::Event {
    audit::Event::new(audit::EventKind::ConnectorInstalled, audit::Actor::of(context))
        .with("aileron.connector.fqn", record.package.fqn.as_str())
        .with("aileron.connector.version", record.package.version.to_string())
        .with("aileron.connector.hash", record.hash.to_string())
        .with("aileron.signature.status", "verified")
        .with("aileron.signature.fingerprint", record.signer.as_str())
        .with("aileron.consent.decision", CONSENT)
        .with("aileron.install.already_installed", already)
}

pub(super) fn action(parts: &Parts, context: &Context, action: &VerifiedAction) -> audit::Event {
    let file = &action.file;
    let dependencies: Vec<_> = file.requires.iter().map(|r| r.package.to_string()).collect();
    let path = journal::action_path(&parts.home, &file.name);
    audit::Event::new(audit::EventKind::ActionInstalled, audit::Actor::of(context))
        .with("aileron.action.name", file.name.as_str())
        .with("aileron.action.fqn", file.source.fqn.as_str())
        .with("aileron.action.version", file.version.to_string())
        .with("aileron.action.hash", action.hash.to_string())
        .with("aileron.action.source", file.source.to_string())
        .with("aileron.action.path", path.display().to_string())
        .with("aileron.action.dependencies", dependencies)
        .with("aileron.signature.status", describe::signature(action.fingerprint.as_deref()).text())
        .with("aileron.signature.fingerprint", action.fingerprint.clone())
        .with("aileron.consent.decision", CONSENT)
}
