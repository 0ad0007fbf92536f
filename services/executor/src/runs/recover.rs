//! After a restart, and after the vault was unlocked: what was interrupted gets its end, what may
//! go on goes on, what was forged is left alone.

use std::{sync::Arc, time::Duration};

use aileron_contract::{
    Context, Result,
    audit::{EventKind, Record as Logged},
    executor::RunState,
    failure::{Boundary, Class, Failure},
    limits,
};

use super::{Record, announce, engine::Engine, lifecycle::out_of_turn, pins::Trust, record::Phase};
use crate::{ledger::Query, seals::closed};

/// How often approvals are looked over for those whose time is up.
const EXPIRY_PERIOD: Duration = Duration::from_secs(30);

impl Engine {
    /// Finds runs that a stopped runtime left running. Their ends are shown at once; they are
    /// logged and written when the vault is open and has confirmed that the rows are ours.
    pub(super) async fn find_interrupted(&self) -> Result<()> {
        let running =
            Query { states: vec![RunState::Running], limit: limits::RUN_PAGE, ..Query::default() };
        for row in self.ledger.list(&running).await? {
            if let Trust::Sound(record) | Trust::Unknown(record) = self.pins.check(&row).await? {
                let (failure, ambiguous) = self.interruption(&record).await;
                let now = self.now();
                let end =
                    if ambiguous { record.doubt(failure, now) } else { record.fail(failure, now) };
                self.keep_unwritten(end.map_err(out_of_turn)?);
            }
        }
        Ok(())
    }

    /// See [`Executor::wake`](aileron_contract::Executor::wake).
    pub(crate) async fn wake(self: &Arc<Self>) -> Result<()> {
        let _one_at_a_time = self.waking.lock().await;
        if self.stop.is_cancelled() {
            return Ok(());
        }
        for end in self.all_unwritten() {
            Box::pin(self.write_end(end)).await?;
        }
        self.look_for_untold_meanwhile();
        Box::pin(self.expire_due()).await?;
        Box::pin(self.settle_grants()).await;
        let approved = Query {
            states: vec![RunState::Approved],
            oldest_first: true,
            limit: limits::RUN_PAGE,
            ..Query::default()
        };
        for row in self.ledger.list(&approved).await? {
            if let Trust::Sound(record) = self.pins.check(&row).await? {
                self.resume_later(record);
            }
        }
        Ok(())
    }

    /// Looks after approvals whose time is up, until shutdown.
    pub(super) fn watch_expiry(self: &Arc<Self>) {
        // The task must not keep the engine alive.
        let (engine, stop) = (Arc::downgrade(self), self.stop.clone());
        self.tasks.spawn(async move {
            while stop.run_until_cancelled(tokio::time::sleep(EXPIRY_PERIOD)).await.is_some() {
                let Some(engine) = engine.upgrade() else { return };
                if let Err(error) = Box::pin(engine.expire_due()).await {
                    tracing::warn!(?error, "expired approvals could not be closed; tried again");
                }
                Box::pin(engine.look_for_untold()).await;
                Box::pin(engine.settle_grants()).await;
            }
        });
    }

    /// Closes approvals nobody decided in time. While the vault is locked they are shown as
    /// expired and closed later.
    pub(super) async fn expire_due(&self) -> Result<()> {
        let due = Query {
            states: vec![RunState::Parked],
            expired_at: Some(self.now()),
            oldest_first: true,
            limit: limits::APPROVALS_PENDING,
            ..Query::default()
        };
        let _first_counts = self.deciding.lock().await;
        for row in self.ledger.list(&due).await? {
            if let Trust::Sound(record) = self.pins.check(&row).await? {
                match self.expire(record).await {
                    Err(error) if !closed(&error) => return Err(error),
                    Ok(_) | Err(_) => {}
                }
            }
        }
        Ok(())
    }

    /// Logs and writes an end that had to wait, if the row before it is ours.
    async fn write_end(&self, end: Record) -> Result<()> {
        let Some(row) = self.ledger.get(&end.id).await? else {
            self.forget_unwritten(&end.id);
            return Ok(());
        };
        let before = match self.pins.check(&row).await? {
            Trust::Unknown(_) => return Ok(()),
            Trust::Sound(before) if before.version.checked_add(1) == Some(end.version) => before,
            Trust::Sound(_) | Trust::Forged(_) => {
                // Written already, or not ours: the row speaks for itself.
                self.forget_unwritten(&end.id);
                return Ok(());
            }
        };
        let end = match end.phase.clone() {
            Phase::Failed { failure, at, .. } if failure.audit_id.is_none() => {
                let failure = self.logged(&before, failure, false).await?;
                before.fail(failure, at).map_err(out_of_turn)?
            }
            Phase::Ambiguous { failure, at, .. } if failure.audit_id.is_none() => {
                let failure = self.logged(&before, failure, true).await?;
                before.doubt(failure, at).map_err(out_of_turn)?
            }
            _ => end,
        };
        self.settle(end).await;
        Ok(())
    }

    async fn logged(&self, record: &Record, failure: Failure, ambiguous: bool) -> Result<Failure> {
        let event = announce::failed(record, None, &failure, ambiguous, None)?;
        let audit_id = self.announce(event).await?;
        Ok(Failure { audit_id: Some(audit_id), ..failure })
    }

    /// What became of a run that was interrupted, from its record and the log.
    async fn interruption(&self, record: &Record) -> (Failure, bool) {
        if let Some(logged) = self.logged_event(record, EventKind::ExecutionFailed).await {
            return logged_failure(&logged);
        }
        let Phase::Running { step, finished, sending } = &record.phase else {
            return (interrupted("the run was interrupted"), true);
        };
        if let Some(logged) = self.logged_event(record, EventKind::ExecutionSucceeded).await {
            let mut failure = interrupted(
                "the runtime stopped after the action had succeeded and before its output was \
                 stored: it is done, and not run again; the output is lost",
            )
            .detail("succeeded", true);
            failure.audit_id = Some(logged.id);
            return (failure, true);
        }
        if *sending {
            let message = format!(
                "the runtime stopped while step {step:?} was sending: nobody knows whether it was \
                 carried out. Look at the service before asking again"
            );
            return (
                interrupted(&message).detail("ambiguous", true).detail("step", step.as_str()),
                true,
            );
        }
        let failure = if finished.is_empty() {
            interrupted(
                "the run was interrupted before anything was sent that must not be repeated: it \
                 may be asked for again",
            )
            .retriable(true)
        } else {
            interrupted(&format!(
                "the run was interrupted before step {step:?} sent anything that must not be \
                 repeated; the steps before it were carried out"
            ))
            .detail("steps_done", finished.clone())
        };
        (failure.detail("step", step.as_str()), false)
    }

    /// None also when the log cannot be asked: then the record alone decides, and it errs on the
    /// side of doubt.
    async fn logged_event(&self, record: &Record, kind: EventKind) -> Option<Logged> {
        let id = announce::event_id(&record.id, kind).ok()?;
        self.parts.audit.get(&Context::service("executor"), id).await.ok()
    }
}

fn interrupted(message: &str) -> Failure {
    Failure::new(Class::ConnectorRuntimeError, Boundary::Runtime, message.to_owned())
        .detail("interrupted", true)
}

/// The failure as the log has it, and whether it left doubt.
pub(super) fn logged_failure(logged: &Logged) -> (Failure, bool) {
    let text = |key: &str| logged.payload.get(key).and_then(|value| value.as_str());
    let class = text("aileron.failure.class")
        .and_then(|class| class.parse().ok())
        .unwrap_or(Class::ConnectorRuntimeError);
    let boundary = text("aileron.failure.boundary")
        .and_then(|boundary| boundary.parse().ok())
        .unwrap_or(Boundary::Runtime);
    let mut failure =
        Failure::new(class, boundary, text("aileron.failure.message").unwrap_or_default());
    failure.audit_id = Some(logged.id.clone());
    (failure, text("aileron.disposition") == Some("ambiguous"))
}
