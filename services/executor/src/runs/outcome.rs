//! What a record's state means to the caller who asked for the run.

use aileron_contract::{
    Error, Reason,
    executor::{Pending, RunResult, Started},
    failure::{Boundary, Class, Failure},
    names::{AuditId, BindingName},
};
use serde_json::{Map, Value};

use super::{Record, plan::Plan, record::Phase};

/// What each step gave, by its id, in order.
pub(super) type Outputs = Map<String, Value>;

/// What to tell a caller; none while the run is being carried out.
pub(super) fn of(record: &Record) -> Option<Started> {
    match &record.phase {
        Phase::Parked | Phase::Approved | Phase::Running { .. } => pending(record),
        Phase::Done { result, .. } => Some(Started::Done(result.clone())),
        Phase::Failed { failure, .. } | Phase::Ambiguous { failure, .. } => {
            Some(Started::Failed(failure.clone()))
        }
        Phase::Denied { .. } => {
            let reason = record
                .gate
                .as_ref()
                .and_then(|gate| gate.decision.as_ref())
                .and_then(|verdict| verdict.reason.clone());
            let failure = Failure::new(
                Class::ApprovalDenied,
                Boundary::User,
                "a person denied this call; it did not run",
            );
            Some(Started::Failed(match reason {
                Some(reason) => failure.detail("reason", reason),
                None => failure,
            }))
        }
        Phase::Expired { .. } => Some(Started::Failed(Failure::new(
            Class::ApprovalTimeout,
            Boundary::User,
            "nobody decided in time; the call did not run. Ask again when a person is there",
        ))),
    }
}

/// The answer while a gated run waits or is under way.
fn pending(record: &Record) -> Option<Started> {
    record.gate.as_ref().map(|gate| {
        Started::Pending(Pending {
            id: record.id.clone(),
            action: record.action.clone(),
            connector: record.connector.clone(),
            expires_at: gate.expires_at,
        })
    })
}

/// The result of a run whose steps all succeeded, in the published form.
pub(super) fn result(
    record: &Record,
    plan: &Plan,
    outputs: Outputs,
    binding: Option<BindingName>,
    audit_id: AuditId,
) -> RunResult {
    let last = plan.last();
    let mut text = Map::new();
    text.insert("action".to_owned(), record.action.as_str().into());
    text.insert("output".to_owned(), outputs.get(&last.id).cloned().unwrap_or_default());
    text.insert("steps".to_owned(), Value::Object(outputs));
    RunResult {
        run: record.id.clone(),
        audit_id,
        output: Value::Object(text).to_string(),
        connector: last.package.clone(),
        connector_hash: last.hash,
        binding,
        consent: record.consent(),
    }
}

/// The vault is locked, as published.
pub(super) fn vault_locked(missing: bool) -> Failure {
    let (message, hint) = if missing {
        (
            "there is no vault yet, so no credential can be used",
            "create one with: aileron vault init",
        )
    } else {
        (
            "the vault is locked, so no credential can be used",
            "unlock it with: aileron vault unlock",
        )
    };
    Failure::new(Class::BindingRequired, Boundary::Runtime, message)
        .detail("required", "vault.passphrase")
        .detail("hint", hint)
}

/// The vault can be asked nothing, and says why: it is locked, or its file is not what it was.
pub(super) fn vault_closed(error: &Error) -> Failure {
    match error.reason() {
        Reason::VaultLocked => vault_locked(false),
        Reason::VaultMissing => vault_locked(true),
        reason => Failure::new(
            Class::BindingRequired,
            Boundary::Runtime,
            format!("no credential can be used: {}", error.public()),
        )
        .detail("required", "vault.passphrase")
        .detail("reason", reason.code()),
    }
}
