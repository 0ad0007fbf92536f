//! Commits: rows and the log first, then the files they stand for. A crash after the log was told
//! is finished at the next start; before it, nothing has happened.
//!
//! An installation's points, and what a crash after each comes to:
//!
//! 1. the files were tried out: nothing;
//! 2. the rows are written beside those that count: nothing, they are swept;
//! 3. the store's entries are written: nothing, they are swept;
//! 4. the log was told of the first row, the action's when there is one: all of it;
//! 5. the log was told of the other rows: all of it;
//! 6. the files are in their places: all of it;
//! 7. the rows are settled: all of it, and the lockfile is behind;
//! 8. the lockfile is written: all of it, and nothing is left to do.

use std::{
    io,
    path::{Path, PathBuf},
};

use aileron_contract::{
    Context, Error, Reason, Result,
    names::{ActionName, Sha256Hash},
};
use aileron_store::files;

use super::{
    blocking,
    install::events,
    lock::LockFile,
    pins::{Kind, Move, Pins, Row},
    records::{ActionRecord, ConnectorRecord},
};

mod group;

#[derive(Clone, Debug)]
pub(super) struct Journal {
    home: PathBuf,
    pins: Pins,
    lock: LockFile,
}

impl Journal {
    pub(super) fn new(home: PathBuf, pins: Pins, lock: LockFile) -> Self {
        Self { home, pins, lock }
    }

    /// Makes changes, in order, and puts their files in place. Each counts from its event on:
    /// when one fails, those before it happened and those after it did not.
    pub(super) async fn commit(&self, context: &Context, moves: Vec<Move>) -> Result<()> {
        self.prepare(&moves).await?;
        self.tell(context, &moves).await?;
        self.place_all(&moves).await
    }

    /// What can fail is tried before the log is told. Nothing counts yet.
    pub(super) async fn prepare(&self, moves: &[Move]) -> Result<()> {
        for row in moves.iter().map(|change| &change.row) {
            let Some((path, _, content)) = self.file_of(row)? else { continue };
            let target = path.clone();
            blocking(move || try_out(&target, &content)).await?.map_err(|cause| {
                let text = format!(
                    "{} could not be written: check the disk's space and the folder's owner; \
                     nothing was changed",
                    path.display()
                );
                Error::new(Reason::StoreUnwritable, text).caused_by(cause)
            })?;
        }
        let rows: Vec<Row> = moves.iter().map(|change| change.row.clone()).collect();
        self.pins.stage(&rows).await
    }

    /// Tells the log: from here on the changes count.
    pub(super) async fn tell(&self, context: &Context, moves: &[Move]) -> Result<()> {
        for change in moves {
            self.pins.name(context, change).await?;
        }
        Ok(())
    }

    /// Puts the files in their places, and lets go of what they replace.
    pub(super) async fn place_all(&self, moves: &[Move]) -> Result<()> {
        for change in moves {
            self.place(&change.row).await?;
        }
        self.follow().await;
        Ok(())
    }

    /// Brings to its end what the log was told of and a crash cut off.
    pub(super) async fn finish(&self) -> Result<()> {
        for kind in [Kind::Action, Kind::Connector, Kind::Keyring] {
            for row in self.pins.staged(kind).await? {
                tracing::info!(name = row.name, "finishing an installation that was interrupted");
                self.bring(&row).await?;
                self.place(&row).await?;
            }
        }
        self.follow().await;
        Ok(())
    }

    /// Has the lockfile written. What happened has happened: one that could not be is written
    /// with the next change, or at the next start.
    async fn follow(&self) {
        if let Err(error) = self.lock.follow().await {
            tracing::warn!(%error, "the lockfile is behind");
        }
    }

    /// Lets go of what was begun and never told to the log. Returns the connectors among it,
    /// whose entries go as well.
    pub(super) async fn sweep(&self) -> Result<Vec<Sha256Hash>> {
        let mut connectors = Vec::new();
        for kind in [Kind::Action, Kind::Connector, Kind::Keyring] {
            for row in self.pins.abandoned(kind).await? {
                tracing::info!(name = row.name, "an installation that was cut off is undone");
                if kind == Kind::Connector {
                    connectors.extend(row.name.parse::<Sha256Hash>().ok());
                }
                self.pins.forget(&row).await?;
            }
        }
        let home = self.home.clone();
        blocking(move || remove_leftovers(&home)).await?;
        Ok(connectors)
    }

    /// Tells the log of the connectors that an action brought with it, where a crash came between.
    async fn bring(&self, row: &Row) -> Result<()> {
        let record = (row.kind == Kind::Action).then(|| ActionRecord::of(row)).flatten();
        for (hash, digest) in record.map(|record| record.brings).unwrap_or_default() {
            let name = hash.to_string();
            let Some(row) = self.pins.unheard_of(Kind::Connector, &name, digest).await? else {
                continue;
            };
            let Some(record) = ConnectorRecord::of(&row) else { continue };
            let context = Context::service("executor");
            let event = events::connector(&context, &record, false);
            self.pins.name(&context, &Move { row, event, enabled: None }).await?;
        }
        Ok(())
    }

    async fn place(&self, row: &Row) -> Result<()> {
        if let Some((path, mode, content)) = self.file_of(row)? {
            let target = path.clone();
            blocking(move || write(&target, &content, mode)).await?.map_err(|cause| {
                let text = format!(
                    "{} could not be written, and is written at the next start: check the \
                     disk's space and the folder's owner, then restart the daemon",
                    path.display()
                );
                Error::new(Reason::StoreUnwritable, text).caused_by(cause)
            })?;
        }
        self.pins.settle(row).await
    }

    /// Where the row's file goes, its mode, and its content, when it is what the record says.
    fn file_of(&self, row: &Row) -> Result<Option<(PathBuf, u32, Vec<u8>)>> {
        // An empty one is a mark: something is left to do, and no file is to be written.
        let Some(content) = row.content().filter(|content| !content.is_empty()) else {
            return Ok(None);
        };
        let (path, mode, fits) = match row.kind {
            // The name is parsed again: a row is a row, and this one becomes a path.
            Kind::Action => {
                let hash = Sha256Hash::of(&[&content]);
                let fits = ActionRecord::of(row).is_some_and(|record| record.hash == hash);
                (action_path(&self.home, &row.name.parse()?), 0o644, fits)
            }
            Kind::Keyring => {
                let fits = content == row.record.as_bytes();
                (self.home.join("keyring.json"), 0o600, fits)
            }
            Kind::Connector => return Ok(None),
        };
        if !fits {
            tracing::warn!(name = row.name, "what was staged is not what its record says");
        }
        Ok(fits.then_some((path, mode, content)))
    }
}

/// Where an installed action's file is.
pub(super) fn action_path(home: &Path, name: &ActionName) -> PathBuf {
    home.join("actions").join(format!("{name}.md"))
}

fn write(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        files::create_private_dir(folder)?;
    }
    files::write_atomic(path, content, mode)
}

/// Removes files that a crash cut off while they were written. All of them are this room's.
fn remove_leftovers(home: &Path) {
    let cut_off = |name: &str| {
        let extension = Path::new(name).extension();
        extension.is_some_and(|extension| extension == "trial" || extension == "tmp")
    };
    for (folder, prefix) in [
        (home.join("actions"), "."),
        (home.join("store").join("index"), "."),
        (home.to_owned(), ".keyring.json."),
        (home.to_owned(), ".action-state.json."),
        (home.to_owned(), ".actions.lock."),
    ] {
        let Ok(entries) = std::fs::read_dir(folder) else { continue };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let ours = name.to_str().is_some_and(|name| name.starts_with(prefix) && cut_off(name));
            if ours && let Err(error) = std::fs::remove_file(entry.path()) {
                tracing::warn!(%error, "a file that was cut off could not be removed");
            }
        }
    }
}

/// Is there room for the file, and may it stand where it is to stand? Leaves nothing behind.
fn try_out(path: &Path, content: &[u8]) -> io::Result<()> {
    if path.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".trial");
    let trial = path.with_file_name(name);
    write(&trial, content, 0o600)?;
    std::fs::remove_file(trial)
}
