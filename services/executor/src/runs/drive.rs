//! Carries a run out, from its durable intent to its end.

use std::{sync::Arc, time::Duration};

use aileron_contract::{
    Error,
    executor::Started,
    failure::{Boundary, Class, Failure},
    names::{AuditId, BindingName},
};
use serde_json::Value;
use tokio::time::Instant;
use tracing::Instrument as _;

use super::{
    Record, announce,
    engine::{Engine, Live},
    lifecycle::Journal,
    outcome::{self, Outputs},
    plan::Plan,
    step::{Attempts, StepEnd},
    trace,
};
use crate::approval::Credential;

/// A run whose intent is on the disk, ready to be carried out.
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

impl Drive {
    /// Order of writes: the intent (written by the caller), `execution.started`, the effect, the
    /// event of the end, the settled record. If the log cannot be written nothing is sent.
    pub(super) async fn carry_out(self) -> Started {
        let span = tracing::info_span!(
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
        );
        Box::pin(self.within().instrument(span)).await
    }

    async fn within(self) -> Started {
        let began = Instant::now();
        let Self { engine, record, plan, credentials, live } = self;
        let journal = Arc::new(Journal::new(Arc::clone(&engine), record.clone()));
        let opened = match announce::started(&record, &plan) {
            Ok(event) => engine.announce(event).await,
            Err(error) => Err(error),
        };
        let ended = match opened {
            Err(error) => {
                let end = End::Failed(not_logged(&error));
                Box::pin(settle(&engine, &journal, &plan, end, None)).await
            }
            Ok(opened) => {
                let end = steps(&engine, &journal, &plan, &credentials).await;
                let ended = Ended { opened, took: began.elapsed() };
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

/// Logs the end, then writes it.
async fn settle(
    engine: &Arc<Engine>,
    journal: &Journal,
    plan: &Plan,
    end: End,
    ended: Option<Ended>,
) -> Started {
    let record = journal.record().await;
    let took = ended.as_ref().map(|ended| ended.took);
    let event = match &end {
        End::Done { binding, .. } => {
            announce::succeeded(&record, plan, binding.as_ref(), took.unwrap_or_default())
        }
        End::Failed(failure) => announce::failed(&record, Some(plan), failure, false, took),
        End::Ambiguous(failure) => announce::failed(&record, Some(plan), failure, true, took),
    };
    let logged = match event {
        Ok(event) => engine.announce(event).await,
        Err(error) => Err(error),
    };
    if let Err(error) = &logged {
        // The effect has happened and `started` is in the log: the end is told all the same.
        tracing::error!(run = %record.id, ?error, "the end of a run could not be logged");
    }
    let opened = ended.map(|ended| ended.opened);
    let audit_id = logged.ok().or(opened);
    let now = engine.now();
    let settled = match end {
        End::Done { outputs, binding } => match audit_id {
            Some(audit_id) => {
                let result = outcome::result(&record, plan, outputs, binding, audit_id);
                journal.settle(|record| record.finish(result, now)).await
            }
            None => Err(Error::internal("a run that never started cannot have succeeded")),
        },
        End::Failed(failure) => {
            let failure = Failure { audit_id, ..failure };
            journal.settle(|record| record.fail(failure, now)).await
        }
        End::Ambiguous(failure) => {
            let failure = Failure { audit_id, ..failure };
            journal.settle(|record| record.doubt(failure, now)).await
        }
    };
    match settled.map(|record| outcome::of(&record)) {
        Ok(Some(started)) => started,
        Ok(None) => Started::Failed(broken("the run has no end")),
        Err(error) => Started::Failed(broken(error.public())),
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
