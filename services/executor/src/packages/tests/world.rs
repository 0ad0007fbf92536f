//! A home, a publisher and the stand-ins around it.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use aileron_contract::{
    Context, Error, Principal, Result, Scopes, Secret, Timestamp,
    egress::Authorization,
    packages::{ActionPreview, ActionRequest, ConnectorRequest, Handle, InstalledAction, only},
    publishers::{Handle as PublishersHandle, TrustRequest},
};
use aileron_store::{Database, Location};
use async_trait::async_trait;
use ed25519_dalek::SigningKey;

use crate::{
    fakes::{FakeBindings, FakeVault},
    packages::{Options, Service, Sources},
};

mod log;
mod published;
mod web;

pub(super) use log::FakeAudit;
pub(super) use published::{action, manifest, release, tarball};
pub(super) use web::FakeWeb;

/// One action at a time.
#[async_trait]
pub(super) trait OneAction {
    async fn preview_action(
        &self,
        context: &Context,
        request: ActionRequest,
    ) -> Result<ActionPreview>;
    async fn install_action(
        &self,
        context: &Context,
        request: ActionRequest,
    ) -> Result<InstalledAction>;
}

#[async_trait]
impl OneAction for Handle {
    async fn preview_action(
        &self,
        context: &Context,
        request: ActionRequest,
    ) -> Result<ActionPreview> {
        only(self.preview_actions(context, vec![request]).await?)
    }
    async fn install_action(
        &self,
        context: &Context,
        request: ActionRequest,
    ) -> Result<InstalledAction> {
        only(self.install_actions(context, vec![request]).await?)
    }
}

pub(super) struct World {
    pub(super) folder: tempfile::TempDir,
    pub(super) vault: Arc<FakeVault>,
    pub(super) audit: Arc<FakeAudit>,
    pub(super) web: Arc<FakeWeb>,
    pub(super) publisher: SigningKey,
    pub(super) service: Service,
}

impl World {
    pub(super) async fn new() -> Self {
        Self::on(tempfile::tempdir().unwrap(), Arc::default()).await
    }

    /// A home that is there already.
    pub(super) async fn on(folder: tempfile::TempDir, vault: Arc<FakeVault>) -> Self {
        let (audit, web) = (Arc::default(), Arc::default());
        let service = open(folder.path(), &vault, &audit, &web).await;
        let publisher = SigningKey::from_bytes(&[7; 32]);
        Self { folder, vault, audit, web, publisher, service }
    }

    /// A world whose publisher is trusted as an owner.
    pub(super) async fn trusting() -> Self {
        let world = Self::new().await;
        world.trust("github://acme", &world.publisher).await;
        world
    }

    pub(super) async fn trust(&self, authority: &str, key: &SigningKey) {
        let authority = authority.parse().unwrap();
        let request = TrustRequest { authority, key: key.verifying_key().to_bytes() };
        self.publishers().trust(&person(), request).await.unwrap();
    }

    /// The daemon starts again on the same home.
    pub(super) async fn restarted(mut self) -> Self {
        self.service = open(self.folder.path(), &self.vault, &self.audit, &self.web).await;
        self
    }

    /// The same home once more, with what the log was told, under a vault of its own.
    pub(super) async fn copied(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in self.all_files() {
            let target = folder.path().join(&name);
            std::fs::create_dir_all(target.parent().unwrap()).unwrap();
            std::fs::copy(self.path(&name), target).unwrap();
        }
        let events = self.audit.events.lock().unwrap().clone();
        let audit = Arc::new(FakeAudit { events: Mutex::new(events), ..FakeAudit::default() });
        let (vault, web) = (Arc::default(), Arc::<FakeWeb>::clone(&self.web));
        let service = open(folder.path(), &vault, &audit, &web).await;
        Self { folder, vault, audit, web, publisher: self.publisher.clone(), service }
    }

    /// The daemon starts again with a token for its source.
    pub(super) async fn with_token(mut self) -> Self {
        let token = Authorization::Token(Arc::new(Secret::from("ghp_ours".to_owned())));
        let sources = Sources { token: Some(token), ..Sources::github().unwrap() };
        let (home, web) = (self.folder.path(), &self.web);
        self.service = open_with(home, &self.vault, &self.audit, web, sources).await;
        self
    }

    /// Runs a statement the way another program of the same user would.
    pub(super) async fn sql(&self, statement: &'static str) {
        let database = format!("sqlite://{}", self.path("state.db").display());
        let pool = sqlx::AnyPool::connect(&database).await.unwrap();
        sqlx::query(statement).execute(&pool).await.unwrap();
        pool.close().await;
    }

    pub(super) fn handle(&self) -> Handle {
        self.service.handle()
    }

    pub(super) fn publishers(&self) -> PublishersHandle {
        self.service.publishers()
    }

    pub(super) fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    /// The paths of all files but the database's.
    pub(super) fn files(&self) -> Vec<String> {
        let mut files = self.all_files();
        files.retain(|file| !file.starts_with("state.db"));
        files.sort();
        files
    }

    /// All but what `SQLite` makes anew for itself.
    fn all_files(&self) -> Vec<String> {
        let mut files = Vec::new();
        walk(self.folder.path(), self.folder.path(), &mut files);
        files.retain(|file| !file.ends_with("-shm"));
        files
    }
}

pub(super) fn person() -> Context {
    Context {
        principal: Principal::Person("p1".into()),
        scopes: Scopes::all(),
        session: None,
        idempotency_key: None,
        deadline: None,
        begun_by: None,
    }
}

/// A program with every right a person can give one.
pub(super) fn program() -> Context {
    let mintable = aileron_contract::Scope::ALL.iter().copied().filter(|scope| scope.mintable());
    Context { principal: Principal::Program("t1".into()), scopes: mintable.collect(), ..person() }
}

pub(super) fn connector_request(package: &str) -> ConnectorRequest {
    ConnectorRequest { package: package.parse().unwrap(), expected_hash: None }
}

pub(super) fn action_request(package: &str) -> ActionRequest {
    let package = package.parse().unwrap();
    ActionRequest {
        package,
        expected_hash: None,
        force: false,
        auto_install_connectors: true,
        accept_unsigned: false,
    }
}

async fn open(
    home: &Path,
    vault: &Arc<FakeVault>,
    audit: &Arc<FakeAudit>,
    web: &Arc<FakeWeb>,
) -> Service {
    open_with(home, vault, audit, web, Sources::github().unwrap()).await
}

async fn open_with(
    home: &Path,
    vault: &Arc<FakeVault>,
    audit: &Arc<FakeAudit>,
    web: &Arc<FakeWeb>,
    sources: Sources,
) -> Service {
    let database = Database::open(Location::File(home.join("state.db")), &[]).await.unwrap();
    let options = Options {
        home: home.to_owned(),
        database,
        vault: Arc::<FakeVault>::clone(vault),
        bindings: Arc::<FakeBindings>::clone(&vault.bindings),
        egress: Arc::<FakeWeb>::clone(web),
        audit: Arc::<FakeAudit>::clone(audit),
        sources,
        host: None,
        clock: || Timestamp::UNIX_EPOCH,
    };
    Service::open(options).await.unwrap()
}

fn walk(root: &Path, folder: &Path, files: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(root, &path, files);
        } else {
            files.push(path.strip_prefix(root).unwrap().display().to_string());
        }
    }
}

fn unused<T>() -> Result<T> {
    Err(Error::internal("not part of this world"))
}
