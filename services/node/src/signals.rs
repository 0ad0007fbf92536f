//! What tells the daemon to stop.

use std::path::Path;

use tokio::{
    signal::unix::{SignalKind, signal},
    time::{Duration, interval},
};

/// Returns when the process is asked to stop, or when another daemon has taken the state folder
/// (the lock file at `lock` is no longer the one that is held).
pub(crate) async fn stop_requested(
    lock: &Path,
    held: Option<u64>,
) -> std::io::Result<&'static str> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut look = interval(Duration::from_secs(2));
    loop {
        tokio::select! {
            _ = terminate.recv() => return Ok("terminated"),
            _ = interrupt.recv() => return Ok("interrupted"),
            _ = look.tick() => {
                if held.is_some() && inode(lock) != held {
                    return Ok("the state folder was replaced");
                }
            }
        }
    }
}

/// Which file stands at `path` now.
pub(crate) fn inode(path: &Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(path).ok().map(|metadata| metadata.ino())
}
