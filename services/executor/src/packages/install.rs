//! Installing. Records and entries of the content-addressed store are written first and do not
//! count. From the moment the log is told of the action on, it and the connectors it brings are
//! installed, all of them; before, none is, and what was written goes again.

use std::collections::BTreeMap;

use aileron_contract::{
    Context, Error, Reason, Result,
    executor::Requirement,
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
    tool::Tool,
    verify::{self, Purpose, VerifiedAction, VerifiedConnector},
};

pub(super) mod batch;
pub(super) mod events;
mod ready;
pub(super) mod standing;
mod view;

use standing::Standing;
pub(super) use view::View;

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
    let changing = parts.changing.lock().await;
    match found {
        FoundConnector::Verified(verified) => {
            let verified = [*verified];
            commit(parts, context, &verified, None).await?;
            let stale = {
                let [verified] = &verified;
                declare::installed(parts, verified).await
            };
            drop(changing);
            ready::compile(parts, &verified).await;
            let [verified] = verified;
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
    let view = View::now(parts, catalog).await?;
    complete(parts, find(parts, &view, request).await?).await
}

/// An action on its way in, and what it lacks.
struct Found {
    request: ActionRequest,
    action: VerifiedAction,
    /// Connectors that are not installed and that the caller agreed to.
    missing: Vec<Requirement>,
}

/// Finds and verifies an action, without the connectors it lacks.
async fn find(parts: &Parts, view: &View<'_>, request: ActionRequest) -> Result<Found> {
    let action = verify::action(parts, &request.package, Purpose::Install).await?;
    if let Some(expected) = request.expected_hash.filter(|expected| *expected != action.hash) {
        let text = format!(
            "{} is not what was shown: its hash is {}, and {expected} was agreed to; look at it \
             again before you install it",
            request.package, action.hash
        );
        return Err(Error::new(Reason::HashMismatch, text));
    }
    let standing = view.standing(&action.file.name, action.hash).await?;
    standing.allow(&request, &action.file)?;
    signed(&request, &action, &standing)?;
    let mut missing = Vec::new();
    for required in &action.file.requires {
        match view.connector(required.hash).await? {
            Some(record) if record.package == required.package => {}
            Some(record) => return Err(misnamed(&required.package, &record.package)),
            None => missing.push(required.clone()),
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
    Ok(Found { request, action, missing })
}

/// Finds and verifies the connectors an action lacks.
async fn complete(parts: &Parts, found: Found) -> Result<FoundAction> {
    let Found { request, action, missing } = found;
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
    let changing = parts.changing.lock().await;
    let FoundAction { request, action, connectors } = found;
    // Looked at again: another change may have come between.
    let standing = standing::of(parts, catalog, &action.file.name, action.hash).await?;
    standing.allow(&request, &action.file)?;
    signed(&request, &action, &standing)?;
    let already = standing.is_installed() && connectors.is_empty();
    if !already {
        commit(parts, context, &connectors, Some((&action, &standing))).await?;
        parts.kept.keep(&action).await;
    }
    let (mut installed_connectors, mut newly_stale) = (Vec::new(), Vec::new());
    for verified in &connectors {
        let stale = declare::installed(parts, verified).await;
        newly_stale.extend(stale.iter().cloned());
        installed_connectors.push(told(parts, &verified.package, verified.hash, stale));
    }
    settled(catalog).await;
    drop(changing);
    ready::compile(parts, &connectors).await;
    Ok(InstalledAction {
        name: action.file.name.clone(),
        package: request.package,
        hash: action.hash,
        path: standing.path(parts, &action.file.name),
        already_installed: already,
        installed_connectors,
        unbound: unbound(parts, &action).await,
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
    verify::connector(parts, package, expected, Purpose::Install).await
}

/// Undoes what an interrupted installation left, or brings it to its end: whichever the log says.
pub(super) async fn recover(parts: &Parts) -> Result<()> {
    parts.journal.finish().await?;
    for hash in parts.journal.sweep().await? {
        parts.store.remove(hash).await;
    }
    Ok(())
}

/// All or nothing: what a failure leaves is undone at once, or at the next start.
async fn commit(
    parts: &Parts,
    context: &Context,
    connectors: &[VerifiedConnector],
    action: Option<(&VerifiedAction, &Standing)>,
) -> Result<()> {
    let moves = moves(parts, context, connectors, action).await?;
    let done = try_commit(parts, context, connectors, &moves).await;
    if done.is_err()
        && let Err(error) = recover(parts).await
    {
        tracing::warn!(%error, "what an installation left is settled at the next start");
    }
    done
}

async fn try_commit(
    parts: &Parts,
    context: &Context,
    connectors: &[VerifiedConnector],
    moves: &[Move],
) -> Result<()> {
    parts.journal.prepare(moves).await?;
    for verified in connectors {
        parts.store.write(verified.hash, verified.files.clone()).await?;
    }
    parts.journal.tell(context, moves).await?;
    parts.journal.place_all(moves).await?;
    // From here on it is installed. The index is a cache for others.
    if let Err(error) = parts.store.write_index().await {
        tracing::warn!(%error, "the store's index is behind");
    }
    Ok(())
}

/// The records and their events. The action's comes first: it speaks for the connectors.
async fn moves(
    parts: &Parts,
    context: &Context,
    connectors: &[VerifiedConnector],
    action: Option<(&VerifiedAction, &Standing)>,
) -> Result<Vec<Move>> {
    let now = (parts.clock)();
    let (mut moves, mut brings) = (Vec::with_capacity(connectors.len() + 1), BTreeMap::new());
    for verified in connectors {
        let record = ConnectorRecord {
            package: verified.package.clone(),
            hash: verified.hash,
            signer: verified.fingerprint.clone(),
            installed_at: now,
        };
        let name = record.hash.to_string();
        let row = parts.pins.seal(Kind::Connector, name, record.text()?).await?;
        brings.insert(record.hash, row.digest());
        // The mark of an entry that goes again when nothing comes of it.
        let fresh = parts.store.files(record.hash).await?.is_none();
        let row = if fresh { row.staging(b"") } else { row };
        let event = events::connector(context, &record, false);
        moves.push(Move { row, event, enabled: None });
    }
    if let Some((action, standing)) = action {
        let (in_place, alone) = (standing.is_in_place(), brings.is_empty());
        let tool = Tool::of(&action.file);
        let record = ActionRecord {
            name: action.file.name.clone(),
            hash: action.hash,
            source: action.file.source.clone(),
            signer: action.fingerprint.clone(),
            installed_at: now,
            brings,
            tool: Some(tool.record()?),
        };
        let row = record.sealed(&parts.pins, &tool, &action.bytes).await?;
        // Staged as long as something is left to do once the log has been told.
        let row = match (in_place, alone) {
            (true, true) => row,
            (true, false) => row.staging(b""),
            (false, _) => row.staging(&action.bytes),
        };
        let event = events::action(parts, context, action);
        moves.insert(0, Move { row, event, enabled: None });
    }
    Ok(moves)
}

/// Refuses what nobody signed, unless the caller agreed to just that. One that is installed has
/// been agreed to.
fn signed(request: &ActionRequest, action: &VerifiedAction, standing: &Standing) -> Result<()> {
    if action.fingerprint.is_some() || request.accept_unsigned || standing.is_installed() {
        return Ok(());
    }
    let text = format!(
        "{} is not signed: anybody could have written it. Read it, and if you want it all the same, \
         say so (--accept-unsigned, or accept_unsigned in the request); nothing was installed",
        request.package
    );
    Err(Error::new(Reason::ActionUnsigned, text))
}

/// Credentials the action's connectors need and nobody has bound.
async fn unbound(parts: &Parts, action: &VerifiedAction) -> Vec<UnboundCapability> {
    let mut unbound = Vec::new();
    for required in &action.file.requires {
        unbound.extend(unbound_of(parts, required.hash).await);
    }
    unbound
}

/// The credential a connector needs, when nobody has bound it. Asked after the installation: who
/// cannot be told is told by the first run.
async fn unbound_of(parts: &Parts, connector: Sha256Hash) -> Option<UnboundCapability> {
    lacking(parts, connector).await.unwrap_or_else(|error| {
        tracing::warn!(%error, "whether a connector lacks its credential is not known");
        None
    })
}

/// The same, when that has to be known.
pub(super) async fn lacking(
    parts: &Parts,
    connector: Sha256Hash,
) -> Result<Option<UnboundCapability>> {
    let loaded = parts.store.load(connector).await?;
    let Some(need) = loaded.manifest.need() else { return Ok(None) };
    let filter = BindingFilter {
        connector: Some(loaded.package.fqn.clone()),
        kind: Some(need.kind()),
        name: None,
    };
    let context = Context::service("executor");
    let bindings = parts.vault.bindings(&context, filter).await?;
    let bound = bindings.iter().any(|binding| binding.status != BindingStatus::Revoked);
    Ok((!bound).then(|| UnboundCapability {
        connector: loaded.package.fqn.clone(),
        kind: need.kind(),
        scope: need.scope.clone(),
    }))
}

/// The catalogue after a change that counts already: it is read again at the next change or waking
/// when it cannot be read now.
async fn settled(catalog: &Catalog) {
    if let Err(error) = catalog.reload().await {
        tracing::warn!(%error, "what is installed could not be read again");
    }
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
