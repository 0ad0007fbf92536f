//! What happens to bindings when a connector says which scopes it wants.

use aileron_contract::{
    Context, Reason, Result,
    audit::EventKind,
    bindings::{BindingFilter, BindingStatus, StaleReason},
    credential::CredentialKind,
    names::{BindingName, Fqn},
};

use super::store::{Store, label};
use crate::{
    binding::{self, MISSING, Record},
    bindings::binding_event,
    keeper::Changed,
};

/// The scope that asks for a refresh token (`OpenID` Connect Core, section 11).
const OFFLINE_ACCESS: &str = "offline_access";

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
            let drifts = |record: &Record| drift(record, declared).is_some();
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
                let Some(drift) = drift(&record, declared) else { continue };
                draft.relabel(keys, name.as_str(), |metadata| {
                    binding::mark_stale(metadata, drift.reason);
                    label(metadata, MISSING, &drift.missing);
                })?;
                events.push(
                    binding_event(EventKind::BindingStale, context, &record.binding)
                        .with("aileron.binding.stale_reason", drift.reason.text())
                        .with("aileron.binding.missing_scopes", drift.missing),
                );
                stale.push(name);
            }
            Ok(Changed { value: stale, events })
        })
        .await
}

struct Drift {
    reason: StaleReason,
    missing: String,
}

fn drift(record: &Record, declared: &[String]) -> Option<Drift> {
    if record.binding.status != BindingStatus::Active {
        return None;
    }
    let granted = &record.binding.granted_scopes;
    // Providers leave it out of what they say they granted: the refresh token itself says it.
    let offline = |scope: &str| scope == OFFLINE_ACCESS && record.binding.refresh_token_present;
    let missing: Vec<&str> = declared
        .iter()
        .filter(|scope| !granted.contains(scope) && !offline(scope))
        .map(String::as_str)
        .collect();
    let reason =
        if granted.is_empty() { StaleReason::NoGrantRecord } else { StaleReason::ScopeDrift };
    (!missing.is_empty()).then(|| Drift { reason, missing: missing.join(" ") })
}
