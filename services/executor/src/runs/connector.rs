//! What a run needs of the installed packages.

use std::sync::Arc;

use aileron_contract::{
    Context, Error, Reason, Result,
    executor::Actions,
    failure::{Boundary, Class, Failure},
    names::{ActionName, Sha256Hash},
};
use async_trait::async_trait;

use super::outcome;
use crate::{
    packages::{
        catalog::{Catalog, Installed},
        store::{ConnectorStore, Loaded},
    },
    seals::closed,
};

/// The installed actions and connectors.
#[async_trait]
pub(crate) trait Library: Send + Sync + 'static {
    async fn actions(&self) -> Result<Actions>;
    async fn action(&self, name: &ActionName) -> Result<Option<Arc<Installed>>>;
    async fn set_enabled(
        &self,
        context: &Context,
        name: &ActionName,
        enabled: bool,
    ) -> Result<Arc<Installed>>;
    /// A connector whose bytes were checked against the hash.
    async fn connector(&self, hash: Sha256Hash) -> Result<Arc<Loaded>>;
}

/// The packages of this home.
#[derive(Clone, Debug)]
pub(crate) struct Shelf {
    pub(crate) catalog: Catalog,
    pub(crate) store: ConnectorStore,
}

#[async_trait]
impl Library for Shelf {
    async fn actions(&self) -> Result<Actions> {
        self.catalog.list().await
    }

    async fn action(&self, name: &ActionName) -> Result<Option<Arc<Installed>>> {
        self.catalog.get(name).await
    }

    async fn set_enabled(
        &self,
        context: &Context,
        name: &ActionName,
        enabled: bool,
    ) -> Result<Arc<Installed>> {
        self.catalog.set_enabled(context, name, enabled).await
    }

    async fn connector(&self, hash: Sha256Hash) -> Result<Arc<Loaded>> {
        self.store.load(hash).await
    }
}

/// Why a connector cannot be used, as a run tells it.
pub(super) fn unusable(error: &Error) -> Failure {
    if closed(error) {
        return outcome::vault_closed(error);
    }
    let class = match error.reason() {
        Reason::HashMismatch => Class::HashMismatch,
        Reason::SignatureFailure => Class::SignatureFailure,
        _ => Class::ConnectorRuntimeError,
    };
    Failure::new(class, Boundary::Runtime, error.public().to_owned())
        .detail("reason", error.reason().code())
}
