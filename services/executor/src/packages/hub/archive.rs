//! The archive of the Hub's repository: gzip'd tar, everything below one folder. Nothing of it is
//! written under a name it chose; three folders of it are read, the rest is passed over.

use std::{collections::BTreeMap, io::Read};

use aileron_contract::{Error, Reason, json, limits};
use flate2::bufread::MultiGzDecoder;

use super::copy::File;

/// The folders that hold entries.
pub(super) const FOLDERS: [&str; 3] = ["actions", "connectors", "suites"];

/// What an archive held.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Unpacked {
    /// The repository's state, as Git's archives say it.
    pub(super) commit: Option<String>,
    /// Sorted by path.
    pub(super) files: Vec<File>,
}

/// Why an archive was refused.
#[derive(Debug, thiserror::Error)]
enum Malformed {
    #[error("it is not a gzip'd tar archive: {0}")]
    Unreadable(#[from] std::io::Error),
    #[error("it unpacks to more than {} bytes", limits::HUB_UNPACKED)]
    TooLarge,
    #[error("it holds more than {} files", limits::HUB_FILES)]
    TooMany,
    #[error("its entries hold more than {} bytes together", limits::HUB_TEXT)]
    TooMuchText,
    #[error("{0} leads out of its folder")]
    Climbs(String),
    #[error("{0} does not lie below the archive's one folder")]
    Elsewhere(String),
}

/// Unpacks an archive in memory.
pub(super) fn unpack(archive: &[u8]) -> Result<Unpacked, Error> {
    let mut bounded = MultiGzDecoder::new(archive).take(limits::HUB_UNPACKED);
    let read = walk(tar::Archive::new(&mut bounded));
    let exhausted = bounded.limit() == 0;
    // Whatever the reader makes of an archive that ends at the bound: it was the bound.
    let read = if exhausted { Err(Malformed::TooLarge) } else { read };
    read.map_err(|cause| {
        let text = format!(
            "the Hub's archive was refused: {cause}; whoever keeps the Hub has to look into it"
        );
        Error::new(Reason::MalformedTarball, text)
    })
}

fn walk(mut tar: tar::Archive<impl Read>) -> Result<Unpacked, Malformed> {
    let mut commit = None;
    let mut files: BTreeMap<String, File> = BTreeMap::new();
    let mut root: Option<String> = None;
    let (mut count, mut left) = (0_u32, limits::HUB_TEXT);
    for entry in tar.entries()? {
        let mut entry = entry?;
        count += 1;
        if count > limits::HUB_FILES {
            return Err(Malformed::TooMany);
        }
        let kind = entry.header().entry_type();
        if kind.is_pax_global_extensions() {
            commit = commit.or(comment(&mut entry)?);
            continue;
        }
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let (folder, rest) = inside(&path)?;
        if *root.get_or_insert_with(|| folder.to_owned()) != folder {
            return Err(Malformed::Elsewhere(shown(&path)));
        }
        if kind.is_dir() || !is_entry(rest) {
            continue;
        }
        let file = if kind.is_file() {
            contents(&mut entry, rest)?
        } else {
            File::refused(rest, "it is a link or a device, and entries are plain files")
        };
        left = left.checked_sub(file.length()).ok_or(Malformed::TooMuchText)?;
        let twice = files.contains_key(rest);
        let file = if twice { File::refused(rest, "it is in the archive twice") } else { file };
        files.insert(rest.to_owned(), file);
    }
    Ok(Unpacked { commit, files: files.into_values().collect() })
}

/// The archive's folder, and the path below it.
fn inside(path: &str) -> Result<(&str, &str), Malformed> {
    let climbs = path.starts_with('/') || path.contains('\\') || path.contains('\0');
    let path = path.strip_prefix("./").unwrap_or(path);
    if climbs || path.split('/').any(|part| part == "..") {
        return Err(Malformed::Climbs(shown(path)));
    }
    path.split_once('/').ok_or_else(|| Malformed::Elsewhere(shown(path)))
}

/// Directly in one of the folders, and YAML by its name.
fn is_entry(path: &str) -> bool {
    let Some((folder, name)) = path.split_once('/') else { return false };
    let yaml = [".yaml", ".yml"].iter().any(|end| name.ends_with(end));
    FOLDERS.contains(&folder) && !name.contains('/') && !name.starts_with('.') && yaml
}

fn contents(entry: &mut impl Read, path: &str) -> Result<File, Malformed> {
    let most = u64::try_from(limits::HUB_ENTRY).unwrap_or(u64::MAX);
    // What the header claims about the length is not believed: the buffer grows with what comes.
    let mut bytes = Vec::new();
    entry.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() > limits::HUB_ENTRY {
        let why = format!("it is longer than {} bytes", limits::HUB_ENTRY);
        return Ok(File::refused(path, &why));
    }
    Ok(match String::from_utf8(bytes) {
        // YAML has no use for other controls, and what is kept stays as short as it was.
        Ok(text) if !text.chars().any(|c| c.is_control() && !"\t\n\r".contains(c)) => {
            File::text(path, text)
        }
        Ok(_) => File::refused(path, "it holds control characters"),
        Err(_) => File::refused(path, "it is not UTF-8"),
    })
}

/// The commit that Git's archives carry as a comment for the whole.
fn comment(entry: &mut impl Read) -> Result<Option<String>, Malformed> {
    let mut bytes = Vec::new();
    entry.take(1024).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let comment = text.lines().find_map(|line| line.split_once("comment=")).map(|(_, it)| it);
    let hash =
        |it: &&str| [40, 64].contains(&it.len()) && it.bytes().all(|c| c.is_ascii_hexdigit());
    Ok(comment.filter(hash).map(str::to_owned))
}

fn shown(path: &str) -> String {
    json::visible(&path.chars().take(80).collect::<String>())
}

#[cfg(test)]
mod tests;
