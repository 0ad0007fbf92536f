use aileron_api::{
    progress::{PackageProgress, PackagesProgress},
    releases::{ConnectorUpdate, ConnectorUpdates, LocalPackage, NewestVersion},
};
use aileron_contract::{
    names::PackageRef,
    packages::{self, Newer, Progress, Step, Update},
};

use super::{text, texts};

pub(crate) fn newest(package: PackageRef) -> NewestVersion {
    let PackageRef { fqn, version } = package;
    NewestVersion { fqn: fqn.to_string(), version: version.to_string() }
}

pub(crate) fn updates(updates: Vec<Update>) -> ConnectorUpdates {
    ConnectorUpdates { results: updates.into_iter().map(one_update).collect() }
}

fn one_update(update: Update) -> ConnectorUpdate {
    let Update { connector: PackageRef { fqn, version }, found } = update;
    let (newest, newer, error) = match found {
        Newer::Known { newest, newer } => (newest, newer, None),
        Newer::Unknown(why) => (None, Vec::new(), Some(why)),
    };
    ConnectorUpdate {
        fqn: fqn.to_string(),
        current_version: version.to_string(),
        update_available: !newer.is_empty(),
        latest_version: text(newest),
        available_versions: texts(&newer),
        error,
    }
}

pub(crate) fn progress(steps: Vec<Progress>) -> PackagesProgress {
    PackagesProgress { items: steps.into_iter().map(one_step).collect() }
}

fn one_step(progress: Progress) -> PackageProgress {
    let Progress { package: PackageRef { fqn, version }, step } = progress;
    let (step, received_bytes, total_bytes) = match step {
        Step::Fetching { received, total } => ("fetching", Some(received), total),
        Step::Compiling => ("compiling", None, None),
    };
    PackageProgress {
        fqn: fqn.to_string(),
        version: version.to_string(),
        step: step.to_owned(),
        received_bytes,
        total_bytes,
    }
}

pub(crate) fn local_package(found: packages::LocalPackage) -> LocalPackage {
    let packages::LocalPackage { package: PackageRef { fqn, version }, kind, hash } = found;
    LocalPackage {
        fqn: fqn.to_string(),
        version: version.to_string(),
        kind: kind.to_string(),
        hash: hash.to_string(),
    }
}
