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
    let name = audit::subject(&event.payload).unwrap_or_default();
    match text(event, "aileron.failure.class") {
        Some(class) => format!("{name} ({class})").trim_start().to_owned(),
        None => name.to_owned(),
    }
}

/// All of the event: what happened first, then what it happened to. A key without words of its
/// own is shown as it is.
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
    let known = |key: &str| LABELS.iter().any(|(known, _)| *known == key);
    for (key, label) in LABELS {
        let Some(value) = event.payload.get(*key) else { continue };
        let fact = (*label, spelled(key, value));
        if !facts.contains(&fact) {
            facts.push(fact);
        }
    }
    let others = event.payload.iter().filter(|(key, _)| !known(key));
    facts.extend(others.map(|(key, value)| (key.as_str(), plain(value))));
    facts.extend([
        ("trace", event.trace_id.clone().unwrap_or_default()),
        ("place in the log", event.index.to_string()),
        ("audit id", event.audit_id.clone()),
    ]);
    facts
}

/// The payload's keys in the order and the words of a reader.
const LABELS: &[(&str, &str)] = &[
    ("aileron.action.name", "action"),
    ("aileron.approval.action", "action"),
    ("aileron.disposition", "outcome"),
    ("aileron.outcome", "outcome"),
    ("aileron.duration_ms", "took"),
    ("aileron.failure.message", "why"),
    ("aileron.failure.class", "kind of failure"),
    ("aileron.failure.boundary", "met by"),
    ("aileron.failure.retriable", "worth a retry"),
    ("aileron.failure.details", "details"),
    ("aileron.approval.decision", "decision"),
    ("aileron.approval.reason", "reason"),
    ("aileron.approval.wait_ms", "waited"),
    ("aileron.consent.decision", "consent"),
    ("aileron.binding.name", "binding"),
    ("aileron.binding.identity", "account"),
    ("aileron.binding.earlier", "chosen before"),
    ("aileron.capability.kind", "credential"),
    ("aileron.binding.hosts", "hosts"),
    ("aileron.binding.added_hosts", "new hosts"),
    ("aileron.binding.granted_scopes", "granted"),
    ("aileron.binding.missing_scopes", "not granted"),
    ("aileron.binding.stale_reason", "stale because"),
    ("aileron.provider.error", "the provider said"),
    ("aileron.provider.status", "provider's status"),
    ("aileron.keyring.authority", "publisher"),
    ("aileron.keyring.fingerprint", "key"),
    ("aileron.keyring.path", "keyring"),
    ("aileron.secret.path", "secret"),
    ("aileron.secret.host", "sent to"),
    ("aileron.credential.path", "login"),
    ("aileron.token.label", "token"),
    ("aileron.token.scopes", "rights"),
    ("aileron.token.expires_at", "until"),
    ("aileron.token.id", "token id"),
    ("aileron.vault.rotated", "vault key replaced"),
    ("aileron.vault.format", "vault format"),
    ("aileron.vault.generation", "of generation"),
    ("aileron.vault.earlier_generation", "instead of generation"),
    ("aileron.vault.same", "the same vault"),
    ("aileron.vault.entries", "entries"),
    ("aileron.vault.added", "entries added"),
    ("aileron.vault.replaced", "replaced"),
    ("aileron.vault.unchanged", "entries there already"),
    ("aileron.action.version", "version"),
    ("aileron.action.source", "source"),
    ("aileron.action.fqn", "action from"),
    ("aileron.action.hash", "action hash"),
    ("aileron.action.path", "file"),
    ("aileron.action.dependencies", "needs"),
    ("aileron.action.accepted", "file accepted"),
    ("aileron.drift.state", "how it drifted"),
    ("aileron.drift.digest", "as it was shown"),
    ("aileron.lock.path", "lock file"),
    ("aileron.lock.digest", "lock"),
    ("aileron.connector.fqn", "connector"),
    ("aileron.connector.version", "connector version"),
    ("aileron.connector.hash", "connector hash"),
    ("aileron.signature.status", "signature"),
    ("aileron.signature.fingerprint", "signed by"),
    ("aileron.install.already_installed", "was there already"),
    ("aileron.log.file", "file"),
    ("aileron.log.size", "bytes"),
    ("aileron.log.digest", "digest"),
    ("aileron.log.files", "files"),
    ("aileron.log.lines", "lines"),
    ("aileron.log.unreadable", "unreadable lines"),
    ("aileron.log.oversized", "lines too long"),
    ("aileron.run.id", "run"),
    ("aileron.approval.id", "approval"),
    ("aileron.approval.kind", "asks for"),
    ("aileron.approval.digest", "covers"),
    ("aileron.approval.preview", "preview"),
    ("aileron.approval.changed", "changed"),
    ("aileron.grant.id", "grant"),
    ("aileron.grant.use", "use number"),
    ("aileron.grant.void", "void because"),
    ("aileron.grant.max_uses", "uses at most"),
    ("aileron.grant.expires_at", "until"),
    ("aileron.grant.pinned", "pinned arguments"),
    ("aileron.grant.left_out", "left out"),
    ("aileron.grant.any", "free arguments"),
    ("aileron.grant.digest", "covers"),
    ("aileron.session.id", "agent session"),
    ("aileron.session.agent", "agent"),
    ("aileron.session.working_dir", "works in"),
    ("aileron.session.exit_code", "exit code"),
    ("aileron.session.state", "what became of it"),
    ("aileron.person_session.id", "person session"),
    ("aileron.record.enabled", "enabled"),
    ("aileron.record.digest", "record"),
];

pub(in crate::commands) fn happened(event: &AuditEvent) -> &'static str {
    match (event.event_type.as_str(), text(event, "aileron.disposition")) {
        ("execution.failed", Some("ambiguous")) => {
            "a call may have been carried out: its answer was lost"
        }
        ("execution.failed", Some("refused")) => "a call was refused before it began",
        // Imported logs hold types of their own.
        (kind, _) => EVENTS.iter().find(|(known, _)| *known == kind).map_or("", |(_, words)| words),
    }
}

/// What an event of each type tells.
const EVENTS: &[(&str, &str)] = &[
    ("action.installed", "an action was installed"),
    ("action.enabled", "an action was enabled"),
    ("action.disabled", "an action was disabled"),
    ("action.quarantined", "an action's file is not the one installed: it will not run"),
    ("action.accepted", "what drifted was accepted as it was shown"),
    ("lock.quarantined", "the lock file is not the one that was written"),
    ("lock.renewed", "the lock file was written anew"),
    ("connector.installed", "a connector was installed"),
    ("binding.created", "a credential was bound"),
    ("binding.resolved", "a credential was joined to a request"),
    ("binding.rebound", "a bound credential was replaced"),
    ("binding.consented", "a person agreed to further hosts for a bound credential"),
    ("binding.revoked", "a binding was revoked"),
    ("binding.refreshing", "a bound credential is about to be refreshed"),
    ("binding.refreshed", "a bound credential was refreshed"),
    ("binding.stale", "a bound credential is not used until a person sees to it"),
    ("binding.hosts_adopted", "an older binding took the hosts its connector declares"),
    ("binding.default_chosen", "a binding was chosen among several that fit"),
    ("execution.started", "a call began"),
    ("execution.succeeded", "a call succeeded"),
    ("execution.failed", "a call failed"),
    ("approval.requested", "a call began to wait for a person"),
    ("approval.approved", "a person let a call run"),
    ("approval.denied", "a person refused a call"),
    ("approval.expired", "nobody decided in time"),
    (
        "approval.reopened",
        "what a call would act upon changed after it was approved: it waits again",
    ),
    ("approval.refused", "somebody without the right tried to decide"),
    ("grant.issued", "a person let calls run in advance"),
    ("grant.used", "a call was let run by a grant"),
    ("grant.revoked", "a person took a grant back"),
    ("grant.expired", "a grant's time is over"),
    ("grant.voided", "a grant is void: what it is bound to is no longer what it was"),
    ("grant.refused", "somebody without the right tried to make a grant or to take one back"),
    ("run.quarantined", "the record of a call is not the one that was written: it will not run"),
    ("keyring.trusted", "a publisher's key was trusted"),
    ("keyring.revoked", "a publisher's key is no longer trusted"),
    ("keyring.quarantined", "the keyring is not the one you made: none of its keys is used"),
    ("vault.created", "the vault was created"),
    ("vault.unlocked", "the vault was unlocked"),
    ("vault.unlock_failed", "a wrong passphrase was tried on the vault"),
    ("vault.locked", "the vault was locked"),
    ("vault.passphrase_changed", "the passphrase was changed"),
    ("vault.migrated", "the vault's file moved to the present format"),
    ("vault.recovery_key_added", "a recovery key was made for the vault"),
    ("vault.recovery_key_removed", "the vault's recovery key was removed"),
    ("vault.recovered", "the vault was opened with its recovery key"),
    ("vault.older_accepted", "an older vault file was taken for the vault"),
    ("vault.exported", "the whole vault was exported to a file"),
    ("vault.imported", "an exported vault was taken over"),
    ("credential.stored", "a login was stored"),
    ("credential.deleted", "a login was deleted"),
    ("credential.exported", "a login left the vault in the clear"),
    ("secret.resolved", "a secret was joined to a request of the runtime's own"),
    ("secret.stored", "a secret was stored"),
    ("secret.deleted", "a secret was deleted"),
    ("session.started", "an agent session began"),
    ("session.ended", "an agent session ended"),
    ("person_session.opened", "a person proved the passphrase"),
    ("person_session.refused", "a wrong passphrase was tried"),
    ("person_session.closed", "a person's session ended"),
    ("token.minted", "a person minted a token"),
    ("token.revoked", "a token was revoked"),
    ("log.tail_set_aside", "a tail that no checkpoint covered was set aside"),
    ("log.imported", "lines of an earlier log were taken in"),
];

fn spelled(key: &str, value: &Value) -> String {
    match (key.ends_with("_ms"), value.as_u64()) {
        (true, Some(millis)) if millis < 1_000 => format!("{millis} ms"),
        (true, Some(millis)) if millis < 600_000 => {
            format!("{}.{} s", millis / 1_000, millis % 1_000 / 100)
        }
        (true, Some(millis)) => format!("{} min", millis / 60_000),
        _ if key.ends_with("_at") => table::time(&plain(value)),
        _ => plain(value),
    }
}

fn text<'e>(event: &'e AuditEvent, key: &str) -> Option<&'e str> {
    event.payload.get(key).and_then(Value::as_str)
}

/// Text as it is, yes and no, lists of texts as words, anything else as JSON.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(event_type: &str, payload: Value) -> AuditEvent {
        serde_json::from_value(json!({
            "audit_id": "audit-1", "event_type": event_type, "index": 7,
            "timestamp": "2030-01-01T00:00:00Z", "actor": { "type": "human", "id": "user" },
            "payload": payload,
        }))
        .unwrap()
    }

    #[test]
    fn what_happened_comes_before_where_it_is_kept() {
        let event = event(
            "execution.failed",
            json!({
                "aileron.action.name": "send", "aileron.disposition": "ambiguous",
                "aileron.duration_ms": 1234, "aileron.failure.class": "network_error",
                "aileron.failure.retriable": false, "some.other": {"a": [1]},
            }),
        );
        let facts = facts(&event);
        let shown: Vec<_> = facts.iter().map(|(key, value)| (*key, value.as_str())).collect();
        assert_eq!(
            shown,
            [
                ("what happened", "a call may have been carried out: its answer was lost"),
                ("event", "execution.failed"),
                ("time", "2030-01-01T00:00:00Z"),
                ("by", "a person"),
                ("action", "send"),
                ("outcome", "ambiguous"),
                ("took", "1.2 s"),
                ("kind of failure", "network_error"),
                ("worth a retry", "no"),
                ("some.other", r#"{"a":[1]}"#),
                ("trace", ""),
                ("place in the log", "7"),
                ("audit id", "audit-1"),
            ]
        );
        assert_eq!(subject(&event), "send (network_error)");
    }

    #[test]
    fn what_names_an_event_is_told_with_a_label_of_its_own() {
        for key in audit::SUBJECTS {
            let event = event("x", json!({ key: "the-one" }));
            assert_eq!(subject(&event), "the-one", "{key}");
            let told = facts(&event).into_iter().find(|(_, value)| value == "the-one");
            assert!(told.is_some_and(|(label, _)| label != key), "{key} has no label");
        }
    }

    #[test]
    fn an_approval_s_action_is_told_once() {
        let payload = json!({"aileron.action.name": "a", "aileron.approval.action": "a"});
        let event = event("approval.approved", payload);
        assert_eq!(facts(&event).iter().filter(|(label, _)| *label == "action").count(), 1);
    }

    #[test]
    fn another_runtime_s_event_is_shown_all_the_same() {
        let event = event("sandbox.proxy.disabled", json!({"aileron.sandbox.mode": "docker"}));
        let facts = facts(&event);
        assert!(facts.contains(&("aileron.sandbox.mode", "docker".to_owned())), "{facts:?}");
    }
}
