//! Keys that a person confirmed by their fingerprints, on the way to an install.

use std::collections::BTreeMap;

use aileron_contract::{
    Error, Reason, Result, limits,
    names::Sha256Hash,
    publishers::{Confirmation, ConfirmedKey, HubKind, TrustRequest, Wanted},
};

use super::{View, decide, keys as places};
use crate::packages::{Parts, catalog::Catalog, install, keyring::KeyMap, keys, keys::Key};

/// The keys to trust, each for its repository: they are the confirmed ones, and what is wanted
/// verifies with them. Nothing is written.
pub(in crate::packages) async fn keys(
    parts: &Parts,
    catalog: &Catalog,
    confirmation: Confirmation,
) -> Result<Vec<TrustRequest>> {
    let Confirmation { wanted, keys } = confirmation;
    if keys.len() > limits::HUB_KEYS {
        let text = format!("at most {} keys are confirmed at once", limits::HUB_KEYS);
        return Err(Error::new(Reason::InvalidRequest, text));
    }
    let view = parts.hub.view().await?;
    let mut found: KeyMap = BTreeMap::new();
    for confirmed in &keys {
        let key = fetched(parts, &view, confirmed).await?;
        found.entry(confirmed.connector.authority()).or_default().insert(key);
    }
    let supposing = Parts { keyring: parts.keyring.supposing(found.clone()), ..parts.clone() };
    match wanted {
        Wanted::Connector(request) => {
            install::find_connector(&supposing, request).await?;
        }
        Wanted::Action(request) => {
            install::find_action(&supposing, catalog, request).await?;
        }
    }
    let requests = found.into_iter().flat_map(|(authority, keys)| {
        keys.into_iter().map(move |key| TrustRequest { authority: authority.clone(), key })
    });
    Ok(requests.collect())
}

/// The key that the Hub names now, if it is the one that was confirmed.
async fn fetched(parts: &Parts, view: &View, confirmed: &ConfirmedKey) -> Result<Key> {
    let ConfirmedKey { connector, fingerprint } = confirmed;
    let entry = view.entry(connector, Some(HubKind::Connector))?;
    places::sound(entry)?;
    let key = decide::fetched(parts, entry).await?;
    let (short, whole) = (keys::fingerprint(&key), Sha256Hash::of(&[&key]).to_string());
    if *fingerprint == short || *fingerprint == whole {
        return Ok(key);
    }
    let text = format!(
        "the key of {connector} has the fingerprint {short}, not the one you confirmed: ask its \
         publisher which is right; nothing was trusted and nothing was installed"
    );
    let details = serde_json::json!({ "confirmed": fingerprint, "found": short });
    Err(Error::new(Reason::FingerprintMismatch, text).with_details(details))
}
