//! From the contracts' types to the published shapes. Every field is named, so that a new one
//! cannot be forgotten here.

mod access;
mod actions;
mod audit;
mod custody;
mod grants;
mod hub;
mod packages;
mod publishers;
mod releases;
mod runs;
mod sessions;
mod upkeep;
mod vault;

pub(crate) use access::{minted, opened, person_session, shown_once, token};
pub(crate) use actions::{action, actions, pending, run_result};
pub(crate) use audit::{checkpoint, record};
pub(crate) use custody::{agent_login, imported, login, user_login};
pub(crate) use grants::{grant, grant_terms};
pub(crate) use hub::{
    action_install_decision, hub_action, hub_actions, hub_connector, hub_connectors, hub_copy,
    hub_entries, hub_suite, hub_suites, install_decision, suite_install_decision,
};
pub(crate) use packages::{
    action_preview, connector, connector_preview, installed_action, installed_connector, suite,
};
pub(crate) use publishers::{keyring, keys_revoked, published_key, trusted};
pub(crate) use releases::{local_package, newest, progress, updates};
pub(crate) use runs::{approval, approval_result, failure, resolved, run, state_from};
pub(crate) use sessions::{begun, session};
pub(crate) use upkeep::{accepted, drift, needs, synced};
pub(crate) use vault::{
    binding, entry, older, polled, revoked, seconds, secret_entry, status, vault_state,
};

fn texts<T: ToString>(items: &[T]) -> Vec<String> {
    items.iter().map(T::to_string).collect()
}

fn text<T: ToString>(item: Option<T>) -> Option<String> {
    item.map(|item| item.to_string())
}
