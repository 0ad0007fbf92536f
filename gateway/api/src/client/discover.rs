//! Finding the daemon of this machine through its `daemon.json`.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read as _},
    net::SocketAddr,
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use rustix::fs::OFlags;

use crate::discovery::{Discovery, FILE, LOCK};

/// The published file is a few hundred bytes.
const MAX_FILE: u64 = 16 * 1024;

/// Why a discovery file is not believed.
#[derive(Debug, thiserror::Error)]
pub enum Undiscovered {
    #[error("cannot {doing} {}: {source}", path.display())]
    File { doing: &'static str, path: PathBuf, source: io::Error },
    #[error(
        "{} is not a file that only you can read and write: remove it, then start the daemon again",
        path.display()
    )]
    NotYours { path: PathBuf },
    #[error(
        "{} points to {url}, which is not a daemon on this machine: remove it, then start the \
         daemon again",
        path.display()
    )]
    Elsewhere { path: PathBuf, url: String },
}

/// What the daemon of `home` left for its clients; none when there is no such file, or no daemon
/// that holds the folder. A secret goes where this file points: it counts only when nobody else
/// could write it, and points to this machine only. The file of a daemon that was killed counts for
/// nothing: anybody on this machine may have its port by now, and answer as it did.
pub fn discovered(home: &Path) -> Result<Option<Discovery>, Undiscovered> {
    let path = home.join(FILE);
    let failed = |doing, source| Undiscovered::File { doing, path: path.clone(), source };
    let file = match open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("open", error)),
    };
    if !ours(&file).map_err(|error| failed("read", error))? {
        return Err(Undiscovered::NotYours { path });
    }
    let mut text = Vec::new();
    file.take(MAX_FILE).read_to_end(&mut text).map_err(|error| failed("read", error))?;
    // A half-written or foreign file is no daemon: a new one replaces it.
    let found: Option<Discovery> = serde_json::from_slice(&text).ok();
    match found {
        Some(found) if !on_this_machine(&found.url) => {
            Err(Undiscovered::Elsewhere { path, url: found.url })
        }
        Some(found) => {
            let held = is_held(&home.join(LOCK)).map_err(|error| failed("trust", error))?;
            Ok(held.then_some(found))
        }
        None => Ok(None),
    }
}

fn open(path: &Path) -> io::Result<File> {
    let no_link = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).unwrap_or_default();
    OpenOptions::new().read(true).custom_flags(no_link).open(path)
}

/// Does a process that can open this file live, and hold it? The system lets go of it when that
/// process dies.
fn is_held(lock: &Path) -> io::Result<bool> {
    let file = match open(lock) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    // Shared, so that those who look do not see one another.
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn ours(file: &File) -> io::Result<bool> {
    let metadata = file.metadata()?;
    Ok(metadata.is_file()
        && metadata.uid() == rustix::process::geteuid().as_raw()
        && metadata.mode().trailing_zeros() >= 6)
}

/// `http://` and a loopback address with its port, as the daemon writes it; nothing after it.
fn on_this_machine(url: &str) -> bool {
    url.strip_prefix("http://")
        .and_then(|address| address.parse::<SocketAddr>().ok())
        .is_some_and(|address| address.ip().is_loopback())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn planted(folder: &Path, url: &str, mode: u32) {
        let path = folder.join(FILE);
        let text = format!(
            r#"{{"url":"{url}","pid":1,"version":"0","started_at":"2026-01-01T00:00:00Z"}}"#
        );
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    /// As a daemon holds it that is alive.
    fn held(folder: &Path) -> File {
        let lock = File::create(folder.join(LOCK)).unwrap();
        lock.lock().unwrap();
        lock
    }

    #[test]
    fn what_a_dead_daemon_left_sends_no_secret_to_whoever_took_its_port() {
        let folder = tempfile::tempdir().unwrap();
        planted(folder.path(), "http://127.0.0.1:4000", 0o600);
        assert!(discovered(folder.path()).unwrap().is_none(), "no daemon was ever here");
        let alive = held(folder.path());
        assert!(discovered(folder.path()).unwrap().is_some());
        drop(alive);
        assert!(discovered(folder.path()).unwrap().is_none(), "it was killed");
        // Whoever else looks is no daemon.
        let looking = File::open(folder.path().join(LOCK)).unwrap();
        looking.lock_shared().unwrap();
        assert!(discovered(folder.path()).unwrap().is_none());
    }

    #[test]
    fn a_discovery_file_cannot_send_a_secret_to_another_machine() {
        let folder = tempfile::tempdir().unwrap();
        assert!(discovered(folder.path()).unwrap().is_none());
        let _alive = held(folder.path());
        for url in ["http://127.0.0.1:4000", "http://[::1]:4000"] {
            planted(folder.path(), url, 0o600);
            assert!(discovered(folder.path()).unwrap().is_some(), "{url}");
        }
        for url in [
            "https://evil.example",
            "http://evil.example:4000",
            "http://127.0.0.1:4000@evil.example",
            "http://127.0.0.1.evil.example:80",
            "http://10.0.0.1:4000",
            "http://127.0.0.1:4000/elsewhere",
            "http://localhost:4000",
        ] {
            planted(folder.path(), url, 0o600);
            assert!(discovered(folder.path()).is_err(), "{url}");
        }
    }

    #[test]
    fn a_discovery_file_that_others_can_write_or_that_is_a_link_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let _alive = held(folder.path());
        for mode in [0o602, 0o620, 0o644, 0o666] {
            planted(folder.path(), "http://127.0.0.1:4000", mode);
            assert!(discovered(folder.path()).is_err(), "{mode:o}");
        }
        planted(folder.path(), "http://127.0.0.1:4000", 0o600);
        let (linked, piped) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        symlink(folder.path().join(FILE), linked.path().join(FILE)).unwrap();
        assert!(discovered(linked.path()).is_err());
        let pipe = piped.path().join(FILE);
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).unwrap();
        assert!(discovered(piped.path()).is_err(), "a pipe is neither believed nor waited for");
    }
}
