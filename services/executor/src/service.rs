//! The executor as its room opens it: packages, runs and the host of the guests behind one handle.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use aileron_contract::{
    Context, Error, Executor, Kind, Reason, Result, Scope, Stream, Timestamp, audit, bindings,
    egress,
    executor::{
        Action, Actions, Approval, ApprovalEvent, Call, Counts, Decision, Grant, GrantCaller,
        GrantRequest, GrantTerms, Handle, LoadError, Position, Run, RunFilter, Started,
    },
    names::{ActionName, GrantId, RunId, Sha256Hash},
    packages::Handle as PackagesHandle,
    publishers::Handle as PublishersHandle,
    vault,
};
use aileron_store::Database;
use aileron_wasmhost::Host;
use async_trait::async_trait;

use crate::{
    packages,
    runs::{Engine, Library, Pace, Parts, Shelf, Tokens},
    seals::closed,
};

/// What the service works with.
pub struct Options {
    /// The state folder.
    pub home: PathBuf,
    pub database: Database,
    pub vault: vault::Handle,
    pub bindings: bindings::Handle,
    pub egress: egress::Handle,
    pub audit: audit::Handle,
    /// Tells until when tokens are good.
    pub tokens: Arc<dyn Tokens>,
    pub sources: packages::Sources,
    pub wasm: aileron_wasmhost::Options,
    pub clock: fn() -> Timestamp,
    /// How long an approval waits for a person.
    pub approval_wall: Duration,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("home", &self.home).finish_non_exhaustive()
    }
}

/// The executor, open.
#[derive(Debug)]
pub struct Service {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    packages: packages::Service,
    library: Shelf,
    engine: Arc<Engine>,
    host: Host,
}

impl Service {
    /// Opens packages and runs, settles what a crash interrupted, and resumes what may go on.
    /// Works while the vault is locked: then [`Executor::wake`] does the rest.
    pub async fn open(options: Options) -> Result<Self> {
        let Options {
            home,
            database,
            vault,
            bindings,
            egress,
            audit,
            tokens,
            sources,
            wasm,
            clock,
            approval_wall,
        } = options;
        let host = Host::new(wasm)?;
        let packages = packages::Service::open(packages::Options {
            home,
            database: database.clone(),
            vault: Arc::clone(&vault),
            bindings: Arc::clone(&bindings),
            egress: Arc::clone(&egress),
            audit: Arc::clone(&audit),
            sources,
            host: Some(host.clone()),
            clock,
        })
        .await?;
        let library = Shelf { catalog: packages.catalog(), store: packages.store() };
        let engine = Box::pin(Engine::open(Parts {
            database,
            vault,
            bindings,
            egress,
            audit,
            tokens,
            library: Arc::new(library.clone()),
            guest: Arc::new(host.clone()),
            clock,
            approval_wall,
            pace: Pace::default(),
        }))
        .await?;
        let inner = Arc::new(Inner { packages, library, engine, host });
        match inner.wake_packages().await {
            // A part of the runtime that is not there yet: the next waking does it.
            Err(error) if error.kind() == Kind::Unavailable => {
                tracing::warn!(%error, "what packages need is told later");
            }
            done => done?,
        }
        Ok(Self { inner })
    }

    pub fn executor(&self) -> Handle {
        Arc::new(Door(Arc::clone(&self.inner)))
    }

    pub fn packages(&self) -> PackagesHandle {
        self.inner.packages.handle()
    }

    pub fn publishers(&self) -> PublishersHandle {
        self.inner.packages.publishers()
    }

    /// Takes no more calls, lets what runs come to its end for a while, then stops the guests.
    pub async fn shutdown(&self) {
        self.inner.engine.shutdown().await;
        self.inner.host.shutdown().await;
        self.inner.packages.shutdown().await;
    }
}

impl Inner {
    async fn wake_packages(&self) -> Result<()> {
        match self.packages.wake().await {
            Err(error) if !closed(&error) => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

/// Why there is no action of this name: nothing is there, or its file is none.
fn missing(there: Actions, name: &ActionName) -> Error {
    let of_name = |error: &LoadError| {
        Path::new(&error.file).file_stem().is_some_and(|stem| stem == name.as_str())
    };
    let public = match there.load_errors.into_iter().find(of_name) {
        Some(LoadError { message, file, line, .. }) => {
            let place = if line > 0 { format!(", line {line}") } else { String::new() };
            format!(
                "the action {name} cannot be used, because its file does not load ({file}{place}): \
                 {message}"
            )
        }
        None => format!("no action named {name} is installed"),
    };
    Error::new(Reason::NotFound, public)
}

/// The contract's implementation.
struct Door(Arc<Inner>);

#[async_trait]
impl Executor for Door {
    async fn actions(&self, context: &Context) -> Result<Actions> {
        context.require(Scope::ActionsList)?;
        self.0.library.actions().await
    }

    async fn action(&self, context: &Context, name: ActionName) -> Result<Action> {
        context.require(Scope::ActionsList)?;
        match self.0.library.action(&name).await? {
            Some(installed) => Ok(installed.shown()),
            None => Err(missing(self.0.library.actions().await?, &name)),
        }
    }

    async fn set_enabled(
        &self,
        context: &Context,
        name: ActionName,
        enabled: bool,
    ) -> Result<Action> {
        context.require(Scope::ActionsConfigure)?;
        Ok(self.0.library.set_enabled(context, &name, enabled).await?.shown())
    }

    async fn run(&self, context: &Context, call: Call) -> Result<Started> {
        Box::pin(self.0.engine.run(context, call)).await
    }

    async fn runs(&self, context: &Context, filter: RunFilter) -> Result<Vec<Run>> {
        self.0.engine.runs(context, filter).await
    }

    async fn run_by_id(&self, context: &Context, id: RunId) -> Result<Run> {
        self.0.engine.run_by_id(context, &id).await
    }

    async fn approvals(&self, context: &Context) -> Result<Vec<Approval>> {
        self.0.engine.approvals(context).await
    }

    async fn watch_approvals(
        &self,
        context: &Context,
        after: Option<Position>,
    ) -> Result<Stream<ApprovalEvent>> {
        self.0.engine.watch_approvals(context, after).await
    }

    async fn decide(&self, context: &Context, id: RunId, decision: Decision) -> Result<()> {
        Box::pin(self.0.engine.decide(context, id, decision)).await
    }

    async fn deny_all(
        &self,
        context: &Context,
        of: GrantCaller,
        reason: Option<String>,
    ) -> Result<Vec<RunId>> {
        self.0.engine.deny_all(context, of, reason).await
    }

    async fn propose_grant(&self, context: &Context, request: GrantRequest) -> Result<GrantTerms> {
        self.0.engine.propose_grant(context, request).await
    }

    async fn grant(
        &self,
        context: &Context,
        request: GrantRequest,
        seen: Sha256Hash,
    ) -> Result<Grant> {
        self.0.engine.grant(context, request, seen).await
    }

    async fn grants(&self, context: &Context) -> Result<Vec<Grant>> {
        self.0.engine.grants(context).await
    }

    async fn revoke_grant(&self, context: &Context, id: GrantId) -> Result<()> {
        self.0.engine.revoke_grant(context, id).await
    }

    async fn wake(&self, context: &Context) -> Result<()> {
        // Waking starts only what a person approved: whoever may read status may ask for it.
        context.require(Scope::StatusRead)?;
        self.0.wake_packages().await?;
        self.0.engine.wake().await
    }

    async fn counts(&self, context: &Context) -> Result<Counts> {
        context.require(Scope::StatusRead)?;
        let actions = self.0.library.actions().await?.items.len();
        let connectors = self.0.packages.store().installed().await?;
        Ok(Counts {
            actions: u64::try_from(actions).map_err(Error::internal)?,
            connectors: u64::try_from(connectors).map_err(Error::internal)?,
            pending_approvals: self.0.engine.pending().await?,
            drift: match self.0.packages.drift().await {
                Err(error) if closed(&error) => 0,
                counted => counted?,
            },
        })
    }
}
