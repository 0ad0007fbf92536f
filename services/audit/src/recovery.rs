//! Opening a log: what a crash left is put right, what nobody signed is set aside, and everything
//! that is signed is read and checked before the first new line is written.

use std::{fs, io, os::unix::fs::PermissionsExt as _, path::Path, sync::Arc};

use aileron_contract::{Error, Reason, Result, limits};
use aileron_receipt::{
    Checkpoint, Hash,
    line::{Line, is_log_file},
    merkle::leaf_hash,
};
use aileron_store::files::{create_private_dir, read_bounded, write_atomic};

use crate::{
    event, files,
    files::Place,
    journal::{self, Frame, Journal},
    key::{self, LogKey},
    roll::Roll,
    tiles::{self, CHECKPOINT_FILE, Edge},
    writer::Store,
};

mod replay;
mod tail;

pub(crate) use tail::{SetAside, set_aside_files};

/// A log as it is before its first new line.
pub(crate) struct Recovered {
    pub(crate) key: LogKey,
    pub(crate) edge: Edge,
    pub(crate) note: Arc<str>,
    pub(crate) store: Store,
    /// Every line, as it was verified.
    pub(crate) roll: Roll,
    /// The log as it was where the index ended, when that is within it.
    pub(crate) indexed: Option<Indexed>,
    /// What was found when the log was made, if it has only just been.
    pub(crate) imported: Option<Imported>,
}

/// What the lines say that an index holds.
#[derive(Clone, Debug)]
pub(crate) struct Indexed {
    /// Where they end.
    pub(crate) place: Place,
    pub(crate) root: Hash,
    pub(crate) records: u64,
}

/// Older lines that became leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Imported {
    pub(crate) files: u64,
    pub(crate) lines: u64,
    /// Lines that are no records, such as torn ones.
    pub(crate) unreadable: u64,
    /// Lines too long for a bundle, kept by their hash.
    pub(crate) oversized: u64,
}

/// Opens the log in `folder`, or makes one of the files found there. `indexed` is how many leaves
/// the index holds, `today` the name of the first file of a log that has none.
pub(crate) fn open(
    folder: &Path,
    origin: &str,
    today: String,
    indexed: Option<u64>,
) -> Result<Recovered> {
    create_private_dir(folder).map_err(|cause| unwritable(folder, cause))?;
    let (key, fresh) = load_or_create_key(folder, origin)?;
    key::publish(folder, key.verifier())?;
    tighten(folder).map_err(|cause| unwritable(folder, cause))?;
    let signed = if fresh {
        tail::end_last_lines(folder).map_err(|cause| unwritable(folder, cause))?;
        None
    } else {
        Some(recover_signed(folder, &key)?)
    };
    let scan = scan(folder, signed.as_ref().map(|signed| signed.0.size()), indexed)?;
    let note = match signed {
        None => key.sign(scan.edge.tree.size(), scan.edge.tree.root())?,
        Some((checkpoint, note)) => {
            if scan.edge.tree.root() != checkpoint.root() {
                return Err(damaged(folder, "its lines are not those its checkpoint signs"));
            }
            tail::set_aside(folder, &scan.end).map_err(|cause| unwritable(folder, cause))?;
            note
        }
    };
    let store = start(folder, &note, today).map_err(|cause| unwritable(folder, cause))?;
    let Scan { edge, end: _, roll, indexed, imported } = scan;
    let imported = fresh.then_some(imported);
    Ok(Recovered { key, edge, note: note.into(), store, roll, indexed, imported })
}

fn load_or_create_key(folder: &Path, origin: &str) -> Result<(LogKey, bool)> {
    if let Some(key) = LogKey::load(folder, key::KEY_FILE)? {
        return Ok((key, false));
    }
    if let Some(key) = LogKey::load(folder, key::NEW_KEY_FILE)? {
        return Ok((key, true));
    }
    if folder.join(CHECKPOINT_FILE).exists() || folder.join(journal::FILE).exists() {
        return Err(damaged(folder, "its key, log.key, is missing"));
    }
    Ok((LogKey::create(folder, origin)?, true))
}

/// Older versions left files that others could read.
fn tighten(folder: &Path) -> io::Result<()> {
    for name in files::names(folder)? {
        let path = folder.join(name);
        let found = fs::symlink_metadata(&path)?;
        if found.is_file() && found.permissions().mode() & 0o077 != 0 {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        }
    }
    Ok(())
}

/// The newest checkpoint that was durable, with every line it covers on the disk again.
fn recover_signed(folder: &Path, key: &LogKey) -> Result<(Checkpoint, String)> {
    let signed = |note: String| {
        let checkpoint = Checkpoint::open(note.as_bytes(), key.verifier()).ok()?;
        Some((checkpoint, note))
    };
    let published = read_optional(&folder.join(CHECKPOINT_FILE), limits::AUDIT_CHECKPOINT_FILE)?
        .and_then(|note| String::from_utf8(note).ok())
        .and_then(signed);
    let journal = read_optional(&folder.join(journal::FILE), journal::max_length())?;
    let mut newest = published;
    let mut frames: Vec<Frame> = Vec::new();
    for frame in journal.map(|bytes| journal::read(&bytes)).unwrap_or_default() {
        // Only what the log signed is written back.
        let Some(found) = signed(frame.note.clone()) else { continue };
        if found.0.size() != frame.after || !is_log_file(&frame.file) {
            continue;
        }
        if newest.as_ref().is_none_or(|newest| newest.0.size() < found.0.size()) {
            newest = Some(found);
        }
        frames.push(frame);
    }
    replay::write_back(folder, &frames).map_err(|cause| match cause.kind() {
        io::ErrorKind::InvalidData => damaged(folder, "a file is shorter than it was"),
        _ => unwritable(folder, cause),
    })?;
    newest.ok_or_else(|| damaged(folder, "it has no checkpoint signed by its key"))
}

struct Scan {
    edge: Edge,
    end: Place,
    roll: Roll,
    indexed: Option<Indexed>,
    imported: Imported,
}

/// Reads the first `size` lines (all without), and writes the full tiles that are missing or not
/// what the lines make them.
fn scan(folder: &Path, size: Option<u64>, indexed: Option<u64>) -> Result<Scan> {
    let unreadable = |cause| unwritable(folder, cause);
    let mut scan = Scan {
        edge: Edge::default(),
        end: Place::start(),
        roll: Roll::default(),
        indexed: None,
        imported: Imported::default(),
    };
    scan.mark(indexed);
    for name in files::names(folder).map_err(unreadable)? {
        scan.imported.files += 1;
        let mut lines = files::lines_from(folder, &name, 0).map_err(unreadable)?;
        let mut offset = 0;
        while size.is_none_or(|size| scan.edge.tree.size() < size) {
            let Some(line) = lines.next_line().map_err(unreadable)? else { break };
            if !line.ended {
                return Err(damaged(folder, &format!("the last line of {name} is torn")));
            }
            if size.is_none() {
                scan.imported.count(scan.edge.tree.size(), &line);
            }
            let hash = leaf_hash(line.leaf);
            let id = line.whole.then(|| event::id(scan.edge.tree.size(), line.leaf)).flatten();
            scan.roll.push(id.as_deref(), hash, &name, offset);
            offset += line.length + 1;
            let full = scan.edge.push(line.leaf, hash).map_err(unreadable)?;
            for (path, bytes) in full {
                restore(&folder.join(path), &bytes).map_err(unreadable)?;
            }
            scan.end = Place { file: name.clone(), offset };
            scan.mark(indexed);
        }
    }
    match size {
        Some(size) if scan.edge.tree.size() < size => Err(damaged(
            folder,
            &format!("its checkpoint covers {size} lines, but it holds {}", scan.edge.tree.size()),
        )),
        _ => Ok(scan),
    }
}

impl Scan {
    fn mark(&mut self, indexed: Option<u64>) {
        if indexed == Some(self.edge.tree.size()) {
            self.indexed = Some(Indexed {
                place: self.end.clone(),
                root: self.edge.tree.root(),
                records: self.roll.records(),
            });
        }
    }
}

impl Imported {
    fn count(&mut self, index: u64, line: &Line<'_>) {
        self.lines += 1;
        if !line.whole {
            self.oversized += 1;
        } else if event::read(index, line.leaf).is_none() {
            self.unreadable += 1;
        }
    }
}

fn restore(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let length = u64::try_from(bytes.len()).map_err(io::Error::other)?;
    match read_bounded(path, length) {
        Ok(found) if found == bytes => Ok(()),
        _ => tiles::write(path, bytes),
    }
}

/// Makes everything durable that the journal held, and begins the journal anew.
fn start(folder: &Path, note: &str, today: String) -> io::Result<Store> {
    let names = files::names(folder)?;
    let name = names.last().cloned().unwrap_or(today);
    for name in &names {
        files::open(folder, name)?.sync_all()?;
    }
    write_atomic(&folder.join(CHECKPOINT_FILE), note.as_bytes(), 0o600)?;
    let journal = Journal::create(folder)?;
    let file = files::open(folder, &name)?;
    let end = file.metadata()?.len();
    Ok(Store { journal, name, file, end, earlier: Vec::new(), broken: None })
}

fn read_optional(path: &Path, max: u64) -> Result<Option<Vec<u8>>> {
    match read_bounded(path, max) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(unwritable(path, cause)),
    }
}

fn damaged(folder: &Path, what: &str) -> Error {
    Error::new(
        Reason::AuditDamaged,
        format!(
            "the log in {} is damaged: {what}. `aileron audit verify` says more. Restore the \
             folder from a backup, or move it away to begin a new log",
            folder.display()
        ),
    )
}

fn unwritable(path: &Path, cause: io::Error) -> Error {
    Error::new(
        Reason::AuditUnavailable,
        format!("the log in {} cannot be opened: check its rights and the disk", path.display()),
    )
    .caused_by(cause)
}
