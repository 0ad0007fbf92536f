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
//!
//! Many changes go this way together: one write to the database before the log is told and one
//! after, and the log's answers awaited side by side. Each happens or not, whatever becomes of the
//! others.

use std::{
    path::{Path, PathBuf},
    slice,
};

use aileron_contract::{
    Context, Error, Reason, Result,
    names::{ActionName, Sha256Hash},
};
use futures::future::join_all;

use super::{
    blocking,
    install::events,
    lock::LockFile,
    pins::{Kind, Move, Pins, Row},
    records::{ActionRecord, ConnectorRecord},
};

mod files;

use files::Placed;

#[derive(Clone, Debug)]
pub(super) struct Journal {
    home: PathBuf,
    pins: Pins,
    lock: LockFile,
}

/// What happens whole or not at all, and what became of it so far. Its moves are told to the log
/// in their order, and the first one speaks for the others.
#[derive(Debug)]
pub(super) struct Change {
    moves: Vec<Move>,
    /// Files to be put in their places, once they were tried out.
    files: Vec<Placed>,
    outcome: Result<()>,
}

impl Change {
    pub(super) fn new(moves: Vec<Move>) -> Self {
        Self { moves, files: Vec::new(), outcome: Ok(()) }
    }

    /// What became of it so far.
    pub(super) fn outcome(&self) -> Result<()> {
        self.outcome.clone()
    }

    /// It goes no further; what failed first is what is told.
    pub(super) fn fail(&mut self, error: Error) {
        if self.outcome.is_ok() {
            self.outcome = Err(error);
        }
    }

    fn rows(&self) -> impl Iterator<Item = Row> {
        self.moves.iter().map(|change| change.row.clone())
    }
}

impl Journal {
    pub(super) fn new(home: PathBuf, pins: Pins, lock: LockFile) -> Self {
        Self { home, pins, lock }
    }

    /// Makes one change: moves, in order, and their files in place.
    pub(super) async fn commit(&self, context: &Context, moves: Vec<Move>) -> Result<()> {
        let mut change = Change::new(moves);
        let one = slice::from_mut(&mut change);
        self.prepare(one).await;
        self.tell(context, one).await;
        self.place(one).await;
        change.outcome
    }

    /// What can fail is tried before the log is told. Nothing counts yet.
    pub(super) async fn prepare(&self, changes: &mut [Change]) {
        for change in &mut *changes {
            match self.files_of(&change.moves) {
                Ok(files) => change.files = files,
                Err(error) => change.fail(error),
            }
        }
        let files = changes.iter().map(|change| change.files.clone()).collect();
        match blocking(move || files::try_out(files)).await {
            Ok(tried) => {
                for (change, tried) in changes.iter_mut().zip(tried) {
                    tried.unwrap_or_else(|error| change.fail(error));
                }
            }
            Err(error) => fail_all(changes, &error),
        }
        let rows: Vec<Row> = going_on(changes).flat_map(Change::rows).collect();
        if let Err(error) = self.pins.stage(&rows).await {
            fail_all(changes, &error);
        }
    }

    /// Tells the log: from here on the changes count.
    pub(super) async fn tell(&self, context: &Context, changes: &mut [Change]) {
        let telling: Vec<_> = changes.iter().map(|change| self.tell_of(context, change)).collect();
        let told = join_all(telling).await;
        for (change, told) in changes.iter_mut().zip(told) {
            told.unwrap_or_else(|error| change.fail(error));
        }
    }

    async fn tell_of(&self, context: &Context, change: &Change) -> Result<()> {
        change.outcome()?;
        for change in &change.moves {
            self.pins.name(context, change).await?;
        }
        Ok(())
    }

    /// Puts the files in their places, and lets go of what they replace.
    pub(super) async fn place(&self, changes: &mut [Change]) {
        // A folder may have come since the files were tried out, and stops nothing else.
        let files: Vec<_> = changes.iter().map(|change| change.files.clone()).collect();
        match blocking(move || files::in_the_way(&files)).await {
            Ok(found) => {
                for (change, folder) in changes.iter_mut().zip(found) {
                    if let Some(path) = folder {
                        change.fail(unplaced(&path));
                    }
                }
            }
            Err(error) => fail_all(changes, &error),
        }
        let rows: Vec<Row> = going_on(changes).flat_map(Change::rows).collect();
        let files = going_on(changes).flat_map(|change| change.files.clone()).collect();
        if let Err(error) = self.put(&rows, files).await {
            fail_all(changes, &error);
        }
        self.follow().await;
    }

    /// Brings to its end what the log was told of and a crash cut off. What cannot be finished
    /// does not keep the rest from it.
    pub(super) async fn finish(&self) -> Result<()> {
        let mut finished = Ok(());
        for kind in [Kind::Action, Kind::Connector, Kind::Keyring] {
            for row in self.pins.staged(kind).await? {
                tracing::info!(name = row.name, "finishing an installation that was interrupted");
                if let Err(error) = self.finish_one(row).await {
                    tracing::warn!(%error, "an interrupted installation is not finished");
                    finished = finished.and(Err(error));
                }
            }
        }
        self.follow().await;
        finished
    }

    /// An action whose place a folder has taken waits for a start that finds it free: until then it
    /// is shown as drift, does not run, and keeps nothing else from running.
    async fn finish_one(&self, row: Row) -> Result<()> {
        self.bring(&row).await?;
        let files: Vec<_> = self.file_of(&row)?.into_iter().collect();
        if row.kind == Kind::Action {
            let change = vec![files.clone()];
            let found = blocking(move || files::in_the_way(&change)).await?;
            if let Some(path) = found.into_iter().flatten().next() {
                tracing::warn!(
                    name = row.name,
                    "an installed action is not in its place: {} is a folder. Move it away and \
                     restart",
                    path.display()
                );
                return Ok(());
            }
        }
        self.put(&[row], files).await
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
        blocking(move || files::remove_leftovers(&home)).await?;
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

    async fn put(&self, rows: &[Row], files: Vec<Placed>) -> Result<()> {
        let only = match files.as_slice() {
            [only] => only.path.clone(),
            _ => self.home.clone(),
        };
        let written = blocking(move || files::write_together(&files)).await?;
        written.map_err(|cause| unplaced(&only).caused_by(cause))?;
        self.pins.settle(rows).await
    }

    fn files_of(&self, moves: &[Move]) -> Result<Vec<Placed>> {
        moves.iter().filter_map(|change| self.file_of(&change.row).transpose()).collect()
    }

    /// The row's file, when its content is what the record says.
    fn file_of(&self, row: &Row) -> Result<Option<Placed>> {
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
        Ok(fits.then(|| Placed { path, mode, content: content.into() }))
    }
}

/// Where an installed action's file is.
pub(super) fn action_path(home: &Path, name: &ActionName) -> PathBuf {
    home.join("actions").join(format!("{name}.md"))
}

fn going_on(changes: &[Change]) -> impl Iterator<Item = &Change> {
    changes.iter().filter(|change| change.outcome.is_ok())
}

fn fail_all(changes: &mut [Change], error: &Error) {
    for change in changes {
        change.fail(error.clone());
    }
}

fn unplaced(path: &Path) -> Error {
    let text = format!(
        "{} could not be written, and is written at the next start: check the disk's space, the \
         folder's owner and that no folder has the file's name, then restart the daemon",
        path.display()
    );
    Error::new(Reason::StoreUnwritable, text)
}
