use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use aileron_contract::{
    Audit, Context, Result, Stream,
    audit::{Checkpoint, Event, Filter, Record},
    names::AuditId,
};
use async_trait::async_trait;
use futures::{StreamExt, stream};
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;

use super::Stage;
use crate::samples::audit as samples;

#[derive(Default)]
pub(crate) struct FakeAudit {
    pub(crate) stage: Stage,
    pub(crate) slow: Slow,
}

/// Work that takes until a test says so.
#[derive(Default)]
pub(crate) struct Slow {
    pub(crate) entered: Arc<Notify>,
    pub(crate) release: Arc<Notify>,
    pub(crate) done: Arc<AtomicBool>,
    /// Told when a call's future is dropped before its end.
    pub(crate) dropped: Arc<Notify>,
    pub(crate) tasks: TaskTracker,
}

/// The append that runs in a task of its own, as mutations do.
pub(crate) const SLOW: &str = "audit-slow";
/// The read that never returns.
pub(crate) const STUCK: &str = "audit-stuck";

#[async_trait]
impl Audit for FakeAudit {
    async fn append(&self, context: &Context, event: Event) -> Result<Record> {
        let slow = event.id.as_ref().is_some_and(|id| id.as_str() == SLOW);
        let full = self.stage.enter("append", &(context, event))?;
        if slow {
            let Slow { entered, release, done, .. } = &self.slow;
            let (entered, release, done) =
                (Arc::clone(entered), Arc::clone(release), Arc::clone(done));
            let work = async move {
                entered.notify_one();
                release.notified().await;
                done.store(true, Ordering::SeqCst);
            };
            self.slow.tasks.spawn(work).await.unwrap();
        }
        Ok(samples::record(full))
    }

    async fn query(&self, context: &Context, filter: Filter) -> Result<Vec<Record>> {
        self.stage.enter("query", &(context, filter)).map(samples::records)
    }

    async fn get(&self, context: &Context, id: AuditId) -> Result<Record> {
        let stuck = id.as_str() == STUCK;
        let full = self.stage.enter("get", &(context, id))?;
        if stuck {
            let _told = TellWhenDropped(Arc::clone(&self.slow.dropped));
            self.slow.entered.notify_one();
            std::future::pending::<()>().await;
        }
        Ok(samples::record(full))
    }

    /// From 0: some records. From 1: some, then an error. From 2: one, and never another.
    async fn watch(&self, context: &Context, from: u64) -> Result<Stream<Record>> {
        let full = self.stage.enter("watch", &(context, from))?;
        let records = stream::iter(samples::records(full)).map(Ok);
        Ok(match from {
            0 => records.boxed(),
            1 => records.chain(stream::iter([Err(samples::too_slow())])).boxed(),
            _ => stream::iter([Ok(samples::record(full))]).chain(stream::pending()).boxed(),
        })
    }

    async fn checkpoint(&self, context: &Context) -> Result<Checkpoint> {
        self.stage.enter("checkpoint", &context).map(samples::checkpoint)
    }

    async fn receipt(&self, context: &Context, id: AuditId) -> Result<String> {
        self.stage.enter("receipt", &(context, id)).map(|full| "proof\n".repeat(full.into()))
    }
}

struct TellWhenDropped(Arc<Notify>);

impl Drop for TellWhenDropped {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}
