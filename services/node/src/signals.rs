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

/// A file that may not grow any further is an error to whoever writes it, as a full disk is, not
/// the end of the process. The handler stays after the listener made here is gone.
pub(crate) fn outlive_file_limits() -> std::io::Result<()> {
    signal(SignalKind::from_raw(FILE_SIZE_EXCEEDED)).map(drop)
}

/// `SIGXFSZ` on Linux and macOS.
const FILE_SIZE_EXCEEDED: i32 = 25;

/// Which file stands at `path` now.
fn inode(path: &Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(path).ok().map(|metadata| metadata.ino())
}
