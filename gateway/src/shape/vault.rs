use std::collections::BTreeMap;

use aileron_api::{
    bindings::{AtProvider, Binding, BindingStatus, RevokedBinding},
    oauth2::{PollStatus, Polled},
    vault::{
        OlderVault, SecretEntry, VaultEntry, VaultMetadata, VaultState, VaultStatus, VaultWriting,
    },
};
use aileron_contract::{bindings, credential::CredentialKind, names::BindingName, vault};

use super::{text, texts};

pub(crate) fn vault_state(state: vault::State) -> VaultState {
    match state {
        vault::State::Missing => VaultState::Missing,
        vault::State::Locked => VaultState::Locked,
        vault::State::Unlocked => VaultState::Unlocked,
    }
}

pub(crate) fn status(status: vault::Status) -> VaultStatus {
    let vault::Status { state, format, generation, recovery_key } = status;
    let state = vault_state(state);
    VaultStatus { locked: state != VaultState::Unlocked, state, format, generation, recovery_key }
}

pub(crate) fn older(older: vault::Older) -> OlderVault {
    let vault::Older { present, last, same_vault } = older;
    let writing = |writing| {
        let vault::Writing { generation, at } = writing;
        VaultWriting { generation, written_at: text(at) }
    };
    OlderVault { present: writing(present), last: writing(last), same_vault }
}

pub(crate) fn entry(entry: vault::Entry) -> VaultEntry {
    let vault::Entry { path, scope, kind, environment, labels } = entry;
    let metadata = metadata(kind, environment, labels);
    VaultEntry { path: path.to_string(), scope: scope.to_string(), metadata }
}

/// None when nothing is said.
pub(super) fn metadata(
    kind: String,
    environment: String,
    labels: BTreeMap<String, String>,
) -> Option<VaultMetadata> {
    let filled = |text: String| Some(text).filter(|text| !text.is_empty());
    let metadata = VaultMetadata { kind: filled(kind), environment: filled(environment), labels };
    Some(metadata).filter(|metadata| *metadata != VaultMetadata::default())
}

/// An entry below `secret/`; none for another.
pub(crate) fn secret_entry(secret: vault::Entry) -> Option<SecretEntry> {
    let VaultEntry { path, scope: _, metadata } = entry(secret);
    let name = path.strip_prefix("secret/")?.to_owned();
    Some(SecretEntry { name, metadata })
}

pub(crate) fn binding(binding: bindings::Binding) -> Binding {
    let bindings::Binding {
        name,
        connector,
        kind,
        service,
        identity,
        default,
        scope,
        account,
        status,
        stale_reason,
        verified,
        hosts,
        access_key_id,
        region,
        granted_scopes,
        missing_scopes,
        refresh_token_present,
        refreshing_since,
        created_at,
        agreed_at: _,
        last_used_at,
        last_refreshed_at,
    } = binding;
    Binding {
        name: name.to_string(),
        kind: kind.to_string(),
        service,
        identity: identity.to_string(),
        default,
        connector_fqn: connector.to_string(),
        created_at: created_at.to_string(),
        scope,
        account,
        last_used_at: text(last_used_at),
        last_refreshed_at: text(last_refreshed_at),
        status: Some(binding_status(status)),
        stale_reason: text(stale_reason),
        verified,
        hosts: hosts.map(|hosts| texts(&hosts)),
        access_key_id: text(access_key_id),
        region: text(region),
        refresh_token_present: (kind == CredentialKind::Oauth2).then_some(refresh_token_present),
        granted_scopes,
        missing_scopes,
        refreshing_since: text(refreshing_since),
    }
}

pub(crate) fn revoked(name: &BindingName, revoked: bindings::Revoked) -> RevokedBinding {
    let (provider, message) = match revoked {
        bindings::Revoked::Here => (AtProvider::None, None),
        bindings::Revoked::AtProvider => (AtProvider::Revoked, None),
        bindings::Revoked::NotAtProvider(why) => (AtProvider::NotRevoked, Some(why)),
    };
    RevokedBinding { name: name.to_string(), provider, message }
}

pub(crate) fn polled(poll: bindings::DevicePoll) -> Polled {
    use bindings::DevicePoll;
    let bare = |status| Polled { status, interval: None, binding: None };
    match poll {
        DevicePoll::Pending { interval } => {
            Polled { interval: Some(seconds(interval)), ..bare(PollStatus::Pending) }
        }
        DevicePoll::SlowDown { interval } => {
            Polled { interval: Some(seconds(interval)), ..bare(PollStatus::SlowDown) }
        }
        DevicePoll::Done(done) => {
            Polled { binding: Some(binding(*done)), ..bare(PollStatus::Done) }
        }
        DevicePoll::Denied => bare(PollStatus::Denied),
        DevicePoll::Expired => bare(PollStatus::Expired),
    }
}

/// Whole seconds, and never too early.
pub(crate) fn seconds(length: std::time::Duration) -> u64 {
    length.as_secs().saturating_add(u64::from(length.subsec_nanos() > 0))
}

fn binding_status(status: bindings::BindingStatus) -> BindingStatus {
    match status {
        bindings::BindingStatus::Active => BindingStatus::Active,
        bindings::BindingStatus::Stale => BindingStatus::Stale,
        bindings::BindingStatus::Revoked => BindingStatus::Revoked,
    }
}
