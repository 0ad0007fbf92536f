//! A person's decision, and what follows from it.

use std::{sync::Arc, time::Duration};

use aileron_contract::{
    Context, Error, Kind, Reason, Result, Scope,
    audit::{EventKind, Record as Logged},
    executor::Decision,
    failure::{Boundary, Class, Failure},
    names::{AuditId, RunId},
};

use super::{
    Record, announce,
    drive::Drive,
    engine::{Engine, Live},
    feed::resolution,
    lifecycle::out_of_turn,
    listing::unknown,
    pins::Trust,
    plan::Plan,
    record::{Phase, Verdict},
    recover::logged_failure,
    trace,
};
use crate::{
    approval::{self, Covered, Credential},
    seals::closed,
};

/// An approved run that cannot start is tried again after this, and after twice as long each time.
const RESUME_PAUSE: Duration = Duration::from_millis(500);
const RESUME_PAUSE_MAX: Duration = Duration::from_secs(30);

impl Engine {
    /// See [`Executor::decide`](aileron_contract::Executor::decide).
    pub(crate) async fn decide(
        self: &Arc<Self>,
        context: &Context,
        id: RunId,
        decision: Decision,
    ) -> Result<()> {
        if !context.principal.is_person() || context.require(Scope::ApprovalsDecide).is_err() {
            return self.refuse_decision(context, &id, decision.approved).await;
        }
        self.accepting()?;
        let (engine, by) = (Arc::clone(self), context.principal.clone());
        let verdict = move |engine: &Self| Verdict {
            approved: decision.approved,
            by,
            at: engine.now(),
            reason: decision.reason,
        };
        let seen = decision.digest;
        self.owned(Box::pin(async move {
            let _first_counts = engine.deciding.lock().await;
            let row = engine.ledger.get(&id).await?.ok_or_else(|| unknown(&id))?;
            let record = engine.pins.check(&row).await?.sound()?;
            let verdict = verdict(&engine);
            if record.phase == Phase::Parked && record.expired(verdict.at) {
                engine.expire(record).await?;
                return Err(out_of_turn(super::record::Refusal::Expired));
            }
            let digest = record.gate.as_ref().map(|gate| gate.digest);
            let next = record.decide(verdict.clone()).map_err(out_of_turn)?;
            if seen.is_some_and(|seen| Some(seen) != digest) {
                return Err(Error::new(
                    Reason::HashMismatch,
                    "what you decided on is not what this approval covers: look at it again",
                ));
            }
            engine.announce(announce::decided(&next, &verdict)?).await?;
            let next = engine.advance(next).await?;
            engine.feed.resolved(
                &next,
                resolution(&next, verdict.approved, verdict.reason.clone(), verdict.at),
            );
            let decision = if verdict.approved { "approved" } else { "denied" };
            trace::waited(&next, decision, verdict.at);
            if verdict.approved {
                engine.resume_later(next);
            }
            Ok(())
        }))
        .await
    }

    /// Somebody without the right tried: logged, and the approval stays as it is.
    async fn refuse_decision(
        self: &Arc<Self>,
        context: &Context,
        id: &RunId,
        approve: bool,
    ) -> Result<()> {
        if let Some(row) = self.ledger.get(id).await?
            && let Trust::Sound(record) | Trust::Unknown(record) = self.pins.check(&row).await?
            && record.visible_to(context)
            && record.phase == Phase::Parked
        {
            let event = announce::decision_refused(&record, &context.principal, approve)?;
            self.refusals.tell(context, event).await?;
        }
        Err(for_persons())
    }

    /// Carries an approved run out in the background, in the trace it was asked for in. What is
    /// missing for a while (the log, the database, the disk) is waited for; a locked vault waits
    /// for [`Engine::wake`].
    pub(super) fn resume_later(self: &Arc<Self>, record: Record) {
        if self.is_live(&record.id) || self.stop.is_cancelled() {
            return;
        }
        let (engine, id, parent) = (Arc::clone(self), record.id.clone(), record.trace);
        let mut first = Some((record, self.begin(&id)));
        self.tasks.spawn(trace::within(parent, async move {
            let mut pause = RESUME_PAUSE;
            loop {
                let ready = match first.take() {
                    Some(ready) => Ok(Some(ready)),
                    None => engine.still_approved(&id).await,
                };
                let error = match ready {
                    Ok(None) => return,
                    Ok(Some((record, live))) => match engine.resume_in_turn(record, live).await {
                        Ok(()) => return,
                        Err(error) => error,
                    },
                    Err(error) => error,
                };
                tracing::warn!(run = %id, ?error, "an approved run waits");
                if closed(&error) {
                    return;
                }
                let slept = engine.stop.run_until_cancelled(tokio::time::sleep(pause)).await;
                if slept.is_none() {
                    return;
                }
                pause = (pause * 2).min(RESUME_PAUSE_MAX);
            }
        }));
    }

    /// The run and its place among the live ones, when it still waits for its start.
    async fn still_approved(self: &Arc<Self>, id: &RunId) -> Result<Option<(Record, Live)>> {
        let record = self.read(id).await?.filter(|record| record.phase == Phase::Approved);
        Ok(record.filter(|_| !self.is_live(id)).map(|record| (record, self.begin(id))))
    }

    /// Resumes once there is a place among the runs under way; ends quietly at shutdown.
    async fn resume_in_turn(self: &Arc<Self>, record: Record, live: Live) -> Result<()> {
        let slot = self.stop.run_until_cancelled(self.slots.acquire()).await;
        let Some(Ok(_slot)) = slot else { return Ok(()) };
        Box::pin(Arc::clone(self).resume(record, live)).await
    }

    /// Checks that everything is as it was approved, then starts. An error leaves it waiting.
    async fn resume(self: Arc<Self>, record: Record, live: Live) -> Result<()> {
        if let Some(failure) = self.replayed(&record).await? {
            tracing::error!(run = %record.id, "an approval that was used came back");
            Box::pin(self.end_unstarted(record, failure)).await?;
            return Ok(());
        }
        if record.expired(self.now()) {
            self.expire(record).await?;
            return Ok(());
        }
        let (plan, credentials) = match self.unchanged(&record).await? {
            Ok(same) => same,
            Err(failure) => {
                Box::pin(self.end_unstarted(record, failure)).await?;
                return Ok(());
            }
        };
        if let Some(shown) = self.shown_otherwise(&record, &plan, &credentials).await? {
            return self.ask_again(record, shown, (&plan, &credentials)).await;
        }
        let next = record.start(&plan.first.id).map_err(out_of_turn)?;
        let record = self.advance(next).await?;
        let engine = Arc::clone(&self);
        let drive = Drive { engine, record, plan, credentials, live };
        drop(Box::pin(drive.carry_out()).await);
        Ok(())
    }

    /// An old row put back in place carries a true pin. The log knows that its run began, or that
    /// it came to its end without beginning: either way the approval is used.
    async fn replayed(&self, record: &Record) -> Result<Option<Failure>> {
        for kind in [EventKind::ExecutionStarted, EventKind::ApprovalExpired] {
            // An expiry that was logged and not written is no replay while it is still true.
            let again = kind == EventKind::ApprovalExpired && record.expired(self.now());
            if !again && self.event_of(record, kind).await?.is_some() {
                return Ok(Some(Failure::new(
                    Class::ApprovalDenied,
                    Boundary::Runtime,
                    "this approval was used already, or had expired; its record was put back by \
                     something else. Nothing was sent",
                )));
            }
        }
        let failed = self.event_of(record, EventKind::ExecutionFailed).await?;
        Ok(failed.map(|failed| logged_failure(&failed).0))
    }

    /// An event of this run; an error when the log cannot tell.
    async fn event_of(&self, record: &Record, kind: EventKind) -> Result<Option<Logged>> {
        self.in_log(announce::event_id(&record.id, kind)?).await
    }

    pub(super) async fn in_log(&self, id: AuditId) -> Result<Option<Logged>> {
        match self.parts.audit.get(&Context::service("executor"), id).await {
            Ok(logged) => Ok(Some(logged)),
            Err(error) if error.reason() == Reason::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The plan and the credentials, if they are still what the person approved.
    async fn unchanged(&self, record: &Record) -> Result<Result<(Plan, Vec<Credential>), Failure>> {
        let changed = |what: &str, message: String| {
            Failure::new(Class::HashMismatch, Boundary::Action, message).detail("changed", what)
        };
        let Some(gate) = &record.gate else {
            return Ok(Err(changed("approval", "the run has no approval".to_owned())));
        };
        let name = &record.action;
        let Some(installed) = self.parts.library.action(name).await? else {
            return Ok(Err(changed("action", format!("the action {name} no longer exists"))));
        };
        if installed.hash != record.action_hash || installed.pinned == Some(false) {
            let message = format!("the file of the action {name} changed after the approval");
            return Ok(Err(changed("action", message)));
        }
        if !installed.enabled {
            return Ok(Err(changed("action", format!("the action {name} has been disabled"))));
        }
        let plan = match Plan::of(installed, &record.arguments) {
            Ok(plan) => plan,
            Err(failure) => return Ok(Err(failure)),
        };
        for step in plan.steps() {
            if let Err(error) = self.parts.library.connector(step.hash).await {
                if closed(&error) || error.kind() == Kind::Unavailable {
                    return Err(error);
                }
                let message = format!(
                    "the connector {} is not the one that was approved: {}",
                    step.package,
                    error.public()
                );
                return Ok(Err(changed("connector", message)));
            }
        }
        let credentials = match self.credentials(&plan, record.identity.as_ref()).await? {
            Ok(same) if approval::credentials_digest(&same)? == gate.credentials => same,
            Ok(_) | Err(_) => {
                let message = "the credential bound to the connector changed after the approval";
                return Ok(Err(changed("binding", message.to_owned())));
            }
        };
        let covered = Covered {
            arguments: &record.arguments,
            identity: record.identity.as_ref(),
            credentials: &credentials,
            preview: gate.preview.as_deref(),
            session: record.session.as_ref(),
            expires_at: gate.expires_at,
        };
        if approval::digest(&plan.installed, covered)? != gate.digest {
            return Ok(Err(changed(
                "call",
                "the call is not the one that was approved".to_owned(),
            )));
        }
        Ok(Ok((plan, credentials)))
    }

    /// Ends a run that never started. An end that the log has already is not told another way.
    pub(super) async fn end_unstarted(&self, record: Record, failure: Failure) -> Result<Record> {
        let logged = self.event_of(&record, EventKind::ExecutionFailed).await?;
        let failure = if let Some(logged) = logged {
            logged_failure(&logged).0
        } else {
            let event = announce::failed(&record, None, &failure, false, None)?;
            let audit_id = self.announce(event).await?;
            Failure { audit_id: Some(audit_id), ..failure }
        };
        let next = record.fail(failure, self.now()).map_err(out_of_turn)?;
        Ok(self.settle(next).await)
    }

    /// Parked, or approved and not begun → Expired, logged first.
    pub(super) async fn expire(&self, record: Record) -> Result<Record> {
        let now = self.now();
        let next = record.clone().expire(now).map_err(out_of_turn)?;
        self.announce(announce::expired(&record)?).await?;
        let next = self.advance(next).await?;
        if record.phase == Phase::Parked {
            let reason = next.state().explained().map(str::to_owned);
            self.feed.resolved(&next, resolution(&next, false, reason, now));
            trace::waited(&next, "timeout", now);
        }
        Ok(next)
    }
}

pub(super) fn for_persons() -> Error {
    Error::new(
        Reason::PersonRequired,
        "only a person may decide an approval, with the vault passphrase: `aileron approval \
         approve` or `deny`",
    )
}
