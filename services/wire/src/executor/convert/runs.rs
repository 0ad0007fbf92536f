//! Runs and approvals and their messages.

use aileron_contract::{
    Result,
    executor::{Approval, Decision, Field, Pending, Run, RunFilter, RunResult, Started},
};
use aileron_proto::executor::v1::{self as pb, run_response};

use crate::{
    context::{principal_from_wire, principal_to_wire},
    failure::{failure_from_wire, failure_to_wire},
    values::{
        hash_if, json_as_recorded, json_to_wire, parsed, parsed_if, required, text_if,
        timestamp_from_wire, timestamp_if, timestamp_to_wire,
    },
};

pub(in crate::executor) fn started_to_wire(started: Started) -> pb::RunResponse {
    let started = match started {
        Started::Done(result) => run_response::Started::Done(result_to_wire(result)),
        Started::Pending(pending) => run_response::Started::Pending(pending_to_wire(pending)),
        Started::Failed(failure) => run_response::Started::Failed(failure_to_wire(failure)),
    };
    pb::RunResponse { started: Some(started) }
}

pub(in crate::executor) fn started_from_wire(answer: pb::RunResponse) -> Result<Started> {
    let pb::RunResponse { started } = answer;
    Ok(match required(started, "started")? {
        run_response::Started::Done(result) => Started::Done(result_from_wire(result)?),
        run_response::Started::Pending(pending) => Started::Pending(pending_from_wire(pending)?),
        run_response::Started::Failed(failure) => {
            Started::Failed(failure_from_wire(Some(failure))?)
        }
    })
}

fn result_to_wire(result: RunResult) -> pb::RunResult {
    let RunResult { run, audit_id, output, connector, connector_hash, binding, consent } = result;
    pb::RunResult {
        run: run.to_string(),
        audit_id: audit_id.to_string(),
        output,
        connector: connector.to_string(),
        connector_hash: connector_hash.to_string(),
        binding: text_if(binding),
        consent: consent.to_string(),
    }
}

fn result_from_wire(result: pb::RunResult) -> Result<RunResult> {
    let pb::RunResult { run, audit_id, output, connector, connector_hash, binding, consent } =
        result;
    Ok(RunResult {
        run: parsed(run)?,
        audit_id: parsed(audit_id)?,
        output,
        connector: parsed(connector)?,
        connector_hash: parsed(connector_hash)?,
        binding: parsed_if(binding)?,
        consent: parsed(consent)?,
    })
}

fn pending_to_wire(pending: Pending) -> pb::Pending {
    let Pending { id, action, connector, expires_at } = pending;
    pb::Pending {
        id: id.to_string(),
        action: action.to_string(),
        connector: text_if(connector),
        expires_at: Some(timestamp_to_wire(expires_at)),
    }
}

fn pending_from_wire(pending: pb::Pending) -> Result<Pending> {
    let pb::Pending { id, action, connector, expires_at } = pending;
    Ok(Pending {
        id: parsed(id)?,
        action: parsed(action)?,
        connector: parsed_if(connector)?,
        expires_at: timestamp_from_wire(expires_at, "pending.expires_at")?,
    })
}

pub(in crate::executor) fn run_filter_to_wire(filter: RunFilter) -> pb::RunFilter {
    let RunFilter { action, state, session, limit } = filter;
    pb::RunFilter {
        action: text_if(action),
        state: text_if(state),
        session: text_if(session),
        limit,
    }
}

pub(in crate::executor) fn run_filter_from_wire(
    filter: Option<pb::RunFilter>,
) -> Result<RunFilter> {
    let pb::RunFilter { action, state, session, limit } = required(filter, "filter")?;
    Ok(RunFilter {
        action: parsed_if(action)?,
        state: parsed_if(state)?,
        session: parsed_if(session)?,
        limit,
    })
}

pub(in crate::executor) fn run_to_wire(run: Run) -> pb::Run {
    let Run {
        id,
        action,
        action_hash,
        connector,
        arguments,
        state,
        step,
        gated,
        principal,
        session,
        requested_at,
        expires_at,
        decided_at,
        decided_by,
        reason,
        ended_at,
        result,
        failure,
        digest,
        quarantined,
    } = run;
    pb::Run {
        id: id.to_string(),
        action: action.to_string(),
        action_hash: action_hash.to_string(),
        connector: text_if(connector),
        arguments_json: json_to_wire(arguments),
        state: state.to_string(),
        step,
        gated,
        principal: Some(principal_to_wire(principal)),
        session: text_if(session),
        requested_at: Some(timestamp_to_wire(requested_at)),
        expires_at: expires_at.map(timestamp_to_wire),
        decided_at: decided_at.map(timestamp_to_wire),
        decided_by: decided_by.map(principal_to_wire),
        reason,
        ended_at: ended_at.map(timestamp_to_wire),
        result: result.map(result_to_wire),
        failure: failure.map(failure_to_wire),
        digest: text_if(digest),
        quarantined,
    }
}

pub(in crate::executor) fn run_from_wire(run: Option<pb::Run>) -> Result<Run> {
    let pb::Run {
        id,
        action,
        action_hash,
        connector,
        arguments_json,
        state,
        step,
        gated,
        principal,
        session,
        requested_at,
        expires_at,
        decided_at,
        decided_by,
        reason,
        ended_at,
        result,
        failure,
        digest,
        quarantined,
    } = required(run, "run")?;
    Ok(Run {
        id: parsed(id)?,
        action: parsed(action)?,
        action_hash: parsed(action_hash)?,
        connector: parsed_if(connector)?,
        arguments: json_as_recorded(&arguments_json)?,
        state: parsed(state)?,
        step,
        gated,
        principal: principal_from_wire(principal)?,
        session: parsed_if(session)?,
        requested_at: timestamp_from_wire(requested_at, "run.requested_at")?,
        expires_at: timestamp_if(expires_at, "run.expires_at")?,
        decided_at: timestamp_if(decided_at, "run.decided_at")?,
        decided_by: decided_by.map(|by| principal_from_wire(Some(by))).transpose()?,
        reason,
        ended_at: timestamp_if(ended_at, "run.ended_at")?,
        result: result.map(result_from_wire).transpose()?,
        failure: failure.map(|failure| failure_from_wire(Some(failure))).transpose()?,
        digest: hash_if(digest)?,
        quarantined,
    })
}

pub(in crate::executor) fn approval_to_wire(approval: Approval) -> pb::Approval {
    let Approval {
        id,
        action,
        connector,
        arguments,
        session,
        requested_at,
        expires_at,
        input_fields,
        digest,
    } = approval;
    pb::Approval {
        id: id.to_string(),
        action: action.to_string(),
        connector: text_if(connector),
        arguments_json: json_to_wire(arguments),
        session: text_if(session),
        requested_at: Some(timestamp_to_wire(requested_at)),
        expires_at: Some(timestamp_to_wire(expires_at)),
        input_fields: input_fields.into_iter().map(field_to_wire).collect(),
        digest: digest.to_string(),
    }
}

pub(in crate::executor) fn approval_from_wire(approval: pb::Approval) -> Result<Approval> {
    let pb::Approval {
        id,
        action,
        connector,
        arguments_json,
        session,
        requested_at,
        expires_at,
        input_fields,
        digest,
    } = approval;
    Ok(Approval {
        id: parsed(id)?,
        action: parsed(action)?,
        connector: parsed_if(connector)?,
        arguments: json_as_recorded(&arguments_json)?,
        session: parsed_if(session)?,
        requested_at: timestamp_from_wire(requested_at, "approval.requested_at")?,
        expires_at: timestamp_from_wire(expires_at, "approval.expires_at")?,
        input_fields: input_fields.into_iter().map(field_from_wire).collect(),
        digest: parsed(digest)?,
    })
}

fn field_to_wire(field: Field) -> pb::Field {
    let Field { label, value, missing, multiline } = field;
    pb::Field { label, value, missing, multiline }
}

fn field_from_wire(field: pb::Field) -> Field {
    let pb::Field { label, value, missing, multiline } = field;
    Field { label, value, missing, multiline }
}

/// The fields of a `DecideRequest` besides context and id.
pub(in crate::executor) fn decision_to_wire(
    decision: Decision,
) -> (bool, Option<String>, Option<String>) {
    let Decision { approved, reason, digest } = decision;
    (approved, reason, text_if(digest))
}

pub(in crate::executor) fn decision_from_wire(
    approved: bool,
    reason: Option<String>,
    digest: Option<String>,
) -> Result<Decision> {
    Ok(Decision { approved, reason, digest: hash_if(digest)? })
}
