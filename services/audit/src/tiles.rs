//! Tiles on disk, and the thread that publishes them.
//!
//! Tiles and the file `checkpoint` are derived from the lines and from what the journal holds, so
//! an append does not wait for them: full tiles are written as they fill, the others and the
//! checkpoint a few milliseconds later, for the newest tree only. `checkpoint` follows its tiles,
//! so that a reader of the folder finds everything a checkpoint promises.

use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, File},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use aileron_receipt::{
    Hash,
    merkle::{FullTile, Tree},
    tile::{self, Bundle, Kind},
};
use tokio::sync::watch;

use crate::writer::Batch;

/// The published checkpoint's file.
pub(crate) const CHECKPOINT_FILE: &str = "checkpoint";

/// A busy log publishes that often.
const PERIOD: Duration = Duration::from_millis(20);

/// The longest sleep between looks: a fraction of what the queue of batches can take meanwhile.
const NAP: Duration = Duration::from_millis(5);

/// How long until writing is tried again on a disk that refused.
const RETRY: Duration = Duration::from_millis(500);

/// Where a tree's tiles stand while it grows.
#[derive(Debug, Default)]
pub(crate) struct Edge {
    pub(crate) tree: Tree,
    pub(crate) bundle: Bundle,
}

impl Edge {
    /// Adds a leaf; returns the paths and contents of the tiles that are full now.
    pub(crate) fn push(&mut self, leaf: &[u8], hash: Hash) -> io::Result<Vec<(String, Vec<u8>)>> {
        let index = self.tree.size() / 256;
        let mut full = Vec::new();
        if let Some(bundle) = self.bundle.push(leaf).map_err(io::Error::other)? {
            full.push((tile::path(Kind::Entries, index, None), bundle));
        }
        for FullTile { level, index, hashes } in self.tree.push(hash) {
            let path = tile::path(Kind::Hashes { level }, index, None);
            full.push((path, tile::hashes(&hashes)));
        }
        Ok(full)
    }

    /// The tiles that are not full.
    fn partial(&self) -> Vec<(String, Vec<u8>)> {
        let (tree, bundle) = (&self.tree, &self.bundle);
        let mut partial = Vec::new();
        if bundle.count() > 0 {
            let path = tile::path(Kind::Entries, tree.size() / 256, Some(bundle.count()));
            partial.push((path, bundle.bytes().to_vec()));
        }
        for level in 0..tree.levels() {
            let edge = tree.edge(level);
            if !edge.is_empty() {
                let index = edge_index(tree.size(), level);
                let path = tile::path(Kind::Hashes { level }, index, Some(edge.len()));
                partial.push((path, tile::hashes(edge)));
            }
        }
        partial
    }
}

/// The index of the tile of `level` that a tree of `size` leaves has not filled.
pub(crate) fn edge_index(size: u64, level: u8) -> u64 {
    size.checked_shr(8 * (u32::from(level) + 1)).unwrap_or(0)
}

/// Publishes batches until their channel closes, and then once more, durably.
pub(crate) struct Publisher {
    folder: PathBuf,
    edge: Edge,
    note: Arc<str>,
    /// Full tiles not written yet: more than a few only while the disk refuses.
    full: BTreeMap<String, Vec<u8>>,
    published: watch::Sender<u64>,
}

impl Publisher {
    /// `edge` and `note` are those of the log as recovered.
    pub(crate) fn new(folder: PathBuf, edge: Edge, note: Arc<str>) -> Self {
        let published = watch::Sender::new(0);
        Self { folder, edge, note, full: BTreeMap::new(), published }
    }

    /// Tells up to which size the folder shows everything.
    pub(crate) fn published(&self) -> watch::Receiver<u64> {
        self.published.subscribe()
    }

    pub(crate) fn run(mut self, batches: &mpsc::Receiver<Arc<Batch>>) {
        self.remove_all_partial();
        // When to publish next, if there is something to publish; and when at the earliest.
        let mut due = Some(Instant::now());
        let mut earliest = Instant::now();
        loop {
            let received = match due.map(|due| due.saturating_duration_since(Instant::now())) {
                None => batches.recv().map_err(|_| mpsc::TryRecvError::Disconnected),
                Some(Duration::ZERO) => {
                    due = self.publish_or_retry();
                    earliest = Instant::now() + PERIOD;
                    continue;
                }
                // Asleep, and not at the channel: waking it for each batch would cost the writer
                // and its callers more than what there is to do.
                Some(left) => {
                    thread::sleep(left.min(NAP));
                    batches.try_recv()
                }
            };
            let mut next = received;
            while let Ok(batch) = next {
                self.absorb(&batch);
                due = due.or(Some(earliest));
                next = batches.try_recv();
            }
            if matches!(next, Err(mpsc::TryRecvError::Disconnected)) {
                break;
            }
        }
        let durable = self.publish().and_then(|()| {
            let path = self.folder.join(CHECKPOINT_FILE);
            aileron_store::files::write_atomic(&path, self.note.as_bytes(), 0o600)
        });
        if let Err(cause) = durable {
            tracing::warn!(
                error = %cause,
                "the log's tiles could not be written at shutdown; the next start writes them"
            );
        }
    }

    /// When to try again, if it has to be tried again.
    fn publish_or_retry(&mut self) -> Option<Instant> {
        let cause = self.publish().err()?;
        tracing::warn!(error = %cause, "the log's tiles cannot be written; trying again");
        Some(Instant::now() + RETRY)
    }

    /// Those of an earlier run may be of a tail that was set aside.
    fn remove_all_partial(&self) {
        for (path, _) in self.edge.partial() {
            let target = self.folder.join(path);
            let removed = target.parent().map_or(Ok(()), fs::remove_dir_all);
            if let Err(cause) = removed
                && cause.kind() != io::ErrorKind::NotFound
            {
                tracing::warn!(error = %cause, "older tiles of the log cannot be removed");
            }
        }
    }

    fn absorb(&mut self, batch: &Batch) {
        for (leaf, hash) in batch.leaves() {
            match self.edge.push(leaf, hash) {
                Ok(full) => self.full.extend(full),
                Err(cause) => tracing::error!(error = %cause, "a leaf does not fit its tile"),
            }
        }
        self.note = Arc::clone(&batch.note);
    }

    fn publish(&mut self) -> io::Result<()> {
        while let Some((path, bytes)) = self.full.first_key_value() {
            let target = self.folder.join(path);
            write(&target, bytes)?;
            remove_partial_of(&target)?;
            self.full.pop_first();
        }
        for (path, bytes) in self.edge.partial() {
            let target = self.folder.join(path);
            if !target.exists() {
                write(&target, &bytes)?;
                remove_older(&target)?;
            }
        }
        write(&self.folder.join(CHECKPOINT_FILE), self.note.as_bytes())?;
        self.published.send_replace(self.edge.tree.size());
        Ok(())
    }
}

/// Writes a file so that readers see it whole; not flushed, for it can be derived again.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let temporary = folder.join(".tile.tmp");
    let create =
        || File::options().create(true).truncate(true).write(true).mode(0o600).open(&temporary);
    let mut file = match create() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            create()?
        }
        other => other?,
    };
    let written = file.write_all(bytes).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // A part of a tile on a full disk only takes space.
        drop(fs::remove_file(&temporary));
    }
    written
}

fn remove_partial_of(full: &Path) -> io::Result<()> {
    let mut folder = full.as_os_str().to_owned();
    folder.push(".p");
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Keeps the partial tile at `newest` and the one before it, which a reader may be about to open.
fn remove_older(newest: &Path) -> io::Result<()> {
    let Some(folder) = newest.parent() else { return Ok(()) };
    let mut widths = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let width =
            path.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse().ok());
        widths.insert(width.unwrap_or(0_u16), path);
    }
    widths.pop_last();
    widths.pop_last();
    widths.values().try_for_each(fs::remove_file)
}
