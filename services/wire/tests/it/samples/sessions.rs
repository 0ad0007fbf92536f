use aileron_contract::{
    names::SessionId,
    sessions::{Begin, Filter, Session},
};

use super::{before_1970, name, text, time};

pub(crate) fn id() -> SessionId {
    name("01JD9Z0Q4M-session")
}

pub(crate) fn begin(full: bool) -> Begin {
    Begin { agent: name("claude"), working_dir: text(full).unwrap_or_default() }
}

pub(crate) fn session(full: bool) -> Session {
    Session {
        id: id(),
        started_at: before_1970(),
        ended_at: full.then(time),
        agent: name("claude"),
        working_dir: text(full).unwrap_or_default(),
        exit_code: full.then_some(-1),
        first_event: full.then_some(u64::MAX),
    }
}

pub(crate) fn sessions(full: bool) -> Vec<Session> {
    if full { vec![session(true), session(false)] } else { Vec::new() }
}

pub(crate) fn filter(full: bool) -> Filter {
    if !full {
        return Filter::default();
    }
    Filter {
        active_only: true,
        agent: Some(name("claude")),
        since: Some(time()),
        limit: Some(u32::MAX),
    }
}
