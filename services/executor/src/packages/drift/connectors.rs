//! Connectors that action files ask for and that are not installed, or not whole.

use aileron_contract::{
    Result, json,
    names::Sha256Hash,
    packages::{Drift, DriftOf, DriftState},
};

use crate::packages::{
    Parts,
    catalog::Catalog,
    missing::{self, Required},
};

/// Each with what is wrong with it, sorted by package.
pub(super) async fn list(parts: &Parts, catalog: &Catalog) -> Result<Vec<Drift>> {
    let mut found = Vec::new();
    for required in missing::required(catalog).await?.connectors {
        if let Some(state) = state(parts, &required).await? {
            found.push(drift(parts, required, state)?);
        }
    }
    Ok(found)
}

/// How many there are.
pub(super) async fn count(parts: &Parts, catalog: &Catalog) -> Result<usize> {
    let mut count = 0_usize;
    for required in missing::required(catalog).await?.connectors {
        count = count.saturating_add(usize::from(state(parts, &required).await?.is_some()));
    }
    Ok(count)
}

/// What an acceptance of a connector names.
pub(super) fn digest(required: &Required, state: DriftState) -> Result<Sha256Hash> {
    let value = serde_json::json!({
        "connector": required.package.to_string(),
        "hash": required.hash.to_string(),
        "state": state.text(),
    });
    json::digest("aileron/drift/v1", &value)
}

/// None for one that is installed and whole.
pub(super) async fn state(parts: &Parts, required: &Required) -> Result<Option<DriftState>> {
    let record = parts.store.record(required.hash).await?;
    let whole = parts.store.files(required.hash).await?.is_some();
    Ok(match (record, whole) {
        (Some(record), true) if record.package == required.package => None,
        (None, true) => Some(DriftState::Unaccepted),
        // Bytes that are there and are not its own.
        (_, true) => Some(DriftState::Changed),
        (_, false) if parts.store.stands(required.hash).await? => Some(DriftState::Changed),
        (_, false) => Some(DriftState::Missing),
    })
}

fn drift(parts: &Parts, required: Required, state: DriftState) -> Result<Drift> {
    let names: Vec<_> = required.needed_by.iter().map(ToString::to_string).collect();
    let (package, needed_by) = (&required.package, names.join(", "));
    let what = match state {
        DriftState::Unaccepted => "was there before, and nobody accepted it here",
        DriftState::Missing => "is not installed",
        _ => "is not what was installed",
    };
    let message = format!(
        "{package}, which {needed_by} needs, {what}. Install it (aileron sync): its signature and \
         its hash are checked"
    );
    let digest = (state == DriftState::Unaccepted).then(|| digest(&required, state)).transpose()?;
    Ok(Drift {
        path: parts.store.folder(required.hash).display().to_string(),
        of: DriftOf::Connector(required.package),
        state,
        message,
        difference: String::new(),
        cut: false,
        digest,
    })
}
