use aileron_api::audit::{Actor, AuditEvent, Checkpoint};
use aileron_contract::audit;

pub(crate) fn record(record: audit::Record) -> AuditEvent {
    let audit::Record { index, id, kind, timestamp, actor, payload, trace_id } = record;
    let audit::Actor { kind: actor_kind, id: actor_id, display_name } = actor;
    AuditEvent {
        audit_id: id.to_string(),
        event_type: kind,
        timestamp: timestamp.to_string(),
        actor: Actor { kind: actor_kind.to_string(), id: actor_id, display_name },
        payload,
        trace_id,
        index,
    }
}

pub(crate) fn checkpoint(checkpoint: audit::Checkpoint) -> Checkpoint {
    let audit::Checkpoint { note, verifier_key, size } = checkpoint;
    Checkpoint { note, verifier_key, size }
}
