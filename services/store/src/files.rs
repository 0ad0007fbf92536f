//! Files that are there whole or not at all, and that only their owner reads. All functions
//! block: call them where blocking is allowed.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{
        DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
    },
    path::{Path, PathBuf},
};

use rustix::fs::OFlags;

/// Replaces the file at `path` with `bytes`, with permissions `mode`. A crash leaves the old file
/// or the new one, never a part; when this returns the new one is on the disk.
pub fn write_atomic(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let folder = folder_of(path)?;
    let temporary = temporary_beside(path, folder)?;
    let written = write_new(&temporary, bytes, mode)
        .and_then(|()| fs::rename(&temporary, path))
        .and_then(|()| sync_dir(folder));
    if written.is_err() {
        // After a rename there is nothing left to remove, which is as good.
        drop(fs::remove_file(&temporary));
    }
    written
}

/// A file that [`write_atomic_together`] writes.
#[derive(Clone, Copy, Debug)]
pub struct NewFile<'a> {
    pub path: &'a Path,
    pub content: &'a [u8],
    pub mode: u32,
}

/// As [`write_atomic`] for many files, and much faster than one after another: all are written
/// before the first is waited for, and each folder is waited for once. A crash leaves each file
/// old or new. An error leaves some old and some new, and no leftovers.
pub fn write_atomic_together(files: &[NewFile<'_>]) -> io::Result<()> {
    let mut temporaries = Vec::with_capacity(files.len());
    let written = replace_all(files, &mut temporaries);
    if written.is_err() {
        for (temporary, _) in temporaries {
            drop(fs::remove_file(temporary));
        }
    }
    written
}

fn replace_all<'a>(
    files: &[NewFile<'a>],
    temporaries: &mut Vec<(PathBuf, File)>,
) -> io::Result<()> {
    let mut folders: Vec<&'a Path> = Vec::new();
    for file in files {
        let folder = folder_of(file.path)?;
        if !folders.contains(&folder) {
            folders.push(folder);
        }
        let temporary = temporary_beside(file.path, folder)?;
        let opened = create_new(&temporary, file.mode)?;
        temporaries.push((temporary, opened));
        if let Some((_, opened)) = temporaries.last_mut() {
            opened.write_all(file.content)?;
        }
    }
    for (_, opened) in &*temporaries {
        opened.sync_all()?;
    }
    for (file, (temporary, _)) in files.iter().zip(&*temporaries) {
        fs::rename(temporary, file.path)?;
    }
    folders.into_iter().try_for_each(sync_dir)
}

/// Makes a folder and those above it, readable by their owner only. An existing folder must be
/// ours and is closed to others.
pub fn create_private_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    let found = fs::metadata(path)?;
    owned(&found, path)?;
    if found.mode() & 0o077 != 0 {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// How files of the state are opened: never through a link somebody planted, and those that are
/// made are readable by their owner only.
pub fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600).custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
    options
}

/// Makes an empty file unless there is one; either way only its owner reads it afterwards.
pub(crate) fn create_private_file(path: &Path) -> io::Result<()> {
    let file = private().create(true).append(true).open(path)?;
    let found = file.metadata()?;
    owned(&found, path)?;
    if found.mode() & 0o077 != 0 {
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
    }
    Ok(())
}

/// Opens a file to add to its end, and makes one that only its owner reads if there is none. Not
/// through a link, and neither a pipe, which nobody may ever read from, nor a device.
pub fn append_own(path: &Path) -> io::Result<File> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let mut options = OpenOptions::new();
    let file = options.create(true).append(true).mode(0o600).custom_flags(flags).open(path)?;
    plain(&file, path)?;
    Ok(file)
}

/// Reads a file of at most `max` bytes; a longer one is refused, however long.
pub fn read_bounded(path: &Path, max: u64) -> io::Result<Vec<u8>> {
    whole(path, File::open(path)?, max)
}

/// As [`read_bounded`], and neither a pipe, which nobody may ever write to, nor a device.
pub fn read_regular(path: &Path, max: u64) -> io::Result<Vec<u8>> {
    regular(path, OFlags::empty(), max)
}

/// As [`read_regular`], and not through a link. For what is shown to others: a link that a program
/// put there would lead to what only this process may read, such as its own environment.
pub fn read_own(path: &Path, max: u64) -> io::Result<Vec<u8>> {
    regular(path, OFlags::NOFOLLOW, max)
}

fn regular(path: &Path, flags: OFlags, max: u64) -> io::Result<Vec<u8>> {
    // A pipe is opened at once, and then seen to be one.
    let flags = (flags | OFlags::NONBLOCK).bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    plain(&file, path)?;
    whole(path, file, max)
}

fn plain(file: &File, path: &Path) -> io::Result<()> {
    if file.metadata()?.is_file() {
        return Ok(());
    }
    let text = format!("{} is no regular file", path.display());
    Err(io::Error::new(io::ErrorKind::InvalidInput, text))
}

fn whole(path: &Path, file: File, max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(max.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > max {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("{} is longer than {max} bytes", path.display()),
        ));
    }
    Ok(bytes)
}

/// Makes the names in a folder durable: those created, renamed and removed.
pub fn sync_dir(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn folder_of(path: &Path) -> io::Result<&Path> {
    match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Ok(Path::new(".")),
        Some(folder) => Ok(folder),
        None => Err(io::Error::new(io::ErrorKind::InvalidInput, "not the path of a file")),
    }
}

fn temporary_beside(path: &Path, folder: &Path) -> io::Result<PathBuf> {
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "not the path of a file"))?;
    let mut random = [0_u8; 8];
    rustix::rand::getrandom(&mut random, rustix::rand::GetRandomFlags::empty())?;
    let mut temporary = std::ffi::OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{:016x}.tmp", u64::from_ne_bytes(random)));
    Ok(folder.join(temporary))
}

fn write_new(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut file = create_new(path, mode)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn create_new(path: &Path, mode: u32) -> io::Result<File> {
    let file = OpenOptions::new().create_new(true).write(true).mode(mode).open(path)?;
    // The mode above passes through the umask, which may take away but never adds.
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    Ok(file)
}

fn owned(found: &fs::Metadata, path: &Path) -> io::Result<()> {
    if found.uid() == rustix::process::geteuid().as_raw() {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::PermissionDenied,
        format!("{} belongs to another user", path.display()),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    #[test]
    fn a_file_is_replaced_whole_with_its_mode_and_no_leftovers() {
        let folder = folder();
        let path = folder.path().join("state.json");
        write_atomic(&path, b"one", 0o644).unwrap();
        write_atomic(&path, b"two", 0o600).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_failed_replacement_leaves_the_old_file_and_no_leftovers() {
        let folder = folder();
        let path = folder.path().join("occupied");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("x"), b"x").unwrap();
        assert!(write_atomic(&path, b"new", 0o600).is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn files_written_together_are_each_replaced_whole_and_a_failure_leaves_no_leftovers() {
        let folder = folder();
        let paths = ["a", "b", "c"].map(|name| folder.path().join(name));
        write_atomic(&paths[1], b"old", 0o600).unwrap();
        let new = |path| NewFile { path, content: b"new", mode: 0o644 };
        write_atomic_together(&[new(&paths[0]), new(&paths[1])]).unwrap();
        for path in &paths[..2] {
            assert_eq!(fs::read(path).unwrap(), b"new");
            assert_eq!(fs::metadata(path).unwrap().mode() & 0o777, 0o644);
        }
        fs::create_dir(&paths[2]).unwrap();
        fs::write(paths[2].join("x"), b"x").unwrap();
        let newer = NewFile { path: &paths[0], content: b"newer", mode: 0o600 };
        assert!(write_atomic_together(&[newer, new(&paths[2]), new(&paths[1])]).is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
        assert!(write_atomic_together(&[]).is_ok());
    }

    #[test]
    fn an_open_folder_is_closed_to_others() {
        let folder = folder();
        let path = folder.path().join("a/b");
        create_private_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        create_private_dir(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
        assert_eq!(fs::metadata(folder.path().join("a")).unwrap().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_private_file_is_not_made_through_a_link() {
        let folder = folder();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(folder.path().join("elsewhere"), &link).unwrap();
        assert!(create_private_file(&link).is_err());
        assert!(!folder.path().join("elsewhere").exists());
    }

    #[test]
    fn a_file_past_its_bound_is_refused_and_one_at_it_is_read() {
        let folder = folder();
        let path = folder.path().join("x");
        fs::write(&path, b"12345").unwrap();
        assert_eq!(read_bounded(&path, 5).unwrap(), b"12345");
        let refused = read_bounded(&path, 4).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::FileTooLarge);
        assert!(read_bounded(Path::new("/dev/zero"), 4).is_err());
    }

    #[test]
    fn neither_a_link_nor_a_pipe_nor_a_folder_is_a_file_of_our_own() {
        let folder = folder();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("file"), b"12345").unwrap();
        std::os::unix::fs::symlink(at("file"), at("link")).unwrap();
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mkfifoat(rustix::fs::CWD, at("pipe"), mode).unwrap();
        assert_eq!(read_own(&at("file"), 5).unwrap(), b"12345");
        assert_eq!(read_own(&at("file"), 4).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        for name in ["link", "pipe", "."] {
            let refused = read_own(&at(name), 5).unwrap_err();
            assert_ne!(refused.kind(), io::ErrorKind::NotFound, "{name}");
        }
        assert_eq!(read_own(&at("none"), 5).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(read_regular(&at("link"), 5).unwrap(), b"12345");
        assert!(read_regular(&at("pipe"), 5).is_err());
        assert!(read_regular(Path::new("/dev/zero"), 4).is_err());
    }

    #[test]
    fn what_is_added_goes_to_a_file_of_our_own_and_nobody_waits_for_a_pipe() {
        let folder = folder();
        let at = |name: &str| folder.path().join(name);
        for line in [b"one\n", b"two\n"] {
            append_own(&at("file")).unwrap().write_all(line).unwrap();
        }
        assert_eq!(fs::read(at("file")).unwrap(), b"one\ntwo\n");
        assert_eq!(fs::metadata(at("file")).unwrap().mode() & 0o777, 0o600);
        std::os::unix::fs::symlink(at("file"), at("link")).unwrap();
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mkfifoat(rustix::fs::CWD, at("pipe"), mode).unwrap();
        assert!(append_own(&at("link")).is_err());
        assert!(append_own(&at("pipe")).is_err());
        let _reader = OpenOptions::new().read(true).write(true).open(at("pipe")).unwrap();
        assert!(append_own(&at("pipe")).is_err());
        assert!(append_own(Path::new("/dev/null")).is_err());
    }
}
