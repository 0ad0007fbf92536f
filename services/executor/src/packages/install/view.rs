//! What installations look up, for many of them at once: the action files are looked at once, and
//! each connector is read and hashed once.

use std::collections::HashMap;

use aileron_contract::{
    Result,
    names::{ActionName, Sha256Hash},
};
use tokio::sync::Mutex;

use super::{
    connectors::installed,
    standing::{self, Standing},
};
use crate::packages::{
    Parts,
    catalog::{Catalog, Glance},
    records::ConnectorRecord,
};

/// The state of things at one moment.
pub(in crate::packages) struct View<'a> {
    parts: &'a Parts,
    catalog: &'a Catalog,
    actions: Glance,
    connectors: Mutex<HashMap<Sha256Hash, Option<ConnectorRecord>>>,
}

impl<'a> View<'a> {
    pub(in crate::packages) async fn now(parts: &'a Parts, catalog: &'a Catalog) -> Result<Self> {
        let actions = catalog.glance().await?;
        Ok(Self { parts, catalog, actions, connectors: Mutex::default() })
    }

    /// What stands where the action `name` would be installed, whose bytes hash to `hash`.
    pub(in crate::packages) async fn standing(
        &self,
        name: &ActionName,
        hash: Sha256Hash,
    ) -> Result<Standing> {
        let known = self.catalog.known(&self.actions, name).await?;
        standing::of(self.parts, known.as_ref(), name, hash).await
    }

    /// The connector with this hash, when it is installed and whole.
    pub(in crate::packages) async fn connector(
        &self,
        hash: Sha256Hash,
    ) -> Result<Option<ConnectorRecord>> {
        // Held while looking: those who ask for the same one wait for the answer.
        let mut connectors = self.connectors.lock().await;
        if let Some(known) = connectors.get(&hash) {
            return Ok(known.clone());
        }
        let found = installed(self.parts, hash).await?;
        connectors.insert(hash, found.clone());
        Ok(found)
    }
}
