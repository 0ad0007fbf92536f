use aileron_contract::{
    Error, Reason,
    audit::{Actor, ActorKind, Checkpoint, Event, EventKind, Filter, Record},
    failure::Class,
};
use serde_json::json;

use super::{before_1970, name, object, text, time};

pub(crate) fn actor(full: bool) -> Actor {
    Actor {
        kind: if full { ActorKind::ConnectorRuntime } else { ActorKind::Human },
        id: text(full).unwrap_or_default(),
        display_name: text(full),
    }
}

pub(crate) fn event(full: bool) -> Event {
    Event {
        id: full.then(|| name("audit-2")),
        kind: if full { EventKind::BindingHostsAdopted } else { EventKind::ExecutionStarted },
        actor: actor(full),
        payload: object(full),
        trace_id: text(full),
    }
}

/// An imported record may hold a type and numbers we would not write.
pub(crate) fn record(full: bool) -> Record {
    let mut payload = object(full);
    if full {
        payload.insert("huge".to_owned(), json!(u64::MAX));
    }
    Record {
        index: if full { u64::MAX } else { 0 },
        id: name("audit-2"),
        kind: if full { "something.else".to_owned() } else { String::new() },
        timestamp: if full { before_1970() } else { time() },
        actor: actor(full),
        payload,
        trace_id: text(full),
    }
}

pub(crate) fn records(full: bool) -> Vec<Record> {
    if full { vec![record(true), record(false), record(true)] } else { Vec::new() }
}

pub(crate) fn filter(full: bool) -> Filter {
    Filter {
        since: full.then(before_1970),
        until: full.then(time),
        id: full.then(|| name("audit-2")),
        connector: full.then(|| name("github://a/b/c")),
        class: full.then_some(Class::HashMismatch),
        kind: text(full),
        session: full.then(|| name("01A")),
        limit: full.then_some(u32::MAX),
    }
}

pub(crate) fn checkpoint(full: bool) -> Checkpoint {
    Checkpoint {
        note: "origin\n1\nroot\n\n— key sig\n".repeat(full.into()),
        verifier_key: "origin+hash+key".repeat(full.into()),
        size: if full { u64::MAX } else { 0 },
    }
}

pub(crate) fn too_slow() -> Error {
    Error::new(Reason::Busy, "the watcher fell behind; resume at 3")
        .with_details(json!({ "at": 3 }))
}
