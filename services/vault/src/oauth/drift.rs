//! What happens to bindings when a connector says which scopes it wants.

use aileron_contract::{
    Context, Reason, Result,
    audit::EventKind,
    credential::CredentialKind,
    names::{BindingName, Fqn},
    vault::{BindingFilter, BindingStatus},
};

use super::store::{GRANTED, REASON, Store, label};
use crate::{
    binding::{self, Record},
    file::Metadata,
    keeper::Changed,
    vault::binding_event,
};

const MISSING: &str = "missing_scopes";

/// Bindings of the connector that were not granted all of `declared` become stale. Needs no
/// key as long as there is none.
pub(crate) async fn declare(
    store: &Store,
    context: &Context,
    connector: &Fqn,
    declared: &[String],
) -> Result<Vec<BindingName>> {
    let filter = BindingFilter {
        connector: Some(connector.clone()),
        kind: Some(CredentialKind::Oauth2),
        ..BindingFilter::default()
    };
    match store.0.view().await?.file() {
        Ok(file) => {
            let drifts = |record: &Record| {
                let sealed = file.entries().get(record.binding.name.as_str());
                sealed.is_some_and(|sealed| drift(record, &sealed.metadata, declared).is_some())
            };
            if !binding::select(file.entries(), &filter).iter().any(drifts) {
                return Ok(Vec::new());
            }
        }
        Err(error) if error.reason() == Reason::VaultMissing => return Ok(Vec::new()),
        Err(error) => return Err(error),
    }
    store
        .0
        .change(context, |draft, keys| {
            let mut stale = Vec::new();
            let mut events = Vec::new();
            for record in binding::select(draft.entries(), &filter) {
                let name = record.binding.name.clone();
                let Some(sealed) = draft.entries().get(name.as_str()) else { continue };
                let Some(drift) = drift(&record, &sealed.metadata, declared) else { continue };
                draft.relabel(keys, name.as_str(), |metadata| {
                    label(metadata, "status", BindingStatus::Stale.text());
                    label(metadata, REASON, drift.reason);
                    label(metadata, MISSING, &drift.missing);
                })?;
                events.push(
                    binding_event(EventKind::BindingStale, context, &record.binding)
                        .with("aileron.binding.stale_reason", drift.reason)
                        .with("aileron.binding.missing_scopes", drift.missing),
                );
                stale.push(name);
            }
            Ok(Changed { value: stale, events })
        })
        .await
}

struct Drift {
    reason: &'static str,
    missing: String,
}

fn drift(record: &Record, metadata: &Metadata, declared: &[String]) -> Option<Drift> {
    if record.binding.status != BindingStatus::Active {
        return None;
    }
    let granted = metadata.labels.get(GRANTED);
    let known: Vec<&str> = granted.map_or_else(Vec::new, |text| text.split(' ').collect());
    let missing: Vec<&str> =
        declared.iter().map(String::as_str).filter(|scope| !known.contains(scope)).collect();
    let reason = if granted.is_some() { "scope_drift" } else { "no_grant_record" };
    (!missing.is_empty()).then(|| Drift { reason, missing: missing.join(" ") })
}
