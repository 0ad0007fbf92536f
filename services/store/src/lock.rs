//! One owner per state folder.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use aileron_contract::{Error, Reason, Result};

use crate::files;

/// Holds a folder for this process until dropped; the system lets go of it when the process dies.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
    path: PathBuf,
}

impl FolderLock {
    /// Takes the lock file `name` in `folder` (made when missing). `state_busy` when another
    /// process holds it.
    pub fn acquire(folder: &Path, name: &str) -> Result<Self> {
        let path = folder.join(name);
        let unusable = |cause: io::Error| {
            Error::new(
                Reason::StateBusy,
                format!("the lock file {} cannot be used: check that it is yours", path.display()),
            )
            .caused_by(cause)
        };
        files::create_private_dir(folder).map_err(unusable)?;
        let mut options = OpenOptions::new();
        options.create(true).write(true).truncate(false).mode(0o600);
        let file = options.open(&path).map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file, path }),
            Err(TryLockError::WouldBlock) => Err(Error::new(
                Reason::StateBusy,
                format!(
                    "another process uses {} (it holds {name}): stop it first, or set another \
                     AILERON_HOME",
                    folder.display()
                ),
            )),
            Err(TryLockError::Error(cause)) => Err(unusable(cause)),
        }
    }

    /// The lock file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_owner_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let first = FolderLock::acquire(folder.path(), "executor.lock").unwrap();
        let second = FolderLock::acquire(folder.path(), "executor.lock").unwrap_err();
        assert_eq!(second.reason(), Reason::StateBusy);
        FolderLock::acquire(folder.path(), "vault.lock").unwrap();
        drop(first);
        FolderLock::acquire(folder.path(), "executor.lock").unwrap();
    }
}
