use std::collections::BTreeMap;

use aileron_contract::{
    bindings::{Binding, BindingFilter, BindingStatus, Consent, StaleReason},
    credential::{CredentialKind, Reach},
    names::BindingName,
    vault::{Entry, EntryFilter, EntryScope, Older, Pin, State, Status, Writing},
};

use super::{before_1970, form, hosts, name, text, texts, time};

pub(crate) fn status(full: bool) -> Status {
    Status {
        state: if full { State::Unlocked } else { State::Missing },
        format: full.then_some(2),
        generation: full.then_some(u64::MAX),
        recovery_key: full,
    }
}

pub(crate) fn older(full: bool) -> Option<Older> {
    let present = Writing { generation: 0, at: None };
    let last = Writing { generation: u64::MAX, at: Some(time()) };
    full.then_some(Older { present, last, same_vault: true })
}

pub(crate) fn entry_filter(full: bool) -> EntryFilter {
    EntryFilter { prefix: text(full), include_control_plane: full }
}

pub(crate) fn entries(full: bool) -> Vec<Entry> {
    let entry = |path: &str, scope| Entry {
        path: name(path),
        scope,
        kind: "static".to_owned(),
        environment: String::new(),
        labels: BTreeMap::from([("a".to_owned(), String::new()), (String::new(), "b".to_owned())]),
    };
    let bare = Entry { labels: BTreeMap::new(), ..entry("secret/x", EntryScope::Secret) };
    if full { vec![entry("llm-config/a.b/C", EntryScope::LlmConfig), bare] } else { Vec::new() }
}

pub(crate) fn consent(full: bool) -> Consent {
    Consent {
        connector: name("github://acme/tools/notes"),
        service: "notes".to_owned(),
        identity: name("me"),
        account: text(full),
        scope: text(full),
        reach: Reach { hosts: hosts(full), form: form(full) },
        access_key_id: full.then(|| name("AKIAEXAMPLE")),
        region: full.then(|| name("eu-central-1")),
        refuse_existing: full,
    }
}

pub(crate) fn binding_filter(full: bool) -> BindingFilter {
    BindingFilter {
        connector: full.then(|| name("gitlab://a/b")),
        kind: full.then_some(CredentialKind::Oauth2),
        name: full.then(|| name("api_key/notes/me")),
    }
}

pub(crate) fn binding(full: bool) -> Binding {
    Binding {
        name: name("api_key/notes/me"),
        connector: name("github://acme/tools"),
        kind: CredentialKind::ApiKey,
        service: "notes".to_owned(),
        identity: name("me"),
        default: full,
        scope: text(full),
        account: text(full),
        status: if full { BindingStatus::Stale } else { BindingStatus::Active },
        stale_reason: full.then_some(StaleReason::ScopeDrift),
        verified: full,
        hosts: full.then(|| hosts(true)),
        access_key_id: full.then(|| name("AKIAEXAMPLE")),
        region: full.then(|| name("eu-central-1")),
        granted_scopes: texts(full),
        missing_scopes: texts(full).split_off(usize::from(full)),
        refresh_token_present: full,
        refreshing_since: full.then(time),
        created_at: if full { time() } else { before_1970() },
        agreed_at: if full { before_1970() } else { time() },
        last_used_at: full.then(before_1970),
        last_refreshed_at: full.then(time),
    }
}

/// No hosts at all differs from hosts that are not known.
pub(crate) fn bindings(full: bool) -> Vec<Binding> {
    let hostless = Binding { hosts: Some(Vec::new()), ..binding(false) };
    if full { vec![binding(true), binding(false), hostless] } else { Vec::new() }
}

pub(crate) fn stale(full: bool) -> Vec<BindingName> {
    if full { vec![name("api_key/notes/me"), name("oauth2/x/y")] } else { Vec::new() }
}

pub(crate) fn pin(full: bool) -> Pin {
    Pin([if full { 0xff } else { 0 }; 32])
}
