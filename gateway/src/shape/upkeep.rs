use aileron_api::upkeep::{
    AcceptedDrift, ConnectorVersion, Drift, DriftKind, InstallFailure, MissingConnector,
    SyncResponse,
};
use aileron_contract::{names::PackageRef, packages};

use super::{installed_connector, packages::unbound_capability, text, texts};

pub(crate) fn drift(drift: packages::Drift) -> Drift {
    let packages::Drift { of, state, path, message, difference, cut, digest } = drift;
    let (kind, name) = match of {
        packages::DriftOf::Action(name) => (DriftKind::Action, name.to_string()),
        packages::DriftOf::Connector(package) => (DriftKind::Connector, package.to_string()),
        packages::DriftOf::Lock => (DriftKind::Lock, "actions.lock".to_owned()),
    };
    let (state, digest) = (state.to_string(), text(digest));
    Drift { kind, name, state, path, message, difference, cut, digest }
}

pub(crate) fn accepted(accepted: packages::Accepted) -> AcceptedDrift {
    let packages::Accepted { already, missing } = accepted;
    AcceptedDrift { already_accepted: already, missing_connectors: texts(&missing) }
}

pub(crate) fn needs(needs: packages::Needs) -> SyncResponse {
    synced(packages::Synced { installed: Vec::new(), failures: Vec::new(), needs })
}

pub(crate) fn synced(synced: packages::Synced) -> SyncResponse {
    let packages::Synced { installed, failures, needs } = synced;
    let packages::Needs { actions, unreadable, required, present, missing, unbound } = needs;
    SyncResponse {
        actions_seen: actions,
        actions_unreadable: unreadable,
        required: required.into_iter().map(version).collect(),
        installed: installed.into_iter().map(installed_connector).collect(),
        already_installed: present.into_iter().map(version).collect(),
        install_failures: failures.into_iter().map(failure).collect(),
        missing: missing.into_iter().map(missing_connector).collect(),
        unbound: unbound.into_iter().map(unbound_capability).collect(),
    }
}

fn version(package: PackageRef) -> ConnectorVersion {
    let PackageRef { fqn, version } = package;
    ConnectorVersion { fqn: fqn.to_string(), version: version.to_string() }
}

fn failure(failure: packages::InstallFailure) -> InstallFailure {
    let packages::InstallFailure { package: PackageRef { fqn, version }, error } = failure;
    InstallFailure { fqn: fqn.to_string(), version: version.to_string(), error }
}

fn missing_connector(missing: packages::MissingConnector) -> MissingConnector {
    let packages::MissingConnector { package, hash, needed_by, accepted } = missing;
    let PackageRef { fqn, version } = package;
    MissingConnector {
        fqn: fqn.to_string(),
        version: version.to_string(),
        hash: hash.to_string(),
        needed_by: texts(&needed_by),
        accepted,
    }
}
