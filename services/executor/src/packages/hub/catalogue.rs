//! A copy of the Hub, read: entries sorted by name, and what is wrong with the others.

use aileron_contract::{
    limits,
    names::Fqn,
    publishers::{HubEntry, HubKind, HubProblem},
};

use super::{
    conflicts,
    copy::{File, Stored},
};
use crate::{formats::hub, packages::sources::Sources};

/// What a copy says.
#[derive(Clone)]
pub(in crate::packages) struct Catalogue {
    pub(super) copy: Stored,
    /// Sorted by name.
    entries: Vec<HubEntry>,
    pub(super) problems: Vec<HubProblem>,
}

impl Catalogue {
    /// Reads every file. One that cannot be read is told and hides no other.
    pub(super) fn of(copy: Stored, sources: &Sources) -> Self {
        let (mut entries, mut problems) = (Vec::new(), Vec::new());
        for file in &copy.files {
            match entry(file) {
                Ok(entry) => entries.push(entry),
                Err(problem) => problems.push(problem),
            }
        }
        let more = problems.len().saturating_sub(limits::HUB_PROBLEMS);
        problems.truncate(limits::HUB_PROBLEMS);
        if more > 0 {
            let message = format!("and {more} further files that cannot be read");
            problems.push(HubProblem { file: String::new(), line: 0, message });
        }
        entries.sort_by(|a, b| a.fqn.cmp(&b.fqn));
        conflicts::mark(&mut entries, sources);
        Self { copy, entries, problems }
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &HubEntry> {
        self.entries.iter()
    }

    /// The entry of that name. Of several the first: all of them are marked.
    pub(super) fn find(&self, fqn: &Fqn, kind: Option<HubKind>) -> Option<&HubEntry> {
        self.entries().find(|it| it.fqn == *fqn && kind.is_none_or(|kind| kind == it.kind()))
    }

    /// Entries whose name or description holds `text`, in any case of letters.
    pub(super) fn search(&self, kind: Option<HubKind>, text: &str) -> Vec<HubEntry> {
        let wanted = text.to_lowercase();
        let holds = |text: &str| text.to_lowercase().contains(&wanted);
        let fits = |entry: &&HubEntry| {
            kind.is_none_or(|kind| kind == entry.kind())
                && (holds(entry.fqn.as_str()) || holds(&entry.description))
        };
        self.entries().filter(fits).cloned().collect()
    }
}

fn entry(file: &File) -> Result<HubEntry, HubProblem> {
    let problem = |line, message: &str| HubProblem {
        file: file.path.clone(),
        line,
        message: format!("{message}; whoever keeps the Hub has to correct it"),
    };
    let Some(text) = &file.text else {
        return Err(problem(0, file.refused.as_deref().unwrap_or("it is empty")));
    };
    let kind = match file.path.split_once('/') {
        Some(("actions", _)) => HubKind::Action,
        Some(("connectors", _)) => HubKind::Connector,
        Some(("suites", _)) => HubKind::Suite,
        _ => return Err(problem(0, "it lies in no folder of entries")),
    };
    hub::parse(kind, text.as_bytes(), &file.path)
        .map_err(|refused| problem(refused.line(), refused.message()))
}
