//! Actions on their way in, one or as many as a suite brings: fetched side by side, what they
//! share looked up once, and committed together. Each is installed or not, whatever becomes of the
//! others.

use std::collections::{HashMap, HashSet};

use aileron_contract::{
    Context, Error, Reason, Result,
    executor::Requirement,
    limits,
    names::{PackageRef, Sha256Hash},
    packages::{
        ActionPreview, ActionRequest, InstalledAction, InstalledConnector, UnboundCapability,
    },
};
use futures::{StreamExt as _, stream};

use super::{
    View,
    commit::{Unit, commit},
    connectors::{brought, obtain},
    lacking, ready,
    standing::Standing,
};
use crate::packages::{
    Parts,
    catalog::Catalog,
    describe,
    verify::{self, Purpose, VerifiedAction, VerifiedConnector},
};

/// Previews each; nothing is written.
pub(in crate::packages) async fn previews(
    parts: &Parts,
    catalog: &Catalog,
    requests: Vec<ActionRequest>,
) -> Result<Vec<Result<ActionPreview>>> {
    bounded(&requests)?;
    let view = View::now(parts, catalog).await?;
    Ok(stream::iter(requests)
        .map(|request| Box::pin(describe::action_preview(parts, &view, request)))
        .buffered(limits::INSTALL_FETCHES)
        .collect()
        .await)
}

/// An action on its way in, and what it lacks.
struct Found {
    request: ActionRequest,
    action: VerifiedAction,
    /// Connectors that are not installed and that the caller agreed to.
    missing: Vec<Requirement>,
}

/// An action on its way in, with the connectors it brings along.
pub(in crate::packages) struct Ready {
    request: ActionRequest,
    action: VerifiedAction,
    connectors: Vec<VerifiedConnector>,
}

/// Actions on their way in, or why they are not; in the order of the requests.
pub(in crate::packages) struct FoundActions(Vec<Result<Found>>);

/// Finds and verifies each, without the connectors they lack; nothing is written.
pub(in crate::packages) async fn find_actions(
    parts: &Parts,
    catalog: &Catalog,
    requests: Vec<ActionRequest>,
) -> Result<FoundActions> {
    bounded(&requests)?;
    let view = View::now(parts, catalog).await?;
    let found = stream::iter(requests)
        .map(|request| Box::pin(find(parts, &view, request)))
        .buffered(limits::INSTALL_FETCHES);
    Ok(FoundActions(found.collect().await))
}

/// Finds and verifies one with the connectors it lacks; nothing is written.
pub(in crate::packages) async fn find_action(
    parts: &Parts,
    catalog: &Catalog,
    request: ActionRequest,
) -> Result<Ready> {
    let view = View::now(parts, catalog).await?;
    complete(parts, find(parts, &view, request).await?).await
}

/// Installs each. Those that bring connectors come first, one by one: what they bring serves the
/// others, which are committed together.
pub(in crate::packages) async fn install_actions(
    parts: &Parts,
    catalog: &Catalog,
    context: &Context,
    FoundActions(found): FoundActions,
) -> Result<Vec<Result<InstalledAction>>> {
    let mut outcomes: Vec<Option<Result<InstalledAction>>> = Vec::with_capacity(found.len());
    let (mut together, mut again) = (Vec::new(), Vec::new());
    let (mut brought, mut names) = (Brought::default(), HashSet::new());
    for (at, found) in found.into_iter().enumerate() {
        let settled = match found {
            Err(error) => Some(Err(error)),
            Ok(mut found) => match brought.take_out(&mut found) {
                Err(error) => Some(Err(error)),
                Ok(()) if !found.missing.is_empty() => {
                    Some(Box::pin(alone(parts, catalog, context, found, &mut brought)).await)
                }
                // Two of one name: the second is judged by what the first one left.
                Ok(()) if !names.insert(found.action.file.name.clone()) => {
                    again.push((at, found));
                    None
                }
                Ok(()) => {
                    together.push((at, found));
                    None
                }
            },
        };
        outcomes.push(settled);
    }
    let mut settle = |at: usize, outcome| {
        if let Some(place) = outcomes.get_mut(at) {
            *place = Some(outcome);
        }
    };
    let (places, together): (Vec<_>, Vec<_>) =
        together.into_iter().map(|(at, found)| (at, Ready::from(found))).unzip();
    let installed = Box::pin(install(parts, catalog, context, together)).await;
    for (at, outcome) in places.into_iter().zip(installed) {
        settle(at, outcome);
    }
    for (at, found) in again {
        settle(at, Box::pin(alone(parts, catalog, context, found, &mut brought)).await);
    }
    Ok(outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(lost)).collect())
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
        return Err(lacks(&request.package, &missing));
    }
    Ok(Found { request, action, missing })
}

/// Finds and verifies the connectors an action lacks.
async fn complete(parts: &Parts, found: Found) -> Result<Ready> {
    let Found { request, action, missing } = found;
    let mut connectors = Vec::with_capacity(missing.len());
    for required in missing {
        connectors.push(obtain(parts, &required.package, Some(required.hash)).await?);
    }
    Ok(Ready { request, action, connectors })
}

impl From<Found> for Ready {
    /// One that lacks nothing.
    fn from(Found { request, action, missing: _ }: Found) -> Self {
        Self { request, action, connectors: Vec::new() }
    }
}

/// Connectors that came with actions of the same call, and those that could not be had.
#[derive(Default)]
struct Brought {
    installed: HashMap<Sha256Hash, PackageRef>,
    failed: HashMap<Sha256Hash, Error>,
}

impl Brought {
    /// Takes out of what an action lacks what has come; refuses one whose connector came under
    /// another name, or did not come: it is not fetched for every action that needs it.
    fn take_out(&self, found: &mut Found) -> Result<()> {
        for required in &found.missing {
            if let Some(error) = self.failed.get(&required.hash) {
                return Err(error.clone());
            }
            match self.installed.get(&required.hash) {
                Some(package) if *package != required.package => {
                    return Err(misnamed(&required.package, package));
                }
                Some(_) | None => {}
            }
        }
        found.missing.retain(|required| !self.installed.contains_key(&required.hash));
        Ok(())
    }
}

async fn alone(
    parts: &Parts,
    catalog: &Catalog,
    context: &Context,
    found: Found,
    brought: &mut Brought,
) -> Result<InstalledAction> {
    // Of several nobody says which one failed.
    let only = match found.missing.as_slice() {
        [only] => Some(only.hash),
        _ => None,
    };
    let ready = complete(parts, found).await.inspect_err(|error| {
        brought.failed.extend(only.map(|hash| (hash, error.clone())));
    })?;
    let connectors: Vec<_> =
        ready.connectors.iter().map(|verified| (verified.hash, verified.package.clone())).collect();
    let installed = install(parts, catalog, context, vec![ready]).await.pop();
    let installed = installed.unwrap_or_else(lost)?;
    brought.installed.extend(connectors);
    Ok(installed)
}

/// An action that may be installed, with what stands in its place.
struct Admitted {
    request: ActionRequest,
    action: VerifiedAction,
    connectors: Vec<VerifiedConnector>,
    standing: Standing,
}

impl Admitted {
    /// There is nothing to do.
    fn already(&self) -> bool {
        self.standing.is_installed() && self.connectors.is_empty()
    }

    fn unit(&self) -> Unit<'_> {
        Unit { action: Some((&self.action, &self.standing)), connectors: &self.connectors }
    }
}

/// Installs actions of different names; one answer each, in their order.
async fn install(
    parts: &Parts,
    catalog: &Catalog,
    context: &Context,
    ready: Vec<Ready>,
) -> Vec<Result<InstalledAction>> {
    if ready.is_empty() {
        return Vec::new();
    }
    let changing = parts.changing.lock().await;
    // Looked at again: another change may have come between.
    let view = match View::now(parts, catalog).await {
        Ok(view) => view,
        Err(error) => return ready.iter().map(|_| Err(error.clone())).collect(),
    };
    let mut admitted = Vec::with_capacity(ready.len());
    for one in ready {
        admitted.push(admit(&view, one).await);
    }
    commit_new(parts, context, &mut admitted).await;
    let mut installed = Vec::with_capacity(admitted.len());
    for one in admitted {
        installed.push(match one {
            Ok(one) => Ok(Done { connectors: all_brought(parts, &one.connectors).await, one }),
            Err(error) => Err(error),
        });
    }
    settled(catalog).await;
    drop(changing);
    let connectors = installed.iter().flatten().flat_map(|done| &done.one.connectors);
    ready::compile(parts, connectors).await;
    let (mut needs, mut outcomes) = (Needs::default(), Vec::with_capacity(installed.len()));
    for done in installed {
        outcomes.push(match done {
            Ok(done) => Ok(told(parts, done, &mut needs).await),
            Err(error) => Err(error),
        });
    }
    outcomes
}

async fn admit(view: &View<'_>, ready: Ready) -> Result<Admitted> {
    let Ready { request, action, connectors } = ready;
    let standing = view.standing(&action.file.name, action.hash).await?;
    standing.allow(&request, &action.file)?;
    signed(&request, &action, &standing)?;
    Ok(Admitted { request, action, connectors, standing })
}

/// Commits those that are not there yet.
async fn commit_new(parts: &Parts, context: &Context, admitted: &mut [Result<Admitted>]) {
    let is_new = |one: &&Admitted| !one.already();
    let units: Vec<_> = admitted.iter().flatten().filter(is_new).map(Admitted::unit).collect();
    let mut outcomes = commit(parts, context, &units).await.into_iter();
    for place in &mut *admitted {
        let waits = place.as_ref().is_ok_and(|one| !one.already());
        if waits && let Err(error) = outcomes.next().unwrap_or_else(lost) {
            *place = Err(error);
        }
    }
    let installed = admitted.iter().flatten().filter(is_new);
    parts.kept.keep(installed.map(|one| &one.action)).await;
}

async fn all_brought(parts: &Parts, connectors: &[VerifiedConnector]) -> Vec<InstalledConnector> {
    let mut all = Vec::with_capacity(connectors.len());
    for verified in connectors {
        all.push(brought(parts, verified).await);
    }
    all
}

/// The catalogue after a change that counts already: it is read again at the next change or waking
/// when it cannot be read now.
async fn settled(catalog: &Catalog) {
    if let Err(error) = catalog.reload().await {
        tracing::warn!(%error, "what is installed could not be read again");
    }
}

/// An action that is installed, and the connectors that came with it.
struct Done {
    one: Admitted,
    connectors: Vec<InstalledConnector>,
}

/// Which connectors lack a credential, asked once each.
type Needs = HashMap<Sha256Hash, Option<UnboundCapability>>;

async fn told(parts: &Parts, done: Done, needs: &mut Needs) -> InstalledAction {
    let Done { one, connectors } = done;
    let already_installed = one.already();
    let Admitted { request, action, standing, .. } = one;
    let mut unbound = Vec::new();
    for required in &action.file.requires {
        let need = match needs.get(&required.hash) {
            Some(known) => known.clone(),
            None => unbound_of(parts, required.hash).await,
        };
        unbound.extend(need.clone());
        needs.insert(required.hash, need);
    }
    let stale = |connector: &InstalledConnector| connector.newly_stale_bindings.clone();
    InstalledAction {
        path: standing.path(parts, &action.file.name),
        name: action.file.name,
        package: request.package,
        hash: action.hash,
        already_installed,
        newly_stale_bindings: connectors.iter().flat_map(stale).collect(),
        installed_connectors: connectors,
        unbound,
    }
}

/// The credential a connector needs, when nobody has bound it. Asked after the installation: who
/// cannot be told is told by the first run.
async fn unbound_of(parts: &Parts, connector: Sha256Hash) -> Option<UnboundCapability> {
    lacking(parts, connector).await.unwrap_or_else(|error| {
        tracing::warn!(%error, "whether a connector lacks its credential is not known");
        None
    })
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

fn bounded(requests: &[ActionRequest]) -> Result<()> {
    if requests.len() <= limits::INSTALL_BATCH {
        return Ok(());
    }
    let text = format!(
        "{} actions in one call are too many: send at most {} at a time",
        requests.len(),
        limits::INSTALL_BATCH
    );
    Err(Error::new(Reason::InvalidRequest, text))
}

fn lacks(package: &PackageRef, missing: &[Requirement]) -> Error {
    let details = missing.iter().map(|required| {
        serde_json::json!({
            "name": required.package.fqn.as_str(),
            "version": required.package.version.to_string(),
            "hash": required.hash.to_string(),
        })
    });
    let text = format!(
        "{package} needs {} connector(s) that are not installed: consent to them (auto_install_\
         connectors), or install them first",
        missing.len()
    );
    Error::new(Reason::ConnectorsMissing, text).with_details(details.collect::<Vec<_>>().into())
}

fn misnamed(required: &PackageRef, found: &PackageRef) -> Error {
    let text = format!(
        "the action requires {required}, and the connector with the hash it pins is {found}: its \
         publisher has to correct it; nothing was installed"
    );
    Error::new(Reason::FqnMismatch, text)
}

fn lost<T>() -> Result<T> {
    Err(Error::internal("an installation has no outcome"))
}
