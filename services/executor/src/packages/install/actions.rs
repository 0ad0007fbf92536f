//! Actions on their way in, one or as many as a suite brings: fetched side by side, what they
//! share looked up once, and committed together. Each is installed or not, whatever becomes of the
//! others.

use std::collections::{HashMap, HashSet};

use aileron_contract::{
    Context, Error, Reason, Result, limits,
    names::{PackageRef, Sha256Hash},
    packages::{ActionPreview, ActionRequest, InstalledAction},
};
use futures::{StreamExt as _, stream};

use super::View;
use crate::packages::{Parts, catalog::Catalog, describe};

mod find;
mod together;
mod told;

use find::{Found, complete, misnamed};
use together::install;

pub(in crate::packages) use find::{FoundActions, Ready, find_action, find_actions};

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

fn lost<T>() -> Result<T> {
    Err(Error::internal("an installation has no outcome"))
}
