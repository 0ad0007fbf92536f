//! A Unix socket that only processes of our own user may connect to.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use aileron_contract::{Error, Reason, Result};
use futures::Stream;
use tokio::{
    net::{UnixListener, UnixStream},
    time::{Sleep, sleep},
};

/// After a failed accept (no file descriptor left, say) the next waits this long.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Listens on a Unix socket: mode 0600, in a folder that is ours alone. A socket file whose
/// process is gone is replaced; one that answers is `state_busy`; anything else is left alone.
pub async fn listen(path: &Path) -> Result<Listener> {
    let folder = path.parent().ok_or_else(|| unusable(path, "it names no folder"))?;
    private_folder(folder)?;
    remove_stale(path).await?;
    let socket = UnixListener::bind(path).map_err(|error| {
        unusable(path, "it cannot be created; a shorter path may help").caused_by(error)
    })?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
        .map_err(|error| unusable(path, "its permissions cannot be set").caused_by(error))?;
    let file = Identity::of(path);
    Ok(Listener { socket, path: path.to_owned(), file, pause: None })
}

/// Connections of our own user; others are closed before a byte is read. Dropping it removes the
/// socket file.
#[derive(Debug)]
pub struct Listener {
    socket: UnixListener,
    path: PathBuf,
    file: Option<Identity>,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Listener {
    /// Where the socket is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Stream for Listener {
    type Item = io::Result<UnixStream>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(context));
            self.pause = None;
        }
        loop {
            let (stream, _) = match ready!(self.socket.poll_accept(context)) {
                Ok(accepted) => accepted,
                Err(error) => {
                    self.pause = Some(Box::pin(sleep(ACCEPT_PAUSE)));
                    return Poll::Ready(Some(Err(error)));
                }
            };
            match stream.peer_cred() {
                Ok(peer) if same_user(peer.uid()) => return Poll::Ready(Some(Ok(stream))),
                Ok(peer) => {
                    tracing::warn!(uid = peer.uid(), socket = %self.path.display(), "refused a connection of another user");
                }
                Err(error) => {
                    tracing::warn!(%error, socket = %self.path.display(), "refused a connection of an unknown user");
                }
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // A successor may have put its own socket there.
        if self.file.is_some()
            && Identity::of(&self.path) == self.file
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::debug!(%error, socket = %self.path.display(), "the socket file stays behind");
        }
    }
}

/// May a process of this user talk to us, or we to it?
pub(crate) fn same_user(uid: u32) -> bool {
    admits(rustix::process::geteuid().as_raw(), uid)
}

/// Only our own user; not even the superuser, who needs no socket.
fn admits(ours: u32, theirs: u32) -> bool {
    ours == theirs
}

#[derive(Debug, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    fn of(path: &Path) -> Option<Self> {
        let file = fs::symlink_metadata(path).ok()?;
        Some(Self { device: file.dev(), inode: file.ino() })
    }
}

fn private_folder(folder: &Path) -> Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| unusable(folder, "the folder cannot be created").caused_by(error))?;
    let found = fs::metadata(folder)
        .map_err(|error| unusable(folder, "the folder cannot be read").caused_by(error))?;
    if !found.is_dir() || !same_user(found.uid()) {
        return Err(unusable(folder, "the folder belongs to somebody else"));
    }
    if found.mode() & 0o077 != 0 {
        return Err(unusable(folder, "others may enter the folder: chmod 700 it"));
    }
    Ok(())
}

async fn remove_stale(path: &Path) -> Result<()> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(unusable(path, "it cannot be read").caused_by(error)),
    };
    if !found.file_type().is_socket() {
        return Err(unusable(path, "a file that is no socket is in the way"));
    }
    match UnixStream::connect(path).await {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path)
            .map_err(|error| unusable(path, "the old socket cannot be removed").caused_by(error)),
        Ok(_) => Err(Error::new(
            Reason::StateBusy,
            format!("another process already serves on {}: stop it first", path.display()),
        )),
        Err(error) => Err(unusable(path, "the socket in the way does not answer").caused_by(error)),
    }
}

fn unusable(path: &Path, why: &str) -> Error {
    Error::new(
        Reason::ConfigInvalid,
        format!("cannot listen on the socket {}: {why}", path.display()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason<T: std::fmt::Debug>(result: Result<T>) -> Reason {
        result.unwrap_err().reason()
    }

    #[test]
    fn only_our_own_user_is_admitted() {
        assert!(admits(1000, 1000));
        for (ours, theirs) in [(1000, 1001), (1000, 0), (0, 1000), (1000, u32::MAX)] {
            assert!(!admits(ours, theirs), "{ours} {theirs}");
        }
    }

    #[tokio::test]
    async fn the_socket_is_private_and_goes_with_its_listener() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("run/vault.sock");
        let listener = listen(&path).await.unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        drop(listener);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_socket_in_use_is_left_alone_and_a_stale_one_replaced() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("run/vault.sock");
        let listener = listen(&path).await.unwrap();
        assert_eq!(reason(listen(&path).await), Reason::StateBusy);
        drop(listener);
        // A process that was killed leaves its file.
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        listen(&path).await.unwrap();
    }

    #[tokio::test]
    async fn a_folder_others_may_enter_and_a_file_in_the_way_are_refused() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("open");
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(reason(listen(&folder.join("x.sock")).await), Reason::ConfigInvalid);
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(folder.join("x.sock"), "precious").unwrap();
        assert_eq!(reason(listen(&folder.join("x.sock")).await), Reason::ConfigInvalid);
        assert_eq!(fs::read(folder.join("x.sock")).unwrap(), b"precious");
    }
}
