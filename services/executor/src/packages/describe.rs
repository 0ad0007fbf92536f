//! What is installed, and what an installation would bring, for a person to read.

use aileron_contract::{
    Context, Error, Reason, Result,
    names::Fqn,
    packages::{
        ActionPreview, ActionRequest, Capabilities, Connector, ConnectorDependency,
        ConnectorPreview, ConnectorRequest, SignatureStatus,
    },
};

use super::{
    Parts,
    install::{self, View},
    verify::{self, Purpose},
};
use crate::formats::manifest::Manifest;

mod change;

pub(super) async fn connector_preview(
    parts: &Parts,
    context: &Context,
    request: ConnectorRequest,
) -> Result<ConnectorPreview> {
    let ConnectorRequest { package, expected_hash } = request;
    let found = verify::connector(parts, &package, expected_hash, Purpose::Preview).await?;
    Ok(ConnectorPreview {
        change: change::of(parts, context, &found).await?,
        publisher: found.package.fqn.owner().to_owned(),
        hash: found.hash,
        fingerprint: found.fingerprint,
        capabilities: capabilities(&found.manifest),
        already_installed: install::is_installed(parts, found.hash).await?,
        package: found.package,
    })
}

/// Among others that are previewed with it.
pub(super) async fn action_preview(
    parts: &Parts,
    view: &View<'_>,
    request: ActionRequest,
) -> Result<ActionPreview> {
    let found = verify::action(parts, &request.package, Purpose::Preview).await?;
    let mut connectors = Vec::with_capacity(found.file.requires.len());
    for required in &found.file.requires {
        connectors.push(ConnectorDependency {
            package: required.package.clone(),
            hash: required.hash,
            operations: required.capabilities.clone(),
            already_installed: view.connector(required.hash).await?.is_some(),
        });
    }
    let standing = view.standing(&found.file.name, found.hash).await?;
    Ok(ActionPreview {
        name: found.file.name.clone(),
        hash: found.hash,
        intent: found.file.intent.clone(),
        signature: signature(found.fingerprint.as_deref()),
        approval_required: found.file.gated(),
        connectors,
        already_installed: standing.is_installed(),
        existing: standing.existing(),
        loses_approval: standing.loses_approval(&found.file),
        lenient: found.file.lenient.clone(),
        package: request.package,
    })
}

/// Installed connectors, sorted by name and version.
pub(super) async fn connectors(parts: &Parts) -> Result<Vec<Connector>> {
    let mut connectors = Vec::new();
    for record in parts.store.records().await? {
        match parts.store.read(record.hash).await {
            Ok(loaded) if loaded.package == record.package => connectors.push(Connector {
                package: record.package,
                hash: record.hash,
                capabilities: capabilities(&loaded.manifest),
            }),
            Ok(_) => tracing::warn!(hash = %record.hash, "a store entry names another package"),
            Err(error) => tracing::warn!(%error, "leaving out a connector that cannot be read"),
        }
    }
    connectors.sort_by(|a, b| a.package.cmp(&b.package));
    Ok(connectors)
}

/// The newest installed version of a connector.
pub(super) async fn connector(parts: &Parts, fqn: &Fqn) -> Result<Connector> {
    let all = connectors(parts).await?;
    all.into_iter().rfind(|connector| connector.package.fqn == *fqn).ok_or_else(|| {
        let text = format!(
            "{fqn} is not installed: install it (aileron connector install {fqn} --version …), or \
             an action that needs it (aileron action add)"
        );
        Error::new(Reason::ConnectorNotInstalled, text)
    })
}

pub(super) fn capabilities(manifest: &Manifest) -> Capabilities {
    Capabilities { hosts: manifest.hosts.clone(), credential: manifest.need().cloned() }
}

pub(super) fn signature(fingerprint: Option<&str>) -> SignatureStatus {
    match fingerprint {
        Some(_) => SignatureStatus::Verified,
        None => SignatureStatus::Unsigned,
    }
}
