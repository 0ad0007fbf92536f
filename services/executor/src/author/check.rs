//! Everything that would stop a release or an installation, found before either.

use std::collections::BTreeMap;

use aileron_contract::names::{ActionName, Fqn, Sha256Hash, Version};

use super::{ActionSource, DEV_VERSION, SourceFile, Sources, UNBOUND_HASH};
use crate::{
    formats::{
        Problem, ProblemKind,
        action::ActionFile,
        manifest::Manifest,
        suite::{self, Member},
    },
    packages::keys,
};

/// Checks every file by itself and all of them together. `hash` is the built connector's, when it
/// has been built. Problems come in the order of files and lines; none means that a release can
/// be made.
pub fn check(sources: &Sources, hash: Option<Sha256Hash>) -> Vec<Problem> {
    let mut findings = Findings::default();
    let manifest = findings.keep(sources.manifest());
    let actions: Vec<_> = sources
        .actions
        .iter()
        .filter_map(|source| Some((source, findings.keep(source.read())?)))
        .collect();
    if let Some(manifest) = &manifest {
        for (source, action) in &actions {
            against_connector(&mut findings, source, action, manifest, hash);
        }
    }
    for (source, action) in &actions {
        if action.name.as_str() != source.folder {
            let message = format!(
                "the action is called {:?} and its folder {:?}: releases are tagged by the folder",
                action.name.as_str(),
                source.folder
            );
            findings.invalid(&source.file, "name", message);
        }
    }
    twice(&mut findings, &actions);
    previews(&mut findings, &actions);
    if let Some(file) = &sources.suite {
        members(&mut findings, file, sources, manifest.as_ref());
    }
    if let Some(file) = &sources.key
        && let Err(error) = keys::parse(&file.bytes)
    {
        findings.push(file, 0, error.public().to_owned());
    }
    findings.0.sort_by(|a, b| (a.file(), a.line()).cmp(&(b.file(), b.line())));
    findings.0
}

#[derive(Default)]
struct Findings(Vec<Problem>);

impl Findings {
    fn keep<T>(&mut self, read: Result<T, Problem>) -> Option<T> {
        read.map_err(|problem| self.0.push(problem)).ok()
    }

    fn push(&mut self, file: &SourceFile, line: u32, message: impl Into<String>) {
        self.0.push(Problem::new(ProblemKind::Validation, message, file.path.as_str(), line));
    }

    /// On the first line that has `needle`.
    fn invalid(&mut self, file: &SourceFile, needle: &str, message: impl Into<String>) {
        self.push(file, file.line_of(needle), message);
    }
}

/// What an action says about its own repository must be what a release makes true.
fn against_connector(
    findings: &mut Findings,
    source: &ActionSource,
    action: &ActionFile,
    manifest: &Manifest,
    hash: Option<Sha256Hash>,
) {
    let own = &manifest.package;
    let published = ActionSource::published(&own.fqn, &action.name);
    if action.source.fqn.as_str() != published || action.source.version != own.version {
        let message = format!("source must be {published}@{}", own.version);
        findings.invalid(&source.file, "source", message);
    }
    same_version(findings, source, &action.version, &own.version);
    let Some(required) = action.requires.iter().find(|it| it.package.fqn == own.fqn) else {
        return;
    };
    if required.package.version != own.version {
        let message = format!(
            "requires {} at {}, and this repository releases {}",
            own.fqn, required.package.version, own.version
        );
        findings.invalid(&source.file, own.fqn.as_str(), message);
    }
    let unbound = super::sources::contains(&source.file.bytes, UNBOUND_HASH.as_bytes());
    let development = own.version.to_string() == DEV_VERSION;
    if development && !unbound {
        let message = format!(
            "the hash of this repository's own connector is known at the release only: write \
             {UNBOUND_HASH:?}"
        );
        findings.invalid(&source.file, "hash", message);
    }
    if let Some(hash) = hash.filter(|hash| !unbound && !development && required.hash != *hash) {
        let message = format!("pins {}, and the built connector is {hash}", required.hash);
        findings.invalid(&source.file, "hash", message);
    }
}

fn same_version(
    findings: &mut Findings,
    source: &ActionSource,
    version: &Version,
    connectors: &Version,
) {
    if version != connectors {
        let message = format!(
            "version is {version}, and the connector's {connectors}: one tag releases both"
        );
        findings.invalid(&source.file, "version", message);
    }
}

fn twice(findings: &mut Findings, actions: &[(&ActionSource, ActionFile)]) {
    let mut seen: BTreeMap<&ActionName, &str> = BTreeMap::new();
    for (source, action) in actions {
        if let Some(first) = seen.insert(&action.name, &source.file.path) {
            let message = format!("the action {:?} is also in {first}", action.name.as_str());
            findings.invalid(&source.file, "name", message);
        }
    }
}

/// The published rule of previews: an operation that some action runs as idempotent, and that no
/// action gates.
fn previews(findings: &mut Findings, actions: &[(&ActionSource, ActionFile)]) {
    for (source, action) in actions {
        let Some((connector, rule)) = action.preview() else { continue };
        let runs = |other: &ActionFile, idempotent: bool| {
            other.steps.iter().any(|step| {
                step.connector == *connector
                    && step.op == rule.op
                    && (!idempotent || step.idempotent == Some(true))
            })
        };
        if !actions.iter().any(|(_, other)| runs(other, true)) {
            let message = format!(
                "the preview's op {:?} must be run by some action with idempotent = true",
                rule.op
            );
            findings.invalid(&source.file, "[approval.preview]", message);
        } else if actions.iter().any(|(_, other)| other.gated() && runs(other, false)) {
            let message = format!(
                "the preview's op {:?} waits for approval in another action, so it cannot be \
                 asked before one",
                rule.op
            );
            findings.invalid(&source.file, "[approval.preview]", message);
        }
    }
}

fn members(
    findings: &mut Findings,
    file: &SourceFile,
    sources: &Sources,
    manifest: Option<&Manifest>,
) {
    let Some(read) = findings.keep(suite::parse(&file.bytes, &file.path)) else { return };
    let mut seen = Vec::new();
    for member in &read.members {
        let shown = match member {
            Member::Path(path) => path.clone(),
            Member::Package(package) => package.to_string(),
        };
        if seen.contains(&member) {
            findings.invalid(file, &shown, format!("{shown} is listed twice"));
        }
        seen.push(member);
        if let Member::Path(path) = member
            && !sources.actions.iter().any(|it| format!("actions/{}", it.folder) == *path)
        {
            findings.invalid(file, &shown, format!("there is no {path}/action.md"));
        }
        if let (Member::Package(package), Some(manifest)) = (member, manifest)
            && own_suite(&package.fqn, &manifest.package.fqn)
        {
            findings.invalid(file, &shown, format!("{shown} is no action of a repository"));
        }
    }
}

/// A suite that lists the repository itself instead of its actions.
fn own_suite(member: &Fqn, connector: &Fqn) -> bool {
    member == connector || member.as_str() == format!("{}/suite.toml", connector.authority())
}
