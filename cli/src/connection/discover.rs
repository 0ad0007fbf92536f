//! Reads `daemon.json` and asks whether its daemon is alive.

use std::{io::Read as _, path::Path, time::Duration};

use aileron_api::{
    client::{Client, Endpoint},
    discovery::Discovery,
};

use crate::failure::{Failure, Result};

/// The published file is a few hundred bytes.
const MAX_FILE: u64 = 16 * 1024;

/// The daemon of `home`, if one answers. A file without a daemon behind it is nothing.
pub(super) async fn running(home: &Path) -> Result<Option<Discovery>> {
    let Some(found) = read(&home.join("daemon.json"))? else { return Ok(None) };
    Ok(answers(&found).await.then_some(found))
}

pub(super) fn read(path: &Path) -> Result<Option<Discovery>> {
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Failure::file("open", path, error)),
    };
    let mut text = Vec::new();
    file.take(MAX_FILE)
        .read_to_end(&mut text)
        .map_err(|error| Failure::file("read", path, error))?;
    // A half-written or foreign file is no daemon: a new one replaces it.
    Ok(serde_json::from_slice(&text).ok())
}

/// Does a daemon answer there?
pub(super) async fn answers(found: &Discovery) -> bool {
    let endpoint =
        Endpoint { base_url: format!("{}/v1", found.url), token: None, extra_root: None };
    let Ok(client) = Client::new(endpoint) else { return false };
    let health = tokio::time::timeout(Duration::from_secs(2), client.health()).await;
    matches!(health, Ok(Ok(_)))
}
