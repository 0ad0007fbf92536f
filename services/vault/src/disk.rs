//! Where the vault file lies, and how it is replaced: whole, durable, and only by us.

use std::{
    fs, io,
    os::{fd::OwnedFd, unix::fs::MetadataExt as _},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use aileron_contract::{Error, Reason, Result, Timestamp, limits};
use aileron_store::{files, lock::FolderLock};
use rustix::{
    fs::inotify::{self, CreateFlags, WatchFlags},
    io::Errno,
};

/// The published name.
const FILE: &str = "secrets.json";

/// The file before its keys changed, kept only until the new one has been read back.
const COPY: &str = "secrets.json.before";

/// The vault's place in the state folder. All methods block.
#[derive(Debug)]
pub(crate) struct Disk {
    home: PathBuf,
    file: PathBuf,
    copy: PathBuf,
    /// Says that something was done in the folder. None where the system has none to give.
    watch: Option<OwnedFd>,
    /// Held until the vault shuts down, whoever still holds a handle.
    lock: Mutex<Option<FolderLock>>,
}

/// Tells one state of the file from another without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Print {
    device: u64,
    inode: u64,
    length: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Disk {
    /// Takes the vault's lock in the state folder and clears away what a crash left half-written.
    pub(crate) fn open(home: &Path) -> Result<Self> {
        let lock = FolderLock::acquire(home, "vault.lock")?;
        let disk = Self {
            home: home.to_owned(),
            file: home.join(FILE),
            copy: home.join(COPY),
            watch: watch(home)
                .inspect_err(|cause| tracing::debug!(%cause, "the state folder is not watched"))
                .ok(),
            lock: Mutex::new(Some(lock)),
        };
        disk.sweep().map_err(|cause| disk.unwritable(cause))?;
        Ok(disk)
    }

    /// Lets another process have the folder. Nothing may be written afterwards.
    pub(crate) fn release(&self) {
        drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// None when there is no file.
    pub(crate) fn print(&self) -> io::Result<Option<Print>> {
        match fs::metadata(&self.file) {
            Ok(found) => Ok(Some(Print::of(&found))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Was nothing done in the folder since this was last asked? The system says so for less than
    /// a [`print`](Self::print) takes, and before whoever did something goes on. What is done from
    /// another machine or by another name of the file it does not say. False where it cannot tell.
    pub(crate) fn quiet(&self) -> bool {
        // Room for the longest event there is; more of them only say the same again.
        let mut events = [0; 512];
        let read = self.watch.as_ref().map(|watch| rustix::io::read(watch, &mut events));
        matches!(read, Some(Err(Errno::AGAIN)))
    }

    /// The file's bytes; none when there is no file. The print is taken first: a change while
    /// reading shows as a change after it.
    pub(crate) fn read(&self) -> io::Result<Option<(Vec<u8>, Print)>> {
        let Some(print) = self.print()? else { return Ok(None) };
        if !fs::metadata(&self.file)?.is_file() {
            return Err(io::Error::other("not a file"));
        }
        Ok(Some((files::read_bounded(&self.file, limits::VAULT_FILE)?, print)))
    }

    pub(crate) fn replace(&self, bytes: &[u8]) -> io::Result<()> {
        files::write_atomic(&self.file, bytes, 0o600)
    }

    /// Keeps the present file beside itself; nothing when there is none.
    pub(crate) fn keep_copy(&self) -> io::Result<()> {
        match self.read()? {
            Some((bytes, _)) => files::write_atomic(&self.copy, &bytes, 0o600),
            None => Ok(()),
        }
    }

    /// Removes the copy: with an old passphrase it would open today's secrets.
    pub(crate) fn drop_copy(&self) -> io::Result<()> {
        match fs::remove_file(&self.copy) {
            Ok(()) => files::sync_dir(&self.home),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn has_copy(&self) -> bool {
        self.copy.symlink_metadata().is_ok()
    }

    pub(crate) fn unwritable(&self, cause: io::Error) -> Error {
        Error::new(
            Reason::VaultUnwritable,
            format!(
                "{} could not be written and verified: check the disk and the permissions of {}, \
                 then look whether the change was made before you repeat it",
                self.file.display(),
                self.home.display()
            ),
        )
        .caused_by(cause)
    }

    fn sweep(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.home)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with(".secrets.json.") && name.ends_with(".tmp") {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

fn watch(home: &Path) -> rustix::io::Result<OwnedFd> {
    let watch = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
    let done = WatchFlags::MODIFY
        | WatchFlags::ATTRIB
        | WatchFlags::CREATE
        | WatchFlags::DELETE
        | WatchFlags::MOVE
        | WatchFlags::DELETE_SELF
        | WatchFlags::MOVE_SELF;
    inotify::add_watch(&watch, home, done | WatchFlags::ONLYDIR)?;
    Ok(watch)
}

impl Print {
    fn of(found: &fs::Metadata) -> Self {
        Self {
            device: found.dev(),
            inode: found.ino(),
            length: found.len(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        }
    }

    /// When the file system says that the file was written.
    pub(crate) fn modified(&self) -> Option<Timestamp> {
        Timestamp::from_second(self.modified.0).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_written_files_of_a_crash_are_cleared_and_the_rest_is_left() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join(".secrets.json.0011.tmp"), b"half").unwrap();
        fs::write(home.path().join(".secrets.json.before.0011.tmp"), b"half").unwrap();
        fs::write(home.path().join(FILE), b"whole").unwrap();
        let disk = Disk::open(home.path()).unwrap();
        assert_eq!(disk.read().unwrap().unwrap().0, b"whole");
        let names: Vec<_> =
            fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names.len(), 2, "{names:?}");
    }

    #[test]
    fn each_write_shows_and_is_readable_by_its_owner_only() {
        let home = tempfile::tempdir().unwrap();
        let disk = Disk::open(home.path()).unwrap();
        assert_eq!(disk.print().unwrap(), None);
        disk.replace(b"one").unwrap();
        let first = disk.print().unwrap();
        disk.replace(b"two").unwrap();
        assert_ne!(disk.print().unwrap(), first);
        disk.keep_copy().unwrap();
        assert!(disk.has_copy());
        for path in [&disk.file, &disk.copy] {
            assert_eq!(fs::metadata(path).unwrap().mode() & 0o777, 0o600);
        }
        disk.drop_copy().unwrap();
        disk.drop_copy().unwrap();
        assert!(!disk.has_copy());
    }

    #[test]
    fn whatever_is_done_to_the_file_is_said_at_once() {
        let home = tempfile::tempdir().unwrap();
        let (file, aside) = (home.path().join(FILE), home.path().join("aside"));
        fs::write(&file, b"one").unwrap();
        let disk = Disk::open(home.path()).unwrap();
        let done: [&dyn Fn(); 6] = [
            &|| fs::write(&file, b"two").unwrap(),
            &|| disk.replace(b"three").unwrap(),
            &|| fs::rename(&file, &aside).unwrap(),
            &|| fs::rename(&aside, &file).unwrap(),
            &|| fs::File::open(&file).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap(),
            &|| fs::remove_file(&file).unwrap(),
        ];
        for (number, done) in done.iter().enumerate() {
            while !disk.quiet() {}
            assert!(disk.quiet(), "{number}");
            done();
            assert!(!disk.quiet(), "{number}");
        }
    }

    #[test]
    fn a_home_has_one_vault_at_a_time() {
        let home = tempfile::tempdir().unwrap();
        let first = Disk::open(home.path()).unwrap();
        assert_eq!(Disk::open(home.path()).unwrap_err().reason(), Reason::StateBusy);
        drop(first);
        Disk::open(home.path()).unwrap();
    }
}
