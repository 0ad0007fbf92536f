//! Tells the vault what installed connectors declare: the hosts they reach and the scopes they
//! want. What a person agreed to and no longer suffices goes stale there.

use aileron_contract::{
    Context, Result,
    names::{BindingName, Fqn},
    packages::Capabilities,
};

use super::{Parts, describe, verify::VerifiedConnector};

/// Returns the bindings that became stale now.
pub(super) async fn told(
    parts: &Parts,
    connector: &Fqn,
    capabilities: Capabilities,
) -> Result<Vec<BindingName>> {
    let Capabilities { hosts, credential } = capabilities;
    let context = Context::service("executor");
    let mut stale = parts.bindings.declare_hosts(&context, connector.clone(), hosts).await?;
    if let Some(client) = credential.and_then(|need| need.oauth2) {
        let scopes = client.scopes().to_vec();
        let bindings = &parts.bindings;
        stale.extend(bindings.declare_scopes(&context, connector.clone(), scopes).await?);
    }
    Ok(stale)
}

/// The same for a connector that was installed just now: a vault that cannot listen is told again
/// when it wakes.
pub(super) async fn installed(parts: &Parts, verified: &VerifiedConnector) -> Vec<BindingName> {
    let capabilities = describe::capabilities(&verified.manifest);
    match told(parts, &verified.package.fqn, capabilities).await {
        Ok(stale) => stale,
        Err(error) => {
            let package = &verified.package;
            tracing::warn!(%error, %package, "hosts and scopes are declared later");
            Vec::new()
        }
    }
}

/// Tells the vault about every installed connector, the newest version of each.
pub(super) async fn all(parts: &Parts) -> Result<()> {
    let connectors = describe::connectors(parts).await?;
    let newest = connectors.iter().enumerate().filter(|(at, connector)| {
        let next = connectors.get(at + 1);
        next.is_none_or(|next| next.package.fqn != connector.package.fqn)
    });
    for (_, connector) in newest {
        told(parts, &connector.package.fqn, connector.capabilities.clone()).await?;
    }
    Ok(())
}
