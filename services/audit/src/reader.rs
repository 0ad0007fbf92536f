//! Reads lines of the log by id and by place, and believes only those that are what they were
//! when they were verified or written.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
};

use aileron_contract::{Error, Reason, Result, audit::Record, names::AuditId};
use aileron_receipt::{Hash, merkle::leaf_hash};

use crate::{
    event, files,
    files::Place,
    roll::{PAGE, Roll},
};

/// The lines and what is known of them.
#[derive(Debug)]
pub(crate) struct Reader {
    folder: PathBuf,
    roll: RwLock<Roll>,
}

/// An event and its line.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) record: Record,
    pub(crate) leaf: Vec<u8>,
}

/// A line that has become durable.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written<'a> {
    pub(crate) id: &'a AuditId,
    pub(crate) hash: Hash,
    /// Without its line feed.
    pub(crate) length: u64,
}

impl Reader {
    pub(crate) fn new(folder: PathBuf, roll: Roll) -> Self {
        Self { folder, roll: RwLock::new(roll) }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// How many lines there are.
    pub(crate) fn size(&self) -> u64 {
        self.roll().size()
    }

    /// Adds lines that follow each other from a place on.
    pub(crate) fn extend(&self, place: &Place, lines: &[Written<'_>]) {
        // Lines are added whole: a panic elsewhere leaves nothing half done here.
        let mut roll = self.roll.write().unwrap_or_else(PoisonError::into_inner);
        let mut offset = place.offset;
        for Written { id, hash, length } in lines {
            roll.push(Some(id.as_str().as_bytes()), *hash, &place.file, offset);
            offset += length + 1;
        }
    }

    /// May a line from `from` on have this id? False only when none has.
    pub(crate) fn may_hold(&self, id: &AuditId, from: u64) -> bool {
        self.roll().candidates(id.as_str().as_bytes()).last().is_some_and(|last| *last >= from)
    }

    /// The events with this id, oldest first. `audit_damaged` when a line that may be one is not
    /// what it was.
    pub(crate) async fn find(self: &Arc<Self>, id: &AuditId) -> Result<Vec<Found>> {
        let candidates = self.roll().candidates(id.as_str().as_bytes());
        if candidates.is_empty() {
            return Ok(Vec::new());
        }
        let (reader, id) = (Arc::clone(self), id.clone());
        let read = move || {
            let mut found = Vec::new();
            for index in candidates {
                let leaf = reader.leaf(index)?;
                let record = event::read(index, &leaf).filter(|record| record.id == id);
                found.extend(record.map(|record| Found { record, leaf }));
            }
            Ok(found)
        };
        tokio::task::spawn_blocking(read).await.map_err(Error::internal)?
    }

    /// The records among at most `count` lines from `from` on, and where the next line is.
    pub(crate) async fn from(
        self: &Arc<Self>,
        from: u64,
        count: u64,
    ) -> Result<(Vec<Record>, u64)> {
        let reader = Arc::clone(self);
        let read = move || {
            let until = reader.size().min(from.saturating_add(count));
            let mut records = Vec::new();
            reader.walk(from, until, |index, leaf| records.extend(event::read(index, leaf)))?;
            Ok((records, until.max(from)))
        };
        tokio::task::spawn_blocking(read).await.map_err(Error::internal)?
    }

    /// Is `line` the line at `index`?
    pub(crate) fn vouches(&self, index: u64, line: &[u8]) -> bool {
        self.roll().vouches(index, leaf_hash(line))
    }

    /// The leaf at `index`. Blocks.
    pub(crate) fn leaf(&self, index: u64) -> Result<Vec<u8>> {
        let mut found = Vec::new();
        self.walk(index, index.saturating_add(1), |_, leaf| leaf.clone_into(&mut found))?;
        Ok(found)
    }

    /// Shows the leaves of `from..until`, each checked.
    fn walk(&self, from: u64, until: u64, mut show: impl FnMut(u64, &[u8])) -> Result<()> {
        if from >= until {
            return Ok(());
        }
        let mut place = self.roll().place(from).ok_or_else(|| self.changed(from))?;
        let mut index = from - from % PAGE;
        while index < until {
            let mut lines = files::lines_from(&self.folder, &place.file, place.offset)
                .map_err(|cause| self.changed(index).caused_by(cause))?;
            while index < until
                && let Some(line) =
                    lines.next_line().map_err(|cause| self.changed(index).caused_by(cause))?
            {
                if index >= from {
                    if !self.vouches(index, line.leaf) {
                        return Err(self.changed(index));
                    }
                    show(index, line.leaf);
                }
                index += 1;
            }
            if index < until {
                let next = files::next(&self.folder, &place.file);
                place = self.at(next, index)?;
            }
        }
        Ok(())
    }

    fn at(&self, file: io::Result<String>, index: u64) -> Result<Place> {
        let file = file.map_err(|cause| self.changed(index).caused_by(cause))?;
        Ok(Place { file, offset: 0 })
    }

    fn changed(&self, index: u64) -> Error {
        Error::new(
            Reason::AuditDamaged,
            format!(
                "line {index} of the log in {} is not what it was when it was written: run \
                 `aileron audit verify`",
                self.folder.display()
            ),
        )
    }

    fn roll(&self) -> RwLockReadGuard<'_, Roll> {
        self.roll.read().unwrap_or_else(PoisonError::into_inner)
    }
}
