//! Reading and writing a project: bounded, and never over what is there.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use aileron_contract::{Error, Reason, Result, limits, names::Fqn};
use aileron_executor::{
    author::{ActionSource, NewFile, SourceFile, Sources},
    formats::manifest,
};
use aileron_store::files::read_bounded;

/// A module may be as large as a package may unpack to.
pub(super) const MODULE_MAX: u64 = limits::PACKAGE_UNPACKED;

/// A key file, with room for comments.
pub(super) const KEY_MAX: u64 = 64 * 1024;

/// Longer than any file of text in a project may be; the formats' own bounds are smaller.
const TEXT_MAX: u64 = 8 * 1024 * 1024;

/// More actions than this are no project of one connector.
const ACTIONS_MAX: usize = 10_000;

/// Makes a folder, or takes an empty one.
pub(super) fn claim(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).map_err(|error| failed("make", folder, error))?;
    let mut entries = fs::read_dir(folder).map_err(|error| failed("read", folder, error))?;
    if entries.next().is_none() {
        return Ok(());
    }
    let text = format!("{} is not empty: nothing was written", folder.display());
    Err(Error::new(Reason::InvalidRequest, text))
}

/// Writes one new file of a project, and says which.
pub(super) fn create(folder: &Path, file: NewFile) -> Result<String> {
    let path = folder.join(&file.path);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(|error| failed("make", parent, error))?;
    }
    write_new(&path, file.text.as_bytes(), 0o644)?;
    Ok(file.path)
}

/// Writes a file that is not there yet.
pub(super) fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    written.map_err(|error| failed("write", path, error))
}

/// Refuses when there is something at `path`.
pub(super) fn absent(path: &Path) -> Result<()> {
    if fs::symlink_metadata(path).is_err() {
        return Ok(());
    }
    let text = format!("{} exists already: nothing was written", path.display());
    Err(Error::new(Reason::InvalidRequest, text))
}

/// A file of at most `max` bytes.
pub(super) fn bounded(path: &Path, max: u64) -> Result<Vec<u8>> {
    read_bounded(path, max).map_err(|error| failed("read", path, error))
}

/// The same; none when there is no such file.
pub(super) fn optional(path: &Path, max: u64) -> Result<Option<Vec<u8>>> {
    match read_bounded(path, max) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", path, error)),
    }
}

/// The project's files, as a release reads them.
pub(super) fn sources(folder: &Path) -> Result<Sources> {
    let file = |path: &str| {
        let bytes = optional(&folder.join(path), TEXT_MAX)?;
        Ok::<_, Error>(bytes.map(|bytes| SourceFile { path: path.to_owned(), bytes }))
    };
    let manifest = file("connector/manifest.toml")?.ok_or_else(|| {
        let text = format!(
            "{} is no connector's project: it has no connector/manifest.toml. Make one with \
             aileron connector new",
            folder.display()
        );
        Error::new(Reason::InvalidRequest, text)
    })?;
    let mut actions = Vec::new();
    for name in folders(&folder.join("actions"))? {
        if let Some(file) = file(&format!("actions/{name}/action.md"))? {
            actions.push(ActionSource { folder: name, file });
        }
    }
    Ok(Sources { manifest, actions, suite: file("suite.toml")?, key: file("keys/publisher.pub")? })
}

/// The name of the project's connector.
pub(super) fn connector(folder: &Path) -> Result<Fqn> {
    let SourceFile { path, bytes } = sources(folder)?.manifest;
    Ok(manifest::parse(&bytes, &path)?.package.fqn)
}

/// The names of the folders in a folder, sorted; none when it is not there.
pub(super) fn folders(folder: &Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed("read", folder, error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| failed("read", folder, error))?;
        let kind = entry.file_type().map_err(|error| failed("read", &entry.path(), error))?;
        if let (true, Ok(name)) = (kind.is_dir(), entry.file_name().into_string()) {
            names.push(name);
        }
        if names.len() > ACTIONS_MAX {
            let text = format!("{} holds more than {ACTIONS_MAX} folders", folder.display());
            return Err(Error::new(Reason::InvalidRequest, text));
        }
    }
    names.sort();
    Ok(names)
}

/// What could not be done with a file, in the system's words.
pub(super) fn failed(doing: &str, path: &Path, error: io::Error) -> Error {
    let text = format!("cannot {doing} {}: {error}", path.display());
    Error::new(Reason::InvalidRequest, text).caused_by(error)
}
