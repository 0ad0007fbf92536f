//! Actions that are not as a person accepted them: files that do not fit their records, and
//! records whose files are gone.

use std::{
    collections::HashSet,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use aileron_contract::{
    Error, Reason, Result,
    executor::LoadError,
    limits,
    names::{ActionName, Sha256Hash},
};
use aileron_store::files::read_own;

use super::{Catalog, Parsed, Shelf, files, is_as_accepted};
use crate::packages::{
    blocking, journal,
    pins::{Judged, Kind, Row},
    records::ActionRecord,
};

/// An action that is not as it was accepted.
#[derive(Debug)]
pub(in crate::packages) struct Changed {
    pub(in crate::packages) name: ActionName,
    pub(in crate::packages) path: PathBuf,
    /// What was accepted, when there is a record that can be believed.
    pub(in crate::packages) accepted: Option<Accepted>,
    /// There is a record, or there should be one, that cannot be believed.
    pub(in crate::packages) altered: bool,
    /// The file as it is; none when it is gone, or no action.
    pub(in crate::packages) parsed: Option<Arc<Parsed>>,
    /// Why what stands there is no action.
    pub(in crate::packages) problem: Option<LoadError>,
}

/// A record that can be believed, and its row.
#[derive(Debug)]
pub(in crate::packages) struct Accepted {
    pub(in crate::packages) row: Row,
    pub(in crate::packages) record: ActionRecord,
}

impl Changed {
    /// The file's bytes as they are now; none when there is no file.
    pub(in crate::packages) async fn bytes(&self) -> Result<Option<Vec<u8>>> {
        let path = self.path.clone();
        let most = u64::try_from(limits::ACTION_FILE).unwrap_or(u64::MAX);
        match blocking(move || read_own(&path, most)).await? {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            // A folder, a file that is too long, one of another user: something is there.
            Err(_) => Ok(Some(Vec::new())),
        }
    }

    /// Is the file, byte by byte, the one that was accepted?
    async fn is_whole(&self) -> Result<bool> {
        let Some(accepted) = &self.accepted else { return Ok(false) };
        let bytes = self.bytes().await?;
        Ok(bytes.is_some_and(|bytes| Sha256Hash::of(&[&bytes]) == accepted.record.hash))
    }
}

impl Catalog {
    /// All of them, sorted by name, or the one that is asked for. `vault_locked` while nobody can
    /// tell.
    pub(in crate::packages) async fn changed(
        &self,
        only: Option<&ActionName>,
    ) -> Result<Vec<Changed>> {
        let found = self.look().await?.0;
        let asked = |name: &ActionName| only.is_none_or(|only| only == name);
        let mut changed = Vec::new();
        let mut there = HashSet::new();
        for parsed in found.actions.iter().filter(|parsed| asked(&parsed.file.name)) {
            there.insert(&parsed.file.name);
            let judged = self.judged(&parsed.file.name).await?;
            let (accepted, altered) = standing(judged);
            if accepted.as_ref().is_some_and(|it| is_as_accepted(&it.record, parsed)) {
                continue;
            }
            self.report(parsed).await;
            changed.push(Changed {
                name: parsed.file.name.clone(),
                path: parsed.path.clone(),
                accepted,
                altered,
                parsed: Some(Arc::clone(parsed)),
                problem: None,
            });
        }
        for name in self.recorded(only).await? {
            if there.contains(&name) {
                continue;
            }
            let (Some(accepted), altered) = standing(self.judged(&name).await?) else { continue };
            let path = journal::action_path(&self.inner.parts.home, &name);
            let problem = problem(&found, &path);
            let accepted = Some(accepted);
            let gone = Changed { name, path, accepted, altered, parsed: None, problem };
            // Whole, and not offered for another file's sake.
            if !gone.is_whole().await? {
                changed.push(gone);
            }
        }
        changed.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(changed)
    }

    /// Every action file that could be read, and whether it is as it was accepted.
    pub(in crate::packages) async fn files(&self) -> Result<Files> {
        let found = self.look().await?.0;
        let mut read = Vec::with_capacity(found.actions.len());
        for parsed in &found.actions {
            let (pinned, _) = self.pinned(parsed).await?;
            read.push((Arc::clone(parsed), pinned == Some(true)));
        }
        Ok(Files { read, unreadable: found.errors.len() })
    }

    async fn judged(&self, name: &ActionName) -> Result<Judged> {
        let judged = self.inner.parts.pins.judge(Kind::Action, name.as_str()).await?;
        if judged.row.is_some() && judged.verdict.is_none() {
            let text = "the vault is locked, and only it can tell what was accepted: unlock it \
                        first (aileron vault unlock)";
            return Err(Error::new(Reason::VaultLocked, text));
        }
        Ok(judged)
    }

    async fn recorded(&self, only: Option<&ActionName>) -> Result<Vec<ActionName>> {
        if let Some(only) = only {
            return Ok(vec![only.clone()]);
        }
        let names = self.inner.parts.pins.names(Kind::Action).await?;
        // A row is a row: what is no name names no action.
        Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
    }
}

/// The action files as they are.
pub(in crate::packages) struct Files {
    /// Each with whether it is as it was accepted.
    pub(in crate::packages) read: Vec<(Arc<Parsed>, bool)>,
    pub(in crate::packages) unreadable: usize,
}

/// What was accepted, and whether there is something in its place that cannot be believed.
fn standing(judged: Judged) -> (Option<Accepted>, bool) {
    let Judged { row, verdict, named, enabled: _ } = judged;
    match (row, verdict) {
        (Some(row), Some(true)) => {
            let record = ActionRecord::of(&row);
            (record.map(|record| Accepted { row, record }), false)
        }
        (Some(_), _) => (None, true),
        (None, _) => (None, named),
    }
}

/// Why the file at `path` is not among the actions, when there is one.
fn problem(shelf: &Shelf, path: &Path) -> Option<LoadError> {
    let file = files::shown(path);
    shelf.errors.iter().find(|error| error.file == file).cloned()
}
