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

/// A connector's entry.
pub(crate) fn hub_connector(entry: HubEntry) -> Result<HubConnector, Error> {
    let HubEntry { fqn, description, publisher, offer, conflicts } = entry;
    let HubOffer::Connector(offer) = offer else { return Err(another()) };
    let publishers::ConnectorOffer { key_url, release_pattern } = offer;
    Ok(HubConnector {
        fqn: fqn.to_string(),
        description,
        publisher_github: publisher,
        key_url,
        release_pattern,
        conflicts: conflicts.into_iter().map(conflict).collect(),
    })
}

/// An action's entry.
pub(crate) fn hub_action(entry: HubEntry) -> Result<HubAction, Error> {
    let HubEntry { fqn, description, publisher, offer, conflicts } = entry;
    let HubOffer::Action(offer) = offer else { return Err(another()) };
    let publishers::ActionOffer { connector, intents, category } = offer;
    Ok(HubAction {
        fqn: fqn.to_string(),
        description,
        publisher_github: publisher,
        connector_fqn: connector.to_string(),
        intents,
        category,
        conflicts: conflicts.into_iter().map(conflict).collect(),
    })
}

/// A suite's entry.
pub(crate) fn hub_suite(entry: HubEntry) -> Result<HubSuite, Error> {
    let HubEntry { fqn, description, publisher, offer, conflicts } = entry;
    let HubOffer::Suite(offer) = offer else { return Err(another()) };
    let publishers::SuiteOffer { members, connectors, category } = offer;
    Ok(HubSuite {
        fqn: fqn.to_string(),
        description,
        publisher_github: publisher,
        member_actions: texts(&members),
        connectors_required: texts(&connectors),
        category,
        conflicts: conflicts.into_iter().map(conflict).collect(),
    })
}

/// The contract promises the kind that was asked for.
fn another() -> Error {
    Error::internal("the Hub answered with an entry of another kind")
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
pub(crate) fn hub_entries(listing: HubListing, kind: Option<HubKind>) -> Result<HubEntries, Error> {
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
        match entry.kind() {
            HubKind::Connector => {
                all.connectors.get_or_insert_default().push(hub_connector(entry)?);
            }
            HubKind::Action => all.actions.get_or_insert_default().push(hub_action(entry)?),
            HubKind::Suite => all.suites.get_or_insert_default().push(hub_suite(entry)?),
        }
    }
    Ok(all)
}

pub(crate) fn hub_connectors(listing: HubListing) -> Result<HubConnectors, Error> {
    let HubListing { entries, problems, copy } = listing;
    Ok(HubConnectors {
        connectors: entries.into_iter().map(hub_connector).collect::<Result<_, _>>()?,
        problems: problems.into_iter().map(problem).collect(),
        copy: hub_copy(copy),
    })
}

pub(crate) fn hub_actions(listing: HubListing) -> Result<HubActions, Error> {
    let HubListing { entries, problems, copy } = listing;
    Ok(HubActions {
        actions: entries.into_iter().map(hub_action).collect::<Result<_, _>>()?,
        problems: problems.into_iter().map(problem).collect(),
        copy: hub_copy(copy),
    })
}

pub(crate) fn hub_suites(listing: HubListing) -> Result<HubSuites, Error> {
    let HubListing { entries, problems, copy } = listing;
    Ok(HubSuites {
        suites: entries.into_iter().map(hub_suite).collect::<Result<_, _>>()?,
        problems: problems.into_iter().map(problem).collect(),
        copy: hub_copy(copy),
    })
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
    let action = hub_action(entry)?;
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
    let suite = hub_suite(entry)?;
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
