//! `actions.lock`: what is installed, written for others to read. Nothing here goes by it: it
//! follows from the records, which the vault pins and the log names, so a lock that says anything
//! else was written by somebody else, or is an older one put back.
//!
//! It is written at the end of every change, once files are in their places. A change leaves a
//! note with its rows that the lock will be behind, and the note goes when it has been written:
//! what a crash cut off is told from what somebody edited by that note.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use aileron_contract::{
    Context, Error, Reason, Result, Timestamp, audit, limits,
    names::{ActionName, Sha256Hash},
};
use aileron_store::files;

use super::{
    blocking,
    pins::{Kind, Pins},
    records::{ActionRecord, ConnectorRecord, ToolRecord},
};
use crate::formats::lock::{self, Lock, LockedAction, LockedTool};

/// Its name in the state folder.
pub(super) const NAME: &str = "actions.lock";

/// The lock's file. Cheap to clone.
#[derive(Clone)]
pub(super) struct LockFile {
    path: PathBuf,
    pins: Pins,
    audit: audit::Handle,
    clock: fn() -> Timestamp,
    /// The file that was last reported to the log as somebody else's.
    reported: Arc<Mutex<Option<Sha256Hash>>>,
    /// The text that was last written here: what still says the same needs no reading.
    written: Arc<Mutex<Option<Sha256Hash>>>,
}

/// What stands where the lock should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Nothing,
    Text(Vec<u8>),
    /// Not a file, too long, or not ours to read.
    Unreadable(String),
}

/// The lock's file beside what it should say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) wanted: Lock,
    pub(super) found: Found,
}

impl Seen {
    pub(super) fn is_intact(&self) -> bool {
        match &self.found {
            Found::Nothing => self.wanted.is_empty(),
            Found::Text(text) => *text == self.wanted.text().as_bytes(),
            Found::Unreadable(_) => false,
        }
    }

    /// Names what is there now.
    pub(super) fn digest(&self) -> Sha256Hash {
        let (kind, text): (&[u8], &[u8]) = match &self.found {
            Found::Nothing => (b"nothing", b""),
            Found::Text(text) => (b"text", text),
            Found::Unreadable(_) => (b"unreadable", b""),
        };
        Sha256Hash::of(&[kind, b"\0", text])
    }
}

impl LockFile {
    pub(super) fn new(
        home: &Path,
        pins: Pins,
        audit: audit::Handle,
        clock: fn() -> Timestamp,
    ) -> Self {
        Self {
            path: home.join(NAME),
            pins,
            audit,
            clock,
            reported: Arc::default(),
            written: Arc::default(),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The file as it is; none while the vault is locked and nobody can tell what it should say.
    pub(super) async fn look(&self) -> Result<Option<Seen>> {
        let Some(wanted) = self.wanted().await? else { return Ok(None) };
        Ok(Some(Seen { wanted, found: self.read().await? }))
    }

    /// Writes the lock when changes left it behind. What somebody else wrote is kept beside it.
    /// While the vault is locked it stays behind.
    pub(super) async fn follow(&self) -> Result<()> {
        let changed = self.pins.untold_to_lockfile().await?;
        if changed.is_empty() {
            return Ok(());
        }
        let Some(seen) = self.look().await? else { return Ok(()) };
        if !seen.is_intact() {
            self.replace(&seen, &changed).await?;
        }
        self.pins.told_to_lockfile().await
    }

    /// Writes what the lock should say, and keeps what stands there beside it.
    pub(super) async fn renew(&self, seen: &Seen) -> Result<()> {
        self.replace(seen, &[]).await
    }

    /// Tells the log once that the file is somebody else's.
    pub(super) async fn report(&self, seen: &Seen) {
        let digest = seen.digest();
        {
            let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
            if reported.replace(digest) == Some(digest) {
                return;
            }
        }
        let context = Context::service("executor");
        let event =
            audit::Event::new(audit::EventKind::LockQuarantined, audit::Actor::of(&context))
                .with("aileron.lock.path", self.path.display().to_string())
                .with("aileron.lock.digest", digest.to_string());
        if let Err(error) = self.audit.append(&context, event).await {
            tracing::warn!(%error, "an edited lockfile was not recorded");
        }
    }

    async fn replace(&self, seen: &Seen, changed: &[(Kind, String)]) -> Result<()> {
        let ours = match &seen.found {
            Found::Nothing => true,
            Found::Text(text) if self.wrote(text) => true,
            Found::Text(text) => is_behind(text, &seen.wanted, changed),
            Found::Unreadable(_) => false,
        };
        let (path, text) = (self.path.clone(), seen.wanted.text());
        let digest = Sha256Hash::of(&[text.as_bytes()]);
        let stamp = (self.clock)().strftime("%Y%m%dT%H%M%SZ");
        let aside = path.with_file_name(format!("{NAME}.unverified-{stamp}"));
        let written = blocking(move || {
            if !ours {
                keep(&path, &aside)?;
            }
            files::write_atomic(&path, text.as_bytes(), 0o644)
        });
        written.await?.map_err(|cause| {
            let text = format!(
                "{} could not be written: check the disk's space and the folder's owner",
                self.path.display()
            );
            Error::new(Reason::StoreUnwritable, text).caused_by(cause)
        })?;
        *self.written.lock().unwrap_or_else(PoisonError::into_inner) = Some(digest);
        Ok(())
    }

    /// Is this the very text that was last written here?
    fn wrote(&self, text: &[u8]) -> bool {
        let written = *self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written == Some(Sha256Hash::of(&[text]))
    }

    /// What the records say; none while the vault is locked.
    async fn wanted(&self) -> Result<Option<Lock>> {
        let mut lock = Lock::default();
        for name in self.pins.names(Kind::Action).await? {
            let judged = self.pins.judge(Kind::Action, &name).await?;
            let Some(row) = judged.row else { continue };
            match judged.verdict {
                None => return Ok(None),
                Some(false) => {}
                Some(true) => lock.actions.extend(ActionRecord::of(&row).map(entry)),
            }
        }
        for name in self.pins.names(Kind::Connector).await? {
            let judged = self.pins.judge(Kind::Connector, &name).await?;
            let Some(row) = judged.row else { continue };
            match judged.verdict {
                None => return Ok(None),
                Some(false) => {}
                Some(true) => {
                    let record = ConnectorRecord::of(&row);
                    lock.connectors.extend(record.map(|it| (it.package, it.hash)));
                }
            }
        }
        Ok(Some(lock))
    }

    async fn read(&self) -> Result<Found> {
        let path = self.path.clone();
        let read = blocking(move || files::read_own(&path, limits::LOCK_FILE)).await?;
        Ok(match read {
            Ok(text) => Found::Text(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Found::Nothing,
            Err(error) => Found::Unreadable(error.to_string()),
        })
    }
}

impl std::fmt::Debug for LockFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LockFile").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Gives what stands at `path` another name as well, so that there is never nothing at `path`; a
/// folder has to make way.
fn keep(path: &Path, aside: &Path) -> io::Result<()> {
    match std::fs::remove_file(aside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    if std::fs::symlink_metadata(path)?.is_dir() {
        return std::fs::rename(path, aside);
    }
    std::fs::hard_link(path, aside)
}

fn entry(record: ActionRecord) -> (ActionName, LockedAction) {
    let ActionRecord { name, hash, source, tool, .. } = record;
    let version = tool.as_ref().map_or_else(|| source.version.clone(), |it| it.version.clone());
    let tool = tool.map(|ToolRecord { version: _, description, input_schema }| LockedTool {
        description,
        input_schema,
    });
    (name, LockedAction { source, version, hash, tool })
}

/// Is this text a lock as the runtime writes them, which differs from `wanted` in nothing but
/// the entries that changed?
fn is_behind(text: &[u8], wanted: &Lock, changed: &[(Kind, String)]) -> bool {
    let Ok(found) = lock::parse(text, NAME) else { return false };
    if found.text().as_bytes() != text {
        return false;
    }
    let is_due = |kind, name: String| changed.contains(&(kind, name));
    let names = found.actions.keys().chain(wanted.actions.keys());
    let mut actions = names.filter(|name| found.actions.get(*name) != wanted.actions.get(*name));
    let mut connectors = found.connectors.symmetric_difference(&wanted.connectors);
    actions.all(|name| is_due(Kind::Action, name.to_string()))
        && connectors.all(|(_, hash)| is_due(Kind::Connector, hash.to_string()))
}
