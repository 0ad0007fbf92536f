//! What tells the daemon to stop.

use std::path::Path;

use tokio::{
    signal::unix::{SignalKind, signal},
    time::{Duration, interval},
};

/// Returns when the process is asked to stop, or when the state folder is no longer the one it was
/// (one of the lock files is another file now, or gone).
pub(crate) async fn stop_requested(locks: Vec<&Path>) -> std::io::Result<&'static str> {
    let held: Vec<_> = locks.iter().map(|path| inode(path)).collect();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut look = interval(Duration::from_secs(2));
    loop {
        tokio::select! {
            _ = terminate.recv() => return Ok("terminated"),
            _ = interrupt.recv() => return Ok("interrupted"),
            _ = look.tick() => {
                if locks.iter().zip(&held).any(|(path, held)| inode(path) != *held) {
                    return Ok("the state folder was replaced");
                }
            }
        }
    }
}

/// Which file stands at `path` now.
fn inode(path: &Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(path).ok().map(|metadata| metadata.ino())
}
