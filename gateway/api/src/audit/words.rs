//! Events of the log in a person's words, for the page and for a terminal.

use std::borrow::Cow;

use serde_json::Value;

use crate::Object;

/// What happened, as a sentence without a capital and a full stop. None for events of another
/// runtime's log.
pub fn happened(event_type: &str, payload: &Object) -> Option<&'static str> {
    match (event_type, payload.get("aileron.disposition").and_then(Value::as_str)) {
        ("execution.failed", Some("ambiguous")) => {
            Some("a call may have been carried out: its answer was lost")
        }
        ("execution.failed", Some("refused")) => Some("a call was refused before it began"),
        ("person_session.refused", _) if payload.contains_key("aileron.page_code.refused") => {
            Some("somebody tried to get into the page with a code, and was refused")
        }
        (event_type, _) => EVENTS.iter().find(|(it, _)| *it == event_type).map(|(_, words)| *words),
    }
}

/// What an event with this payload is about, in a word; of refusals that were only counted, how
/// many they are. Empty when it says neither.
pub fn subject(payload: &Object) -> Cow<'_, str> {
    let named = SUBJECTS.iter().find_map(|key| payload.get(*key)?.as_str());
    match (named, payload.get("aileron.refusals.more").and_then(Value::as_u64)) {
        (named, None) => named.unwrap_or_default().into(),
        (None, Some(number)) => format!("{number} times more").into(),
        (Some(name), Some(number)) => format!("{name}, {number} times more").into(),
    }
}

/// One thing that an event tells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fact<'e> {
    /// In a reader's words; the key itself where it has none.
    pub label: &'e str,
    pub key: &'e str,
    pub value: &'e Value,
}

/// All of a payload: what happened first, then what it happened to, then what has no words.
pub fn facts(payload: &Object) -> Vec<Fact<'_>> {
    let mut facts: Vec<Fact<'_>> = Vec::with_capacity(payload.len());
    for (key, label) in LABELS {
        let Some(value) = payload.get(*key) else { continue };
        // Two keys may say the same, of which an older log has only one.
        if !facts.iter().any(|fact| fact.label == *label && fact.value == value) {
            facts.push(Fact { label, key, value });
        }
    }
    let known = |key: &str| LABELS.iter().any(|(known, _)| *known == key);
    let others = payload.iter().filter(|(key, _)| !known(key));
    facts.extend(others.map(|(key, value)| Fact { label: key, key, value }));
    facts
}

impl Fact<'_> {
    /// The value to be read: lengths of time with their unit, text as it is, yes and no, lists of
    /// texts as words, anything else as JSON.
    pub fn spelled(&self) -> String {
        match (self.key.ends_with("_ms"), self.value.as_u64()) {
            (true, Some(millis)) if millis < 1_000 => format!("{millis} ms"),
            (true, Some(millis)) if millis < 600_000 => {
                format!("{}.{} s", millis / 1_000, millis % 1_000 / 100)
            }
            (true, Some(millis)) => format!("{} min", millis / 60_000),
            _ => plain(self.value),
        }
    }

    /// The value where it is a point in time, as RFC 3339 text.
    pub fn time(&self) -> Option<&str> {
        self.value.as_str().filter(|_| self.key.ends_with("_at"))
    }
}

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

/// Keys of payloads that name what an event is about; the first that is there counts.
const SUBJECTS: [&str; 10] = [
    "aileron.action.name",
    "aileron.approval.action",
    "aileron.binding.name",
    "aileron.connector.fqn",
    "aileron.keyring.authority",
    "aileron.secret.path",
    "aileron.credential.path",
    "aileron.token.label",
    "aileron.lock.path",
    "aileron.session.agent",
];

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
    ("aileron.page_code.refused", "code for the page"),
    ("aileron.refusals.more", "further tries"),
    ("aileron.refusals.since", "since"),
    ("aileron.record.enabled", "enabled"),
    ("aileron.record.digest", "record"),
];

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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn payload(value: Value) -> Object {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn what_happened_comes_before_where_it_is_kept() {
        let payload = payload(json!({
            "aileron.action.name": "send", "aileron.disposition": "ambiguous",
            "aileron.duration_ms": 1234, "aileron.failure.class": "network_error",
            "aileron.failure.retriable": false, "some.other": {"a": [1]},
        }));
        assert_eq!(
            happened("execution.failed", &payload),
            Some("a call may have been carried out: its answer was lost")
        );
        let told: Vec<_> =
            facts(&payload).iter().map(|fact| (fact.label, fact.spelled())).collect();
        let expected = [
            ("action", "send"),
            ("outcome", "ambiguous"),
            ("took", "1.2 s"),
            ("kind of failure", "network_error"),
            ("worth a retry", "no"),
            ("some.other", r#"{"a":[1]}"#),
        ];
        assert_eq!(told, expected.map(|(label, value)| (label, value.to_owned())));
    }

    #[test]
    fn what_names_an_event_is_told_with_a_label_of_its_own() {
        for key in SUBJECTS {
            let payload = payload(json!({ key: "the-one" }));
            assert_eq!(subject(&payload), "the-one", "{key}");
            let told = facts(&payload);
            assert!(matches!(told[..], [fact] if fact.label != key), "{key} has no label");
        }
    }

    #[test]
    fn refusals_that_were_counted_do_not_look_like_one() {
        let counted = payload(json!({ "aileron.refusals.more": 115 }));
        assert_eq!(subject(&counted), "115 times more");
        let named = payload(json!({ "aileron.action.name": "send", "aileron.refusals.more": 2 }));
        assert_eq!(subject(&named), "send, 2 times more");
    }

    #[test]
    fn a_refused_code_does_not_look_like_a_wrong_passphrase() {
        let code = payload(json!({ "aileron.page_code.refused": "used before" }));
        let [code, passphrase] =
            [code, Object::new()].map(|it| happened("person_session.refused", &it).unwrap());
        assert!(code.contains("code") && passphrase.contains("passphrase"), "{code} {passphrase}");
    }

    #[test]
    fn an_approval_s_action_is_told_once() {
        let payload = payload(json!({"aileron.action.name": "a", "aileron.approval.action": "a"}));
        let told = facts(&payload);
        assert_eq!(told.iter().map(|fact| fact.label).collect::<Vec<_>>(), ["action"]);
    }

    #[test]
    fn another_runtime_s_event_is_shown_all_the_same() {
        let payload = payload(json!({"aileron.sandbox.mode": "docker"}));
        assert_eq!(happened("sandbox.proxy.disabled", &payload), None);
        let told = facts(&payload);
        assert!(matches!(told[..], [fact] if fact.label == "aileron.sandbox.mode"), "{told:?}");
    }
}
