//! Actions of different names, committed together and made ready to run.

use aileron_contract::{
    Context, Result,
    packages::{ActionRequest, InstalledAction, InstalledConnector},
};

use super::{
    find::{Ready, signed},
    lost,
    told::{Done, Needs, told},
};
use crate::packages::{
    Parts,
    catalog::Catalog,
    install::{
        View,
        commit::{Unit, commit},
        connectors::brought,
        ready,
        standing::Standing,
    },
    verify::{VerifiedAction, VerifiedConnector},
};

/// An action that may be installed, with what stands in its place.
pub(super) struct Admitted {
    pub(super) request: ActionRequest,
    pub(super) action: VerifiedAction,
    pub(super) connectors: Vec<VerifiedConnector>,
    pub(super) standing: Standing,
}

impl Admitted {
    /// There is nothing to do.
    pub(super) fn already(&self) -> bool {
        self.standing.is_installed() && self.connectors.is_empty()
    }

    fn unit(&self) -> Unit<'_> {
        Unit { action: Some((&self.action, &self.standing)), connectors: &self.connectors }
    }
}

/// Installs actions of different names; one answer each, in their order.
pub(super) async fn install(
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
