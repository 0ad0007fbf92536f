//! What the vault tells egress: one credential, for one connector, with the consent it is
//! bound by. Anything unclear is a refusal that says what to do.

use std::sync::Arc;

use aileron_contract::{
    Error, Reason, Secret,
    credential::Reach,
    egress::CredentialUse,
    failure::{Boundary, Class, Failure},
    names::{BindingName, Fqn},
    vault::{BindingFilter, BindingStatus},
};
use async_trait::async_trait;

use crate::{
    binding::{self, HOSTS_ADDED, Record},
    egress::{Credentials, Resolved},
    keeper::Keeper,
};

/// The bindings of the vault, as egress sees them.
#[derive(Debug)]
pub(crate) struct Bindings(pub(crate) Arc<Keeper>);

#[async_trait]
impl Credentials for Bindings {
    async fn resolve(&self, connector: &Fqn, wanted: &CredentialUse) -> Result<Resolved, Failure> {
        let unusable = |error: Error| of_vault(&error, connector, wanted);
        let view = self.0.view().await.map_err(unusable)?;
        let (file, keys) = view.unlocked().map_err(unusable)?;
        let filter = BindingFilter {
            connector: Some(connector.clone()),
            kind: Some(wanted.kind),
            name: wanted.binding.clone(),
        };
        let found = binding::select(file.entries(), &filter);
        let [record] = found.as_slice() else {
            return Err(unclear(&found, connector, wanted));
        };
        let reach = usable(record, wanted)?;
        let path = record.binding.name.as_str();
        let value = file.open(&keys, path).map_err(|error| unusable(error.into()))?;
        Ok(Resolved {
            binding: record.binding.name.clone(),
            reach,
            kind: wanted.kind,
            value: Secret::new(value.to_vec()),
        })
    }

    async fn used(&self, binding: &BindingName) {
        self.0.used(binding);
    }
}

/// The consent, when the binding has one that counts.
fn usable(record: &Record, wanted: &CredentialUse) -> Result<Reach, Failure> {
    let Record { binding, template } = record;
    let refused = |message: String| {
        Failure::new(Class::BindingFailed, Boundary::User, message)
            .detail("binding", binding.name.as_str())
            .detail("connector", binding.connector.as_str())
            .detail("capability_kind", binding.kind.text())
            .detail("status", binding.status.text())
    };
    let again = format!("run `aileron binding setup {}` to confirm it again", binding.connector);
    match binding.status {
        BindingStatus::Active => {}
        BindingStatus::Stale => {
            let reason = binding.stale_reason.as_deref().unwrap_or("unknown");
            let why = if reason == HOSTS_ADDED {
                "its connector now wants to reach hosts you did not agree to".to_owned()
            } else {
                format!("it went stale ({reason})")
            };
            return Err(refused(format!(
                "the binding {} cannot be used: {why}; {again}",
                binding.name
            ))
            .detail("stale_reason", reason));
        }
        BindingStatus::Revoked => {
            return Err(refused(format!("the binding {} was revoked; {again}", binding.name)));
        }
    }
    let Some(hosts) = binding.hosts.clone() else {
        return Err(refused(format!(
            "the binding {} comes from an older vault and says no hosts: its connector has to be \
             installed and the vault unlocked once for it to take them; else {again}",
            binding.name
        )));
    };
    // Bindings of older files were made when the form was the manifest's alone.
    let template = template.clone().unwrap_or_else(|| wanted.template.clone());
    Ok(Reach { hosts, template })
}

fn required(connector: &Fqn, wanted: &CredentialUse, message: String) -> Failure {
    Failure::new(Class::BindingRequired, Boundary::Runtime, message)
        .detail("connector", connector.as_str())
        .detail("capability_kind", wanted.kind.text())
        .detail("boundary_detail", "action")
}

/// None fits, or several do.
fn unclear(found: &[Record], connector: &Fqn, wanted: &CredentialUse) -> Failure {
    let candidates: Vec<_> = found.iter().map(|record| record.binding.name.as_str()).collect();
    let message = if candidates.is_empty() {
        format!(
            "{connector} has no {} binding: run `aileron binding setup {connector}`",
            wanted.kind
        )
    } else {
        format!(
            "{connector} has several {} bindings ({}): say which, or revoke the others \
             (`aileron binding list`)",
            wanted.kind,
            candidates.join(", ")
        )
    };
    required(connector, wanted, message).detail("candidates", candidates)
}

/// The vault itself is not ready.
fn of_vault(error: &Error, connector: &Fqn, wanted: &CredentialUse) -> Failure {
    match error.reason() {
        Reason::VaultLocked | Reason::VaultMissing => required(
            connector,
            wanted,
            format!("{connector} needs a credential: {}", error.public()),
        )
        .detail("required", "vault.passphrase")
        .detail("hint", "unlock the vault and try again"),
        _ => Failure::new(
            Class::BindingFailed,
            Boundary::Runtime,
            format!("the credential of {connector} cannot be read: {}", error.public()),
        )
        .detail("connector", connector.as_str())
        .detail("capability_kind", wanted.kind.text())
        .detail("reason", error.reason().code()),
    }
}
