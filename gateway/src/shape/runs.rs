use aileron_api::{
    approvals::{
        ApprovalResult, ApprovalStatus, AskedBefore, ChangedLine, Field, PendingApproval, Preview,
        Resolved,
    },
    error::{FailureBody, FailureEnvelope},
    runs::{self, Principal, Run},
};
use aileron_contract::{
    executor::{self, RunState},
    failure::Failure,
};

use super::{actions::run_result, text};

pub(crate) fn failure(failure: Failure) -> FailureBody {
    let Failure { class, boundary, message, retriable, details, audit_id } = failure;
    FailureBody {
        class: class.to_string(),
        message,
        retriable,
        boundary: boundary.to_string(),
        audit_id: text(audit_id),
        details,
        code: Some(class.to_string()),
        request_id: None,
        documentation: Some(format!("/docs/failures/{class}")),
    }
}

pub(crate) fn run(run: executor::Run) -> Run {
    let executor::Run {
        id,
        action,
        action_hash,
        connector,
        arguments,
        identity,
        state: now,
        step,
        gated,
        grant,
        principal: requested_by,
        session,
        requested_at,
        expires_at,
        decided_at,
        decided_by,
        reason,
        ended_at,
        result,
        failure: failed,
        digest,
        quarantined,
    } = run;
    Run {
        id: id.to_string(),
        action_name: action.to_string(),
        action_hash: action_hash.to_string(),
        state: state(now),
        gated,
        grant_id: text(grant),
        requested_at: requested_at.to_string(),
        requested_by: principal(&requested_by),
        args: arguments,
        identity: text(identity),
        connector_fqn: text(connector),
        step,
        session_id: text(session),
        expires_at: text(expires_at),
        decided_at: text(decided_at),
        decided_by: decided_by.as_ref().map(principal),
        reason,
        ended_at: text(ended_at),
        result: result.map(run_result),
        failure: failed.map(|failed| FailureEnvelope { error: failure(failed) }),
        digest: text(digest),
        quarantined,
    }
}

pub(super) fn principal(principal: &aileron_contract::Principal) -> Principal {
    use aileron_contract::Principal::{Agent, Person, Program, Service};
    let (kind, id) = match principal {
        Person(id) => ("person", id),
        Program(id) => ("program", id),
        Agent(id) => ("agent", id),
        Service(id) => ("service", id),
    };
    Principal { kind: kind.to_owned(), id: id.clone().into_string() }
}

/// The same words on both sides: each way fails to compile when one side has a word more.
macro_rules! states {
    ($($word:ident),+) => {
        fn state(state: RunState) -> runs::RunState {
            match state { $(RunState::$word => runs::RunState::$word,)+ }
        }

        pub(crate) fn state_from(state: runs::RunState) -> RunState {
            match state { $(runs::RunState::$word => RunState::$word,)+ }
        }
    };
}

states! { Parked, Approved, AwaitingVault, Running, Done, Failed, Ambiguous, Denied, Expired }

pub(crate) fn approval(approval: executor::Approval) -> PendingApproval {
    let executor::Approval {
        id,
        kind,
        action,
        connector,
        arguments,
        identity,
        session,
        session_named,
        requested_at,
        expires_at,
        preview,
        input_fields,
        digest,
        asked_before,
    } = approval;
    PendingApproval {
        id: id.to_string(),
        kind: kind.to_string(),
        action_name: action.to_string(),
        requested_at: requested_at.to_string(),
        connector_fqn: text(connector),
        args: arguments,
        identity: text(identity),
        session_id: text(session),
        session_named,
        preview: preview.map(shown),
        input_fields: input_fields.into_iter().map(line).collect(),
        expires_at: Some(expires_at.to_string()),
        digest: Some(digest.to_string()),
        asked_before: asked_before.map(before),
    }
}

fn before(before: executor::AskedBefore) -> AskedBefore {
    let executor::AskedBefore { times, digest, changes } = before;
    let line = |line: executor::ChangedLine| {
        let executor::ChangedLine { change, text } = line;
        ChangedLine { change: change.to_string(), text }
    };
    let changes = changes.into_iter().map(line).collect();
    AskedBefore { times, digest: digest.to_string(), changes }
}

fn shown(preview: executor::Preview) -> Preview {
    match preview {
        executor::Preview::Fields(fields) => {
            Preview { fields: fields.into_iter().map(line).collect(), unavailable: None }
        }
        executor::Preview::Unavailable(why) => {
            Preview { fields: Vec::new(), unavailable: Some(format!("preview unavailable: {why}")) }
        }
    }
}

pub(crate) fn resolved(resolution: executor::Resolution) -> Resolved {
    let executor::Resolution { id, kind, approved, reason, decided_at } = resolution;
    Resolved {
        id: id.to_string(),
        kind: kind.to_string(),
        approved,
        reason,
        decided_at: decided_at.to_string(),
    }
}

pub(super) fn line(field: executor::Field) -> Field {
    let executor::Field { label, value, missing, multiline } = field;
    Field { label, value, missing, multiline }
}

/// The published statuses know neither `expired` nor `ambiguous`: the first is a no with a reason, the
/// second a failure whose details say `outcome: ambiguous`, and `state` is precise.
pub(crate) fn approval_result(run: executor::Run) -> ApprovalResult {
    let status = match run.state {
        RunState::Parked => ApprovalStatus::PendingApproval,
        RunState::AwaitingVault => ApprovalStatus::AwaitingVault,
        RunState::Approved | RunState::Running => ApprovalStatus::Running,
        RunState::Done => ApprovalStatus::Completed,
        RunState::Denied | RunState::Expired => ApprovalStatus::Denied,
        RunState::Failed | RunState::Ambiguous => ApprovalStatus::Failed,
    };
    let reason = run.reason.or_else(|| run.state.explained().map(str::to_owned));
    let of_failure = run.failure.as_ref().and_then(|failure| text(failure.audit_id.as_ref()));
    ApprovalResult {
        status,
        state: Some(state(run.state)),
        audit_id: run.result.as_ref().map(|result| result.audit_id.to_string()).or(of_failure),
        result: run.result.map(|result| result.output),
        reason,
        failure: run.failure.map(|failed| FailureEnvelope { error: failure(failed) }),
    }
}
