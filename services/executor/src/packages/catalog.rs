//! Installed actions: the files in `actions/`, their switches, and whether each file is the one
//! a person installed.

use std::{
    collections::{HashMap, HashSet},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aileron_contract::{
    Context, Error, Reason, Result, audit,
    executor::{Action, Actions, LoadError},
    failure::Class,
    limits,
    names::{ActionName, Sha256Hash},
};
use futures::future::join_all;

use super::{
    Parts, blocking,
    pins::{Kind, Row},
    records::ActionRecord,
};
use crate::formats::action::ActionFile;

mod changed;
mod files;
mod previews;
mod stamp;
mod state;
mod switch;

pub(super) use changed::Changed;
pub(super) use files::Parsed;
use files::Shelf;
use stamp::Stamp;
use state::Switches;

/// The installed actions. Cheap to clone. Files are looked at again at every call; those that
/// did not change are not read again.
#[derive(Clone)]
pub struct Catalog {
    inner: Arc<Inner>,
}

struct Inner {
    folder: PathBuf,
    switches: PathBuf,
    parts: Parts,
    looked: Mutex<Option<Looked>>,
    /// Files already reported to the log as not being what was installed.
    reported: Mutex<HashSet<Sha256Hash>>,
}

/// What was read last, and what stood in its places then.
#[derive(Clone)]
struct Looked {
    files: Arc<Shelf>,
    folder: Option<Stamp>,
    switches: Arc<Switches>,
    switched: Option<Stamp>,
}

/// The action files as they were at one moment.
pub(super) struct Glance {
    by_name: HashMap<ActionName, Arc<Parsed>>,
    switches: Arc<Switches>,
}

/// An action file of the store, as it was last read.
#[derive(Clone, Debug, PartialEq)]
pub struct Installed {
    pub file: Arc<ActionFile>,
    /// Of the file's bytes.
    pub hash: Sha256Hash,
    pub path: PathBuf,
    pub enabled: bool,
    /// Is this the file a person installed? None while the vault is locked and cannot tell.
    pub pinned: Option<bool>,
}

impl Installed {
    /// As agents and persons see it.
    pub fn shown(&self) -> Action {
        let file = ActionFile::clone(&self.file);
        Action {
            name: file.name,
            version: file.version,
            source: file.source,
            hash: self.hash,
            requires: file.requires,
            intent: file.intent,
            inputs: file.inputs,
            steps: file.steps,
            approval: file.approval,
            enabled: self.enabled,
            pinned: self.pinned,
            body: file.body,
            path: self.path.display().to_string(),
            lenient: file.lenient,
        }
    }

    /// Refuses a file that is not the one that was installed.
    pub fn require_pinned(&self) -> Result<()> {
        match self.pinned {
            Some(true) => Ok(()),
            Some(false) => Err(quarantined(&self.file.name, &self.path)),
            None => {
                let text = format!(
                    "the vault is locked, and only it can tell whether {} is the action you \
                     installed: unlock it first (aileron vault unlock)",
                    self.file.name
                );
                Err(Error::new(Reason::VaultLocked, text))
            }
        }
    }
}

impl Catalog {
    pub(super) fn new(parts: Parts) -> Self {
        let inner = Inner {
            folder: parts.home.join("actions"),
            switches: parts.home.join("action-state.json"),
            parts,
            looked: Mutex::default(),
            reported: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Installed actions in the order of their files, and the files that cannot be offered.
    pub async fn list(&self) -> Result<Actions> {
        let (files, switches) = self.look().await?;
        let mut load_errors = files.errors.clone();
        load_errors.extend(self.unreadable_switches(&switches));
        let mut items = Vec::with_capacity(files.actions.len());
        let mut accepted = Vec::with_capacity(files.actions.len());
        for some in files.actions.chunks(limits::RECORD_LOOKUPS) {
            let mut judging = Vec::with_capacity(some.len());
            for parsed in some {
                judging.push(self.judge(parsed, &switches));
            }
            for (judged, parsed) in join_all(judging).await.into_iter().zip(some) {
                let judged = judged?;
                accepted.extend((judged.pinned != Some(false)).then(|| Arc::clone(parsed)));
                items.push(judged.shown());
            }
        }
        let misuses = previews::check(&files.actions, &accepted);
        items.retain(|action| misuses.iter().all(|misuse| misuse.file != action.path));
        load_errors.extend(misuses);
        Ok(Actions { items, load_errors, warnings: files.warnings() })
    }

    /// One installed action.
    pub async fn get(&self, name: &ActionName) -> Result<Option<Arc<Installed>>> {
        if let Some((parsed, switches)) = self.unchanged(name) {
            return Ok(Some(Arc::new(self.judge(&parsed, &switches).await?)));
        }
        let (files, switches) = self.look().await?;
        match files.actions.iter().find(|parsed| parsed.file.name == *name) {
            Some(parsed) if self.is_misused(parsed, &files).await? => Ok(None),
            Some(parsed) => Ok(Some(Arc::new(self.judge(parsed, &switches).await?))),
            None => Ok(None),
        }
    }

    /// Would its preview do something itself?
    async fn is_misused(&self, parsed: &Arc<Parsed>, files: &Shelf) -> Result<bool> {
        if parsed.file.preview().is_none() {
            return Ok(false);
        }
        let mut accepted = Vec::with_capacity(files.actions.len());
        for other in &files.actions {
            let counts = self.pinned(other).await?.0 != Some(false);
            accepted.extend(counts.then(|| Arc::clone(other)));
        }
        Ok(!previews::check(std::slice::from_ref(parsed), &accepted).is_empty())
    }

    /// The files as they are now, to look for many of them.
    pub(super) async fn glance(&self) -> Result<Glance> {
        let (files, switches) = self.look().await?;
        let named = |parsed: &Arc<Parsed>| (parsed.file.name.clone(), Arc::clone(parsed));
        let by_name = files.actions.iter().map(named).collect();
        Ok(Glance { by_name, switches })
    }

    /// One action among those that were there at a glance.
    pub(super) async fn known(
        &self,
        glance: &Glance,
        name: &ActionName,
    ) -> Result<Option<Installed>> {
        match glance.by_name.get(name) {
            Some(parsed) => self.judge(parsed, &glance.switches).await.map(Some),
            None => Ok(None),
        }
    }

    /// Looks at the files now and returns how many actions there are.
    pub async fn reload(&self) -> Result<usize> {
        Ok(self.look().await?.0.actions.len())
    }

    /// An action whose file, and the files beside it that could say otherwise, are as they were
    /// read. Three looks at what the kernel has at hand are not worth another thread: this is
    /// every call's way. Not for an action with a preview: other actions have a say in that.
    fn unchanged(&self, name: &ActionName) -> Option<(Arc<Parsed>, Arc<Switches>)> {
        let Looked { files, folder, switches, switched } = self.looked().clone()?;
        let inner = &*self.inner;
        let parsed = files.unchanged(name).filter(|parsed| parsed.file.preview().is_none())?;
        let same = folder.is_some()
            && Stamp::at(&inner.folder) == folder
            && Stamp::at(&inner.switches) == switched
            && matches!(*switches, Switches::Known(_));
        same.then_some((parsed, switches))
    }

    async fn look(&self) -> Result<(Arc<Shelf>, Arc<Switches>)> {
        let before = self.looked().clone();
        let (folder, path) = (self.inner.folder.clone(), self.inner.switches.clone());
        let looked = blocking(move || {
            // The stamps first: what changes while it is read is read again.
            let (stamp, switched) = (Stamp::at(&folder), Stamp::at(&path));
            let files = files::look(&folder, &before.map(|it| it.files).unwrap_or_default())?;
            Ok(Looked { files, folder: stamp, switches: Arc::new(state::read(&path)), switched })
        });
        let looked = looked.await?.map_err(|cause: io::Error| {
            let text = format!("{} cannot be read", self.inner.folder.display());
            Error::new(Reason::StoreUnreadable, text).caused_by(cause)
        })?;
        let found = (Arc::clone(&looked.files), Arc::clone(&looked.switches));
        *self.looked() = Some(looked);
        Ok(found)
    }

    /// Adds to a file what other places know about it.
    async fn judge(&self, parsed: &Arc<Parsed>, switches: &Switches) -> Result<Installed> {
        let (pinned, enabled) = self.pinned(parsed).await?;
        if pinned == Some(false) {
            self.report(parsed).await;
        }
        Ok(Installed {
            file: Arc::clone(&parsed.file),
            hash: parsed.hash,
            path: parsed.path.clone(),
            enabled: enabled && switches.enabled(&parsed.file.name),
            pinned,
        })
    }

    /// Is this the file a person installed, and does the log know of no switching off?
    async fn pinned(&self, parsed: &Parsed) -> Result<(Option<bool>, bool)> {
        let pins = &self.inner.parts.pins;
        let judged = pins.judge(Kind::Action, parsed.file.name.as_str()).await?;
        let fits = |row: &Row| ActionRecord::of(row).is_some_and(|it| is_as_accepted(&it, parsed));
        let pinned =
            if judged.row.as_ref().is_some_and(fits) { judged.verdict } else { Some(false) };
        Ok((pinned, judged.enabled))
    }

    /// Tells the log once that a file is set aside. The refusal itself does not depend on it.
    async fn report(&self, parsed: &Parsed) {
        let fresh = {
            let mut reported = self.inner.reported.lock().unwrap_or_else(PoisonError::into_inner);
            if reported.len() >= limits::ACTIONS {
                reported.clear();
            }
            reported.insert(parsed.hash)
        };
        if !fresh {
            return;
        }
        let context = Context::service("executor");
        let event =
            audit::Event::new(audit::EventKind::ActionQuarantined, audit::Actor::of(&context))
                .with("aileron.action.name", parsed.file.name.as_str())
                .with("aileron.action.hash", parsed.hash.to_string())
                .with("aileron.action.path", parsed.path.display().to_string());
        if let Err(error) = self.inner.parts.audit.append(&context, event).await {
            tracing::warn!(%error, action = %parsed.file.name, "a quarantine was not recorded");
        }
    }

    fn unreadable_switches(&self, switches: &Switches) -> Option<LoadError> {
        let Switches::Unreadable(cause) = switches else { return None };
        Some(LoadError {
            class: Class::ParseError,
            message: format!(
                "the file cannot be read, so every action counts as disabled: {cause}. Repair or \
                 remove it"
            ),
            file: self.inner.switches.display().to_string(),
            line: 0,
        })
    }

    fn looked(&self) -> MutexGuard<'_, Option<Looked>> {
        // It is replaced whole: a panic elsewhere leaves nothing half done here.
        self.inner.looked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Catalog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Catalog").field("folder", &self.inner.folder).finish_non_exhaustive()
    }
}

/// The same bytes, shown to agents in the same way.
fn is_as_accepted(record: &ActionRecord, parsed: &Parsed) -> bool {
    let shown = record.tool.is_none() || record.tool == parsed.tool;
    record.hash == parsed.hash && shown
}

/// The refusal to run a file nobody installed.
pub fn quarantined(name: &ActionName, path: &Path) -> Error {
    let text = format!(
        "{} is not the file that was installed as {name}: it was edited or put there by hand, and \
         will not run. Look at the difference and accept it as it is (a person, with `aileron \
         action accept {name}`), or install the published one again (`aileron action add --force`)",
        path.display()
    );
    Error::new(Reason::Quarantined, text)
}
