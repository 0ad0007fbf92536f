//! The files in `actions/`. All functions block.

use std::{
    collections::HashMap,
    fs, io,
    num::NonZero,
    panic::resume_unwind,
    path::{Path, PathBuf},
    sync::Arc,
};

use aileron_contract::{
    executor::LoadError,
    failure::Class,
    limits,
    names::{ActionName, Sha256Hash},
};
use aileron_store::files::read_own;

use super::stamp::Stamp;
use crate::{
    formats::action::{self, ActionFile},
    packages::{records::ToolRecord, tool::Tool},
};

/// An action file that could be read.
#[derive(Debug)]
pub(in crate::packages) struct Parsed {
    pub(in crate::packages) file: Arc<ActionFile>,
    pub(in crate::packages) hash: Sha256Hash,
    pub(in crate::packages) path: PathBuf,
    /// What agents are shown of it. None fits no record.
    pub(in crate::packages) tool: Option<ToolRecord>,
}

/// All action files as they were at one moment.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    /// In the byte order of their file names.
    pub(super) actions: Vec<Arc<Parsed>>,
    pub(super) errors: Vec<LoadError>,
    seen: HashMap<PathBuf, (Stamp, Content)>,
    /// There were more files than are read.
    overfull: bool,
}

impl Shelf {
    /// The action of this name, if its file is as it was read.
    pub(super) fn unchanged(&self, name: &ActionName) -> Option<Arc<Parsed>> {
        let parsed = self.actions.iter().find(|parsed| parsed.file.name == *name)?;
        let (stamp, _) = self.seen.get(&parsed.path)?;
        let now = Stamp::of(&fs::symlink_metadata(&parsed.path).ok()?);
        (now == *stamp).then(|| Arc::clone(parsed))
    }

    /// What a person should know about the files as a whole: one sentence, however many files
    /// there are.
    pub(super) fn warnings(&self) -> Vec<String> {
        let lenient = self.actions.iter().filter(|parsed| !parsed.file.lenient.is_empty());
        let Some((count, first)) = counted(lenient) else { return Vec::new() };
        vec![format!(
            "{count} of {} actions go beyond the published grammar, as generated ones do: their \
             types are shown but not enforced. {}: {}",
            self.actions.len(),
            first.file.name,
            first.file.lenient.join("; ")
        )]
    }
}

fn counted<T>(mut found: impl Iterator<Item = T>) -> Option<(usize, T)> {
    let first = found.next()?;
    Some((found.count().saturating_add(1), first))
}

/// What became of a file's bytes.
#[derive(Clone, Debug)]
enum Content {
    Sound(Arc<Parsed>),
    Broken(LoadError),
}

/// Looks at `folder`; files unchanged since `before` are not read again, and when none changed the
/// answer is `before` itself. No folder, no actions.
pub(super) fn look(folder: &Path, before: &Arc<Shelf>) -> io::Result<Arc<Shelf>> {
    let (files, overfull) = files(folder)?;
    let same = |(path, stamp): &(PathBuf, Stamp)| {
        before.seen.get(path).is_some_and(|(earlier, _)| earlier == stamp)
    };
    if overfull == before.overfull && files.len() == before.seen.len() && files.iter().all(same) {
        return Ok(Arc::clone(before));
    }
    let fresh: Vec<&Path> =
        files.iter().filter(|file| !same(file)).map(|(path, _)| path.as_path()).collect();
    let mut fresh = read_all(&fresh).into_iter();
    let mut shelf = Shelf { overfull, ..Shelf::default() };
    let mut owners: HashMap<ActionName, PathBuf> = HashMap::new();
    for (path, stamp) in files {
        let content = match before.seen.get(&path) {
            Some((earlier, content)) if *earlier == stamp => Some(content.clone()),
            _ => fresh.next(),
        };
        let Some(content) = content else { continue };
        match &content {
            Content::Broken(error) => shelf.errors.push(error.clone()),
            Content::Sound(parsed) => {
                if let Some(owner) = owners.get(&parsed.file.name) {
                    shelf.errors.push(duplicate(parsed, owner));
                } else {
                    owners.insert(parsed.file.name.clone(), path.clone());
                    shelf.actions.push(Arc::clone(parsed));
                }
            }
        }
        shelf.seen.insert(path, (stamp, content));
    }
    shelf.errors.extend(overfull.then(|| too_many(folder)));
    Ok(Arc::new(shelf))
}

/// The action files with their stamps, in the byte order of their names, and whether there are
/// more than are read.
fn files(folder: &Path) -> io::Result<(Vec<(PathBuf, Stamp)>, bool)> {
    let (paths, overfull) = paths(folder)?;
    let stamped = paths.into_iter().filter_map(|path| match fs::symlink_metadata(&path) {
        Ok(found) if found.is_file() => Some((path, Stamp::of(&found))),
        // Gone since it was listed, or nothing that is read: a folder, a link.
        _ => None,
    });
    Ok((stamped.collect(), overfull))
}

/// Reads many files on as many processors as there are: a store of hundreds is read whole when the
/// daemon starts.
fn read_all(paths: &[&Path]) -> Vec<Content> {
    const WORTH_A_THREAD: usize = 16;
    const MOST: usize = 8;
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get).min(MOST);
    let share = paths.len().div_ceil(processors).max(WORTH_A_THREAD);
    std::thread::scope(|scope| {
        let parts = paths.chunks(share).map(|part| {
            scope.spawn(move || part.iter().map(|path| read(path)).collect::<Vec<_>>())
        });
        // Started all before the first is waited for.
        let parts: Vec<_> = parts.collect();
        let joined =
            parts.into_iter().map(|part| part.join().unwrap_or_else(|it| resume_unwind(it)));
        joined.flatten().collect()
    })
}

/// The `*.md` directly in `folder`, sorted, and whether there are more than are read.
fn paths(folder: &Path) -> io::Result<(Vec<PathBuf>, bool)> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), false)),
        Err(error) => return Err(error),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if path.extension().is_some_and(|extension| extension == "md") && !hidden {
            paths.push(path);
        }
    }
    paths.sort();
    let overfull = paths.len() > limits::ACTIONS;
    paths.truncate(limits::ACTIONS);
    Ok((paths, overfull))
}

fn too_many(folder: &Path) -> LoadError {
    LoadError {
        class: Class::ValidationError,
        message: format!("only the first {} action files are read", limits::ACTIONS),
        file: shown(folder),
        line: 0,
    }
}

fn read(path: &Path) -> Content {
    let file = shown(path);
    let most = u64::try_from(limits::ACTION_FILE).unwrap_or(u64::MAX);
    let bytes = match read_own(path, most) {
        Ok(bytes) => bytes,
        Err(error) => {
            let message = format!("the file cannot be read: {error}");
            return Content::Broken(LoadError { class: Class::ParseError, message, file, line: 0 });
        }
    };
    match action::parse(&bytes, &file) {
        Ok(parsed) => Content::Sound(Arc::new(Parsed {
            tool: Tool::of(&parsed).record().ok(),
            file: Arc::new(parsed),
            hash: Sha256Hash::of(&[&bytes]),
            path: path.to_owned(),
        })),
        Err(problem) => Content::Broken(LoadError {
            class: problem.class(),
            message: problem.message().to_owned(),
            file,
            line: problem.line(),
        }),
    }
}

fn duplicate(parsed: &Parsed, owner: &Path) -> LoadError {
    LoadError {
        class: Class::ValidationError,
        message: format!(
            "duplicate action name \"{}\" also declared in {}",
            parsed.file.name,
            owner.display()
        ),
        file: shown(&parsed.path),
        line: 0,
    }
}

pub(super) fn shown(path: &Path) -> String {
    path.display().to_string()
}
