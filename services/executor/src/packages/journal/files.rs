//! The files of changes: tried out before anything counts, put in their places together, and what
//! a crash left of them.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    io,
    path::{Path, PathBuf},
};

use aileron_contract::{Error, Reason, Result};
use aileron_store::files;
use bytes::Bytes;

/// A file that is to be put in its place.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub(super) path: PathBuf,
    pub(super) mode: u32,
    pub(super) content: Bytes,
}

/// The folder that stands in the place of a file, for each change that has one. Blocks.
pub(super) fn in_the_way(changes: &[Vec<Placed>]) -> Vec<Option<PathBuf>> {
    let folder = |files: &Vec<Placed>| {
        files.iter().find(|file| file.path.is_dir()).map(|file| file.path.clone())
    };
    changes.iter().map(folder).collect()
}

/// May the files of each change stand where they are to stand, and is there room for all of them?
/// One answer for each change. Leaves nothing behind. Blocks.
pub(super) fn try_out(changes: Vec<Vec<Placed>>) -> Vec<Result<()>> {
    let answer = |folder: Option<PathBuf>| folder.map_or(Ok(()), |path| Err(blocked(&path)));
    let mut answers: Vec<Result<()>> = in_the_way(&changes).into_iter().map(answer).collect();
    let mut folders: BTreeMap<PathBuf, Vec<&Placed>> = BTreeMap::new();
    for (files, answer) in changes.iter().zip(&answers) {
        for file in files.iter().filter(|_| answer.is_ok()) {
            folders.entry(folder_of(&file.path)).or_default().push(file);
        }
    }
    for (folder, files) in folders {
        let Err(cause) = try_folder(&files) else { continue };
        let error = unwritable(&files, &folder).caused_by(cause);
        for (files, answer) in changes.iter().zip(&mut answers) {
            if answer.is_ok() && files.iter().any(|file| folder_of(&file.path) == folder) {
                *answer = Err(error.clone());
            }
        }
    }
    answers
}

/// Is there room for all of these in their folder?
fn try_folder(files: &[&Placed]) -> io::Result<()> {
    let Some(first) = files.first() else { return Ok(()) };
    let mut name = OsString::from(".");
    name.push(first.path.file_name().unwrap_or_default());
    name.push(".trial");
    let trial = first.path.with_file_name(name);
    files::create_private_dir(&folder_of(&trial))?;
    let content: Vec<u8> = files.iter().flat_map(|file| &file.content).copied().collect();
    files::write_atomic(&trial, &content, 0o600)?;
    std::fs::remove_file(trial)
}

/// Puts files in their places. Blocks.
pub(super) fn write_together(files: &[Placed]) -> io::Result<()> {
    for file in files {
        files::create_private_dir(&folder_of(&file.path))?;
    }
    let files: Vec<_> = files
        .iter()
        .map(|Placed { path, mode, content }| files::NewFile { path, content, mode: *mode })
        .collect();
    files::write_atomic_together(&files)
}

/// Removes files that a crash cut off while they were written. All of them are this room's.
pub(super) fn remove_leftovers(home: &Path) {
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

fn folder_of(path: &Path) -> PathBuf {
    path.parent().unwrap_or(path).to_owned()
}

fn blocked(path: &Path) -> Error {
    let text = format!(
        "{} is a folder, and a file is to stand there: move it away first; nothing was changed",
        path.display()
    );
    Error::new(Reason::StoreUnwritable, text)
}

fn unwritable(files: &[&Placed], folder: &Path) -> Error {
    let path = match files {
        [only] => &only.path,
        _ => folder,
    };
    let text = format!(
        "{} could not be written: check the disk's space and the folder's owner; nothing was \
         changed",
        path.display()
    );
    Error::new(Reason::StoreUnwritable, text)
}
