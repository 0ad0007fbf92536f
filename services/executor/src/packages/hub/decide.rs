//! What a person should know before trusting the publishers of an entry.

use std::collections::BTreeMap;

use aileron_contract::{
    Error, Reason, Result,
    names::Fqn,
    publishers::{
        HubAuthority, HubConflictKind, HubDecision, HubEntry, HubKind, HubOffer, HubRisk,
        TrustState,
    },
};
use futures::{StreamExt as _, TryStreamExt as _};

use super::{View, keys as places};
use crate::packages::{Parts, keyring::Seen, keys, keys::Key, trust};

/// Keys looked up at once.
const LOOKUPS: usize = 8;

/// The keys of everybody whose signature an entry needs, and what is known about them.
pub(in crate::packages) async fn decision(
    parts: &Parts,
    fqn: &Fqn,
    kind: HubKind,
) -> Result<HubDecision> {
    let view = parts.hub.view().await?;
    let entry = view.entry(fqn, Some(kind))?;
    let connectors = connectors(&view, entry)?;
    let seen = parts.keyring.look().await.ok();
    let lookups: Vec<_> = connectors
        .into_iter()
        .map(|connector| authority(parts, &view, seen.as_ref(), connector))
        .collect();
    let authorities = futures::stream::iter(lookups).buffered(LOOKUPS).try_collect().await?;
    Ok(HubDecision { entry: entry.clone(), authorities })
}

/// The connectors' entries, one per repository.
fn connectors<'v>(view: &'v View, entry: &'v HubEntry) -> Result<Vec<&'v HubEntry>> {
    let needed = match &entry.offer {
        HubOffer::Connector(_) => return Ok(vec![entry]),
        HubOffer::Action(offer) => vec![&offer.connector],
        HubOffer::Suite(offer) => offer.connectors.iter().collect(),
    };
    let mut found = BTreeMap::new();
    for connector in needed {
        let Some(entry) = view.catalogue.find(connector, Some(HubKind::Connector)) else {
            let text = format!(
                "{} needs the connector {connector}, which the Hub does not list: install it by \
                 its own name, or ask for a newer copy (aileron hub refresh)",
                entry.fqn
            );
            return Err(Error::new(Reason::ValidationError, text));
        };
        found.insert(connector.authority(), entry);
    }
    if found.is_empty() {
        let text = format!("the Hub does not say which connectors {} needs", entry.fqn);
        return Err(Error::new(Reason::ValidationError, text));
    }
    Ok(found.into_values().collect())
}

async fn authority(
    parts: &Parts,
    view: &View,
    seen: Option<&Seen>,
    entry: &HubEntry,
) -> Result<HubAuthority> {
    let key = fetched(parts, entry).await?;
    let (trust, verified) = standing(seen, entry, &key);
    let footprint: Vec<Fqn> = view
        .catalogue
        .entries()
        .filter(|it| it.kind() == HubKind::Connector)
        .filter(|it| it.fqn.owner().eq_ignore_ascii_case(entry.fqn.owner()))
        .map(|it| it.fqn.clone())
        .collect();
    let conflict = |kind| entry.conflicts.iter().any(|conflict| conflict.kind == kind);
    let risks = [
        (HubRisk::Duplicate, conflict(HubConflictKind::Duplicate)),
        (HubRisk::Publisher, conflict(HubConflictKind::Publisher)),
        (HubRisk::OtherKey, trust == TrustState::Conflict),
        (HubRisk::SoleListing, footprint.len() < 2),
        (HubRisk::OutdatedCopy, view.copy.warning.is_some()),
        (HubRisk::KeyringUnverified, !verified),
    ];
    Ok(HubAuthority {
        connector: entry.fqn.clone(),
        publisher: entry.publisher.clone(),
        fingerprint: keys::fingerprint(&key),
        trust,
        footprint,
        risks: risks.into_iter().filter(|(_, there)| *there).map(|(risk, _)| risk).collect(),
    })
}

/// The key an entry points to, fetched now.
pub(in crate::packages) async fn fetched(parts: &Parts, entry: &HubEntry) -> Result<Key> {
    let HubOffer::Connector(offer) = &entry.offer else {
        return Err(Error::new(Reason::ValidationError, "only connectors name keys"));
    };
    let url = places::address(&parts.sources, &entry.fqn, &offer.key_url).map_err(|why| {
        let text = format!("the key of {} is not fetched: {why}", entry.fqn);
        Error::new(Reason::KeyFetchFailed, text)
    })?;
    trust::fetched(parts, entry.fqn.as_str(), url).await
}

/// Is the key trusted, and can the keyring be believed at all?
fn standing(seen: Option<&Seen>, entry: &HubEntry, key: &Key) -> (TrustState, bool) {
    let Some(seen) = seen else { return (TrustState::Unknown, false) };
    let verified = seen.verified == Some(true);
    let authority = entry.fqn.authority();
    if verified && seen.keys.of(&authority).contains(key) {
        return (TrustState::AlreadyTrusted, verified);
    }
    let owner = authority.owner();
    let siblings = |name: &aileron_contract::names::Authority| {
        name.owner().as_str().eq_ignore_ascii_case(owner.as_str())
    };
    let other = seen.keys.iter().any(|(name, known)| siblings(name) && known != key);
    let trust = if other { TrustState::Conflict } else { TrustState::Unknown };
    (trust, verified)
}
