//! Installing. Entries of the content-addressed store are written first and do not count; then
//! the records are committed, connectors before the action that needs them, and from the moment
//! the log is told of a record on it is installed.

use aileron_contract::{
    Context, Error, Reason, Result,
    names::{BindingName, PackageRef, Sha256Hash},
    packages::{
        ActionRequest, ConnectorRequest, InstalledAction, InstalledConnector, UnboundCapability,
    },
    vault::{BindingFilter, BindingStatus},
};

use super::{
    Parts,
    catalog::Catalog,
    declare, describe,
    pins::{Kind, Move},
    records::{ActionRecord, ConnectorRecord},
    verify::{self, VerifiedAction, VerifiedConnector},
};

pub(super) mod events;
pub(super) mod standing;

/// A connector on its way in.
pub(super) enum FoundConnector {
    Installed(ConnectorRecord),
    Verified(Box<VerifiedConnector>),
}

/// An action on its way in, with the connectors it brings along.
pub(super) struct FoundAction {
    request: ActionRequest,
    action: VerifiedAction,
    connectors: Vec<VerifiedConnector>,
}

/// Finds and verifies a connector; nothing is written. With an expected hash, one that is
/// installed is not fetched again, and neither is one whose sound entry stands in the store.
pub(super) async fn find_connector(
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

pub(super) async fn connector(
    parts: &Parts,
    context: &Context,
    found: FoundConnector,
) -> Result<InstalledConnector> {
    let _changing = parts.changing.lock().await;
    match found {
        FoundConnector::Verified(verified) => {
            let verified = [*verified];
            commit(parts, context, &verified, None).await?;
            let [verified] = &verified;
            let stale = declare::installed(parts, verified).await;
            Ok(told(parts, &verified.package, verified.hash, stale))
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

/// Finds and verifies an action and the connectors it lacks; nothing is written.
pub(super) async fn find_action(
    parts: &Parts,
    catalog: &Catalog,
    request: ActionRequest,
) -> Result<FoundAction> {
    let action = verify::action(parts, &request.package).await?;
    let standing = standing::of(parts, catalog, &action.file.name, action.hash).await?;
    standing.allow(&request, &action.file)?;
    let mut missing = Vec::new();
    for required in &action.file.requires {
        match installed(parts, required.hash).await? {
            Some(record) if record.package == required.package => {}
            Some(record) => return Err(misnamed(&required.package, &record.package)),
            None => missing.push(required),
        }
    }
    if !missing.is_empty() && !request.auto_install_connectors {
        let details = missing.iter().map(|required| {
            serde_json::json!({
                "name": required.package.fqn.as_str(),
                "version": required.package.version.to_string(),
                "hash": required.hash.to_string(),
            })
        });
        let text = format!(
            "{} needs {} connector(s) that are not installed: consent to them (auto_install_\
             connectors), or install them first",
            request.package,
            missing.len()
        );
        return Err(Error::new(Reason::ConnectorsMissing, text)
            .with_details(details.collect::<Vec<_>>().into()));
    }
    let mut connectors = Vec::with_capacity(missing.len());
    for required in missing {
        connectors.push(obtain(parts, &required.package, Some(required.hash)).await?);
    }
    Ok(FoundAction { request, action, connectors })
}

pub(super) async fn action(
    parts: &Parts,
    catalog: &Catalog,
    context: &Context,
    found: FoundAction,
) -> Result<InstalledAction> {
    let _changing = parts.changing.lock().await;
    let FoundAction { request, action, connectors } = found;
    // Looked at again: another change may have come between.
    let standing = standing::of(parts, catalog, &action.file.name, action.hash).await?;
    standing.allow(&request, &action.file)?;
    let already = standing.is_installed() && connectors.is_empty();
    if !already {
        let with = Some((&action, standing.is_in_place()));
        commit(parts, context, &connectors, with).await?;
    }
    let (mut installed_connectors, mut newly_stale) = (Vec::new(), Vec::new());
    for verified in &connectors {
        let stale = declare::installed(parts, verified).await;
        newly_stale.extend(stale.iter().cloned());
        installed_connectors.push(told(parts, &verified.package, verified.hash, stale));
    }
    catalog.reload().await?;
    Ok(InstalledAction {
        name: action.file.name.clone(),
        package: request.package,
        hash: action.hash,
        path: standing.path(parts, &action.file.name),
        already_installed: already,
        installed_connectors,
        unbound: unbound(parts, &action).await?,
        newly_stale_bindings: newly_stale,
    })
}

/// Is a connector with this hash installed, and whole?
pub(super) async fn is_installed(parts: &Parts, hash: Sha256Hash) -> Result<bool> {
    installed(parts, hash).await.map(|record| record.is_some())
}

async fn installed(parts: &Parts, hash: Sha256Hash) -> Result<Option<ConnectorRecord>> {
    let Some(record) = parts.store.record(hash).await? else { return Ok(None) };
    // An entry that is damaged or gone is installed again.
    Ok(parts.store.files(hash).await?.is_some().then_some(record))
}

async fn obtain(
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
    verify::connector(parts, package, expected).await
}

/// Writes entries, then commits: connectors first, so that an action never counts without those
/// it needs.
async fn commit(
    parts: &Parts,
    context: &Context,
    connectors: &[VerifiedConnector],
    action: Option<(&VerifiedAction, bool)>,
) -> Result<()> {
    let mut written = Vec::new();
    let done = try_commit(parts, context, connectors, action, &mut written).await;
    if done.is_err() {
        for hash in written {
            // One that was told to the log before the failure is installed.
            if matches!(parts.store.record(hash).await, Ok(None)) {
                parts.store.remove(hash).await;
            }
        }
    }
    done
}

async fn try_commit(
    parts: &Parts,
    context: &Context,
    connectors: &[VerifiedConnector],
    action: Option<(&VerifiedAction, bool)>,
    written: &mut Vec<Sha256Hash>,
) -> Result<()> {
    let now = (parts.clock)();
    let mut moves = Vec::with_capacity(connectors.len() + 1);
    for verified in connectors {
        let record = ConnectorRecord {
            package: verified.package.clone(),
            hash: verified.hash,
            signer: verified.fingerprint.clone(),
            installed_at: now,
        };
        let name = record.hash.to_string();
        let row = parts.pins.seal(Kind::Connector, name, record.text()?).await?;
        let event = events::connector(context, &record, false);
        moves.push(Move { row, event, enabled: None });
    }
    if let Some((action, in_place)) = action {
        let record = ActionRecord {
            name: action.file.name.clone(),
            hash: action.hash,
            source: action.file.source.clone(),
            signer: action.fingerprint.clone(),
            installed_at: now,
        };
        let name = record.name.to_string();
        let row = parts.pins.seal(Kind::Action, name, record.text()?).await?;
        let row = if in_place { row } else { row.staging(&action.bytes) };
        let event = events::action(parts, context, action);
        moves.push(Move { row, event, enabled: None });
    }
    for verified in connectors {
        if parts.store.write(verified.hash, verified.files.clone()).await? {
            written.push(verified.hash);
        }
    }
    parts.journal.commit(context, moves).await?;
    // From here on it is installed. The index is a cache for others.
    if let Err(error) = parts.store.write_index().await {
        tracing::warn!(%error, "the store's index is behind");
    }
    Ok(())
}

/// Credentials the action's connectors need and nobody has bound.
async fn unbound(parts: &Parts, action: &VerifiedAction) -> Result<Vec<UnboundCapability>> {
    let mut unbound = Vec::new();
    for required in &action.file.requires {
        let loaded = parts.store.load(required.hash).await?;
        let Some(need) = loaded.manifest.need() else { continue };
        let filter = BindingFilter {
            connector: Some(loaded.package.fqn.clone()),
            kind: Some(need.kind()),
            name: None,
        };
        let context = Context::service("executor");
        let bindings = parts.vault.bindings(&context, filter).await?;
        if bindings.iter().all(|binding| binding.status == BindingStatus::Revoked) {
            unbound.push(UnboundCapability {
                connector: loaded.package.fqn.clone(),
                kind: need.kind(),
                scope: need.scope.clone(),
            });
        }
    }
    Ok(unbound)
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

fn misnamed(required: &PackageRef, found: &PackageRef) -> Error {
    let text = format!(
        "the action requires {required}, and the connector with the hash it pins is {found}: its \
         publisher has to correct it; nothing was installed"
    );
    Error::new(Reason::FqnMismatch, text)
}
