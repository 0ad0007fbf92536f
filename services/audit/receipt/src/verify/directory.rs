//! Verification of a log's folder, or of a copy of it: every line, every tile, the checkpoint.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, BufReader, Read as _},
    path::{Path, PathBuf},
};

use super::{Problem, Report, Verifier};
use crate::{
    Checkpoint, CheckpointError, VerifierKey,
    line::{Lines, is_log_file},
    merkle::{FullTile, Tree},
    tile::{self, Bundle, Kind},
};

/// The folder cannot be judged at all.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    #[error("{path} cannot be read")]
    Read { path: PathBuf, source: io::Error },
}

/// Notes and keys are far shorter.
const NOTE_MAX: u64 = 64 * 1024;

/// The longest tile: 256 leaves of the greatest length.
const TILE_MAX: u64 = 256 * (65_535 + 2);

/// Verifies the log in `folder` (the one that holds `checkpoint` and `audit-*.jsonl`) against the
/// log's public key and, when one was kept elsewhere, against an earlier checkpoint. Only reads.
pub fn directory(
    folder: &Path,
    key: &VerifierKey,
    kept: Option<&Checkpoint>,
) -> Result<Report, DirectoryError> {
    let newest = newest(folder, key)?;
    let (newest, wrong) = match newest {
        Ok(newest) => (Some(newest), None),
        Err(problem) => (None, Some(problem)),
    };
    let mut walk = Walk {
        folder,
        tiled: newest.as_ref().map_or(0, Checkpoint::size),
        verifier: Verifier::new(newest, kept.cloned()),
        bundle: Bundle::default(),
    };
    for problem in wrong.into_iter().chain(other_key(folder, key)?) {
        walk.verifier.problem(problem);
    }
    for name in names(folder)? {
        walk.file(&name)?;
    }
    // A log that is being written has moved on while we read: its checkpoint follows its lines.
    if walk.verifier.tree().size() > walk.tiled
        && let Ok(newer) = self::newest(folder, key)?
        && newer.size() == walk.verifier.tree().size()
    {
        walk.verifier.replace_newest(newer);
    }
    Ok(walk.verifier.finish())
}

/// The files that hold the log's lines, in the order of the log. Any other file is none of it.
fn names(folder: &Path) -> Result<BTreeSet<String>, DirectoryError> {
    let unreadable = |source| DirectoryError::Read { path: folder.to_owned(), source };
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name();
        if let Some(name) = name.to_str().filter(|name| is_log_file(name)) {
            names.insert(name.to_owned());
        }
    }
    Ok(names)
}

struct Walk<'a> {
    folder: &'a Path,
    verifier: Verifier,
    bundle: Bundle,
    /// Lines for which there must be tiles.
    tiled: u64,
}

impl Walk<'_> {
    fn file(&mut self, name: &str) -> Result<(), DirectoryError> {
        let path = self.folder.join(name);
        let unreadable = |source| DirectoryError::Read { path: path.clone(), source };
        let file = File::open(&path).map_err(unreadable)?;
        let mut lines = Lines::new(BufReader::with_capacity(256 * 1024, file));
        while let Some(line) = lines.next_line().map_err(unreadable)? {
            if !line.ended {
                self.verifier.problem(Problem::Torn { file: name.to_owned() });
            }
            let full = self.verifier.push(line.leaf);
            let bundle = self.bundle.push(line.leaf).unwrap_or_default();
            self.tiles(&full, bundle.as_deref())?;
        }
        Ok(())
    }

    /// Compares the tiles that the last line has completed, and those that are not full under the
    /// newest checkpoint.
    fn tiles(&mut self, full: &[FullTile], bundle: Option<&[u8]>) -> Result<(), DirectoryError> {
        let size = self.verifier.tree().size();
        if size > self.tiled {
            return Ok(());
        }
        for FullTile { level, index, hashes } in full {
            let kind = Kind::Hashes { level: *level };
            self.tile(&tile::path(kind, *index, None), &tile::hashes(hashes))?;
        }
        if let Some(bundle) = bundle {
            self.tile(&tile::path(Kind::Entries, size / 256 - 1, None), bundle)?;
        }
        if size == self.tiled {
            let tree = self.verifier.tree().clone();
            self.edges(&tree)?;
        }
        Ok(())
    }

    fn edges(&mut self, tree: &Tree) -> Result<(), DirectoryError> {
        for level in 0..tree.levels() {
            let edge = tree.edge(level);
            let index = tree.size() >> (8 * (u32::from(level) + 1)).min(63);
            self.partial(Kind::Hashes { level }, index, edge.len(), &tile::hashes(edge))?;
        }
        let bundle = self.bundle.clone();
        self.partial(Kind::Entries, tree.size() / 256, bundle.count(), bundle.bytes())
    }

    /// Compares a tile that is not full; narrower ones of earlier checkpoints that lie beside it
    /// must be its beginnings.
    fn partial(
        &mut self,
        kind: Kind,
        index: u64,
        width: usize,
        expected: &[u8],
    ) -> Result<(), DirectoryError> {
        if width == 0 {
            return Ok(());
        }
        self.tile(&tile::path(kind, index, Some(width)), expected)?;
        for narrower in 1..width {
            let path = tile::path(kind, index, Some(narrower));
            let Some(found) = read(&self.folder.join(&path), TILE_MAX)? else { continue };
            if tile::beginning(kind, narrower, expected) != Some(&found) {
                self.verifier.problem(Problem::Differs { path });
            }
        }
        Ok(())
    }

    fn tile(&mut self, path: &str, expected: &[u8]) -> Result<(), DirectoryError> {
        match read(&self.folder.join(path), TILE_MAX)? {
            None => self.verifier.problem(Problem::Missing { path: path.to_owned() }),
            Some(found) if found == expected => {}
            Some(_) => self.verifier.problem(Problem::Differs { path: path.to_owned() }),
        }
        Ok(())
    }
}

fn newest(folder: &Path, key: &VerifierKey) -> Result<Result<Checkpoint, Problem>, DirectoryError> {
    let Some(note) = read(&folder.join("checkpoint"), NOTE_MAX)? else {
        return Ok(Err(Problem::Missing { path: "checkpoint".to_owned() }));
    };
    let wrong = |error: CheckpointError| Problem::Checkpoint(error.to_string());
    Ok(Checkpoint::open(&note, key).map_err(wrong))
}

/// The public key lies beside the log for convenience; it must be the one that verifies it.
fn other_key(folder: &Path, key: &VerifierKey) -> Result<Option<Problem>, DirectoryError> {
    let path = "log.vkey".to_owned();
    let expected = format!("{key}\n");
    let found = read(&folder.join(&path), NOTE_MAX)?;
    Ok(found.filter(|found| *found != expected.as_bytes()).map(|_| Problem::Differs { path }))
}

/// A file's content, cut behind `max`; `None` when there is no such file.
fn read(path: &Path, max: u64) -> Result<Option<Vec<u8>>, DirectoryError> {
    let unreadable = |source| DirectoryError::Read { path: path.to_owned(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    let mut bytes = Vec::new();
    file.take(max + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(Some(bytes))
}
