//! What happens to bindings when a connector says which hosts it wants to reach.

use aileron_contract::{
    Context, Result,
    audit::{Event, EventKind},
    bindings::{BindingFilter, BindingStatus, StaleReason},
    names::{BindingName, Fqn, HostPort},
};

use super::binding_event;
use crate::{
    binding::{self, HOSTS, Record},
    keeper::{Changed, Keeper},
};

/// What a declaration does to one binding.
enum Effect {
    /// A binding of an older file takes the hosts, once.
    Adopt,
    /// The person has to agree again.
    Stale,
}

/// Returns the bindings that became stale.
pub(super) async fn declare(
    keeper: &Keeper,
    context: &Context,
    connector: &Fqn,
    hosts: &[HostPort],
) -> Result<Vec<BindingName>> {
    let filter = BindingFilter { connector: Some(connector.clone()), ..BindingFilter::default() };
    let mut hosts = hosts.to_vec();
    hosts.sort();
    hosts.dedup();
    // Most declarations change nothing: those need no key, and nobody waits for the writer.
    let view = keeper.view().await?;
    let idle = |record: &Record| effect(record, &hosts).is_none();
    match view.file() {
        Ok(file) if binding::select(file.entries(), &filter).iter().all(idle) => {
            return Ok(Vec::new());
        }
        Err(error) if error.reason() == aileron_contract::Reason::VaultMissing => {
            return Ok(Vec::new());
        }
        _ => {}
    }
    keeper
        .change(context, |draft, keys| {
            let mut stale = Vec::new();
            let mut events: Vec<Event> = Vec::new();
            for record in binding::select(draft.entries(), &filter) {
                let Some(effect) = effect(&record, &hosts) else { continue };
                let name = record.binding.name.clone();
                let kind = match effect {
                    Effect::Adopt => {
                        draft.relabel(keys, name.as_str(), |metadata| {
                            let label = binding::host_label(&hosts);
                            metadata.labels.insert(HOSTS.to_owned(), label);
                        })?;
                        EventKind::BindingHostsAdopted
                    }
                    Effect::Stale => {
                        draft.relabel(keys, name.as_str(), |metadata| {
                            binding::mark_stale(metadata, StaleReason::HostsAdded);
                        })?;
                        stale.push(name);
                        EventKind::BindingStale
                    }
                };
                events.push(
                    binding_event(kind, context, &record.binding)
                        .with("aileron.binding.hosts", binding::host_label(&hosts)),
                );
            }
            Ok(Changed { value: stale, events })
        })
        .await
}

fn effect(record: &Record, declared: &[HostPort]) -> Option<Effect> {
    let binding = &record.binding;
    match &binding.hosts {
        None => Some(Effect::Adopt),
        Some(agreed) => {
            let covered = declared.iter().all(|host| agreed.contains(host));
            (!covered && binding.status == BindingStatus::Active).then_some(Effect::Stale)
        }
    }
}
