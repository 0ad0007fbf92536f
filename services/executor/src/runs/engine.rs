//! What all runs share.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use aileron_contract::{
    Context, Error, Reason, Result, Timestamp, audit, bindings, egress,
    executor::Started,
    limits,
    names::RunId,
    tally::Refusals,
    vault::{self, Pin, PinDomain, State},
};
use aileron_store::Database;
use tokio::sync::{Mutex as AsyncMutex, Semaphore, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument as _;

use super::{
    Guest, Library, Record, Tokens,
    ends::{Starts, Untold},
    feed::Feed,
    grants::Grants,
    pins::Pins,
    preview::Previews,
    refusals,
};
use crate::ledger::Ledger;

/// What the engine is made of.
pub(crate) struct Parts {
    pub(crate) database: Database,
    pub(crate) vault: vault::Handle,
    pub(crate) bindings: bindings::Handle,
    pub(crate) egress: egress::Handle,
    pub(crate) audit: audit::Handle,
    pub(crate) tokens: Arc<dyn Tokens>,
    pub(crate) library: Arc<dyn Library>,
    pub(crate) guest: Arc<dyn Guest>,
    pub(crate) clock: fn() -> Timestamp,
    pub(crate) approval_wall: Duration,
    pub(crate) pace: Pace,
}

/// How long to wait before each retry of a step. The waits are lengthened at random by up to a
/// fifth, so that callers that failed together do not come back together.
#[derive(Clone, Debug)]
pub(crate) struct Pace(pub(crate) Vec<Duration>);

impl Default for Pace {
    /// As published: three retries.
    fn default() -> Self {
        Self((0..limits::RETRIES).map(|retry| Duration::from_secs(1 << retry)).collect())
    }
}

/// Carries out runs. Held by an `Arc`; every mutation runs in a task it owns.
pub(crate) struct Engine {
    pub(super) parts: Parts,
    pub(super) ledger: Ledger,
    pub(super) pins: Pins,
    pub(super) tasks: TaskTracker,
    pub(super) stop: CancellationToken,
    /// Runs under way.
    pub(super) slots: Arc<Semaphore>,
    /// One move into or out of waiting at a time: the first decision counts, and watchers are told
    /// in the order in which it happened.
    pub(super) deciding: AsyncMutex<()>,
    /// What happened to approvals, for those who watch.
    pub(super) feed: Arc<Feed>,
    /// What the log says of grants, and whose turn it is.
    pub(super) grants: Grants,
    /// Previews fetched of late.
    pub(super) previews: Previews,
    /// Who may not decide and tried.
    pub(super) refusals: Refusals,
    /// One approval at a time is added, so that their number stays bounded.
    pub(super) parking: AsyncMutex<()>,
    /// One look at what waits at a time.
    pub(super) waking: AsyncMutex<()>,
    /// Runs begun in this life.
    pub(super) starts: Starts,
    untold: Mutex<Untold>,
    /// One look for what the log does not know at a time.
    pub(super) telling: AsyncMutex<()>,
    live: Mutex<HashMap<RunId, watch::Receiver<Option<Started>>>>,
    /// Records whose row could not be written yet, because the vault is locked or the database
    /// away: newer than their rows.
    unwritten: Mutex<BTreeMap<RunId, Record>>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("ledger", &self.ledger).finish_non_exhaustive()
    }
}

impl Engine {
    /// Opens the table, settles what a stopped runtime left behind, and resumes what may go on.
    pub(crate) async fn open(parts: Parts) -> Result<Arc<Self>> {
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let log = Arc::clone(&parts.audit);
        let refusals = refusals::told_to(log, parts.clock, tasks.clone(), stop.clone());
        let ledger = Ledger::open(parts.database.clone()).await?;
        let pins = Pins::new(Arc::clone(&parts.vault), Arc::clone(&parts.audit));
        let slots = usize::try_from(limits::RUN_CONCURRENCY).map_err(Error::internal)?;
        let engine = Arc::new(Self {
            parts,
            ledger,
            pins,
            tasks,
            stop,
            slots: Arc::new(Semaphore::new(slots)),
            feed: Arc::new(Feed::open()?),
            grants: Grants::default(),
            previews: Previews::default(),
            refusals,
            deciding: AsyncMutex::default(),
            parking: AsyncMutex::default(),
            waking: AsyncMutex::default(),
            starts: Starts::default(),
            untold: Mutex::default(),
            telling: AsyncMutex::default(),
            live: Mutex::default(),
            unwritten: Mutex::default(),
        });
        engine.find_interrupted().await?;
        engine.wake().await?;
        engine.watch_expiry();
        engine.watch_age();
        Ok(engine)
    }

    /// Takes no more calls and waits, for a while, for the runs under way. What is still running
    /// then is found interrupted at the next start.
    pub(crate) async fn shutdown(&self) {
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(limits::DRAIN_WALL, self.tasks.wait()).await.is_err() {
            tracing::warn!("runs were still under way at shutdown; they will be found interrupted");
        }
    }

    /// Refused while shutting down.
    pub(super) fn accepting(&self) -> Result<()> {
        if self.stop.is_cancelled() {
            return Err(Error::new(
                Reason::ShuttingDown,
                "the executor is stopping: try again when it is back",
            ));
        }
        Ok(())
    }

    /// Runs `work` to its end, whether or not the caller stays, in the caller's span.
    pub(super) async fn owned<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        self.tasks.spawn(work.in_current_span()).await.map_err(Error::internal)?
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.parts.clock)()
    }

    /// The state of the vault; asking never unlocks it.
    pub(super) async fn vault_state(&self) -> Result<State> {
        let status = self.parts.vault.status(&Context::service("executor")).await?;
        Ok(status.state)
    }

    /// What keeps the vault from vouching for anything, in its own words; none when nothing does.
    pub(super) async fn vault_refusal(&self) -> Option<Error> {
        let context = Context::service("executor");
        // Whatever is asked: the state alone does not tell a locked vault from a damaged one.
        let answer = self.parts.vault.check_pin(&context, PinDomain::Run, Vec::new(), Pin([0; 32]));
        answer.await.err()
    }

    /// Notes that a run is being carried out. Who asks for its outcome may wait for it.
    pub(super) fn begin(self: &Arc<Self>, id: &RunId) -> Live {
        let (outcome, waiting) = watch::channel(None);
        self.live().insert(id.clone(), waiting);
        Live { engine: Arc::clone(self), id: id.clone(), outcome }
    }

    pub(super) fn is_live(&self, id: &RunId) -> bool {
        self.live().contains_key(id)
    }

    /// Waits for a run under way; none when it is not.
    pub(super) async fn outcome_of(&self, id: &RunId) -> Option<Started> {
        let mut waiting = self.live().get(id).cloned()?;
        let outcome = waiting.wait_for(Option::is_some).await.ok()?;
        outcome.clone()
    }

    pub(super) fn keep_unwritten(&self, record: Record) {
        self.unwritten_records().insert(record.id.clone(), record);
    }

    pub(super) fn unwritten(&self, id: &RunId) -> Option<Record> {
        self.unwritten_records().get(id).cloned()
    }

    pub(super) fn all_unwritten(&self) -> Vec<Record> {
        self.unwritten_records().values().cloned().collect()
    }

    pub(super) fn forget_unwritten(&self, id: &RunId) {
        self.unwritten_records().remove(id);
    }

    pub(super) fn untold(&self) -> MutexGuard<'_, Untold> {
        self.untold.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn live(&self) -> MutexGuard<'_, HashMap<RunId, watch::Receiver<Option<Started>>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unwritten_records(&self) -> MutexGuard<'_, BTreeMap<RunId, Record>> {
        self.unwritten.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A run under way. Dropping it ends the waiting of others.
pub(super) struct Live {
    engine: Arc<Engine>,
    id: RunId,
    outcome: watch::Sender<Option<Started>>,
}

impl Live {
    pub(super) fn end(self, outcome: Started) {
        self.outcome.send_replace(Some(outcome));
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.engine.live().remove(&self.id);
    }
}
