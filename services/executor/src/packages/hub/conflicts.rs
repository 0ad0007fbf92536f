//! Claims of the Hub that contradict each other. Marked, never repaired: which one is right is
//! for a person to find out.

use std::collections::{BTreeMap, BTreeSet};

use aileron_contract::{
    names::Fqn,
    publishers::{HubConflict, HubConflictKind, HubEntry, HubOffer, SuiteOffer},
};

use super::keys;
use crate::packages::sources::Sources;

/// Marks what does not fit together, and completes suites that leave out their connectors.
pub(super) fn mark(entries: &mut [HubEntry], sources: &Sources) {
    let names = counted(entries);
    let connectors = by_action(entries);
    for entry in entries {
        let mut found = Vec::new();
        let count = names.get(&folded(&entry.fqn)).copied().unwrap_or_default();
        if count > 1 {
            let detail = format!("{count} entries are called {}", entry.fqn);
            found.push(HubConflict { kind: HubConflictKind::Duplicate, detail });
        }
        if !entry.publisher.eq_ignore_ascii_case(entry.fqn.owner()) {
            let detail = format!(
                "{} says to publish what belongs to {}",
                entry.publisher,
                entry.fqn.owner()
            );
            found.push(HubConflict { kind: HubConflictKind::Publisher, detail });
        }
        match &mut entry.offer {
            HubOffer::Connector(offer) => {
                if let Err(detail) = keys::address(sources, &entry.fqn, &offer.key_url) {
                    found.push(HubConflict { kind: HubConflictKind::Key, detail });
                }
            }
            HubOffer::Suite(offer) => suite(offer, &connectors, &mut found),
            HubOffer::Action(_) => {}
        }
        entry.conflicts = found;
    }
}

/// How many entries have a name; GitHub knows no case.
fn counted(entries: &[HubEntry]) -> BTreeMap<String, usize> {
    let mut names = BTreeMap::new();
    for entry in entries {
        *names.entry(folded(&entry.fqn)).or_default() += 1;
    }
    names
}

fn folded(fqn: &Fqn) -> String {
    fqn.as_str().to_ascii_lowercase()
}

/// The connector of each action.
fn by_action(entries: &[HubEntry]) -> BTreeMap<Fqn, Fqn> {
    let actions = entries.iter().filter_map(|entry| match &entry.offer {
        HubOffer::Action(offer) => Some((entry.fqn.clone(), offer.connector.clone())),
        HubOffer::Connector(_) | HubOffer::Suite(_) => None,
    });
    actions.collect()
}

fn suite(offer: &mut SuiteOffer, known: &BTreeMap<Fqn, Fqn>, found: &mut Vec<HubConflict>) {
    let unknown: Vec<_> = offer.members.iter().filter(|it| !known.contains_key(*it)).collect();
    if let [first, others @ ..] = unknown.as_slice() {
        let more =
            if others.is_empty() { String::new() } else { format!(" and {} more", others.len()) };
        let detail = format!("the Hub lists no action {first}{more}");
        found.push(HubConflict { kind: HubConflictKind::Member, detail });
    }
    let needed: BTreeSet<&Fqn> = offer.members.iter().filter_map(|it| known.get(it)).collect();
    let listed: BTreeSet<&Fqn> = offer.connectors.iter().collect();
    if listed.is_empty() {
        offer.connectors = needed.into_iter().cloned().collect();
        return;
    }
    // A member nobody lists may need anything: then only what is missing can be told.
    let missing: Vec<_> = needed.difference(&listed).map(|it| it.as_str()).collect();
    let extra: Vec<_> = listed.difference(&needed).map(|it| it.as_str()).collect();
    if !missing.is_empty() {
        let detail = format!("its members need {}, which it does not list", missing.join(", "));
        found.push(HubConflict { kind: HubConflictKind::Connectors, detail });
    } else if !extra.is_empty() && unknown.is_empty() {
        let detail = format!("it lists {}, which no member needs", extra.join(", "));
        found.push(HubConflict { kind: HubConflictKind::Connectors, detail });
    }
}
