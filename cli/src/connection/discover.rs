//! Reads `daemon.json` and asks whether its daemon is alive.

use std::{
    fs::{File, OpenOptions},
    io::Read as _,
    net::SocketAddr,
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::Path,
    time::Duration,
};

use aileron_api::{
    client::{Client, Endpoint},
    discovery::Discovery,
};
use rustix::fs::OFlags;

use crate::failure::{Failure, Result};

/// The published file is a few hundred bytes.
const MAX_FILE: u64 = 16 * 1024;

/// The daemon of `home`, if one answers. A file without a daemon behind it is nothing.
pub(super) async fn running(home: &Path) -> Result<Option<Discovery>> {
    let Some(found) = read(&home.join("daemon.json"))? else { return Ok(None) };
    Ok(answers(&found).await.then_some(found))
}

/// The passphrase goes where this file points: it counts only when nobody else could write it, and
/// points to this machine only.
pub(super) fn read(path: &Path) -> Result<Option<Discovery>> {
    let no_link = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).unwrap_or_default();
    let file = match OpenOptions::new().read(true).custom_flags(no_link).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Failure::file("open", path, error)),
    };
    if !ours(&file).map_err(|error| Failure::file("read", path, error))? {
        return Err(Failure::plain(format!(
            "{} is not a file that only you can read and write: remove it, then start the daemon \
             again",
            path.display()
        )));
    }
    let mut text = Vec::new();
    file.take(MAX_FILE)
        .read_to_end(&mut text)
        .map_err(|error| Failure::file("read", path, error))?;
    // A half-written or foreign file is no daemon: a new one replaces it.
    let found: Option<Discovery> = serde_json::from_slice(&text).ok();
    match found {
        Some(found) if !on_this_machine(&found.url) => Err(Failure::plain(format!(
            "{} points to {}, which is not a daemon on this machine: remove it, then start the \
             daemon again",
            path.display(),
            found.url
        ))),
        found => Ok(found),
    }
}

fn ours(file: &File) -> std::io::Result<bool> {
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

/// Does a daemon answer there?
pub(super) async fn answers(found: &Discovery) -> bool {
    let endpoint =
        Endpoint { base_url: format!("{}/v1", found.url), token: None, extra_root: None };
    let Ok(client) = Client::new(endpoint) else { return false };
    let health = tokio::time::timeout(Duration::from_secs(2), client.health()).await;
    matches!(health, Ok(Ok(_)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn planted(folder: &Path, url: &str, mode: u32) -> std::path::PathBuf {
        let path = folder.join("daemon.json");
        let text = format!(
            r#"{{"url":"{url}","pid":1,"version":"0","started_at":"2026-01-01T00:00:00Z"}}"#
        );
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn a_discovery_file_cannot_send_the_passphrase_to_another_machine() {
        let folder = tempfile::tempdir().unwrap();
        for url in ["http://127.0.0.1:4000", "http://[::1]:4000"] {
            assert!(read(&planted(folder.path(), url, 0o600)).unwrap().is_some(), "{url}");
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
            assert!(read(&planted(folder.path(), url, 0o600)).is_err(), "{url}");
        }
    }

    #[test]
    fn a_discovery_file_that_others_can_write_or_that_is_a_link_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        for mode in [0o602, 0o620, 0o644, 0o666] {
            let path = planted(folder.path(), "http://127.0.0.1:4000", mode);
            assert!(read(&path).is_err(), "{mode:o}");
        }
        let path = planted(folder.path(), "http://127.0.0.1:4000", 0o600);
        let link = folder.path().join("link.json");
        symlink(&path, &link).unwrap();
        assert!(read(&link).is_err());
        let pipe = folder.path().join("pipe.json");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).unwrap();
        assert!(read(&pipe).is_err(), "a pipe must neither be believed nor hang the command");
    }
}
