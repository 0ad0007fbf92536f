//! Where the log's lines go: standard error. Whoever starts the daemon in the background makes
//! that `daemon.log`, which is kept from growing without end.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read as _, Write as _},
    os::{
        fd::AsFd as _,
        unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    },
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use aileron_contract::limits;
use tracing_subscriber::fmt::MakeWriter;

/// Standard error, for whole lines.
#[derive(Clone, Debug)]
pub(crate) struct Lines(Arc<Mutex<Option<Bounded>>>);

impl Lines {
    /// Standard error of this process. Is it `daemon.log` of this state folder, there is room in
    /// it from here on; any other place is the business of who chose it.
    pub(crate) fn of_process(home: &Path) -> Self {
        let standard_error = || io::stderr().as_fd().try_clone_to_owned().map(File::from);
        let bounded = standard_error()
            .ok()
            .and_then(|file| Bounded::of(file, &home.join("daemon.log"), limits::LOG_FILE));
        if let Some(bounded) = &bounded {
            bounded.make_room(0);
        }
        Self(Arc::new(Mutex::new(bounded)))
    }

    /// Writes whole lines.
    pub(super) fn write(&self, lines: &[u8]) -> io::Result<()> {
        let bounded = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bounded) = &*bounded
            && !bounded.make_room(lines.len())
        {
            // A log that cannot be kept small gets no more. What is done goes on.
            return Ok(());
        }
        io::stderr().lock().write_all(lines)
    }
}

impl io::Write for &Lines {
    /// The log writes each of its lines in one go.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        Lines::write(self, line).map(|()| line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> &'a Self {
        self
    }
}

/// A file that is emptied when it is full. What was in it is kept beside it, once.
#[derive(Debug)]
struct Bounded {
    file: File,
    path: PathBuf,
    most: u64,
}

impl Bounded {
    /// None when `file` is not the one at `path`.
    fn of(file: File, path: &Path, most: u64) -> Option<Self> {
        let bounded = Self { file, path: path.to_owned(), most };
        bounded.is_at_its_path().ok().filter(|is| *is)?;
        Some(bounded)
    }

    /// Is there room for so many bytes? Whoever holds the file adds to its end, wherever that is.
    fn make_room(&self, more: usize) -> bool {
        let Ok(size) = self.file.metadata().map(|it| it.len()) else { return false };
        let more = u64::try_from(more).unwrap_or(u64::MAX);
        if size.saturating_add(more) <= self.most {
            return true;
        }
        // What cannot be kept is lost: a disk that is full must not get fuller.
        drop(self.keep());
        self.file.set_len(0).is_ok()
    }

    /// Copies what stands in the file, of which others may hold the end: it stays the same file.
    fn keep(&self) -> io::Result<()> {
        // Somebody moved it, or put another one in its place.
        if !self.is_at_its_path()? {
            return Ok(());
        }
        let mut kept = self.path.clone().into_os_string();
        kept.push(".1");
        match fs::remove_file(&kept) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut kept =
            fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(kept)?;
        io::copy(&mut File::open(&self.path)?.take(self.most), &mut kept)?;
        Ok(())
    }

    fn is_at_its_path(&self) -> io::Result<bool> {
        let (held, found) = (self.file.metadata()?, fs::symlink_metadata(&self.path)?);
        Ok(found.is_file() && (held.dev(), held.ino()) == (found.dev(), found.ino()))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn appended(path: &Path) -> File {
        fs::OpenOptions::new().create(true).append(true).open(path).unwrap()
    }

    fn bounded(path: &Path) -> Bounded {
        Bounded::of(appended(path), path, 10).unwrap()
    }

    fn add(bounded: &Bounded, text: &str) {
        assert!(bounded.make_room(text.len()));
        (&bounded.file).write_all(text.as_bytes()).unwrap();
    }

    #[test]
    fn a_full_log_is_kept_once_and_begins_anew() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("daemon.log");
        let log = bounded(&path);
        for text in ["one\n", "two\n", "three\n", "four\n", "five\n"] {
            add(&log, text);
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "four\nfive\n");
        let kept = home.path().join("daemon.log.1");
        assert_eq!(fs::read_to_string(&kept).unwrap(), "three\n");
        assert_eq!(fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 2);
    }

    #[test]
    fn whatever_stands_in_its_way_the_log_does_not_grow() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("daemon.log");
        let log = bounded(&path);
        // Nothing can be kept here.
        fs::create_dir_all(home.path().join("daemon.log.1/full")).unwrap();
        add(&log, "one\ntwo\n");
        add(&log, "three\n");
        assert_eq!(fs::read_to_string(&path).unwrap(), "three\n");
        // The file is gone: what its holder writes counts all the same.
        fs::remove_file(&path).unwrap();
        add(&log, "four\n");
        assert_eq!(log.file.metadata().unwrap().len(), 5);
    }

    #[test]
    fn a_link_beside_the_log_is_replaced_and_not_followed() {
        let home = tempfile::tempdir().unwrap();
        let (path, precious) = (home.path().join("daemon.log"), home.path().join("precious"));
        fs::write(&precious, "kept").unwrap();
        std::os::unix::fs::symlink(&precious, home.path().join("daemon.log.1")).unwrap();
        let log = bounded(&path);
        add(&log, "one\ntwo\n");
        add(&log, "three\n");
        assert_eq!(fs::read_to_string(&precious).unwrap(), "kept");
        assert_eq!(fs::read_to_string(home.path().join("daemon.log.1")).unwrap(), "one\ntwo\n");
    }

    #[test]
    fn another_file_than_the_folders_own_is_left_alone() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("daemon.log");
        let elsewhere = || appended(&home.path().join("elsewhere"));
        assert!(Bounded::of(elsewhere(), &path, 10).is_none());
        fs::write(&path, "").unwrap();
        assert!(Bounded::of(elsewhere(), &path, 10).is_none());
    }
}
