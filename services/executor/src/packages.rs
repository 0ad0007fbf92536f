//! Packages: fetched from a release page, verified, installed, found again. Nothing is written
//! before signature and hash are verified, the log is told before anything counts, and what
//! persons installed and trusted is pinned under a key of the vault.

use std::{path::PathBuf, sync::Arc};

use aileron_contract::{
    Context, Error, Kind, Packages, Reason, Result, Scope, Timestamp, audit, bindings, egress,
    names::{ActionName, Fqn, PackageRef, Sha256Hash},
    packages::{
        Acceptance, Accepted, ActionPreview, ActionRequest, Connector, ConnectorPreview,
        ConnectorRequest, Drift, Handle, InstalledAction, InstalledConnector, LocalFiles,
        LocalPackage, Needs, Progress, Suite, SuiteSource, Synced, Update,
    },
    publishers::Handle as PublishersHandle,
    vault,
};
use aileron_store::Database;
use aileron_wasmhost::Host;
use async_trait::async_trait;
use tokio_util::task::TaskTracker;

mod archives;
pub mod catalog;
mod declare;
mod describe;
mod drift;
mod fetch;
mod history;
mod hub;
mod install;
mod journal;
mod kept;
pub mod keyring;
pub mod keys;
mod local;
mod lock;
mod missing;
mod pins;
mod prune;
mod publishers;
mod records;
pub mod releases;
mod sealed;
mod sources;
pub mod store;
mod suites;
mod supply;
pub mod tarball;
mod tool;
mod trust;
mod underway;
mod updates;
mod verify;

pub(crate) use history::Search;
pub use sources::{HUB, Sources};

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
    /// Compiles connectors when they are installed; without it they are when first called.
    pub host: Option<Host>,
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
        let Options { home, database, vault, bindings, egress, audit, mut sources, host, clock } =
            options;
        database.migrate(pins::MIGRATIONS).await?;
        let pins = pins::Pins::new(database, Arc::clone(&vault), Arc::clone(&audit));
        let token = sources.token.take();
        let hosts = sources.asset_hosts.clone();
        let fetcher = fetch::Fetcher::new(egress, token, hosts, clock);
        let sources = Arc::new(sources);
        let at = Arc::clone(&sources);
        let hub = hub::Hub::new(&home, fetcher.clone(), at, Arc::clone(&vault), clock)?;
        let lock = lock::LockFile::new(&home, pins.clone(), Arc::clone(&audit), clock);
        let parts = Parts {
            journal: journal::Journal::new(home.clone(), pins.clone(), lock.clone()),
            lock,
            store: ConnectorStore::new(&home, pins.clone()),
            keyring: keyring::KeyringFile::new(&home, pins.clone(), Arc::clone(&audit)),
            releases: releases::Releases::new(
                fetcher.clone(),
                Arc::clone(&sources),
                &home,
                Arc::clone(&vault),
            ),
            local: local::Shelf::default(),
            kept: kept::KeptActions::new(&home),
            fetcher,
            archives: archives::Archives::default(),
            underway: underway::Underway::default(),
            sources,
            hub,
            home,
            pins,
            bindings,
            audit,
            host,
            clock,
            changing: Arc::default(),
            tasks: TaskTracker::new(),
        };
        match install::recover(&parts).await {
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
        Arc::new(publishers::Door { parts: self.parts.clone(), catalog: self.catalog.clone() })
    }

    pub fn catalog(&self) -> Catalog {
        self.catalog.clone()
    }

    pub fn store(&self) -> ConnectorStore {
        self.parts.store.clone()
    }

    /// How much is no longer as a person accepted it. `vault_locked` while nobody can tell.
    pub async fn drift(&self) -> Result<u64> {
        drift::count(&self.parts, &self.catalog).await
    }

    /// The vault was unlocked: tells it the hosts and scopes of every installed connector, which
    /// bindings of older files wait for, and refreshes the published index.
    pub async fn wake(&self) -> Result<()> {
        {
            let _changing = self.parts.changing.lock().await;
            install::recover(&self.parts).await?;
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
    lock: lock::LockFile,
    store: ConnectorStore,
    keyring: keyring::KeyringFile,
    fetcher: fetch::Fetcher,
    releases: releases::Releases,
    /// Packages of the person's own disk, ready to be installed.
    local: local::Shelf,
    kept: kept::KeptActions,
    archives: archives::Archives,
    underway: underway::Underway,
    sources: Arc<Sources>,
    hub: hub::Hub,
    bindings: bindings::Handle,
    audit: audit::Handle,
    host: Option<Host>,
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
    /// The same for one caller, who may ask how far it is.
    fn waited_for_by(&self, context: &Context) -> Self {
        Self { underway: self.underway.of(&context.principal), ..self.clone() }
    }

    /// What a caller may look with: the token of the person's for private repositories serves
    /// the person, and the programs the person let in.
    fn seen_by(&self, context: &Context) -> Self {
        let mut parts = self.waited_for_by(context);
        if !context.principal.was_let_in() {
            parts.fetcher = self.fetcher.without_token();
            parts.releases = self.releases.with(parts.fetcher.clone());
        }
        parts
    }

    /// Runs a change to its end, whatever becomes of the caller.
    async fn owned<T: Send + 'static>(
        &self,
        change: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        if self.tasks.is_closed() {
            let text = "the executor is shutting down: try again when it is back";
            return Err(Error::new(Reason::ShuttingDown, text));
        }
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
        describe::connector_preview(&self.parts.seen_by(context), context, request).await
    }

    async fn install_connector(
        &self,
        context: &Context,
        request: ConnectorRequest,
    ) -> Result<InstalledConnector> {
        context.require(Scope::PackagesInstall)?;
        let (parts, context) = (self.parts.waited_for_by(context), context.clone());
        let found = install::find_connector(&parts, request).await?;
        self.parts
            .owned(async move { install::install_connector(&parts, &context, found).await })
            .await
    }

    async fn connectors(&self, context: &Context) -> Result<Vec<Connector>> {
        context.require(Scope::ActionsList)?;
        describe::connectors(&self.parts).await
    }

    async fn connector(&self, context: &Context, fqn: Fqn) -> Result<Connector> {
        context.require(Scope::ActionsList)?;
        describe::connector(&self.parts, &fqn).await
    }

    async fn newest(&self, context: &Context, fqn: Fqn, prereleases: bool) -> Result<PackageRef> {
        context.require(Scope::PackagesPreview)?;
        updates::newest(&self.parts.seen_by(context), fqn, prereleases).await
    }

    async fn updates(&self, context: &Context, prereleases: bool) -> Result<Vec<Update>> {
        context.require(Scope::PackagesPreview)?;
        updates::updates(&self.parts.seen_by(context), &self.catalog, prereleases).await
    }

    async fn progress(&self, context: &Context) -> Result<Vec<Progress>> {
        context.require(Scope::PackagesInstall)?;
        Ok(self.parts.underway.seen_by(&context.principal))
    }

    async fn bring(&self, context: &Context, files: LocalFiles) -> Result<LocalPackage> {
        context.require(Scope::PackagesInstall)?;
        local::bring(&self.parts, files).await
    }

    async fn preview_actions(
        &self,
        context: &Context,
        requests: Vec<ActionRequest>,
    ) -> Result<Vec<Result<ActionPreview>>> {
        context.require(Scope::PackagesPreview)?;
        install::previews(&self.parts.seen_by(context), &self.catalog, requests).await
    }

    async fn install_actions(
        &self,
        context: &Context,
        requests: Vec<ActionRequest>,
    ) -> Result<Vec<Result<InstalledAction>>> {
        context.require(Scope::PackagesInstall)?;
        let parts = self.parts.waited_for_by(context);
        let (catalog, context) = (self.catalog.clone(), context.clone());
        let found = install::find_actions(&parts, &catalog, requests).await?;
        let change =
            async move { install::install_actions(&parts, &catalog, &context, found).await };
        self.parts.owned(change).await
    }

    async fn suite(&self, context: &Context, source: SuiteSource) -> Result<Suite> {
        context.require(Scope::PackagesPreview)?;
        suites::read(&self.parts.seen_by(context), source).await
    }

    async fn drift(&self, context: &Context, only: Option<ActionName>) -> Result<Vec<Drift>> {
        context.require(Scope::ActionsList)?;
        drift::list(&self.parts, &self.catalog, only.as_ref()).await
    }

    async fn accept(&self, context: &Context, acceptance: Acceptance) -> Result<Accepted> {
        context.require(Scope::PackagesInstall)?;
        let (parts, catalog, context) = (self.parts.clone(), self.catalog.clone(), context.clone());
        self.parts
            .owned(async move { drift::accept(&parts, &catalog, &context, acceptance).await })
            .await
    }

    async fn needs(&self, context: &Context) -> Result<Needs> {
        context.require(Scope::ActionsList)?;
        missing::needs(&self.parts, &self.catalog).await
    }

    async fn sync(&self, context: &Context, only: Option<Vec<Sha256Hash>>) -> Result<Synced> {
        context.require(Scope::PackagesInstall)?;
        let parts = self.parts.waited_for_by(context);
        let (catalog, context) = (self.catalog.clone(), context.clone());
        self.parts.owned(async move { missing::sync(&parts, &catalog, &context, only).await }).await
    }
}

/// Runs what blocks where blocking is allowed.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)
}

#[cfg(test)]
pub(crate) mod tests;
