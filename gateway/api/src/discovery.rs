//! `daemon.json`: how clients on the daemon's machine find it.

use serde::{Deserialize, Serialize};

/// Where it lies in the state folder.
pub const FILE: &str = "daemon.json";

/// Beside it: the daemon holds this lock while it lives.
pub const LOCK: &str = "daemon.lock";

/// The published file, with the program token clients present.
#[derive(Clone, Deserialize, Serialize)]
pub struct Discovery {
    /// `http://127.0.0.1:<port>`, without `/v1`.
    pub url: String,
    pub pid: u32,
    pub version: String,
    /// RFC 3339.
    pub started_at: String,
    /// Lists, runs, polls and reads status; decides nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

impl std::fmt::Debug for Discovery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Discovery")
            .field("url", &self.url)
            .field("pid", &self.pid)
            .finish_non_exhaustive()
    }
}
