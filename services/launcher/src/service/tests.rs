use std::{
    collections::BTreeSet,
    path::Path,
    sync::{
        Mutex as Held,
        atomic::{AtomicBool, Ordering},
    },
};

use aileron_contract::{
    Access, Audit, Principal, Scopes, Secret, Stream,
    access::{Caller, MintRequest, Minted, Opened, PersonSession, Token},
    audit::{Checkpoint, Record},
    names::AuditId,
    sessions::State,
};
use aileron_store::Location;

use super::*;

/// The log and the doorkeeper, in memory.
#[derive(Default)]
struct World {
    log: Held<Vec<Record>>,
    admitted: Held<BTreeSet<SessionId>>,
    /// The log does not answer.
    deaf: AtomicBool,
}

fn unused<T>() -> Result<T> {
    Err(Error::internal("not part of this test"))
}

#[async_trait]
impl Audit for World {
    async fn append(&self, _: &Context, event: Event) -> Result<Record> {
        if self.deaf.load(Ordering::SeqCst) {
            return Err(Error::new(Reason::AuditUnavailable, "the log does not answer"));
        }
        let mut log = self.log.lock().unwrap();
        let Event { id, kind, actor, payload, trace_id } = event;
        let id = id.unwrap_or_else(|| format!("audit-{}", log.len()).parse().unwrap());
        if let Some(known) = log.iter().find(|record| record.id == id) {
            return Ok(known.clone());
        }
        let index = u64::try_from(log.len()).unwrap();
        let kind = kind.text().to_owned();
        let timestamp = Timestamp::UNIX_EPOCH;
        let record = Record { index, id, kind, timestamp, actor, payload, trace_id };
        log.push(record.clone());
        Ok(record)
    }

    async fn query(&self, _: &Context, _: audit::Filter) -> Result<Vec<Record>> {
        unused()
    }

    async fn get(&self, _: &Context, _: AuditId) -> Result<Record> {
        unused()
    }

    async fn watch(&self, _: &Context, _: u64) -> Result<Stream<Record>> {
        unused()
    }

    async fn checkpoint(&self, _: &Context) -> Result<Checkpoint> {
        unused()
    }

    async fn receipt(&self, _: &Context, _: AuditId) -> Result<String> {
        unused()
    }
}

#[async_trait]
impl Access for World {
    async fn open_session(&self, _: &Context, _: Secret) -> Result<Opened> {
        unused()
    }

    async fn close_sessions(&self, _: &Context, _: Option<String>) -> Result<()> {
        unused()
    }

    async fn sessions(&self, _: &Context) -> Result<Vec<PersonSession>> {
        unused()
    }

    async fn mint(&self, _: &Context, _: MintRequest) -> Result<Minted> {
        unused()
    }

    async fn tokens(&self, _: &Context) -> Result<Vec<Token>> {
        unused()
    }

    async fn revoke(&self, _: &Context, _: String) -> Result<()> {
        unused()
    }

    async fn admit_agent(
        &self,
        context: &Context,
        session: SessionId,
        begun_by: Principal,
    ) -> Result<Secret> {
        context.require(Scope::TokensMint)?;
        assert_eq!(begun_by, program().principal);
        let bearer = Secret::from(session.to_string());
        self.admitted.lock().unwrap().insert(session);
        Ok(bearer)
    }

    async fn dismiss_agents(&self, context: &Context, session: Option<SessionId>) -> Result<()> {
        context.require(Scope::TokensMint)?;
        let mut admitted = self.admitted.lock().unwrap();
        admitted.retain(|known| session.as_ref().is_some_and(|session| session != known));
        Ok(())
    }

    async fn authenticate(&self, _: Secret) -> Result<Caller> {
        unused()
    }
}

impl World {
    fn told(&self) -> Vec<(String, Option<String>)> {
        let state = |record: &Record| {
            record
                .payload
                .get("aileron.session.state")
                .and_then(|it| it.as_str())
                .map(str::to_owned)
        };
        self.log.lock().unwrap().iter().map(|it| (it.kind.clone(), state(it))).collect()
    }

    fn admitted(&self) -> usize {
        self.admitted.lock().unwrap().len()
    }
}

fn program() -> Context {
    Context {
        principal: Principal::Program("daemon".into()),
        scopes: Scopes::of_daemon_token(),
        ..Context::service("test")
    }
}

async fn open(home: &Path, world: &Arc<World>) -> Service {
    let location = Location::File(home.join("state.db"));
    let database = Database::open(location, &[]).await.unwrap();
    let options = Options {
        home: home.to_owned(),
        database,
        access: Arc::clone(world) as access::Handle,
        audit: Arc::clone(world) as audit::Handle,
        clock: Timestamp::now,
    };
    Service::open(options).await.unwrap()
}

fn request(agent: &str) -> Begin {
    Begin { agent: agent.parse().unwrap(), working_dir: "/work".to_owned() }
}

fn kinds(told: &[(&str, Option<&str>)]) -> Vec<(String, Option<String>)> {
    told.iter().map(|(kind, state)| ((*kind).to_owned(), state.map(str::to_owned))).collect()
}

#[tokio::test]
async fn a_session_has_a_token_from_its_event_to_its_end() {
    let (home, world) = (tempfile::tempdir().unwrap(), Arc::new(World::default()));
    let service = open(home.path(), &world).await;
    let sessions = service.sessions();
    let begun = sessions.begin(&program(), request("claude")).await.unwrap();
    assert_eq!(begun.session.first_event, Some(0));
    assert_eq!(world.admitted(), 1);
    let id = begun.session.id.clone();
    assert_eq!(sessions.get(&program(), id.clone()).await.unwrap(), begun.session);

    let ended = sessions.end(&program(), id.clone(), Some(7)).await.unwrap();
    assert_eq!((ended.state(), ended.exit_code), (State::Ended, Some(7)));
    assert_eq!(world.admitted(), 0);
    // Whoever ends it again learns how it ended.
    assert_eq!(sessions.end(&program(), id, Some(1)).await.unwrap(), ended);
    let told = kinds(&[("session.started", None), ("session.ended", Some("ended"))]);
    assert_eq!(world.told(), told);
}

#[tokio::test]
async fn an_agent_neither_begins_nor_ends_nor_lists_sessions() {
    let (home, world) = (tempfile::tempdir().unwrap(), Arc::new(World::default()));
    let service = open(home.path(), &world).await;
    let sessions = service.sessions();
    let begun = sessions.begin(&program(), request("claude")).await.unwrap();
    let id = begun.session.id;
    let agent = Context {
        principal: Principal::Agent(id.as_str().into()),
        scopes: Scopes::of_agent(),
        session: Some(id.clone()),
        ..program()
    };
    for refused in [
        sessions.begin(&agent, request("claude")).await.map(drop),
        sessions.end(&agent, id.clone(), Some(0)).await.map(drop),
        sessions.get(&agent, id).await.map(drop),
        sessions.list(&agent, Filter::default()).await.map(drop),
    ] {
        assert_eq!(refused.unwrap_err().reason(), Reason::ScopeMissing);
    }
}

#[tokio::test]
async fn what_ran_when_the_runtime_stopped_is_orphaned_and_its_end_may_be_told_later() {
    let (home, world) = (tempfile::tempdir().unwrap(), Arc::new(World::default()));
    let service = open(home.path(), &world).await;
    let begun = service.sessions().begin(&program(), request("claude")).await.unwrap();
    let id = begun.session.id;
    drop(service);
    let service = open(home.path(), &world).await;
    assert_eq!(world.admitted(), 0, "a vault that was not restarted forgets it all the same");
    let orphan = service.sessions().get(&program(), id.clone()).await.unwrap();
    assert_eq!(orphan.state(), State::Orphaned);
    let explained = service.sessions().end(&program(), id, Some(0)).await.unwrap();
    assert_eq!(explained.state(), State::Ended);
    let told = kinds(&[
        ("session.started", None),
        ("session.ended", Some("orphaned")),
        ("session.ended", Some("ended")),
    ]);
    assert_eq!(world.told(), told);
}

#[tokio::test]
async fn without_a_log_nothing_begins_but_everything_ends() {
    let (home, world) = (tempfile::tempdir().unwrap(), Arc::new(World::default()));
    let service = open(home.path(), &world).await;
    let begun = service.sessions().begin(&program(), request("claude")).await.unwrap();
    world.deaf.store(true, Ordering::SeqCst);
    let refused = service.sessions().begin(&program(), request("claude")).await.unwrap_err();
    assert_eq!(refused.reason(), Reason::AuditUnavailable);
    service.sessions().end(&program(), begun.session.id, Some(0)).await.unwrap();
    assert_eq!(world.admitted(), 0);
    assert_eq!(world.told().len(), 1);
    world.deaf.store(false, Ordering::SeqCst);
    drop(service);
    let _service = open(home.path(), &world).await;
    assert_eq!(world.told()[1..], kinds(&[("session.ended", Some("ended"))]));
}

#[tokio::test]
async fn sessions_are_listed_newest_first_by_what_is_asked_for() {
    let (home, world) = (tempfile::tempdir().unwrap(), Arc::new(World::default()));
    let record =
        r#"{"id":"01OLD","started_at":"2020-01-01T00:00:00Z","agent":"goose","working_dir":"/o"}"#;
    std::fs::write(home.path().join("sessions.jsonl"), record).unwrap();
    let service = open(home.path(), &world).await;
    let sessions = service.sessions();
    let first = sessions.begin(&program(), request("claude")).await.unwrap().session;
    let second = sessions.begin(&program(), request("codex")).await.unwrap().session;
    sessions.end(&program(), first.id.clone(), Some(0)).await.unwrap();
    let listed = async |filter| {
        let found = sessions.list(&program(), filter).await.unwrap();
        found.into_iter().map(|session| session.id.to_string()).collect::<BTreeSet<_>>()
    };
    let [first, second] = [first.id.to_string(), second.id.to_string()];
    let all = BTreeSet::from([first.clone(), second.clone(), "01OLD".to_owned()]);
    assert_eq!(listed(Filter::default()).await, all);
    assert_eq!(listed(Filter { limit: Some(0), ..Filter::default() }).await, all);
    let active = Filter { active_only: true, ..Filter::default() };
    assert_eq!(listed(active).await, BTreeSet::from([second.clone()]));
    let agent = Filter { agent: Some("claude".parse().unwrap()), ..Filter::default() };
    assert_eq!(listed(agent).await, BTreeSet::from([first.clone()]));
    let since =
        Filter { since: Some("2021-01-01T00:00:00Z".parse().unwrap()), ..Filter::default() };
    assert_eq!(listed(since).await, BTreeSet::from([first, second]));
    let last = Filter { limit: Some(3), ..Filter::default() };
    let found = sessions.list(&program(), last).await.unwrap();
    assert_eq!(found[2].id.as_str(), "01OLD");
    // The file is read once: a later start adds nothing.
    drop(service);
    let service = open(home.path(), &world).await;
    assert_eq!(service.sessions().list(&program(), Filter::default()).await.unwrap().len(), 3);
}
