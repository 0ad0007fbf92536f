//! The types of the executor's contract, field by field.

use aileron_contract::{
    Result,
    executor::{
        Action, Approval, ApprovalRule, AskedBefore, ChangedLine, Counts, Field, Input, LoadError,
        Pending, Preview, PreviewRule, Requirement, Resolution, Run, RunFilter, RunResult, Started,
        Step,
    },
};
use aileron_proto::executor::v1 as pb;
use pb::{preview, run_response};

use crate::message::{Wire, messages, read, required};

// actions
messages! {
    Counts => pb::CountsResponse { actions, connectors, pending_approvals, drift }

    LoadError => pb::LoadError { class, message, file, line }

    Action => pb::Action {
        name, version, source, hash, requires, intent, inputs, steps, approval, enabled, pinned,
        body, path, lenient,
    }

    Requirement => pb::Requirement { package, hash, capabilities }

    Input => pb::Input {
        name, kind, items, required, description, label, multiline, declared,
    }

    Step => pb::Step { id, connector, op, idempotent, inputs = inputs_json }

    ApprovalRule => pb::ApprovalRule { required, preview }

    PreviewRule => pb::PreviewRule { op, args = args_json, render, multiline }
}

/// Label and path of a preview's line.
impl Wire<pb::RenderRule> for (String, String) {
    fn into_wire(self) -> pb::RenderRule {
        let (label, path) = self;
        pb::RenderRule { label, path }
    }

    fn from_wire(rule: pb::RenderRule, _field: &'static str) -> Result<Self> {
        let pb::RenderRule { label, path } = rule;
        Ok((label, path))
    }
}

// runs and approvals
messages! {
    RunResult => pb::RunResult {
        run, audit_id, output, connector, connector_hash, binding, consent,
    }

    Pending => pb::Pending { id, action, connector, expires_at }

    RunFilter => pb::RunFilter { action, state, session, limit }

    Run => pb::Run {
        id, action, action_hash, connector, arguments = arguments_json, identity, state, step,
        gated, grant, principal, session, requested_at, expires_at, decided_at, decided_by, reason, ended_at,
        result, failure, digest, quarantined,
    }

    Approval => pb::Approval {
        id, kind, action, connector, arguments = arguments_json, identity, session, session_named,
        requested_at, expires_at, preview, input_fields, digest, asked_before,
    }

    AskedBefore => pb::AskedBefore { times, digest, changes }

    ChangedLine => pb::ChangedLine { change, text }

    Field => pb::Field { label, value, missing, multiline }

    Resolution => pb::Resolution { id, kind, approved, reason, decided_at }
}

impl Wire<pb::Preview> for Preview {
    fn into_wire(self) -> pb::Preview {
        let preview = match self {
            Self::Fields(fields) => {
                preview::Preview::Fields(pb::PreviewFields { fields: fields.into_wire() })
            }
            Self::Unavailable(why) => preview::Preview::Unavailable(why),
        };
        pb::Preview { preview: Some(preview) }
    }

    fn from_wire(message: pb::Preview, _field: &'static str) -> Result<Self> {
        let pb::Preview { preview } = message;
        match required(preview, "Preview.preview")? {
            preview::Preview::Fields(pb::PreviewFields { fields }) => {
                read(fields, "PreviewFields.fields").map(Self::Fields)
            }
            preview::Preview::Unavailable(why) => Ok(Self::Unavailable(why)),
        }
    }
}

impl Wire<pb::RunResponse> for Started {
    fn into_wire(self) -> pb::RunResponse {
        let started = match self {
            Self::Done(result) => run_response::Started::Done(result.into_wire()),
            Self::Pending(pending) => run_response::Started::Pending(pending.into_wire()),
            Self::Failed(failure) => run_response::Started::Failed(failure.into_wire()),
        };
        pb::RunResponse { started: Some(started) }
    }

    fn from_wire(answer: pb::RunResponse, _field: &'static str) -> Result<Self> {
        let pb::RunResponse { started } = answer;
        match required(started, "started")? {
            run_response::Started::Done(result) => read(result, "result").map(Self::Done),
            run_response::Started::Pending(pending) => read(pending, "pending").map(Self::Pending),
            run_response::Started::Failed(failure) => read(failure, "failure").map(Self::Failed),
        }
    }
}
