//! A vault in a folder of its own, with a log that remembers and a clock that is told the time.

use std::{
    cell::Cell,
    collections::HashMap,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use aileron_contract::{
    Audit, Context, Error, Principal, Reason, Result, Scope, Scopes, Secret, Stream, Timestamp,
    audit::{Checkpoint, Event, EventKind, Filter, Record},
    bindings::Consent,
    credential::{Form, HeaderTemplate, Reach},
    names::{AuditId, HostPort},
};
use aileron_store::Database;
use aileron_vault::{Kdf, Options, Service, egress};
use async_trait::async_trait;

thread_local! {
    static NOW: Cell<i64> = const { Cell::new(1_800_000_000) };
}

pub(crate) fn clock() -> Timestamp {
    Timestamp::from_second(NOW.get()).unwrap()
}

pub(crate) fn later(by: Duration) {
    NOW.set(NOW.get() + i64::try_from(by.as_secs()).unwrap());
}

pub(crate) struct House {
    pub(crate) home: PathBuf,
    /// Removed with the house, when it is the house's own.
    folder: Option<tempfile::TempDir>,
    pub(crate) database: Database,
    pub(crate) service: Service,
    pub(crate) log: Arc<Log>,
}

impl House {
    /// An empty home.
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::at(folder.path().to_owned(), Some(folder)).await
    }

    /// With a vault whose passphrase is `open`.
    pub(crate) async fn with_vault() -> Self {
        let house = Self::new().await;
        house.service.vault().create(&daemon(), secret("open sesame")).await.unwrap();
        house
    }

    /// In a home that is there already.
    pub(crate) async fn at(home: PathBuf, folder: Option<tempfile::TempDir>) -> Self {
        Self::with_log(home, folder, Arc::default()).await
    }

    /// With a vault that locks itself after this long.
    pub(crate) async fn that_locks_after(idle: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().to_owned();
        let egress = egress::Options::default();
        let house = Self::opened(home, Some(folder), Arc::default(), (egress, Some(idle))).await;
        house.service.vault().create(&daemon(), secret("open sesame")).await.unwrap();
        house
    }

    /// With a vault, and egress as it is told.
    pub(crate) async fn with_egress(egress: egress::Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().to_owned();
        let house = Self::opened(home, Some(folder), Arc::default(), (egress, None)).await;
        house.service.vault().create(&daemon(), secret("open sesame")).await.unwrap();
        house
    }

    async fn with_log(home: PathBuf, folder: Option<tempfile::TempDir>, log: Arc<Log>) -> Self {
        Self::opened(home, folder, log, (egress::Options::default(), None)).await
    }

    async fn opened(
        home: PathBuf,
        folder: Option<tempfile::TempDir>,
        log: Arc<Log>,
        (egress, idle): (egress::Options, Option<Duration>),
    ) -> Self {
        let location = crate::databases::location(&home).await;
        let database = Database::open(location, &[]).await.unwrap();
        let service = Service::open(Options {
            home: home.clone(),
            database: database.clone(),
            audit: Arc::<Log>::clone(&log),
            daemon_token: Some(secret("ald_the token of daemon.json")),
            kdf: Kdf { memory_kib: 8, passes: 1, lanes: 1 },
            egress,
            idle_lock: idle,
            clock,
        })
        .await
        .unwrap();
        Self { home, folder, database, service, log }
    }

    /// Ends this process's part and starts over in the same home, with the same log.
    pub(crate) async fn restarted(self) -> Self {
        let Self { home, folder, database, service, log } = self;
        service.shutdown().await;
        drop(service);
        database.close().await;
        Self::with_log(home, folder, log).await
    }

    /// Like a crash: nothing is finished, nothing is said.
    pub(crate) async fn crashed(self) -> Self {
        let (home, folder) = self.left().await;
        Self::at(home, folder).await
    }

    /// The home alone, as a crash leaves it.
    pub(crate) async fn left(self) -> (PathBuf, Option<tempfile::TempDir>) {
        let Self { home, folder, database, service, log: _ } = self;
        drop(service);
        database.close().await;
        (home, folder)
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.home.join("secrets.json")
    }

    pub(crate) fn copy(&self) -> PathBuf {
        self.home.join("secrets.json.before")
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        std::fs::read(self.file()).unwrap()
    }

    /// Replaces the file the way another program would.
    pub(crate) fn plant(&self, bytes: &[u8]) {
        std::fs::write(self.file(), bytes).unwrap();
    }

    /// A person, as the gateway would present one.
    pub(crate) async fn person(&self) -> Context {
        let access = self.service.access();
        let opened = access.open_session(&daemon(), secret("open sesame")).await.unwrap();
        context_of(access.authenticate(opened.bearer).await.unwrap())
    }

    pub(crate) async fn unlock(&self) {
        self.service.vault().unlock(&daemon(), secret("open sesame")).await.unwrap();
    }
}

pub(crate) fn context_of(caller: aileron_contract::access::Caller) -> Context {
    Context {
        principal: caller.principal,
        begun_by: caller.begun_by,
        scopes: caller.scopes,
        session: None,
        idempotency_key: None,
        deadline: None,
    }
}

/// What the token in `daemon.json` makes of its bearer.
pub(crate) fn daemon() -> Context {
    Context {
        principal: Principal::Program("daemon".into()),
        scopes: Scopes::of_daemon_token(),
        ..Context::service("test")
    }
}

/// A program with these rights and no more.
pub(crate) fn program(scopes: &[Scope]) -> Context {
    Context {
        principal: Principal::Program("program".into()),
        scopes: scopes.iter().copied().collect(),
        ..Context::service("test")
    }
}

pub(crate) fn service() -> Context {
    Context::service("executor")
}

pub(crate) fn secret(text: &str) -> Secret {
    Secret::from(text.to_owned())
}

pub(crate) fn consent(connector: &str, identity: &str, hosts: &[&str]) -> Consent {
    Consent {
        connector: connector.parse().unwrap(),
        service: "notes".to_owned(),
        identity: identity.parse().unwrap(),
        account: None,
        scope: Some("read and write notes".to_owned()),
        reach: Reach { hosts: hosts_of(hosts), form: Form::ApiKey(HeaderTemplate::default()) },
        access_key_id: None,
        region: None,
        refuse_existing: false,
    }
}

pub(crate) fn hosts_of(hosts: &[&str]) -> Vec<HostPort> {
    hosts.iter().map(|host| host.parse().unwrap()).collect()
}

#[track_caller]
pub(crate) fn assert_refused<T: std::fmt::Debug>(outcome: Result<T>, reason: Reason) -> Error {
    let error = outcome.unwrap_err();
    assert_eq!(error.reason(), reason, "{error:?}");
    error
}

/// A log in memory.
#[derive(Default)]
pub(crate) struct Log {
    pub(crate) full: AtomicBool,
    pub(crate) away: AtomicBool,
    /// Seconds that go by while new tokens are written down.
    pub(crate) lag: AtomicU64,
    events: Mutex<Vec<Event>>,
    /// Those whose id the caller gave.
    known: Mutex<HashMap<AuditId, Record>>,
}

impl Log {
    /// The kinds recorded since the last look.
    pub(crate) fn take(&self) -> Vec<&'static str> {
        self.events.lock().unwrap().drain(..).map(|event| event.kind.text()).collect()
    }

    pub(crate) fn shown(&self) -> String {
        format!("{:?}", self.events.lock().unwrap())
    }
}

#[async_trait]
impl Audit for Log {
    async fn append(&self, _: &Context, event: Event) -> Result<Record> {
        if self.full.load(Ordering::SeqCst) {
            return Err(Error::new(Reason::AuditUnavailable, "the log is full"));
        }
        if event.kind == EventKind::BindingRefreshed {
            later(Duration::from_secs(self.lag.load(Ordering::SeqCst)));
        }
        let mut known = self.known.lock().unwrap();
        if let Some(record) = event.id.as_ref().and_then(|id| known.get(id)) {
            if record.actor == event.actor && record.payload == event.payload {
                return Ok(record.clone());
            }
            return Err(Error::new(Reason::IdempotencyConflict, "another event under this id"));
        }
        let mut events = self.events.lock().unwrap();
        events.push(event.clone());
        let record = Record {
            index: u64::try_from(events.len()).unwrap(),
            id: event.id.clone().unwrap_or_else(|| "audit-1".parse().unwrap()),
            kind: event.kind.text().to_owned(),
            timestamp: clock(),
            actor: event.actor,
            payload: event.payload,
            trace_id: None,
        };
        known.extend(event.id.map(|id| (id, record.clone())));
        Ok(record)
    }

    async fn query(&self, _: &Context, _: Filter) -> Result<Vec<Record>> {
        Ok(Vec::new())
    }

    async fn get(&self, _: &Context, id: AuditId) -> Result<Record> {
        if self.away.load(Ordering::SeqCst) {
            return Err(Error::new(Reason::AuditUnavailable, "the log is away"));
        }
        let found = self.known.lock().unwrap().get(&id).cloned();
        found.ok_or_else(|| Error::new(Reason::NotFound, "no such event"))
    }

    async fn watch(&self, _: &Context, _: u64) -> Result<Stream<Record>> {
        Err(Error::new(Reason::NotFound, "not kept"))
    }

    async fn checkpoint(&self, _: &Context) -> Result<Checkpoint> {
        Err(Error::new(Reason::NotFound, "not kept"))
    }

    async fn receipt(&self, _: &Context, _: AuditId) -> Result<String> {
        Err(Error::new(Reason::NotFound, "not kept"))
    }
}
