//! Lines that no checkpoint covers: kept where a person finds them, never taken for the log's.

use std::{
    fs::{self, File},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::Path,
};

use aileron_store::files::sync_dir;
use sha2::{Digest as _, Sha256};

use crate::{files, files::Place};

const PREFIX: &str = "set-aside-";
const SUFFIX: &str = ".jsonl";

/// A file of lines set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SetAside {
    pub(crate) name: String,
    pub(crate) size: u64,
    /// First digits of the SHA-256 of its content, as in its name.
    pub(crate) digest: String,
}

/// Sets aside everything behind `end`: the rest of that file, and later files.
pub(crate) fn set_aside(folder: &Path, end: &Place) -> io::Result<()> {
    for name in files::names(folder)? {
        let offset = match name.as_str().cmp(end.file.as_str()) {
            std::cmp::Ordering::Less => continue,
            std::cmp::Ordering::Equal => end.offset,
            std::cmp::Ordering::Greater => 0,
        };
        set_aside_from(folder, &Place { file: name, offset })?;
    }
    Ok(())
}

/// Moves what one file holds behind a place to a file of its own. The copy is durable before the
/// file is cut; its name comes from its content, so that doing it twice is doing it once.
pub(crate) fn set_aside_from(folder: &Path, place: &Place) -> io::Result<()> {
    let mut file = files::open(folder, &place.file)?;
    if file.metadata()?.len() <= place.offset {
        return Ok(());
    }
    let temporary = folder.join(".set-aside.tmp");
    let mut copy =
        File::options().create(true).truncate(true).write(true).mode(0o600).open(&temporary)?;
    file.seek(SeekFrom::Start(place.offset))?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let length = file.read(&mut buffer)?;
        let Some(part) = buffer.get(..length).filter(|part| !part.is_empty()) else { break };
        hasher.update(part);
        copy.write_all(part)?;
    }
    copy.sync_all()?;
    let digest: String = hex::encode(hasher.finalize()).chars().take(16).collect();
    fs::rename(&temporary, folder.join(format!("{PREFIX}{digest}{SUFFIX}")))?;
    sync_dir(folder)?;
    tracing::warn!(file = place.file, digest, "lines that no checkpoint covers were set aside");
    file.set_len(place.offset)?;
    file.sync_all()
}

/// Everything that was ever set aside and still lies in the folder.
pub(crate) fn set_aside_files(folder: &Path) -> io::Result<Vec<SetAside>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let digest = name.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix(SUFFIX));
        let hexadecimal = |digest: &&str| {
            digest.len() == 16 && digest.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'))
        };
        if let Some(digest) = digest.filter(hexadecimal) {
            let size = entry.metadata()?.len();
            found.push(SetAside { name: name.to_owned(), size, digest: digest.to_owned() });
        }
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}

/// Gives the last line of every file its line feed where it lacks one: an older writer was cut
/// off there. Nothing else of older files is changed.
pub(crate) fn end_last_lines(folder: &Path) -> io::Result<()> {
    for name in files::names(folder)? {
        let file = files::open(folder, &name)?;
        let length = file.metadata()?.len();
        let Some(last) = length.checked_sub(1) else { continue };
        let mut byte = [0];
        file.read_exact_at(&mut byte, last)?;
        if byte != *b"\n" {
            file.write_all_at(b"\n", length)?;
            file.sync_all()?;
        }
    }
    Ok(())
}
