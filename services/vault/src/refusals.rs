//! Wrong passphrases in the log: each of the first ones, and the number of those beyond.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aileron_contract::{
    Context, Timestamp,
    audit::{self, Actor, Event, EventKind},
    limits,
    tally::{Tally, Told},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Tells the log. Cheap to clone; all clones count together.
#[derive(Clone)]
pub(crate) struct Refusals {
    tally: Arc<Mutex<Tally>>,
    audit: audit::Handle,
    clock: fn() -> Timestamp,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Refusals {
    /// What was counted is told when its time is over, and at the latest when `stop` says so, by
    /// one of the `tasks`.
    pub(crate) fn new(
        audit: audit::Handle,
        clock: fn() -> Timestamp,
        tasks: TaskTracker,
        stop: CancellationToken,
    ) -> Self {
        Self { tally: Arc::default(), audit, clock, tasks, stop }
    }

    /// One more of this kind.
    pub(crate) async fn tell(&self, context: &Context, kind: EventKind) {
        let told = self.tally().another(kind, &context.principal, (self.clock)());
        match told {
            Told::ByItself => self.append(context, Event::new(kind, Actor::of(context))).await,
            Told::Counted { first: true } => {
                let all = self.clone();
                self.tasks.spawn(async move { all.tell_counted().await });
            }
            Told::Counted { first: false } => {}
        }
    }

    async fn tell_counted(&self) {
        let wall = tokio::time::sleep(limits::REFUSALS_WALL);
        let stopped = self.stop.run_until_cancelled(wall).await.is_none();
        let counted = if stopped { self.tally().all() } else { self.tally().over((self.clock)()) };
        for counted in counted {
            self.append(&Context::service("vault"), counted.event()).await;
        }
    }

    async fn append(&self, context: &Context, event: Event) {
        if let Err(error) = self.audit.append(context, event).await {
            tracing::warn!(%error, "a refused passphrase could not be recorded");
        }
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        // Every change is whole: a panic elsewhere leaves nothing half done here.
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use aileron_contract::{
        Audit, Error, Principal, Result, Stream,
        audit::{Checkpoint, Filter, Record},
        names::AuditId,
    };
    use async_trait::async_trait;

    use super::*;

    #[derive(Default)]
    struct Log(Mutex<Vec<Event>>);

    fn unused<T>() -> Result<T> {
        Err(Error::internal("not part of this test"))
    }

    #[async_trait]
    impl Audit for Log {
        async fn append(&self, _: &Context, event: Event) -> Result<Record> {
            self.0.lock().unwrap().push(event);
            unused()
        }

        async fn query(&self, _: &Context, _: Filter) -> Result<Vec<Record>> {
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

    #[tokio::test]
    async fn a_flood_is_few_lines_and_a_number_and_the_end_of_the_runtime_loses_none() {
        let (log, tasks, stop) =
            (Arc::new(Log::default()), TaskTracker::new(), CancellationToken::new());
        let audit = Arc::clone(&log) as audit::Handle;
        let refusals = Refusals::new(audit, Timestamp::now, tasks.clone(), stop.clone());
        let context = Context {
            principal: Principal::Program(Principal::DAEMON.into()),
            ..Context::service("test")
        };
        for _ in 0..1_000 {
            refusals.tell(&context, EventKind::PersonSessionRefused).await;
        }
        let told = usize::try_from(limits::REFUSALS_TOLD).unwrap();
        assert_eq!(log.0.lock().unwrap().len(), told);
        stop.cancel();
        tasks.close();
        tasks.wait().await;
        let lines = log.0.lock().unwrap();
        assert_eq!(lines.len(), told + 1);
        let last = lines.last().unwrap();
        assert_eq!((last.kind, &*last.actor.id), (EventKind::PersonSessionRefused, "daemon"));
        assert_eq!(last.payload["aileron.refusals.more"], 1_000 - told);
    }
}
