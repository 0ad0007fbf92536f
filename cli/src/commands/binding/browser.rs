//! Opens the person's browser.

use std::{ffi::OsStr, path::Path, process::Stdio};

/// What the browser must not inherit: it, and every page's helper, could read them.
const OURS: [&str; 2] = ["AILERON_TOKEN", "AILERON_VAULT_PASSPHRASE"];

/// Tries the ways this system has. False when there is none; the address was printed anyway.
pub(super) fn open(url: &str) -> bool {
    // Anything else could be a file or a program to the system's opener.
    if !(url.starts_with("https://") || url.starts_with("http://")) {
        return false;
    }
    started(url)
}

/// The same, for a file that this program has just written.
pub(in crate::commands) fn open_file(path: &Path) -> bool {
    started(path)
}

fn started(what: impl AsRef<OsStr>) -> bool {
    open::commands(what).into_iter().any(|mut command| {
        for name in OURS {
            command.env_remove(name);
        }
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        quiet.spawn().is_ok()
    })
}
