//! Many actions at once, as a suite brings them: fetched side by side, what they share looked up
//! once, and committed together. Each is installed or not, whatever becomes of the others.

use std::collections::{HashMap, HashSet};

use aileron_contract::{
    Context, Error, Reason, Result, limits,
    names::{ActionName, PackageRef, Sha256Hash},
    packages::{ActionPreview, ActionRequest, InstalledAction, UnboundCapability},
};
use futures::{StreamExt as _, stream};

use super::{
    Found, View, action, complete, find, misnamed, moves, recover, settled, signed,
    standing::Standing, unbound_of,
};
use crate::packages::{Parts, catalog::Catalog, describe, verify::VerifiedAction};

/// Previews each; nothing is written.
pub(in crate::packages) async fn previews(
    parts: &Parts,
    catalog: &Catalog,
    requests: Vec<ActionRequest>,
) -> Result<Vec<Result<ActionPreview>>> {
    bounded(&requests)?;
    let view = View::now(parts, catalog).await?;
    Ok(stream::iter(requests)
        .map(|request| Box::pin(describe::preview_of(parts, &view, request)))
        .buffered(limits::INSTALL_FETCHES)
        .collect()
        .await)
}

/// Actions on their way in, or why they are not; in the order of the requests.
pub(in crate::packages) struct FoundActions(Vec<Result<Found>>);

/// Finds and verifies each; nothing is written.
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

/// Installs each. Those that bring connectors come first, one by one: what they bring serves the
/// others, which are committed together.
pub(in crate::packages) async fn actions(
    parts: &Parts,
    catalog: &Catalog,
    context: &Context,
    FoundActions(found): FoundActions,
) -> Result<Vec<Result<InstalledAction>>> {
    let mut outcomes: Vec<Option<Result<InstalledAction>>> = Vec::with_capacity(found.len());
    let (mut together, mut again) = (Vec::new(), Vec::new());
    let (mut brought, mut names) = (Brought::default(), HashSet::new());
    for (at, found) in found.into_iter().enumerate() {
        let mut found = match found {
            Ok(found) => found,
            Err(error) => {
                outcomes.push(Some(Err(error)));
                continue;
            }
        };
        if let Err(error) = brought.take_out(&mut found) {
            outcomes.push(Some(Err(error)));
            continue;
        }
        if !found.missing.is_empty() {
            let done = Box::pin(alone(parts, catalog, context, found, &mut brought)).await;
            outcomes.push(Some(done));
            continue;
        }
        outcomes.push(None);
        // Two of one name: the second is judged by what the first one left.
        if names.insert(found.action.file.name.clone()) {
            together.push((at, found));
        } else {
            again.push((at, found));
        }
    }
    let mut settle = |at: usize, outcome| {
        if let Some(place) = outcomes.get_mut(at) {
            *place = Some(outcome);
        }
    };
    for (at, outcome) in Box::pin(group(parts, catalog, context, together)).await {
        settle(at, outcome);
    }
    for (at, found) in again {
        settle(at, Box::pin(alone(parts, catalog, context, found, &mut brought)).await);
    }
    let unsettled = || Err(Error::internal("an action of a group has no outcome"));
    Ok(outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(unsettled)).collect())
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
    let found = complete(parts, found).await.inspect_err(|error| {
        brought.failed.extend(only.map(|hash| (hash, error.clone())));
    })?;
    let connectors: Vec<_> =
        found.connectors.iter().map(|verified| (verified.hash, verified.package.clone())).collect();
    let installed = action(parts, catalog, context, found).await?;
    brought.installed.extend(connectors);
    Ok(installed)
}

/// An action that may be installed, with what stands in its place.
struct Admitted {
    at: usize,
    request: ActionRequest,
    action: VerifiedAction,
    standing: Standing,
}

impl Admitted {
    fn already(&self) -> bool {
        self.standing.is_installed()
    }
}

async fn group(
    parts: &Parts,
    catalog: &Catalog,
    context: &Context,
    found: Vec<(usize, Found)>,
) -> Vec<(usize, Result<InstalledAction>)> {
    if found.is_empty() {
        return Vec::new();
    }
    let changing = parts.changing.lock().await;
    // Looked at again: another change may have come between.
    let view = match View::now(parts, catalog).await {
        Ok(view) => view,
        Err(error) => return found.into_iter().map(|(at, _)| (at, Err(error.clone()))).collect(),
    };
    let mut outcomes = Vec::with_capacity(found.len());
    let mut admitted = Vec::with_capacity(found.len());
    for (at, found) in found {
        match admit(&view, at, found).await {
            Ok(one) => admitted.push(one),
            Err(error) => outcomes.push((at, Err(error))),
        }
    }
    let committed = commit(parts, context, &admitted).await;
    settled(catalog).await;
    drop(changing);
    let mut needs = Needs::default();
    for (one, committed) in admitted.into_iter().zip(committed) {
        let at = one.at;
        let outcome = match committed {
            Ok(()) => Ok(outcome(parts, one, &mut needs).await),
            Err(error) => Err(error),
        };
        outcomes.push((at, outcome));
    }
    outcomes
}

async fn admit(view: &View<'_>, at: usize, found: Found) -> Result<Admitted> {
    let Found { request, action, missing: _ } = found;
    let standing = view.standing(&action.file.name, action.hash).await?;
    standing.allow(&request, &action.file)?;
    signed(&request, &action, &standing)?;
    Ok(Admitted { at, request, action, standing })
}

/// Commits those that are not there yet; one answer each.
async fn commit(parts: &Parts, context: &Context, admitted: &[Admitted]) -> Vec<Result<()>> {
    let new: Vec<&Admitted> = admitted.iter().filter(|one| !one.already()).collect();
    let committed = try_commit(parts, context, &new).await;
    let failed = !matches!(&committed, Ok(each) if each.iter().all(Result::is_ok));
    if failed && let Err(error) = recover(parts).await {
        tracing::warn!(%error, "what an installation left is settled at the next start");
    }
    let mut committed = match committed {
        Ok(each) => each.into_iter(),
        Err(error) => vec![Err(error); new.len()].into_iter(),
    };
    let lost = || Err(Error::internal("a change of a group has no outcome"));
    let each = |one: &Admitted| {
        if one.already() { Ok(()) } else { committed.next().unwrap_or_else(lost) }
    };
    admitted.iter().map(each).collect()
}

async fn try_commit(
    parts: &Parts,
    context: &Context,
    new: &[&Admitted],
) -> Result<Vec<Result<()>>> {
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let mut changes = Vec::with_capacity(new.len());
    for one in new {
        let with = Some((&one.action, &one.standing));
        changes.extend(moves(parts, context, &[], with).await?);
    }
    parts.journal.commit_group(context, changes).await
}

/// Which connectors lack a credential, asked once each.
type Needs = HashMap<Sha256Hash, Option<UnboundCapability>>;

async fn outcome(parts: &Parts, one: Admitted, needs: &mut Needs) -> InstalledAction {
    let already_installed = one.already();
    let Admitted { at: _, request, action, standing } = one;
    let mut unbound = Vec::new();
    for required in &action.file.requires {
        let need = match needs.get(&required.hash) {
            Some(known) => known.clone(),
            None => unbound_of(parts, required.hash).await,
        };
        unbound.extend(need.clone());
        needs.insert(required.hash, need);
    }
    if !already_installed {
        parts.kept.keep(&action).await;
    }
    let name: ActionName = action.file.name.clone();
    InstalledAction {
        path: standing.path(parts, &name),
        name,
        package: request.package,
        hash: action.hash,
        already_installed,
        installed_connectors: Vec::new(),
        unbound,
        newly_stale_bindings: Vec::new(),
    }
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
