//! From a caller's wish to a run: checked, recorded, then carried out or parked.

use std::sync::Arc;

use aileron_contract::{
    Context, Error, Reason, Result, Scope,
    executor::{Call, Started},
    failure::Failure,
    json, limits,
    vault::State,
};
use jiff::SignedDuration;
use serde_json::{Map, Value};
use tokio::sync::OwnedSemaphorePermit;

use super::{
    Record, announce,
    drive::Drive,
    engine::Engine,
    outcome,
    pins::Trust,
    plan::Plan,
    record::{Gate, Phase, Repetition},
    text::{principal_text, stamped},
    trace,
};
use crate::{
    approval::{self, Covered, Credential},
    arguments,
    packages::catalog::{Installed, quarantined},
};

impl Engine {
    /// See [`Executor::run`](aileron_contract::Executor::run).
    pub(crate) async fn run(self: &Arc<Self>, context: &Context, call: Call) -> Result<Started> {
        context.require(Scope::ActionsRun)?;
        self.accepting()?;
        let repetition = repetition(context, &call)?;
        if let Some(repetition) = &repetition
            && let Some(started) = self.repeated(repetition).await?
        {
            return Ok(started);
        }
        let installed = match self.runnable(&call).await {
            Ok(installed) => installed,
            Err(error) => {
                Box::pin(self.look_after_grants(context, &call.action)).await?;
                return Err(error);
            }
        };
        let plan = match self.planned(Arc::clone(&installed), call.arguments).await? {
            Ok(planned) => planned,
            Err(failure) => return self.refuse(context, &installed, failure).await,
        };
        let (plan, arguments) = plan;
        let credentials = match self.foreseen(&plan, call.identity.as_ref()).await? {
            Ok(credentials) => credentials,
            Err(failure) => return self.refuse(context, &installed, failure).await,
        };
        let record = Record {
            id: stamped("act", self.now())?.parse()?,
            version: 0,
            action: installed.file.name.clone(),
            action_hash: installed.hash,
            connector: Some(plan.first.package.fqn.clone()),
            arguments,
            identity: call.identity,
            principal: context.principal.clone(),
            begun_by: context.begun_by.clone(),
            session: context.session.clone(),
            requested_at: self.now(),
            gate: None,
            repetition,
            trace: trace::current(),
            grant: None,
            phase: Phase::running(&plan.first.id),
        };
        let engine = Arc::clone(self);
        if installed.file.gated() {
            return self.owned(Box::pin(engine.gated(record, plan, credentials))).await;
        }
        let slot = self.slot()?;
        self.owned(Box::pin(engine.begin_run(record, (plan, credentials), slot))).await
    }

    /// The outcome of an earlier call with the same key.
    async fn repeated(&self, repetition: &Repetition) -> Result<Option<Started>> {
        let Some(row) = self.ledger.repeated(repetition.key).await? else { return Ok(None) };
        let (Trust::Sound(record) | Trust::Unknown(record)) = self.pins.check(&row).await? else {
            return Err(Error::new(
                Reason::Quarantined,
                "the record of the first call with this Idempotency-Key is not what the runtime \
                 wrote: use another key, and look at who can write the state database",
            ));
        };
        if record.repetition.as_ref() != Some(repetition) {
            return Err(Error::new(
                Reason::IdempotencyConflict,
                "this Idempotency-Key was used for another call: use a new one",
            ));
        }
        if let Some(started) = self.outcome_of(&record.id).await {
            return Ok(Some(started));
        }
        // The run may have ended between the two looks: the row, or what is kept of it, says how.
        let record = match self.unwritten(&record.id) {
            Some(newer) => newer,
            None => self.read(&record.id).await?.unwrap_or(record),
        };
        let ended = || {
            Error::new(
                Reason::ServiceUnavailable,
                "the first call with this Idempotency-Key has not ended: ask again in a moment",
            )
        };
        outcome::of(&record).ok_or_else(ended).map(Some)
    }

    async fn runnable(&self, call: &Call) -> Result<Arc<Installed>> {
        let installed = self.parts.library.action(&call.action).await?.ok_or_else(|| {
            Error::new(
                Reason::NotFound,
                format!("no action named {} is installed: list them first", call.action),
            )
        })?;
        if !installed.enabled {
            return Err(Error::new(
                Reason::ActionDisabled,
                format!("the action {} is disabled: a person may enable it", call.action),
            ));
        }
        if installed.pinned == Some(false) {
            return Err(quarantined(&call.action, &installed.path));
        }
        Ok(installed)
    }

    /// The plan and the checked arguments, or why the call cannot be a run.
    async fn planned(
        &self,
        installed: Arc<Installed>,
        given: Map<String, Value>,
    ) -> Result<Result<(Plan, Map<String, Value>), Failure>> {
        match self.vault_state().await? {
            // Without a pin that was checked nobody knows whose file it is.
            State::Unlocked if installed.pinned.is_some() => {}
            State::Missing => return Ok(Err(outcome::vault_locked(true))),
            State::Unlocked | State::Locked => {
                let why = self.vault_refusal().await;
                return Ok(Err(why
                    .as_ref()
                    .map_or_else(|| outcome::vault_locked(false), outcome::vault_closed)));
            }
        }
        let arguments = match arguments::check(&installed.file.inputs, given) {
            Ok(arguments) => arguments,
            Err(failure) => return Ok(Err(failure)),
        };
        Ok(Plan::of(installed, &arguments).map(|plan| (plan, arguments)))
    }

    /// A call that never became a run is in the log all the same.
    async fn refuse(
        self: &Arc<Self>,
        context: &Context,
        installed: &Installed,
        failure: Failure,
    ) -> Result<Started> {
        let event = announce::refused(context, installed.file.name.as_str(), &failure);
        let audit_id = self.announce(event).await?;
        Box::pin(self.look_after_grants(context, &installed.file.name)).await?;
        Ok(Started::Failed(Failure { audit_id: Some(audit_id), ..failure }))
    }

    /// Records the intent, then carries the run out.
    async fn begin_run(
        self: Arc<Self>,
        record: Record,
        (plan, credentials): (Plan, Vec<Credential>),
        slot: OwnedSemaphorePermit,
    ) -> Result<Started> {
        let live = self.begin(&record.id);
        let pinned = self.pins.seal(record.clone()).await?;
        let engine = Arc::clone(&self);
        let started = if record.repetition.is_none() {
            let drive = Drive { engine, record, plan, credentials, live };
            Box::pin(drive.begin(pinned)).await?
        } else {
            // Another call may have taken the key: then this one never begins.
            if !self.ledger.insert(pinned).await? {
                drop(live);
                return self.taken(&record).await;
            }
            let drive = Drive { engine, record, plan, credentials, live };
            Box::pin(drive.carry_out()).await
        };
        drop(slot);
        Ok(started)
    }

    /// Parks a run until a person decides.
    pub(super) async fn park(
        self: Arc<Self>,
        record: Record,
        plan: Plan,
        credentials: Vec<Credential>,
    ) -> Result<Started> {
        // Before anything is asked of a service, and again where the answer counts.
        self.room_for(&record).await?;
        let preview = self.first_preview(&record, &plan, &credentials).await?;
        let one_at_a_time = self.parking.lock().await;
        self.room_for(&record).await?;
        let wall = SignedDuration::try_from(self.parts.approval_wall).map_err(Error::internal)?;
        let expires_at = record.requested_at.checked_add(wall).map_err(Error::internal)?;
        let digest = approval::digest(
            &plan.installed,
            Covered {
                arguments: &record.arguments,
                identity: record.identity.as_ref(),
                credentials: &credentials,
                preview: preview.as_ref(),
                session: record.session.as_ref(),
                expires_at,
            },
        )?;
        let credentials = approval::credentials_digest(&credentials)?;
        let gate = Some(Gate {
            digest,
            credentials,
            expires_at,
            decision: None,
            preview: preview.map(Box::new),
            round: 0,
            before: None,
        });
        let record = Record { gate, phase: Phase::Parked, ..record };
        let pinned = self.pins.seal(record.clone()).await?;
        self.announce(announce::requested(&record)?).await?;
        let in_order = self.deciding.lock().await;
        let inserted = self.ledger.insert(pinned).await?;
        if inserted {
            self.tell_pending(&record).await;
        }
        drop((in_order, one_at_a_time));
        if !inserted {
            return self.taken(&record).await;
        }
        outcome::of(&record).ok_or_else(|| Error::internal("a parked run has an answer"))
    }

    /// The key was taken by a call at the same time: its outcome is this one's.
    pub(super) async fn taken(&self, record: &Record) -> Result<Started> {
        let again = match &record.repetition {
            Some(repetition) => self.repeated(repetition).await?,
            None => None,
        };
        again.ok_or_else(|| Error::internal("the id of a new run was taken"))
    }

    pub(super) fn slot(&self) -> Result<OwnedSemaphorePermit> {
        Arc::clone(&self.slots).try_acquire_owned().map_err(|_| {
            Error::new(
                Reason::Busy,
                format!("{} runs are under way: try again soon", limits::RUN_CONCURRENCY),
            )
        })
    }
}

/// How a repetition of this call is recognised; none without an idempotency key.
fn repetition(context: &Context, call: &Call) -> Result<Option<Repetition>> {
    let Some(key) = &context.idempotency_key else { return Ok(None) };
    let caller =
        (principal_text(&context.principal), context.session.as_ref().map(ToString::to_string));
    let domain = "aileron/run-request/v1";
    let (action, arguments) = (call.action.as_str(), &call.arguments);
    let request = match &call.identity {
        None => json::digest(domain, &(&caller, action, arguments))?,
        Some(identity) => json::digest(domain, &(&caller, action, arguments, identity.as_str()))?,
    };
    let key = json::digest("aileron/idempotency-key/v1", &(&caller, key.as_str()))?;
    Ok(Some(Repetition { key, request }))
}
