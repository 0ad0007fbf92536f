//! An event in a person's words. `--json` has it as the log does.

use aileron_api::audit::{self, AuditEvent};
use serde_json::Value;

use crate::table;

/// Says an event no more than that one of the person's own commands was at work?
pub(super) fn routine(event: &AuditEvent) -> bool {
    matches!(event.event_type.as_str(), "person_session.opened" | "person_session.closed")
}

/// What the event is about, in a few words.
pub(in crate::commands) fn subject(event: &AuditEvent) -> String {
    let name = audit::subject(&event.payload);
    match event.payload.get("aileron.failure.class").and_then(Value::as_str) {
        Some(class) => format!("{name} ({class})").trim_start().to_owned(),
        None => name.into_owned(),
    }
}

/// What happened; nothing for events of another runtime's log.
pub(in crate::commands) fn happened(event: &AuditEvent) -> &'static str {
    audit::happened(&event.event_type, &event.payload).unwrap_or_default()
}

/// All of the event: what happened first, then what it happened to.
pub(super) fn facts(event: &AuditEvent) -> Vec<(&str, String)> {
    let actor = match (event.actor.kind.as_str(), event.actor.display_name.as_deref()) {
        ("human", None) => "a person".to_owned(),
        (kind, None) => format!("{kind} {}", event.actor.id),
        (kind, Some(name)) => format!("{kind} {} ({name})", event.actor.id),
    };
    let mut facts = vec![
        ("what happened", happened(event).to_owned()),
        ("event", event.event_type.clone()),
        ("time", event.timestamp.clone()),
        ("by", actor),
    ];
    facts.extend(
        audit::facts(&event.payload)
            .into_iter()
            .map(|fact| (fact.label, fact.time().map_or_else(|| fact.spelled(), table::time))),
    );
    facts.extend([
        ("trace", event.trace_id.clone().unwrap_or_default()),
        ("place in the log", event.index.to_string()),
        ("audit id", event.audit_id.clone()),
    ]);
    facts
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_begins_with_what_happened_and_ends_with_where_it_is_kept() {
        let event = serde_json::from_value(json!({
            "audit_id": "audit-1", "event_type": "execution.failed", "index": 7,
            "timestamp": "2030-01-01T00:00:00Z", "actor": { "type": "human", "id": "user" },
            "payload": {
                "aileron.action.name": "send", "aileron.failure.class": "network_error",
                "aileron.grant.expires_at": "2030-01-02T00:00:00.25Z",
            },
        }))
        .unwrap();
        let facts = facts(&event);
        let shown: Vec<_> = facts.iter().map(|(key, value)| (*key, value.as_str())).collect();
        assert_eq!(
            shown,
            [
                ("what happened", "a call failed"),
                ("event", "execution.failed"),
                ("time", "2030-01-01T00:00:00Z"),
                ("by", "a person"),
                ("action", "send"),
                ("kind of failure", "network_error"),
                ("until", "2030-01-02T00:00:00Z"),
                ("trace", ""),
                ("place in the log", "7"),
                ("audit id", "audit-1"),
            ]
        );
        assert_eq!(subject(&event), "send (network_error)");
    }
}
