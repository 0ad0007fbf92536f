//! A home, a publisher and three stand-ins.

use std::{
    collections::{BTreeMap, HashMap},
    io::Write as _,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use aileron_contract::{
    Context, Egress, Error, Principal, Reason, Result, Scopes, Secret, Stream, Timestamp, Vault,
    audit::{self, Audit},
    egress::{Authorization, Fetch, Outcome, Request, Response, SendFailure, Sent},
    failure::{Boundary, Class, Failure},
    names::{AuditId, PackageRef, SecretName, Sha256Hash},
    packages::{ActionPreview, ActionRequest, ConnectorRequest, Handle, InstalledAction, only},
    publishers::{Handle as PublishersHandle, TrustRequest},
    vault::{Acceptance, Entry, EntryFilter, Older, PassphraseChange, Pin, PinDomain, Status},
};
use aileron_store::{Database, Location};
use async_trait::async_trait;
use bytes::Bytes;
use ed25519_dalek::{Signer as _, SigningKey};
use flate2::{Compression, write::GzEncoder};

use super::bindings::FakeBindings;
use crate::packages::{Options, Service, Sources};

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

    /// Publishes a connector of this publisher and returns its hash.
    pub(super) fn connector(&self, package: &str, manifest: &str) -> Sha256Hash {
        let package: PackageRef = package.parse().unwrap();
        let wasm = b"\0asm\x01\0\0\0";
        let message = [&wasm[..], manifest.as_bytes()].concat();
        let signature = self.publisher.sign(&message).to_bytes();
        let files: [(&str, &[u8]); 3] = [
            ("connector.wasm", wasm),
            ("manifest.toml", manifest.as_bytes()),
            ("signature.sig", &signature),
        ];
        self.web.put(&release(&package), 200, tarball(&files));
        Sha256Hash::of(&[&message])
    }

    /// Publishes a signed action.
    pub(super) fn action(&self, package: &str, text: &str) {
        let package: PackageRef = package.parse().unwrap();
        let signature = self.publisher.sign(text.as_bytes()).to_bytes();
        let files: [(&str, &[u8]); 2] =
            [("action.md", text.as_bytes()), ("signature.sig", &signature)];
        self.web.put(&release(&package), 200, tarball(&files));
    }

    /// Publishes the connector `notes` and the action `list`, and returns the connector's hash.
    pub(super) fn notes(&self) -> Sha256Hash {
        let hash = self.connector("github://acme/notes@1.0.0", &manifest("1.0.0"));
        let text = action("list", "github://acme/notes/actions/list@1.0.0", hash, "");
        self.action("github://acme/notes/actions/list@1.0.0", &text);
        hash
    }
}

pub(super) fn person() -> Context {
    Context {
        principal: Principal::Person("p1".into()),
        scopes: Scopes::all(),
        session: None,
        idempotency_key: None,
        deadline: None,
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

pub(super) fn manifest(version: &str) -> String {
    format!(
        "[connector]\nname = \"github://acme/notes\"\nversion = \"{version}\"\n\n\
         [capabilities.network]\nhosts = [\"notes.example:443\"]\n\n\
         [capabilities.credential]\nkind = \"api_key\"\nscope = \"your notes\"\n"
    )
}

/// An action with one step; `more` goes before the fence.
pub(super) fn action(name: &str, source: &str, connector: Sha256Hash, more: &str) -> String {
    let version = source.rsplit_once('@').unwrap().1;
    format!(
        "+++\nname = \"{name}\"\nversion = \"{version}\"\nsource = \"{source}\"\n\n\
         [match]\nintent = \"read notes\"\n\n\
         [[requires.connectors]]\nname = \"github://acme/notes\"\nversion = \"1.0.0\"\n\
         hash = \"{connector}\"\ncapabilities = [\"list\"]\n\n\
         [[execute]]\nid = \"list\"\nconnector = \"github://acme/notes\"\nop = \"list\"\n{more}\
         +++\n# Notes\n"
    )
}

pub(super) fn release(package: &PackageRef) -> String {
    Sources::github().unwrap().archive(package).unwrap().to_string()
}

pub(super) fn tarball(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(u64::try_from(bytes.len()).unwrap());
        header.set_mode(0o644);
        tar.append_data(&mut header, name, *bytes).unwrap();
    }
    let mut gzip = tar.into_inner().unwrap();
    gzip.flush().unwrap();
    gzip.finish().unwrap()
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
    Err(Error::new(Reason::InternalError, "not part of this world"))
}

/// Pins with a key of its own; refuses while locked.
#[derive(Default)]
pub(super) struct FakeVault {
    pub(super) locked: AtomicBool,
    pub(super) bindings: Arc<FakeBindings>,
}

impl FakeVault {
    pub(super) fn seal(&self, domain: PinDomain, record: &[u8]) -> Result<Pin> {
        if self.locked.load(Ordering::SeqCst) {
            return Err(Error::new(Reason::VaultLocked, "locked"));
        }
        let parts: [&[u8]; 4] = [b"a key nobody has", domain.text().as_bytes(), b"\0", record];
        Ok(Pin(*Sha256Hash::of(&parts).bytes()))
    }
}

#[async_trait]
impl Vault for FakeVault {
    async fn status(&self, _: &Context) -> Result<Status> {
        unused()
    }
    async fn create(&self, _: &Context, _: Secret) -> Result<Status> {
        unused()
    }
    async fn unlock(&self, _: &Context, _: Secret) -> Result<Status> {
        unused()
    }
    async fn lock(&self, _: &Context) -> Result<Status> {
        unused()
    }
    async fn change_passphrase(&self, _: &Context, _: PassphraseChange) -> Result<Status> {
        unused()
    }
    async fn older(&self, _: &Context) -> Result<Option<Older>> {
        unused()
    }
    async fn accept_older(&self, _: &Context, _: Acceptance) -> Result<Status> {
        unused()
    }
    async fn entries(&self, _: &Context, _: EntryFilter) -> Result<Vec<Entry>> {
        unused()
    }
    async fn put_secret(&self, _: &Context, _: SecretName, _: Secret) -> Result<()> {
        unused()
    }
    async fn delete_secret(&self, _: &Context, _: SecretName) -> Result<()> {
        unused()
    }
    async fn pin(&self, _: &Context, domain: PinDomain, record: Vec<u8>) -> Result<Pin> {
        self.seal(domain, &record)
    }
    async fn check_pin(
        &self,
        _: &Context,
        domain: PinDomain,
        record: Vec<u8>,
        pin: Pin,
    ) -> Result<bool> {
        Ok(self.seal(domain, &record)? == pin)
    }
}

/// Keeps events; refuses while full. What it says while mute is lost on the way.
#[derive(Default)]
pub(super) struct FakeAudit {
    pub(super) full: AtomicBool,
    pub(super) mute: AtomicBool,
    /// So many more are kept, then it is full.
    pub(super) room: Mutex<Option<u64>>,
    pub(super) events: Mutex<Vec<audit::Event>>,
}

impl FakeAudit {
    /// The events of one kind.
    pub(super) fn of(&self, kind: audit::EventKind) -> Vec<audit::Event> {
        self.events.lock().unwrap().iter().filter(|event| event.kind == kind).cloned().collect()
    }
}

#[async_trait]
impl Audit for FakeAudit {
    async fn append(&self, _: &Context, event: audit::Event) -> Result<audit::Record> {
        if self.full.load(Ordering::SeqCst) {
            return Err(Error::new(Reason::AuditUnavailable, "the disk is full"));
        }
        if let Some(room) = self.room.lock().unwrap().as_mut() {
            let full = || Error::new(Reason::AuditUnavailable, "the disk is full");
            *room = room.checked_sub(1).ok_or_else(full)?;
        }
        let mut events = self.events.lock().unwrap();
        let known = events.iter().find(|known| known.id.is_some() && known.id == event.id);
        let record = recorded(&event)?;
        match known {
            Some(known) if *known != event => {
                return Err(Error::new(Reason::IdempotencyConflict, "another event"));
            }
            Some(_) => {}
            None => events.push(event),
        }
        if self.mute.load(Ordering::SeqCst) {
            return Err(Error::new(Reason::AuditUnavailable, "the answer is lost"));
        }
        Ok(record)
    }
    async fn query(&self, _: &Context, _: audit::Filter) -> Result<Vec<audit::Record>> {
        unused()
    }
    async fn get(&self, _: &Context, id: AuditId) -> Result<audit::Record> {
        let events = self.events.lock().unwrap();
        match events.iter().find(|event| event.id.as_ref() == Some(&id)) {
            Some(event) => recorded(event),
            None => Err(Error::new(Reason::NotFound, "no such event")),
        }
    }
    async fn watch(&self, _: &Context, _: u64) -> Result<Stream<audit::Record>> {
        unused()
    }
    async fn checkpoint(&self, _: &Context) -> Result<audit::Checkpoint> {
        unused()
    }
    async fn receipt(&self, _: &Context, _: AuditId) -> Result<String> {
        unused()
    }
}

fn recorded(event: &audit::Event) -> Result<audit::Record> {
    Ok(audit::Record {
        index: 0,
        id: event.id.clone().map_or_else(|| "audit-1".parse(), Ok)?,
        kind: event.kind.to_string(),
        timestamp: Timestamp::UNIX_EPOCH,
        actor: event.actor.clone(),
        payload: event.payload.clone(),
        trace_id: None,
    })
}

/// Serves bytes from memory.
#[derive(Default)]
pub(super) struct FakeWeb {
    pages: Mutex<HashMap<String, (u16, Bytes)>>,
    headers: Mutex<HashMap<String, Vec<(String, String)>>>,
    /// Gives no answer at all.
    pub(super) silent: AtomicBool,
    pub(super) asked: AtomicU64,
    pub(super) requests: Mutex<BTreeMap<String, Fetch>>,
}

impl FakeWeb {
    pub(super) fn put(&self, url: &str, status: u16, body: impl Into<Bytes>) {
        self.pages.lock().unwrap().insert(url.to_owned(), (status, body.into()));
    }

    /// What is said beside the page. Who asks with its `etag` is told that it is still that one.
    pub(super) fn say(&self, url: &str, headers: &[(&str, &str)]) {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let headers = headers.iter().map(owned).collect();
        self.headers.lock().unwrap().insert(url.to_owned(), headers);
    }

    /// The page at this address.
    pub(super) fn page(&self, url: &str) -> Bytes {
        self.pages.lock().unwrap()[url].1.clone()
    }

    /// The last request for this address.
    pub(super) fn asked_for(&self, url: &str) -> Option<Fetch> {
        self.requests.lock().unwrap().get(url).cloned()
    }
}

#[async_trait]
impl Egress for FakeWeb {
    async fn send(&self, _: &Context, _: Request) -> Result<Outcome> {
        unused()
    }
    async fn fetch(&self, _: &Context, request: Fetch) -> Result<Outcome> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.silent.load(Ordering::SeqCst) {
            let class = Class::NetworkError;
            let failure = Failure::new(class, Boundary::External, "no route").retriable(true);
            return Ok(Outcome::Failed(SendFailure { sent: Sent::NotSent, failure }));
        }
        let page = self.pages.lock().unwrap().get(&request.url).cloned();
        let (mut status, mut body) = page.unwrap_or((404, Bytes::new()));
        let headers = self.headers.lock().unwrap().get(&request.url).cloned().unwrap_or_default();
        let etag = headers.iter().find(|(name, _)| name == "etag").map(|(_, value)| value);
        if etag.is_some() && etag == request.if_none_match.as_ref() {
            (status, body) = (304, Bytes::new());
        }
        self.requests.lock().unwrap().insert(request.url.clone(), request);
        // In small pieces, as networks do.
        let chunks: Vec<_> =
            body.chunks(1000).map(|part| Ok(Bytes::copy_from_slice(part))).collect();
        let body = Box::pin(futures::stream::iter(chunks));
        Ok(Outcome::Answered(Response { status, headers, body, binding: None }))
    }
}
