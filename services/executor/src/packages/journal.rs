//! Commits: rows first, all at once, then the files they stand for. A crash between the two is
//! finished at the next start; before the rows, nothing has happened.

use std::{
    io,
    path::{Path, PathBuf},
};

use aileron_contract::{Error, Reason, Result, names::ActionName};
use aileron_store::files;

use super::{
    blocking,
    pins::{Kind, Pins, Row},
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

    /// Commits rows and puts their files in place; when a file cannot be written, the rows are
    /// as they were before.
    pub(super) async fn commit(&self, rows: Vec<Row>) -> Result<()> {
        let mut before = Vec::new();
        for row in &rows {
            before.extend(self.pins.get(row.kind, &row.name).await?);
        }
        self.record(&rows).await?;
        for row in &rows {
            if let Err(error) = self.place(row).await {
                self.pins.revert(&rows, &before).await?;
                return Err(error);
            }
        }
        Ok(())
    }

    /// The commit itself. What follows is repeated at the next start when it does not get done.
    pub(super) async fn record(&self, rows: &[Row]) -> Result<()> {
        self.pins.commit(rows).await
    }

    /// Puts files in place that a crash kept from it.
    pub(super) async fn finish(&self) -> Result<()> {
        for kind in [Kind::Action, Kind::Keyring] {
            for row in self.pins.all(kind).await?.iter().filter(|row| row.staged.is_some()) {
                tracing::info!(name = row.name, "finishing an installation that was interrupted");
                self.place(row).await?;
            }
        }
        Ok(())
    }

    async fn place(&self, row: &Row) -> Result<()> {
        let Some(content) = row.content() else { return Ok(()) };
        let (path, mode) = match row.kind {
            // The name is parsed again: a row is a row, and this one becomes a path.
            Kind::Action => (action_path(&self.home, &row.name.parse()?), 0o644),
            Kind::Keyring => (self.home.join("keyring.json"), 0o600),
            Kind::Connector => return Ok(()),
        };
        let target = path.clone();
        blocking(move || write(&target, &content, mode)).await?.map_err(|cause| {
            let text = format!(
                "{} could not be written: check the disk's space and the folder's owner; nothing \
                 was changed",
                path.display()
            );
            Error::new(Reason::StoreUnwritable, text).caused_by(cause)
        })?;
        self.pins.settle(row).await
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
