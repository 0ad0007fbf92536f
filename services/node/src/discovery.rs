//! `daemon.json` and `daemon.pid`: how clients on this machine find the daemon.

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
};

use aileron_api::discovery::{Discovery, FILE};
use aileron_contract::{Error, Result, Secret, Timestamp};
use aileron_store::files::write_atomic;

/// The published files of a running daemon; gone when dropped.
pub(crate) struct Published {
    paths: [PathBuf; 2],
}

impl Published {
    /// Takes away what a daemon left that was killed: its port may be anybody's. For who holds the
    /// folder.
    pub(crate) fn forget(home: &Path) {
        drop(Self { paths: paths(home) });
    }

    /// Written only after the listener is bound, so that who reads it can connect.
    pub(crate) fn write(
        home: &Path,
        address: SocketAddr,
        token: &Secret,
        now: Timestamp,
    ) -> Result<Self> {
        let paths = paths(home);
        let discovery = Discovery {
            url: format!("http://{}", reachable(address)),
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: now.to_string(),
            token: Some(token.expose(|bytes| String::from_utf8_lossy(bytes).into_owned())),
        };
        let json = serde_json::to_vec(&discovery).map_err(Error::internal)?;
        let [discovery_path, pid_path] = &paths;
        write_atomic(discovery_path, &json, 0o600).map_err(Error::internal)?;
        write_atomic(pid_path, format!("{}\n", std::process::id()).as_bytes(), 0o600)
            .map_err(Error::internal)?;
        Ok(Self { paths })
    }
}

impl Drop for Published {
    fn drop(&mut self) {
        for path in &self.paths {
            if let Err(error) = std::fs::remove_file(path) {
                tracing::debug!(%error, path = %path.display(), "discovery file already gone");
            }
        }
    }
}

fn paths(home: &Path) -> [PathBuf; 2] {
    [home.join(FILE), home.join("daemon.pid")]
}

/// Where a client of this machine connects: a listener on every address is reached by loopback.
fn reachable(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(it) if it.ip().is_unspecified() => (Ipv4Addr::LOCALHOST, it.port()).into(),
        SocketAddr::V6(it) if it.ip().is_unspecified() => (Ipv6Addr::LOCALHOST, it.port()).into(),
        other => other,
    }
}
