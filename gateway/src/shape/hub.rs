use aileron_api::hub::{
    ActionInstallDecision, HubAction, HubActions, HubConflict, HubConnector, HubConnectors,
    HubCopy, HubEntries, HubProblem, HubSuite, HubSuites, InstallAuthority, InstallDecision,
    SuiteInstallDecision,
};
use aileron_contract::{
    Error,
    publishers::{self, HubEntry, HubKind, HubListing, HubOffer},
};

use super::texts;

/// An entry in the shape of its kind.
pub(crate) enum Entry {
    Connector(HubConnector),
    Action(HubAction),
    Suite(HubSuite),
}

pub(crate) fn hub_entry(entry: HubEntry) -> Entry {
    let HubEntry { fqn, description, publisher, offer, conflicts } = entry;
    let (fqn, publisher_github) = (fqn.to_string(), publisher);
    let conflicts = conflicts.into_iter().map(conflict).collect();
    match offer {
        HubOffer::Connector(offer) => {
            let publishers::ConnectorOffer { key_url, release_pattern } = offer;
            Entry::Connector(HubConnector {
                fqn,
                description,
                publisher_github,
                key_url,
                release_pattern,
                conflicts,
            })
        }
        HubOffer::Action(offer) => {
            let publishers::ActionOffer { connector, intents, category } = offer;
            let connector_fqn = connector.to_string();
            Entry::Action(HubAction {
                fqn,
                description,
                publisher_github,
                connector_fqn,
                intents,
                category,
                conflicts,
            })
        }
        HubOffer::Suite(offer) => {
            let publishers::SuiteOffer { members, connectors, category } = offer;
            Entry::Suite(HubSuite {
                fqn,
                description,
                publisher_github,
                member_actions: texts(&members),
                connectors_required: texts(&connectors),
                category,
                conflicts,
            })
        }
    }
}

fn conflict(conflict: publishers::HubConflict) -> HubConflict {
    let publishers::HubConflict { kind, detail } = conflict;
    HubConflict { kind: kind.to_string(), detail }
}

fn problem(problem: publishers::HubProblem) -> HubProblem {
    let publishers::HubProblem { file, line, message } = problem;
    HubProblem { file, line, message }
}

pub(crate) fn hub_copy(copy: publishers::HubCopy) -> HubCopy {
    let publishers::HubCopy { source, commit, fetched_at, checked_at, age_seconds, warning } = copy;
    HubCopy {
        source,
        commit,
        fetched_at: fetched_at.to_string(),
        checked_at: checked_at.to_string(),
        age_seconds,
        warning,
    }
}

/// Everything that was asked for: of kinds that were not, nothing is said.
pub(crate) fn hub_entries(listing: HubListing, kind: Option<HubKind>) -> HubEntries {
    let HubListing { entries, problems, copy } = listing;
    let asked = |one| kind.is_none_or(|kind| kind == one);
    let mut all = HubEntries {
        connectors: asked(HubKind::Connector).then(Vec::new),
        actions: asked(HubKind::Action).then(Vec::new),
        suites: asked(HubKind::Suite).then(Vec::new),
        problems: problems.into_iter().map(problem).collect(),
        copy: hub_copy(copy),
    };
    for entry in entries {
        match hub_entry(entry) {
            Entry::Connector(entry) => all.connectors.get_or_insert_default().push(entry),
            Entry::Action(entry) => all.actions.get_or_insert_default().push(entry),
            Entry::Suite(entry) => all.suites.get_or_insert_default().push(entry),
        }
    }
    all
}

pub(crate) fn hub_connectors(listing: HubListing) -> HubConnectors {
    let HubEntries { connectors, actions: _, suites: _, problems, copy } =
        hub_entries(listing, Some(HubKind::Connector));
    HubConnectors { connectors: connectors.unwrap_or_default(), problems, copy }
}

pub(crate) fn hub_actions(listing: HubListing) -> HubActions {
    let HubEntries { connectors: _, actions, suites: _, problems, copy } =
        hub_entries(listing, Some(HubKind::Action));
    HubActions { actions: actions.unwrap_or_default(), problems, copy }
}

pub(crate) fn hub_suites(listing: HubListing) -> HubSuites {
    let HubEntries { connectors: _, actions: _, suites, problems, copy } =
        hub_entries(listing, Some(HubKind::Suite));
    HubSuites { suites: suites.unwrap_or_default(), problems, copy }
}

/// A connector has exactly one publisher: itself.
pub(crate) fn install_decision(
    decision: publishers::HubDecision,
) -> Result<InstallDecision, Error> {
    let publishers::HubDecision { entry, authorities } = decision;
    let own = authorities.into_iter().next().map(authority);
    let InstallAuthority {
        fqn,
        publisher_github,
        fingerprint,
        trust_state,
        publisher_footprint,
        risk_indicators,
    } = own.ok_or_else(|| Error::internal("a decision about a connector names no publisher"))?;
    Ok(InstallDecision {
        fqn,
        description: entry.description,
        publisher_github,
        fingerprint,
        trust_state,
        publisher_footprint,
        risk_indicators,
    })
}

pub(crate) fn action_install_decision(
    decision: publishers::HubDecision,
) -> Result<ActionInstallDecision, Error> {
    let publishers::HubDecision { entry, authorities } = decision;
    let Entry::Action(action) = hub_entry(entry) else {
        return Err(Error::internal("a decision about an action is about something else"));
    };
    Ok(ActionInstallDecision {
        kind: HubKind::Action.to_string(),
        fqn: action.fqn,
        description: action.description,
        publisher_github: action.publisher_github,
        connector_fqn: action.connector_fqn,
        authorities: authorities.into_iter().map(authority).collect(),
    })
}

pub(crate) fn suite_install_decision(
    decision: publishers::HubDecision,
) -> Result<SuiteInstallDecision, Error> {
    let publishers::HubDecision { entry, authorities } = decision;
    let Entry::Suite(suite) = hub_entry(entry) else {
        return Err(Error::internal("a decision about a suite is about something else"));
    };
    Ok(SuiteInstallDecision {
        kind: HubKind::Suite.to_string(),
        fqn: suite.fqn,
        description: suite.description,
        publisher_github: suite.publisher_github,
        member_actions: suite.member_actions,
        authorities: authorities.into_iter().map(authority).collect(),
    })
}

fn authority(authority: publishers::HubAuthority) -> InstallAuthority {
    let publishers::HubAuthority { connector, publisher, fingerprint, trust, footprint, risks } =
        authority;
    InstallAuthority {
        fqn: connector.to_string(),
        publisher_github: publisher,
        fingerprint,
        trust_state: trust.to_string(),
        publisher_footprint: texts(&footprint),
        risk_indicators: texts(&risks),
    }
}
