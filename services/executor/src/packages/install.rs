//! Installing. Records and entries of the content-addressed store are written first and do not
//! count. From the moment the log is told of an action on, it and the connectors it brings are
//! installed, all of them; before, none is, and what was written goes again.

use aileron_contract::{
    Context, Result,
    bindings::{BindingFilter, BindingStatus},
    names::Sha256Hash,
    packages::UnboundCapability,
};

use super::Parts;

mod actions;
mod commit;
mod connectors;
pub(super) mod events;
mod ready;
mod standing;
mod view;

pub(super) use actions::{find_action, find_actions, install_actions, previews};
pub(super) use connectors::{find_connector, install_connector, is_installed};
pub(super) use view::View;

/// Undoes what an interrupted installation left, or brings it to its end: whichever the log says.
pub(super) async fn recover(parts: &Parts) -> Result<()> {
    // First: what an unfinished action still has to bring is not swept away.
    parts.journal.finish().await?;
    for hash in parts.journal.sweep().await? {
        parts.store.remove(hash).await;
    }
    Ok(())
}

/// The credential a connector needs, when nobody has bound it.
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
    let bindings = parts.bindings.list(&context, filter).await?;
    let bound = bindings.iter().any(|binding| binding.status != BindingStatus::Revoked);
    Ok((!bound).then(|| UnboundCapability {
        connector: loaded.package.fqn.clone(),
        kind: need.kind(),
        scope: need.scope.clone(),
    }))
}
