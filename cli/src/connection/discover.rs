//! Reads `daemon.json` and asks whether its daemon is alive.

use std::{path::Path, time::Duration};

use aileron_api::{
    client::{Client, Endpoint, discovered},
    discovery::Discovery,
};

use crate::failure::{Failure, Result};

/// The daemon of `home`, if one answers. A file without a daemon behind it is nothing.
pub(super) async fn running(home: &Path) -> Result<Option<Discovery>> {
    let Some(found) = read(home)? else { return Ok(None) };
    Ok(answers(&found).await.then_some(found))
}

/// What the daemon of `home` left for its clients.
pub(super) fn read(home: &Path) -> Result<Option<Discovery>> {
    discovered(home).map_err(|error| Failure::plain(error.to_string()))
}

/// Does a daemon answer there?
pub(super) async fn answers(found: &Discovery) -> bool {
    let endpoint =
        Endpoint { base_url: format!("{}/v1", found.url), token: None, extra_root: None };
    let Ok(client) = Client::new(endpoint) else { return false };
    let health = tokio::time::timeout(Duration::from_secs(2), client.health()).await;
    matches!(health, Ok(Ok(_)))
}
