//! Begins and ends sessions: the log first, then the record, then the token; and the other way
//! round at the end, so that no token outlives its session's record.

mod room;
#[cfg(test)]
mod tests;

use std::{fmt, io::ErrorKind, path::PathBuf, sync::Arc};

use aileron_contract::{
    Context, Error, Reason, Result, Scope, Sessions, Timestamp, access,
    audit::{self, Actor, Event, EventKind},
    limits,
    names::{SessionId, Sha256Hash},
    sessions::{Begin, Begun, Filter, Handle, Session, end_event},
};
use aileron_store::{Database, files};
use async_trait::async_trait;
use tokio::sync::Mutex;
use tokio_util::task::TaskTracker;
use ulid::Ulid;

use crate::{
    published,
    table::{Table, Told},
};
use room::Running;

/// What the service works with.
pub struct Options {
    /// The state folder, where an earlier runtime may have left its records.
    pub home: PathBuf,
    pub database: Database,
    pub access: access::Handle,
    pub audit: audit::Handle,
    pub clock: fn() -> Timestamp,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("home", &self.home).finish_non_exhaustive()
    }
}

/// The launcher, open.
#[derive(Debug)]
pub struct Service {
    inner: Arc<Inner>,
}

struct Inner {
    table: Table,
    access: access::Handle,
    audit: audit::Handle,
    clock: fn() -> Timestamp,
    tasks: TaskTracker,
    /// One change at a time.
    changing: Mutex<Changing>,
}

#[derive(Default)]
struct Changing {
    /// Were the tokens of sessions before this start ended?
    swept: bool,
    running: Running,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner").field("table", &self.table).finish_non_exhaustive()
    }
}

impl Service {
    /// Opens the records. What still ran when the runtime stopped is orphaned, as published: its
    /// token is worth nothing any more.
    pub async fn open(options: Options) -> Result<Self> {
        let Options { home, database, access, audit, clock } = options;
        let table = Table::open(database).await?;
        take_over(&table, home, clock()).await?;
        table.orphan_running(clock()).await?;
        let tasks = TaskTracker::new();
        let changing = Mutex::default();
        let inner = Arc::new(Inner { table, access, audit, clock, tasks, changing });
        // A part of the runtime that is not there yet: the next session begins with it.
        if let Err(error) = inner.sweep().await {
            tracing::warn!(%error, "what became of earlier agent sessions is told later");
        }
        Ok(Self { inner })
    }

    pub fn sessions(&self) -> Handle {
        Arc::new(Door(Arc::clone(&self.inner)))
    }

    /// Finishes changes under way.
    pub async fn shutdown(&self) {
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
    }
}

/// The contract's implementation.
struct Door(Arc<Inner>);

#[async_trait]
impl Sessions for Door {
    async fn begin(&self, context: &Context, request: Begin) -> Result<Begun> {
        context.require(Scope::SessionsRun)?;
        checked(&request)?;
        let (inner, context) = (Arc::clone(&self.0), context.clone());
        self.0.owned(async move { inner.begin(&context, request).await }).await
    }

    async fn end(
        &self,
        context: &Context,
        id: SessionId,
        exit_code: Option<i32>,
    ) -> Result<Session> {
        context.require(Scope::SessionsRun)?;
        let (inner, context) = (Arc::clone(&self.0), context.clone());
        self.0.owned(async move { inner.end(&context, &id, exit_code).await }).await
    }

    async fn list(&self, context: &Context, filter: Filter) -> Result<Vec<Session>> {
        context.require(Scope::SessionsRead)?;
        self.0.table.list(&filter).await
    }

    async fn get(&self, context: &Context, id: SessionId) -> Result<Session> {
        context.require(Scope::SessionsRead)?;
        self.0.table.get(&id).await
    }
}

impl Inner {
    async fn begin(&self, context: &Context, request: Begin) -> Result<Begun> {
        self.sweep().await?;
        let mut changing = self.changing.lock().await;
        changing.running.room_for(&context.principal)?;
        let Begin { agent, working_dir } = request;
        let started_at = Timestamp::from_millisecond((self.clock)().as_millisecond())
            .map_err(Error::internal)?;
        let id = fresh_id(started_at)?;
        let event = Event::new(EventKind::SessionStarted, Actor::of(context))
            .with("aileron.session.id", id.as_str())
            .with("aileron.session.agent", agent.as_str())
            .with("aileron.session.working_dir", working_dir.as_str());
        let record = self.audit.append(context, event).await?;
        let session = Session {
            id,
            started_at,
            ended_at: None,
            agent,
            working_dir,
            exit_code: None,
            first_event: Some(record.index),
        };
        self.table.add(&session).await?;
        let by = context.principal.clone();
        match self.access.admit_agent(&own(), session.id.clone(), by).await {
            Ok(bearer) => {
                changing.running.began(session.id.clone(), context.principal.clone());
                Ok(Begun { session, bearer })
            }
            Err(error) => {
                // Nobody gets to know of this session: it is over before it began.
                self.close(context, session, None).await?;
                Err(error)
            }
        }
    }

    async fn end(
        &self,
        context: &Context,
        id: &SessionId,
        exit_code: Option<i32>,
    ) -> Result<Session> {
        let mut changing = self.changing.lock().await;
        let session = self.table.get(id).await?;
        let late = session.ended_at.is_some() && session.exit_code.is_none();
        if session.ended_at.is_none() || (late && exit_code.is_some()) {
            let closed = self.close(context, session, exit_code).await?;
            changing.running.ended(id);
            return Ok(closed);
        }
        Ok(session)
    }

    /// Ends the token first: whatever fails after that, the agent can do no more. A log that does
    /// not answer hears of it later.
    async fn close(
        &self,
        context: &Context,
        mut session: Session,
        exit_code: Option<i32>,
    ) -> Result<Session> {
        self.access.dismiss_agents(&own(), Some(session.id.clone())).await?;
        let now = (self.clock)().max(session.started_at);
        session.ended_at =
            Some(Timestamp::from_millisecond(now.as_millisecond()).map_err(Error::internal)?);
        session.exit_code = exit_code;
        self.table.settle(&session, Told::NotYet).await?;
        if let Err(error) = self.tell(context, &session).await {
            tracing::warn!(%error, session = %session.id, "a session's end is told later");
        }
        Ok(session)
    }

    /// Tells the log of an end, once however often it is tried.
    async fn tell(&self, context: &Context, session: &Session) -> Result<()> {
        let state = session.state().text();
        let mut event = Event::new(EventKind::SessionEnded, Actor::of(context))
            .with("aileron.session.id", session.id.as_str())
            .with("aileron.session.agent", session.agent.as_str())
            .with("aileron.session.state", state)
            .with("aileron.session.exit_code", session.exit_code);
        event.id = Some(end_event(&session.id, session.state())?);
        match self.audit.append(context, event).await {
            Ok(_) => {}
            // Told before, by somebody else.
            Err(error) if error.reason() == Reason::IdempotencyConflict => {}
            Err(error) => return Err(error),
        }
        self.table.settle(session, Told::Yes).await
    }

    /// Once per start: ends the tokens of earlier sessions and tells the log of their end.
    async fn sweep(&self) -> Result<()> {
        let mut changing = self.changing.lock().await;
        if changing.swept {
            return Ok(());
        }
        self.access.dismiss_agents(&own(), None).await?;
        for session in self.table.untold().await? {
            self.tell(&own(), &session).await?;
        }
        changing.swept = true;
        Ok(())
    }

    /// Runs `work` to its end, whether or not the caller stays.
    async fn owned<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        if self.tasks.is_closed() {
            return Err(Error::new(Reason::ShuttingDown, "the runtime is stopping"));
        }
        self.tasks.spawn(work).await.map_err(Error::internal)?
    }
}

fn own() -> Context {
    Context::service("launcher")
}

fn checked(request: &Begin) -> Result<()> {
    let folder = &request.working_dir;
    if folder.len() > limits::WORKING_DIR || folder.contains('\0') {
        return Err(Error::new(
            Reason::InvalidRequest,
            format!("working_dir: a path of at most {} bytes is expected", limits::WORKING_DIR),
        ));
    }
    Ok(())
}

/// Sorts by time, as published.
fn fresh_id(now: Timestamp) -> Result<SessionId> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|error| Error::internal(error.to_string()))?;
    let millisecond = u64::try_from(now.as_millisecond()).map_err(Error::internal)?;
    Ulid::from_parts(millisecond, u128::from_be_bytes(random)).to_string().parse()
}

/// Reads the records of an earlier runtime, once for each state of its file. A file that cannot be
/// read keeps nobody from working.
async fn take_over(table: &Table, home: PathBuf, now: Timestamp) -> Result<()> {
    let path = home.join("sessions.jsonl");
    let reading =
        tokio::task::spawn_blocking(move || files::read_bounded(&path, limits::SESSIONS_FILE));
    let text = match reading.await.map_err(Error::internal)? {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => {
            tracing::warn!(%error, "sessions.jsonl was not read");
            return Ok(());
        }
    };
    let hash = Sha256Hash::of(&[&text]).hex();
    if table.has_read(&hash).await? {
        return Ok(());
    }
    let sessions = published::read(&text, now);
    table.take_over(&hash, &sessions, now).await
}
