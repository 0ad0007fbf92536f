//! What the caller is told of an action that is installed.

use std::collections::HashMap;

use aileron_contract::{
    names::Sha256Hash,
    packages::{InstalledAction, InstalledConnector, UnboundCapability},
};

use super::together::Admitted;
use crate::packages::{Parts, install::lacking};

/// An action that is installed, and the connectors that came with it.
pub(super) struct Done {
    pub(super) one: Admitted,
    pub(super) connectors: Vec<InstalledConnector>,
}

/// Which connectors lack a credential, asked once each.
pub(super) type Needs = HashMap<Sha256Hash, Option<UnboundCapability>>;

pub(super) async fn told(parts: &Parts, done: Done, needs: &mut Needs) -> InstalledAction {
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
