//! Connectors on their way in, alone or with the action that needs them.

use aileron_contract::{
    Context, Result,
    names::{BindingName, PackageRef, Sha256Hash},
    packages::{ConnectorRequest, InstalledConnector},
};

use super::{commit, events, ready};
use crate::packages::{
    Parts, declare, describe,
    records::ConnectorRecord,
    verify::{self, Purpose, VerifiedConnector},
};

/// A connector on its way in.
pub(in crate::packages) enum FoundConnector {
    Installed(ConnectorRecord),
    Verified(Box<VerifiedConnector>),
}

/// Finds and verifies a connector; nothing is written. With an expected hash, one that is
/// installed is not fetched again, and neither is one whose sound entry stands in the store.
pub(in crate::packages) async fn find_connector(
    parts: &Parts,
    request: ConnectorRequest,
) -> Result<FoundConnector> {
    let ConnectorRequest { package, expected_hash } = request;
    if let Some(hash) = expected_hash
        && let Some(record) = installed(parts, hash).await?
        && record.package == package
    {
        return Ok(FoundConnector::Installed(record));
    }
    let verified = obtain(parts, &package, expected_hash).await?;
    match installed(parts, verified.hash).await? {
        Some(record) => Ok(FoundConnector::Installed(record)),
        None => Ok(FoundConnector::Verified(Box::new(verified))),
    }
}

pub(in crate::packages) async fn install_connector(
    parts: &Parts,
    context: &Context,
    found: FoundConnector,
) -> Result<InstalledConnector> {
    let changing = parts.changing.lock().await;
    match found {
        FoundConnector::Verified(verified) => {
            commit::connector(parts, context, &verified).await?;
            let told = brought(parts, &verified).await;
            drop(changing);
            ready::compile(parts, [&*verified]).await;
            Ok(told)
        }
        FoundConnector::Installed(record) => {
            let event = events::connector(context, &record, true);
            parts.audit.append(context, event).await?;
            parts.store.write_index().await?;
            let loaded = parts.store.read(record.hash).await?;
            let capabilities = describe::capabilities(&loaded.manifest);
            let stale = declare::told(parts, &record.package.fqn, capabilities).await?;
            let mut told = told(parts, &record.package, record.hash, stale);
            told.already_installed = true;
            Ok(told)
        }
    }
}

/// Is a connector with this hash installed, and whole?
pub(in crate::packages) async fn is_installed(parts: &Parts, hash: Sha256Hash) -> Result<bool> {
    installed(parts, hash).await.map(|record| record.is_some())
}

pub(super) async fn installed(parts: &Parts, hash: Sha256Hash) -> Result<Option<ConnectorRecord>> {
    let Some(record) = parts.store.record(hash).await? else { return Ok(None) };
    // An entry that is damaged or gone is installed again.
    Ok(parts.store.files(hash).await?.is_some().then_some(record))
}

/// A connector from the store, when its entry verifies, or from its source.
pub(super) async fn obtain(
    parts: &Parts,
    package: &PackageRef,
    expected: Option<Sha256Hash>,
) -> Result<VerifiedConnector> {
    if let Some(hash) = expected {
        match verify::stored_connector(parts, package, hash).await {
            Ok(Some(verified)) => return Ok(verified),
            Ok(None) => {}
            Err(error) => tracing::info!(%error, "a store entry does not verify; fetching anew"),
        }
    }
    verify::connector(parts, package, expected, Purpose::Install).await
}

/// What is told of a connector that was committed; the vault hears what it declares.
pub(super) async fn brought(parts: &Parts, verified: &VerifiedConnector) -> InstalledConnector {
    let stale = declare::installed(parts, verified).await;
    told(parts, &verified.package, verified.hash, stale)
}

fn told(
    parts: &Parts,
    package: &PackageRef,
    hash: Sha256Hash,
    stale: Vec<BindingName>,
) -> InstalledConnector {
    InstalledConnector {
        package: package.clone(),
        hash,
        entry_dir: parts.store.folder(hash).display().to_string(),
        already_installed: false,
        newly_stale_bindings: stale,
    }
}
