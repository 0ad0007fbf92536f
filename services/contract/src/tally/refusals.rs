//! The log's side of a tally: who is refused is told to the log, or counted and told later.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{Counted, Tally, Told};
use crate::{
    Context, Error, Result, Timestamp,
    audit::{self, Event},
};

/// Tells the log of one room's refusals. Cheap to clone; all clones count together.
#[derive(Clone)]
pub struct Refusals(Arc<Inner>);

struct Inner {
    room: &'static str,
    tally: Mutex<Tally>,
    audit: audit::Handle,
    clock: fn() -> Timestamp,
    later: Box<dyn Fn(Counting) + Send + Sync>,
}

/// Refusals that are being counted.
#[must_use = "dropped, they are never told"]
#[derive(Debug)]
pub struct Counting(Refusals);

impl Refusals {
    /// `later` is handed every count that begins. In a task of its own it waits for
    /// [`limits::REFUSALS_WALL`](crate::limits::REFUSALS_WALL), or for the runtime to stop, and
    /// has the count told then.
    pub fn new(
        room: &'static str,
        audit: audit::Handle,
        clock: fn() -> Timestamp,
        later: impl Fn(Counting) + Send + Sync + 'static,
    ) -> Self {
        let (tally, later) = (Mutex::default(), Box::new(later));
        Self(Arc::new(Inner { room, tally, audit, clock, later }))
    }

    /// One more refusal of this caller. Once this returns it is in the log, or counted.
    pub async fn tell(&self, context: &Context, event: Event) -> Result<()> {
        let told = self.tally().another(event.kind, &context.principal, (self.0.clock)());
        match told {
            Told::ByItself => self.append(event).await?,
            Told::Counted { first: true } => (self.0.later)(Counting(self.clone())),
            Told::Counted { first: false } => {}
        }
        Ok(())
    }

    async fn append(&self, event: Event) -> Result<()> {
        self.0.audit.append(&Context::service(self.0.room), event).await.map(drop)
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        // Every change is whole: a panic elsewhere leaves nothing half done here.
        self.0.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counting {
    /// Tells the log what was counted in times that are over; while the runtime stops, all that
    /// was counted. Returns what went wrong with those that could not be told.
    pub async fn tell(self, stopping: bool) -> Vec<Error> {
        let Self(all) = self;
        let counted = if stopping { all.tally().all() } else { all.tally().over((all.0.clock)()) };
        let mut untold = Vec::new();
        for event in counted.into_iter().map(Counted::event) {
            untold.extend(all.append(event).await.err());
        }
        untold
    }
}

impl fmt::Debug for Refusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refusals").field("room", &self.0.room).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use futures::executor::block_on;

    use super::*;
    use crate::{
        Audit, Principal, Stream,
        audit::{Checkpoint, EventKind, Filter, Record},
        limits,
        names::AuditId,
    };

    /// Keeps what it is told, and may be full.
    #[derive(Default)]
    struct Log {
        told: Mutex<Vec<Event>>,
        full: Mutex<bool>,
    }

    fn unused<T>() -> Result<T> {
        Err(Error::internal("not part of this test"))
    }

    #[async_trait]
    impl Audit for Log {
        async fn append(&self, context: &Context, event: Event) -> Result<Record> {
            assert_eq!(context.principal, Principal::Service("here".into()));
            if *self.full.lock().unwrap() {
                return unused();
            }
            let (kind, actor, payload) =
                (event.kind.text().to_owned(), event.actor.clone(), event.payload.clone());
            self.told.lock().unwrap().push(event);
            let id = "audit-00000000-0000-4000-8000-000000000000".parse()?;
            Ok(Record { index: 0, id, kind, timestamp: at(), actor, payload, trace_id: None })
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

    fn at() -> Timestamp {
        Timestamp::from_second(1_000_000).unwrap()
    }

    fn refused(context: &Context) -> Event {
        Event::new(EventKind::PersonSessionRefused, audit::Actor::of(context))
    }

    fn caller() -> Context {
        let principal = Principal::Program(Principal::DAEMON.into());
        Context { principal, ..Context::service("test") }
    }

    /// The refusals, the log they are told to, and the counts that wait.
    fn parts() -> (Refusals, Arc<Log>, Arc<Mutex<Vec<Counting>>>) {
        let (log, waiting) = (Arc::new(Log::default()), Arc::new(Mutex::new(Vec::new())));
        let (audit, line) = (Arc::clone(&log) as audit::Handle, Arc::clone(&waiting));
        let later = move |counting| line.lock().unwrap().push(counting);
        (Refusals::new("here", audit, at, later), log, waiting)
    }

    #[test]
    fn a_flood_is_few_lines_and_a_number_and_the_end_of_the_runtime_loses_none() {
        let (refusals, log, waiting) = parts();
        for _ in 0..1_000 {
            block_on(refusals.tell(&caller(), refused(&caller()))).unwrap();
        }
        let told = usize::try_from(limits::REFUSALS_TOLD).unwrap();
        assert_eq!(log.told.lock().unwrap().len(), told);
        let mut waiting = waiting.lock().unwrap();
        assert_eq!(waiting.len(), 1, "a count waits once");
        assert!(block_on(waiting.remove(0).tell(true)).is_empty());
        let lines = log.told.lock().unwrap();
        assert_eq!(lines.len(), told + 1);
        let last = lines.last().unwrap();
        assert_eq!((last.kind, &*last.actor.id), (EventKind::PersonSessionRefused, "daemon"));
        assert_eq!(last.payload["aileron.refusals.more"], 1_000 - told);
    }

    #[test]
    fn a_log_that_cannot_be_written_is_said() {
        let (refusals, log, waiting) = parts();
        *log.full.lock().unwrap() = true;
        for number in 0..=limits::REFUSALS_TOLD {
            let told = block_on(refusals.tell(&caller(), refused(&caller())));
            assert_eq!(told.is_ok(), number == limits::REFUSALS_TOLD);
        }
        let counting = waiting.lock().unwrap().remove(0);
        assert_eq!(block_on(counting.tell(true)).len(), 1);
    }
}
