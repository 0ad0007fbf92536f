//! Runs whose end the log does not know. A run's end is written and told side by side, and so is
//! its beginning: a crash between the two, or a log that could not be written, leaves one without
//! the other. What is written and not told is told later, under the id it was going to have.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use aileron_contract::{
    Context, Error, Reason, Result,
    audit::{Event, EventKind, Filter, Record as Logged},
    limits,
    names::RunId,
};

use super::{announce, engine::Engine, pins::Trust};

/// Only while fewer runs than this have begun since may an end be told beside its record: of those
/// the next start finds what a crash left apart.
const NEAR: u64 = 64;

/// How many of the newest beginnings a start looks at: all that may have been near, or under way
/// twice over, when the last life ended.
const LOOKED_AT: u32 = 128 + 2 * limits::RUN_CONCURRENCY;

/// Runs begun in this life.
#[derive(Default)]
pub(super) struct Starts(AtomicU64);

impl Starts {
    /// The number of the run that begins now.
    pub(super) fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }

    /// May the end of this run be told beside its record?
    pub(super) fn is_near(&self, number: u64) -> bool {
        self.0.load(Ordering::Relaxed).saturating_sub(number) < NEAR
    }
}

/// What the log is still to be told.
#[derive(Default)]
pub(super) struct Untold {
    /// Ends of this life that it could not take.
    ends: Vec<Event>,
    /// Beginnings of earlier lives without an end; none before they were looked for.
    begun: Option<Vec<(RunId, Logged)>>,
}

impl Engine {
    /// Tells the log of an end that is written meanwhile.
    pub(super) async fn tell_run_end(&self, event: Event) {
        match self.announce(event.clone()).await {
            Ok(_) => {}
            Err(error) if error.reason() == Reason::IdempotencyConflict => {
                tracing::debug!("the log knows the end of a run in other words");
            }
            Err(error) => {
                tracing::error!(?error, "the end of a run could not be logged; it is tried again");
                // At most as many as runs can be under way: without a log none begins.
                self.untold().ends.push(event);
            }
        }
    }

    /// Starts a look: nobody waits for it, because the log may be busy building its index.
    pub(super) fn look_for_untold_meanwhile(self: &Arc<Self>) {
        let (engine, stop) = (Arc::clone(self), self.stop.clone());
        self.tasks.spawn(async move {
            stop.run_until_cancelled(Box::pin(engine.look_for_untold())).await;
        });
    }

    /// Tells the log what it does not know yet, as far as that can be told now; the rest is tried
    /// again.
    pub(super) async fn look_for_untold(&self) {
        let _one_at_a_time = self.telling.lock().await;
        if let Err(error) = self.tell_untold().await {
            tracing::warn!(?error, "the log could not be asked for runs without an end");
        }
    }

    async fn tell_untold(&self) -> Result<()> {
        let ends = std::mem::take(&mut self.untold().ends);
        for event in ends {
            self.tell_run_end(event).await;
        }
        let begun = self.untold().begun.take();
        let begun = match begun {
            Some(begun) => begun,
            None => self.begun_without_end().await?,
        };
        let mut left = Vec::new();
        for (run, started) in begun {
            match self.missing_end(&run, &started).await {
                Ok(Some(event)) => self.tell_run_end(event).await,
                Ok(None) => {}
                Err(error) => {
                    tracing::debug!(%run, ?error, "the end of a run is told later");
                    left.push((run, started));
                }
            }
        }
        self.untold().begun = Some(left);
        Ok(())
    }

    /// The newest beginnings in the log that no run of this life is, and no end follows.
    async fn begun_without_end(&self) -> Result<Vec<(RunId, Logged)>> {
        let context = Context::service("executor");
        let filter = Filter {
            kind: Some(EventKind::ExecutionStarted.text().to_owned()),
            limit: Some(LOOKED_AT),
            ..Filter::default()
        };
        let mut without = Vec::new();
        for started in self.parts.audit.query(&context, filter).await? {
            let run = started.payload.get("aileron.run.id").and_then(|id| id.as_str());
            // Lines of before may know no runs.
            let Some(run) = run.and_then(|id| id.parse::<RunId>().ok()) else { continue };
            // In this order: what is not under way now has told its end, or never will.
            if !self.is_live(&run) && !self.has_end(&run).await? {
                without.push((run, started));
            }
        }
        Ok(without)
    }

    async fn has_end(&self, run: &RunId) -> Result<bool> {
        for kind in [EventKind::ExecutionSucceeded, EventKind::ExecutionFailed] {
            let id = announce::event_id(run, kind)?;
            match self.parts.audit.get(&Context::service("executor"), id).await {
                Ok(_) => return Ok(true),
                Err(error) if error.reason() == Reason::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    /// What the log is to be told of a run that it knows the beginning of; none of one that is
    /// looked after elsewhere, or that somebody else wrote. An error while nobody can tell.
    async fn missing_end(&self, run: &RunId, started: &Logged) -> Result<Option<Event>> {
        if self.has_end(run).await? {
            return Ok(None);
        }
        let Some(row) = self.ledger.get(run).await? else {
            return announce::unrecorded(run, started).map(Some);
        };
        match self.pins.check(&row).await? {
            Trust::Sound(record) => announce::ended(&record),
            Trust::Forged(_) => Ok(None),
            Trust::Unknown(_) => Err(Error::new(
                Reason::VaultLocked,
                "the vault is locked, and only it can tell whether the record of a run is ours",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_told_beside_its_record_only_while_few_runs_have_begun_since() {
        let starts = Starts::default();
        let first = starts.next();
        assert!(starts.is_near(first));
        for _ in 0..NEAR {
            starts.next();
        }
        assert!(!starts.is_near(first) && starts.is_near(starts.next()));
    }

    #[test]
    fn what_a_start_looks_at_is_one_page_of_the_log() {
        assert!(LOOKED_AT <= limits::AUDIT_PAGE && u64::from(LOOKED_AT) > NEAR);
    }
}
