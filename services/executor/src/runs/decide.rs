//! A person's decision, and what follows from it.

use std::sync::Arc;

use aileron_contract::{
    Context, Error, Kind, Reason, Result, Scope,
    audit::EventKind,
    executor::Decision,
    failure::{Boundary, Class, Failure},
    names::RunId,
};

use super::{
    Record, announce,
    drive::Drive,
    engine::Engine,
    lifecycle::out_of_turn,
    listing::unknown,
    pins::{Trust, closed},
    plan::Plan,
    record::{Phase, Verdict},
};
use crate::approval::{self, Covered, Credential};

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
        self.owned(async move {
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
            if verdict.approved {
                engine.resume_later(next);
            }
            Ok(())
        })
        .await
    }

    /// Somebody without the right tried: logged, and the approval stays as it is.
    async fn refuse_decision(&self, context: &Context, id: &RunId, approve: bool) -> Result<()> {
        if let Some(row) = self.ledger.get(id).await?
            && let Trust::Sound(record) | Trust::Unknown(record) = self.pins.check(&row).await?
            && record.visible_to(context)
            && record.phase == Phase::Parked
        {
            let event = announce::decision_refused(&record, &context.principal, approve)?;
            self.announce(event).await?;
        }
        Err(Error::new(
            Reason::PersonRequired,
            "only a person may decide an approval, with the vault passphrase: aileron approval \
             approve, or the approvals page",
        ))
    }

    /// Carries an approved run out in the background.
    pub(super) fn resume_later(self: &Arc<Self>, record: Record) {
        if self.is_live(&record.id) || self.stop.is_cancelled() {
            return;
        }
        let live = self.begin(&record.id);
        let engine = Arc::clone(self);
        self.tasks.spawn(async move {
            let id = record.id.clone();
            let slot = engine.stop.run_until_cancelled(engine.slots.acquire()).await;
            let Some(Ok(_slot)) = slot else { return };
            if let Err(error) = Box::pin(Arc::clone(&engine).resume(record, live)).await {
                tracing::warn!(run = %id, ?error, "an approved run waits");
            }
        });
    }

    /// Checks that everything is as it was approved, then starts. An error leaves it waiting.
    async fn resume(self: Arc<Self>, record: Record, live: super::engine::Live) -> Result<()> {
        if let Some(failure) = self.replayed(&record).await? {
            tracing::error!(run = %record.id, "an approval that was used came back");
            self.end_unstarted(record, failure).await?;
            return Ok(());
        }
        let (plan, credentials) = match self.unchanged(&record).await? {
            Ok(same) => same,
            Err(failure) => {
                self.end_unstarted(record, failure).await?;
                return Ok(());
            }
        };
        let next = record.start(&plan.first.id).map_err(out_of_turn)?;
        let record = self.advance(next).await?;
        let engine = Arc::clone(&self);
        let drive = Drive { engine, record, plan, credentials, live };
        drop(Box::pin(drive.carry_out()).await);
        Ok(())
    }

    /// An old row put back in place carries a true pin. The log knows that its run began.
    async fn replayed(&self, record: &Record) -> Result<Option<Failure>> {
        let id = announce::event_id(record, EventKind::ExecutionStarted)?;
        match self.parts.audit.get(&Context::service("executor"), id).await {
            Ok(_) => Ok(Some(Failure::new(
                Class::ApprovalDenied,
                Boundary::Runtime,
                "this approval was used already; its record was put back by something else. \
                 Nothing was sent",
            ))),
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
        let credentials = self.credentials(&plan).await?;
        if approval::credentials_digest(&credentials)? != gate.credentials {
            let message = "the credential bound to the connector changed after the approval";
            return Ok(Err(changed("binding", message.to_owned())));
        }
        let covered = Covered {
            arguments: &record.arguments,
            credentials: &credentials,
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

    /// Ends a run that never started.
    pub(super) async fn end_unstarted(&self, record: Record, failure: Failure) -> Result<Record> {
        let event = announce::failed(&record, None, &failure, false, None)?;
        let audit_id = self.announce(event).await?;
        let failure = Failure { audit_id: Some(audit_id), ..failure };
        let next = record.fail(failure, self.now()).map_err(out_of_turn)?;
        Ok(self.settle(next).await)
    }

    /// Parked → Expired, logged first.
    pub(super) async fn expire(&self, record: Record) -> Result<Record> {
        let next = record.clone().expire(self.now()).map_err(out_of_turn)?;
        self.announce(announce::expired(&record)?).await?;
        self.advance(next).await
    }
}
