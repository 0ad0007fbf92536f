//! What happens to bindings when a connector says which hosts it wants to reach.

use aileron_contract::{
    Context, Reason, Result,
    audit::EventKind,
    bindings::{BindingFilter, BindingStatus, StaleReason},
    names::{BindingName, Fqn, HostPort},
};

use super::binding_event;
use crate::{
    binding::{self, HOSTS, Record},
    file::Metadata,
    keeper::{Changed, Keeper},
};

/// What a declaration does to one binding.
#[derive(Clone, Copy, PartialEq, Eq)]
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
        Err(error) if error.reason() == Reason::VaultMissing => {
            return Ok(Vec::new());
        }
        _ => {}
    }
    let label = binding::host_label(&hosts);
    keeper
        .change(context, |draft, keys| {
            let (mut stale, mut events) = (Vec::new(), Vec::new());
            for record in binding::select(draft.entries(), &filter) {
                let Some(effect) = effect(&record, &hosts) else { continue };
                let name = &record.binding.name;
                draft.relabel(keys, name.as_str(), |metadata| effect.apply(metadata, &label))?;
                let event = binding_event(effect.event(), context, &record.binding);
                events.push(event.with("aileron.binding.hosts", label.as_str()));
                if effect == Effect::Stale {
                    stale.push(record.binding.name);
                }
            }
            Ok(Changed { value: stale, events })
        })
        .await
}

impl Effect {
    /// `hosts` as a label has them.
    fn apply(self, metadata: &mut Metadata, hosts: &str) {
        match self {
            Self::Adopt => drop(metadata.labels.insert(HOSTS.to_owned(), hosts.to_owned())),
            Self::Stale => binding::mark_stale(metadata, StaleReason::HostsAdded),
        }
    }

    const fn event(self) -> EventKind {
        match self {
            Self::Adopt => EventKind::BindingHostsAdopted,
            Self::Stale => EventKind::BindingStale,
        }
    }
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
