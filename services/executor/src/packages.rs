//! Packages: fetched from a release page, verified, installed, found again. Nothing is written
//! before signature and hash are verified, the log is told before anything counts, and what
//! persons installed and trusted is pinned under a key of the vault.

use std::{path::PathBuf, sync::Arc};

use aileron_contract::{
    Context, Error, Kind, Packages, Result, Scope, Timestamp, audit, bindings, egress,
    names::Fqn,
    packages::{
        ActionPreview, ActionRequest, Connector, ConnectorPreview, ConnectorRequest, Handle,
        InstalledAction, InstalledConnector, Suite, SuiteSource,
    },
    publishers::Handle as PublishersHandle,
    vault,
};
use aileron_store::Database;
use async_trait::async_trait;
use tokio_util::task::TaskTracker;

pub mod catalog;
mod declare;
mod describe;
mod fetch;
mod history;
mod install;
mod journal;
pub mod keyring;
pub mod keys;
mod pins;
mod publishers;
mod records;
mod sources;
pub mod store;
mod suites;
pub mod tarball;
mod trust;
mod verify;

pub use sources::Sources;

use catalog::Catalog;
use store::ConnectorStore;

/// What the service works with.
pub struct Options {
    pub home: PathBuf,
    pub database: Database,
    pub vault: vault::Handle,
    pub bindings: bindings::Handle,
    pub egress: egress::Handle,
    pub audit: audit::Handle,
    pub sources: Sources,
    pub clock: fn() -> Timestamp,
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("home", &self.home).finish_non_exhaustive()
    }
}

/// The packages half of the executor.
#[derive(Debug)]
pub struct Service {
    parts: Parts,
    catalog: Catalog,
}

impl Service {
    /// Opens the store and finishes what a crash interrupted. Works while the vault is locked.
    pub async fn open(options: Options) -> Result<Self> {
        let Options { home, database, vault, bindings, egress, audit, mut sources, clock } =
            options;
        database.migrate(pins::MIGRATIONS).await?;
        let pins = pins::Pins::new(database, Arc::clone(&vault), Arc::clone(&audit));
        let token = sources.token.take();
        let with_token = token.is_some();
        let hosts = sources.asset_hosts.clone();
        let parts = Parts {
            journal: journal::Journal::new(home.clone(), pins.clone()),
            store: ConnectorStore::new(&home, pins.clone()),
            keyring: keyring::KeyringFile::new(&home, pins.clone()),
            fetcher: fetch::Fetcher::new(egress, token, hosts),
            sources: Arc::new(sources),
            with_token,
            home,
            pins,
            vault,
            bindings,
            audit,
            clock,
            changing: Arc::default(),
            tasks: TaskTracker::new(),
        };
        match parts.journal.finish().await {
            // A log that is not there yet is asked again at the next waking.
            Err(error) if error.kind() == Kind::Unavailable => {
                tracing::warn!(%error, "what was interrupted is finished later");
            }
            done => done?,
        }
        parts.store.sweep().await?;
        Ok(Self { catalog: Catalog::new(parts.clone()), parts })
    }

    pub fn handle(&self) -> Handle {
        Arc::new(Door { parts: self.parts.clone(), catalog: self.catalog.clone() })
    }

    pub fn publishers(&self) -> PublishersHandle {
        Arc::new(publishers::Door { parts: self.parts.clone() })
    }

    pub fn catalog(&self) -> Catalog {
        self.catalog.clone()
    }

    pub fn store(&self) -> ConnectorStore {
        self.parts.store.clone()
    }

    /// The vault was unlocked: tells it the hosts and scopes of every installed connector, which
    /// bindings of older files wait for, and refreshes the published index.
    pub async fn wake(&self) -> Result<()> {
        {
            let _changing = self.parts.changing.lock().await;
            self.parts.journal.finish().await?;
        }
        declare::all(&self.parts).await?;
        self.parts.store.write_index().await
    }

    /// Waits for changes under way.
    pub async fn shutdown(&self) {
        self.parts.tasks.close();
        self.parts.tasks.wait().await;
    }
}

/// What the parts of this half share. Cheap to clone.
#[derive(Clone)]
struct Parts {
    home: PathBuf,
    pins: pins::Pins,
    journal: journal::Journal,
    store: ConnectorStore,
    keyring: keyring::KeyringFile,
    fetcher: fetch::Fetcher,
    sources: Arc<Sources>,
    with_token: bool,
    vault: vault::Handle,
    bindings: bindings::Handle,
    audit: audit::Handle,
    clock: fn() -> Timestamp,
    /// Held while anything installed or trusted changes: one change sees the last one's end.
    changing: Arc<tokio::sync::Mutex<()>>,
    tasks: TaskTracker,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").field("home", &self.home).finish_non_exhaustive()
    }
}

impl Parts {
    /// Runs a change to its end, whatever becomes of the caller.
    async fn owned<T: Send + 'static>(
        &self,
        change: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        self.tasks.spawn(change).await.map_err(Error::internal)?
    }
}

/// The contract's implementation. Mutations run on the tracker: they end even when the caller
/// is gone.
struct Door {
    parts: Parts,
    catalog: Catalog,
}

#[async_trait]
impl Packages for Door {
    async fn preview_connector(
        &self,
        context: &Context,
        request: ConnectorRequest,
    ) -> Result<ConnectorPreview> {
        context.require(Scope::PackagesPreview)?;
        describe::connector_preview(&self.parts, request).await
    }

    async fn install_connector(
        &self,
        context: &Context,
        request: ConnectorRequest,
    ) -> Result<InstalledConnector> {
        context.require(Scope::PackagesInstall)?;
        let (parts, context) = (self.parts.clone(), context.clone());
        let found = install::find_connector(&parts, request).await?;
        self.parts.owned(async move { install::connector(&parts, &context, found).await }).await
    }

    async fn connectors(&self, context: &Context) -> Result<Vec<Connector>> {
        context.require(Scope::ActionsList)?;
        describe::connectors(&self.parts).await
    }

    async fn connector(&self, context: &Context, fqn: Fqn) -> Result<Connector> {
        context.require(Scope::ActionsList)?;
        describe::connector(&self.parts, &fqn).await
    }

    async fn preview_action(
        &self,
        context: &Context,
        request: ActionRequest,
    ) -> Result<ActionPreview> {
        context.require(Scope::PackagesPreview)?;
        describe::action_preview(&self.parts, &self.catalog, request).await
    }

    async fn install_action(
        &self,
        context: &Context,
        request: ActionRequest,
    ) -> Result<InstalledAction> {
        context.require(Scope::PackagesInstall)?;
        let (parts, catalog, context) = (self.parts.clone(), self.catalog.clone(), context.clone());
        let found = install::find_action(&parts, &catalog, request).await?;
        self.parts
            .owned(async move { install::action(&parts, &catalog, &context, found).await })
            .await
    }

    async fn suite(&self, context: &Context, source: SuiteSource) -> Result<Suite> {
        context.require(Scope::PackagesPreview)?;
        suites::read(&self.parts, source).await
    }
}

/// Runs what blocks where blocking is allowed.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)
}

#[cfg(test)]
pub(crate) mod tests;
