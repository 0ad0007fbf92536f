use aileron_api::{
    bindings::{Binding, BindingStatus},
    vault::{SecretEntry, VaultEntry, VaultMetadata, VaultState, VaultStatus},
};
use aileron_contract::vault;

use super::{text, texts};

pub(crate) fn vault_state(state: vault::State) -> VaultState {
    match state {
        vault::State::Missing => VaultState::Missing,
        vault::State::Locked => VaultState::Locked,
        vault::State::Unlocked => VaultState::Unlocked,
    }
}

pub(crate) fn status(status: vault::Status) -> VaultStatus {
    let vault::Status { state, format, generation } = status;
    let state = vault_state(state);
    VaultStatus { locked: state != VaultState::Unlocked, state, format, generation }
}

pub(crate) fn entry(entry: vault::Entry) -> VaultEntry {
    let vault::Entry { path, scope, kind, environment, labels } = entry;
    let filled = |text: String| Some(text).filter(|text| !text.is_empty());
    let metadata = VaultMetadata { kind: filled(kind), environment: filled(environment), labels };
    let metadata = Some(metadata).filter(|metadata| *metadata != VaultMetadata::default());
    VaultEntry { path: path.to_string(), scope: scope.to_string(), metadata }
}

/// An entry below `secret/`; none for another.
pub(crate) fn secret_entry(secret: vault::Entry) -> Option<SecretEntry> {
    let VaultEntry { path, scope: _, metadata } = entry(secret);
    let name = path.strip_prefix("secret/")?.to_owned();
    Some(SecretEntry { name, metadata })
}

pub(crate) fn binding(binding: vault::Binding) -> Binding {
    let vault::Binding {
        name,
        connector,
        kind,
        service,
        identity,
        scope,
        account,
        status,
        stale_reason,
        hosts,
        access_key_id,
        region,
        created_at,
        last_used_at,
        last_refreshed_at,
    } = binding;
    Binding {
        name: name.to_string(),
        kind: kind.to_string(),
        service,
        identity: identity.to_string(),
        connector_fqn: connector.to_string(),
        created_at: created_at.to_string(),
        scope,
        account,
        last_used_at: text(last_used_at),
        last_refreshed_at: text(last_refreshed_at),
        status: Some(binding_status(status)),
        stale_reason,
        hosts: hosts.map(|hosts| texts(&hosts)),
        access_key_id: text(access_key_id),
        region: text(region),
    }
}

fn binding_status(status: vault::BindingStatus) -> BindingStatus {
    match status {
        vault::BindingStatus::Active => BindingStatus::Active,
        vault::BindingStatus::Stale => BindingStatus::Stale,
        vault::BindingStatus::Revoked => BindingStatus::Revoked,
    }
}
