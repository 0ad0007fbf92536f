//! Carries a run out, from its durable intent to its end.

use std::{sync::Arc, time::Duration};

use aileron_contract::{
    Error, Result, Timestamp,
    audit::Event,
    executor::Started,
    failure::{Boundary, Class, Failure},
    names::{AuditId, BindingName},
};
use serde_json::Value;
use tokio::time::Instant;
use tracing::{Instrument as _, Span};

use super::{
    Record, announce,
    engine::{Engine, Live},
    lifecycle::Journal,
    outcome::{self, Outputs},
    plan::Plan,
    record::Refusal,
    step::{Attempts, StepEnd},
    trace,
};
use crate::{approval::Credential, ledger::Pinned};

/// A run ready to be carried out.
pub(super) struct Drive {
    pub(super) engine: Arc<Engine>,
    pub(super) record: Record,
    pub(super) plan: Plan,
    /// The credentials that were approved or asked for; empty lets egress pick.
    pub(super) credentials: Vec<Credential>,
    pub(super) live: Live,
}

/// How the steps ended.
enum End {
    Done { outputs: Outputs, binding: Option<BindingName> },
    Failed(Failure),
    Ambiguous(Failure),
}

/// Order of writes: the intent and `execution.started`, the effect, the event of the end and the
/// settled record. The two before the effect may be written side by side, for nothing is sent until
/// both are on the disk, and so may the two after it, for the caller is answered when both are. A
/// restart brings together what a crash left apart. If the log cannot be written nothing is sent.
impl Drive {
    /// Carries out a run whose intent is on the disk.
    pub(super) async fn carry_out(self) -> Started {
        let span = self.span();
        let work = async {
            let opened = self.open().await;
            Box::pin(self.within(opened)).await
        };
        work.instrument(span).await
    }

    /// Writes the intent of a new run, and carries it out.
    pub(super) async fn begin(self, intent: Pinned) -> Result<Started> {
        let span = self.span();
        let work = async {
            let (written, opened) = tokio::join!(self.engine.ledger.insert(intent), self.open());
            match written {
                Ok(true) => Ok(Box::pin(self.within(opened)).await),
                Ok(false) => Err(self
                    .unwritten(opened, Error::internal("the id of a new run was taken"))
                    .await),
                Err(error) => Err(self.unwritten(opened, error).await),
            }
        };
        work.instrument(span).await
    }

    fn span(&self) -> Span {
        tracing::info_span!(
            "aileron.action.execute",
            aileron.action.name = %self.record.action,
            aileron.action.steps_count = i64::try_from(self.plan.steps().count()).ok(),
            aileron.run.id = %self.record.id,
            aileron.run.outcome = tracing::field::Empty,
            aileron.audit.id = tracing::field::Empty,
            error.type = tracing::field::Empty,
            otel.status_code = tracing::field::Empty,
            otel.status_description = tracing::field::Empty,
            aileron.failure.class = tracing::field::Empty,
            aileron.failure.boundary = tracing::field::Empty,
            aileron.failure.retriable = tracing::field::Empty,
        )
    }

    async fn open(&self) -> Result<AuditId> {
        self.engine.announce(announce::started(&self.record, &self.plan)?).await
    }

    /// The intent could not be written, so nothing is sent: where the log was told that the run
    /// begins, it is told its end.
    async fn unwritten(self, opened: Result<AuditId>, error: Error) -> Error {
        if opened.is_ok() {
            let failure = not_written(&error);
            let told = match announce::failed(&self.record, Some(&self.plan), &failure, false, None)
            {
                Ok(event) => self.engine.announce(event).await,
                Err(error) => Err(error),
            };
            if let Err(error) = told {
                tracing::error!(run = %self.record.id, ?error, "the next start tells the log its end");
            }
        }
        error
    }

    async fn within(self, opened: Result<AuditId>) -> Started {
        let began = Instant::now();
        let Self { engine, record, plan, credentials, live } = self;
        let journal = Arc::new(Journal::new(Arc::clone(&engine), record.clone()));
        let ended = match opened {
            Err(error) => {
                let end = End::Failed(not_logged(&error));
                Box::pin(settle(&engine, &journal, &plan, end, None)).await
            }
            Ok(opened) => {
                let number = engine.starts.next();
                let end = steps(&engine, &journal, &plan, &credentials).await;
                let ended = Ended { opened, number, took: began.elapsed() };
                Box::pin(settle(&engine, &journal, &plan, end, Some(ended))).await
            }
        };
        trace::ended(&ended);
        live.end(ended.clone());
        ended
    }
}

/// What the log knows already when a run ends.
struct Ended {
    /// `execution.started`.
    opened: AuditId,
    /// Of the run among those begun.
    number: u64,
    took: Duration,
}

async fn steps(
    engine: &Arc<Engine>,
    journal: &Arc<Journal>,
    plan: &Plan,
    credentials: &[Credential],
) -> End {
    let mut outputs = Outputs::new();
    let mut last = None;
    for (place, step) in plan.steps().enumerate() {
        if place > 0
            && let Err(error) = journal.enter(&step.id).await
        {
            return End::Failed(not_recorded(&error, &outputs));
        }
        let binding = credentials
            .iter()
            .find(|credential| credential.connector == step.package.fqn)
            .and_then(|credential| credential.binding.clone());
        let attempts = Attempts { engine, journal, step, binding };
        match Box::pin(attempts.carry_out()).await {
            StepEnd::Done { output, binding } => {
                outputs.insert(step.id.clone(), output.map_or(Value::Null, Value::Object));
                last = binding;
            }
            StepEnd::Failed(failure) => return End::Failed(at_step(failure, &step.id, &outputs)),
            StepEnd::Ambiguous(failure) => {
                return End::Ambiguous(at_step(failure, &step.id, &outputs));
            }
        }
    }
    End::Done { outputs, binding: last }
}

/// Logs the end and writes it.
async fn settle(
    engine: &Arc<Engine>,
    journal: &Journal,
    plan: &Plan,
    end: End,
    ended: Option<Ended>,
) -> Started {
    let record = journal.record().await;
    let event = event_of(&record, plan, &end, ended.as_ref().map(|ended| ended.took));
    let now = engine.now();
    let settled = |audit_id| journal.settle(move |record| end.write(record, plan, audit_id, now));
    let settled = match (event, ended) {
        (Ok(event), Some(ended)) if engine.starts.is_near(ended.number) => {
            let settled = settled(event.id.clone());
            tokio::join!(settled, engine.tell_run_end(event)).0
        }
        (event, ended) => {
            let logged = match event {
                Ok(event) => engine.announce(event).await,
                Err(error) => Err(error),
            };
            if let Err(error) = &logged {
                // The effect has happened and `started` is in the log: the end is told all the same.
                tracing::error!(run = %record.id, ?error, "the end of a run could not be logged");
            }
            settled(logged.ok().or(ended.map(|ended| ended.opened))).await
        }
    };
    match settled.map(|record| outcome::of(&record)) {
        Ok(Some(started)) => started,
        Ok(None) => Started::Failed(broken("the run has no end")),
        Err(error) => Started::Failed(broken(error.public())),
    }
}

fn event_of(record: &Record, plan: &Plan, end: &End, took: Option<Duration>) -> Result<Event> {
    match end {
        End::Done { binding, .. } => {
            announce::succeeded(record, plan, binding.as_ref(), took.unwrap_or_default())
        }
        End::Failed(failure) => announce::failed(record, Some(plan), failure, false, took),
        End::Ambiguous(failure) => announce::failed(record, Some(plan), failure, true, took),
    }
}

impl End {
    /// The record after this end, which the log knows, or will, under `audit_id`.
    fn write(
        self,
        record: Record,
        plan: &Plan,
        audit_id: Option<AuditId>,
        now: Timestamp,
    ) -> Result<Record, Refusal> {
        match (self, audit_id) {
            (Self::Done { outputs, binding }, Some(audit_id)) => {
                let result = outcome::result(&record, plan, outputs, binding, audit_id);
                record.finish(result, now)
            }
            // What never started cannot have succeeded.
            (Self::Done { .. }, None) => Err(Refusal::OutOfTurn),
            (Self::Failed(failure), audit_id) => record.fail(Failure { audit_id, ..failure }, now),
            (Self::Ambiguous(failure), audit_id) => {
                record.doubt(Failure { audit_id, ..failure }, now)
            }
        }
    }
}

/// Tells which step failed and which were carried out before it.
fn at_step(failure: Failure, step: &str, outputs: &Outputs) -> Failure {
    let failure = failure.detail("step", step);
    if outputs.is_empty() {
        return failure;
    }
    failure.detail("steps_done", outputs.keys().cloned().collect::<Vec<_>>())
}

fn not_logged(error: &Error) -> Failure {
    Failure::new(
        Class::ConnectorRuntimeError,
        Boundary::Runtime,
        format!("the log cannot be written, so nothing was sent: {}", error.public()),
    )
    .retriable(true)
    .detail("reason", error.reason().code())
}

fn not_written(error: &Error) -> Failure {
    Failure::new(
        Class::ConnectorRuntimeError,
        Boundary::Runtime,
        format!("the run could not be recorded, so nothing was sent: {}", error.public()),
    )
    .retriable(true)
    .detail("reason", error.reason().code())
}

fn not_recorded(error: &Error, outputs: &Outputs) -> Failure {
    let failure = Failure::new(
        Class::ConnectorRuntimeError,
        Boundary::Runtime,
        format!("the next step could not be recorded, so it did not run: {}", error.public()),
    )
    .detail("reason", error.reason().code());
    failure.detail("steps_done", outputs.keys().cloned().collect::<Vec<_>>())
}

fn broken(message: &str) -> Failure {
    Failure::new(Class::ConnectorRuntimeError, Boundary::Runtime, message.to_owned())
}
