//! Commits: rows and the log first, then the files they stand for. A crash after the log was told
//! is finished at the next start; before it, nothing has happened.

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
    pins::{Kind, Move, Pins, Row},
    records::ActionRecord,
};

#[derive(Clone, Debug)]
pub(super) struct Journal {
    home: PathBuf,
    pins: Pins,
}

impl Journal {
    pub(super) fn new(home: PathBuf, pins: Pins) -> Self {
        Self { home, pins }
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
        Ok(())
    }

    /// Puts files in place that a crash kept from it.
    pub(super) async fn finish(&self) -> Result<()> {
        for kind in [Kind::Action, Kind::Keyring] {
            for row in self.pins.staged(kind).await? {
                tracing::info!(name = row.name, "finishing an installation that was interrupted");
                self.place(&row).await?;
            }
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
        let Some(content) = row.content() else { return Ok(None) };
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
