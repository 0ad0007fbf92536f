//! What the log is told about runs and approvals.

use aileron_contract::{
    Context, Principal, Result,
    audit::{Actor, Event, EventKind, Record as Logged},
    executor::{GrantCaller, Preview},
    failure::{Boundary, Class, Failure},
    names::{AuditId, BindingName, RunId, Sha256Hash},
};
use serde_json::Value;

use super::{
    Record,
    engine::Engine,
    plan::Plan,
    record::{Phase, Verdict},
};

/// The longest failure message the log keeps.
const MESSAGE: usize = 2_000;

/// Failure details longer than this, as JSON, stay in the run's record.
const DETAILS: usize = 16 * 1024;

impl Engine {
    /// Appends one event. Once this returns the caller may act.
    pub(super) async fn announce(&self, event: Event) -> Result<AuditId> {
        let logged: Logged = self.parts.audit.append(&Context::service("executor"), event).await?;
        Ok(logged.id)
    }
}

/// One event of a run has one id, so that saying it again after a crash says it once.
pub(super) fn event_id(run: &RunId, kind: EventKind) -> Result<AuditId> {
    id_of(run, kind.text())
}

fn id_of(run: &RunId, which: &str) -> Result<AuditId> {
    let hash = Sha256Hash::of(&[
        b"aileron/run-event/v1\0",
        run.as_str().as_bytes(),
        b"\0",
        which.as_bytes(),
    ]);
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(hash.bytes()) {
        *to = *from;
    }
    format!("audit-{}", uuid::Builder::from_custom_bytes(bytes).into_uuid()).parse()
}

/// The event that takes an approval back has one id for each time a person was asked.
pub(super) fn reopened_id(record: &Record) -> Result<AuditId> {
    let round = record.gate.as_ref().map_or(0, |gate| gate.round);
    id_of(&record.id, &format!("{}/{round}", EventKind::ApprovalReopened.text()))
}

/// A run begins.
pub(super) fn started(record: &Record, plan: &Plan) -> Result<Event> {
    Ok(planned(of_run(record, EventKind::ExecutionStarted)?, plan))
}

/// A run came to its end.
pub(super) fn succeeded(
    record: &Record,
    plan: &Plan,
    binding: Option<&BindingName>,
    took: std::time::Duration,
) -> Result<Event> {
    Ok(planned(of_run(record, EventKind::ExecutionSucceeded)?, plan)
        .with("aileron.binding.name", binding.map(BindingName::as_str))
        .with("aileron.duration_ms", millis(took))
        .with("aileron.disposition", "succeeded"))
}

/// A run failed, or nobody knows whether it did.
pub(super) fn failed(
    record: &Record,
    plan: Option<&Plan>,
    failure: &Failure,
    ambiguous: bool,
    took: Option<std::time::Duration>,
) -> Result<Event> {
    let mut event = of_run(record, EventKind::ExecutionFailed)?;
    if let Some(plan) = plan {
        event = planned(event, plan);
    }
    Ok(with_failure(event, failure)
        .with("aileron.duration_ms", took.map(millis))
        .with("aileron.disposition", if ambiguous { "ambiguous" } else { "failed" }))
}

/// The end of a run as its record tells it; none of one that has not ended.
pub(super) fn ended(record: &Record) -> Result<Option<Event>> {
    match &record.phase {
        Phase::Done { result, .. } => Ok(Some(
            of_run(record, EventKind::ExecutionSucceeded)?
                .with("aileron.binding.name", result.binding.as_ref().map(BindingName::as_str))
                .with("aileron.disposition", "succeeded"),
        )),
        Phase::Failed { failure, .. } => failed(record, None, failure, false, None).map(Some),
        Phase::Ambiguous { failure, .. } => failed(record, None, failure, true, None).map(Some),
        Phase::Parked
        | Phase::Approved
        | Phase::Running { .. }
        | Phase::Denied { .. }
        | Phase::Expired { .. } => Ok(None),
    }
}

/// The end of a run that began, as the log says, and of which there is no record.
pub(super) fn unrecorded(run: &RunId, started: &Logged) -> Result<Event> {
    let failure = Failure::new(
        Class::ConnectorRuntimeError,
        Boundary::Runtime,
        "there is no record of this run: the runtime stopped before it was written, and then \
         nothing was sent, or somebody took it out of the state database, and then nobody knows",
    )
    .detail("interrupted", true);
    let mut event = Event::new(EventKind::ExecutionFailed, started.actor.clone());
    event.id = Some(event_id(run, EventKind::ExecutionFailed)?);
    event.payload.clone_from(&started.payload);
    Ok(with_failure(event, &failure).with("aileron.disposition", "ambiguous"))
}

/// A call was refused before it became a run.
pub(super) fn refused(context: &Context, call: &str, failure: &Failure) -> Event {
    let event = Event::new(EventKind::ExecutionFailed, Actor::of(context))
        .with("aileron.action.name", call)
        .with("aileron.session.id", context.session.as_ref().map(ToString::to_string))
        .with("aileron.disposition", "refused");
    with_failure(event, failure)
}

/// A run waits for a person.
pub(super) fn requested(record: &Record) -> Result<Event> {
    Ok(of_approval(record, EventKind::ApprovalRequested, &record.principal, false)?
        .with("aileron.action.hash", record.action_hash.to_string())
        .with("aileron.approval.preview", previewed(record)))
}

/// Whether there is one; what it shows is not the log's.
fn previewed(record: &Record) -> Option<&'static str> {
    let shown = record.gate.as_ref()?.preview.as_ref()?;
    Some(match shown.preview {
        Preview::Fields(_) => "shown",
        Preview::Unavailable(_) => "unavailable",
    })
}

/// A person decided. Said before the record says it: a decision is never missing from the log.
pub(super) fn decided(record: &Record, verdict: &Verdict) -> Result<Event> {
    let (kind, word) = if verdict.approved {
        (EventKind::ApprovalApproved, "approved")
    } else {
        (EventKind::ApprovalDenied, "denied")
    };
    let waited = verdict.at.duration_since(record.requested_at);
    Ok(of_approval(record, kind, &verdict.by, false)?
        .with("aileron.approval.decision", word)
        .with("aileron.approval.wait_ms", u64::try_from(waited.as_millis()).unwrap_or_default())
        .with("aileron.approval.reason", verdict.reason.clone()))
}

/// What the person was shown has changed before the run began: the approval is taken back, and the
/// person asked again.
pub(super) fn reopened(record: &Record) -> Result<Event> {
    let runtime = Principal::Service("executor".into());
    let mut event = of_approval(record, EventKind::ApprovalReopened, &runtime, false)?
        .with("aileron.approval.changed", "preview");
    event.id = Some(reopened_id(record)?);
    Ok(event)
}

/// Nobody decided in time.
pub(super) fn expired(record: &Record) -> Result<Event> {
    let runtime = Principal::Service("executor".into());
    Ok(of_approval(record, EventKind::ApprovalExpired, &runtime, true)?
        .with("aileron.approval.decision", "timeout"))
}

/// Somebody who may not decide tried to.
pub(super) fn decision_refused(record: &Record, by: &Principal, approve: bool) -> Result<Event> {
    Ok(of_approval(record, EventKind::ApprovalRefused, by, false)?
        .with("aileron.approval.decision", if approve { "approved" } else { "denied" }))
}

/// Somebody who may not decide tried to, about all of one session or token.
pub(super) fn denial_refused(of: &GrantCaller, context: &Context) -> Event {
    let event = Event::new(EventKind::ApprovalRefused, Actor::of(context))
        .with("aileron.approval.kind", "action")
        .with("aileron.approval.decision", "denied");
    match of {
        GrantCaller::Session(session) => event.with("aileron.session.id", session.as_str()),
        GrantCaller::Token(token) => event.with("aileron.token.id", token.as_str()),
    }
}

fn of_run(record: &Record, kind: EventKind) -> Result<Event> {
    let mut event = Event::new(kind, actor(&record.principal))
        .with("aileron.run.id", record.id.as_str())
        .with("aileron.action.name", record.action.as_str())
        .with("aileron.action.hash", record.action_hash.to_string())
        .with("aileron.connector.fqn", record.connector.as_ref().map(ToString::to_string))
        .with("aileron.session.id", record.session.as_ref().map(ToString::to_string))
        .with("aileron.binding.identity", record.identity.as_ref().map(ToString::to_string))
        .with("aileron.consent.decision", record.consent().text());
    if let Some(used) = &record.grant {
        event =
            event.with("aileron.grant.id", used.id.as_str()).with("aileron.grant.use", used.number);
    }
    if record.gate.is_some() {
        event = event.with("aileron.approval.id", record.id.as_str());
    }
    event.id = Some(event_id(&record.id, kind)?);
    Ok(event)
}

fn planned(event: Event, plan: &Plan) -> Event {
    let last = plan.last();
    event
        .with("aileron.action.version", plan.installed.file.version.to_string())
        .with("aileron.action.fqn", plan.installed.file.source.fqn.as_str())
        .with("aileron.connector.fqn", last.package.fqn.as_str())
        .with("aileron.connector.version", last.package.version.to_string())
        .with("aileron.connector.hash", last.hash.to_string())
}

fn of_approval(record: &Record, kind: EventKind, by: &Principal, once: bool) -> Result<Event> {
    let mut event = Event::new(kind, actor(by))
        .with("aileron.run.id", record.id.as_str())
        .with("aileron.approval.id", record.id.as_str())
        .with("aileron.approval.kind", "action")
        .with("aileron.approval.action", record.action.as_str())
        .with("aileron.connector.fqn", record.connector.as_ref().map(ToString::to_string))
        .with("aileron.session.id", record.session.as_ref().map(ToString::to_string))
        .with("aileron.binding.identity", record.identity.as_ref().map(ToString::to_string))
        .with("aileron.approval.digest", record.gate.as_ref().map(|gate| gate.digest.to_string()));
    if once {
        event.id = Some(event_id(&record.id, kind)?);
    }
    Ok(event)
}

fn with_failure(event: Event, failure: &Failure) -> Event {
    let details = failure.details.clone().map(Value::Object);
    let details = details.filter(|details| details.to_string().len() <= DETAILS);
    event
        .with("aileron.failure.class", failure.class.text())
        .with("aileron.failure.boundary", failure.boundary.text())
        .with("aileron.failure.retriable", failure.retriable)
        .with("aileron.failure.message", failure.message.chars().take(MESSAGE).collect::<String>())
        .with("aileron.failure.details", details)
}

/// The actor of a run's events is who asked for it, also when the runtime resumes it later.
fn actor(principal: &Principal) -> Actor {
    Actor::of(&Context { principal: principal.clone(), ..Context::service("executor") })
}

fn millis(took: std::time::Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}
