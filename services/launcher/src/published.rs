//! `sessions.jsonl`, as earlier runtimes wrote it: one record a line, the last one of an id counts,
//! lines that cannot be read are passed over.

use std::collections::BTreeMap;

use aileron_contract::{Timestamp, limits, names::SessionId, sessions::Session};
use serde::Deserialize;

/// The published bound of a line.
const LINE: usize = 1024 * 1024;

#[derive(Deserialize)]
struct Record {
    id: String,
    started_at: String,
    ended_at: Option<String>,
    agent: String,
    #[serde(default)]
    working_dir: String,
    exit_code: Option<i32>,
}

/// The records of a file, oldest first, the newest of them when there are too many. Whatever still
/// runs in it ended when that runtime did: at `now`, for all we know.
pub(crate) fn read(text: &[u8], now: Timestamp) -> Vec<Session> {
    let mut records: BTreeMap<SessionId, Session> = BTreeMap::new();
    for line in text.split(|byte| *byte == b'\n').filter(|line| line.len() <= LINE) {
        if let Some(session) = record(line, now) {
            records.insert(session.id.clone(), session);
        }
    }
    let mut sessions: Vec<_> = records.into_values().collect();
    sessions.sort_by_key(|session| session.started_at);
    let kept = usize::try_from(limits::SESSIONS_KEPT).unwrap_or(usize::MAX);
    sessions.split_off(sessions.len().saturating_sub(kept))
}

fn record(line: &[u8], now: Timestamp) -> Option<Session> {
    let Record { id, started_at, ended_at, agent, working_dir, exit_code } =
        serde_json::from_slice(line).ok()?;
    let ended_at = ended_at.map(|time| time.parse()).transpose().ok()?;
    if working_dir.len() > limits::WORKING_DIR || working_dir.contains('\0') {
        return None;
    }
    Some(Session {
        id: id.parse().ok()?,
        started_at: started_at.parse().ok()?,
        ended_at: ended_at.or(Some(now)),
        agent: agent.parse().ok()?,
        working_dir,
        exit_code: exit_code.filter(|_| ended_at.is_some()),
        first_event: None,
    })
}

#[cfg(test)]
mod tests {
    use aileron_contract::sessions::State;
    use proptest::prelude::*;

    use super::*;

    const FILE: &str = r#"{"id":"01A","started_at":"2026-05-01T10:00:00Z","agent":"claude","working_dir":"/w"}
not a record
{"id":"01B","started_at":"2026-05-02T10:00:00Z","agent":"codex","working_dir":"/x"}
{"id":"01A","started_at":"2026-05-01T10:00:00Z","ended_at":"2026-05-01T11:00:00Z","agent":"claude","working_dir":"/w","exit_code":3}
{"id":"../x","started_at":"2026-05-02T10:00:00Z","agent":"codex","working_dir":"/x"}
"#;

    #[test]
    fn the_last_record_counts_and_what_still_ran_is_an_orphan() {
        let now = "2026-06-01T00:00:00Z".parse().unwrap();
        let sessions = read(FILE.as_bytes(), now);
        let shown: Vec<_> = sessions.iter().map(|it| (it.id.as_str(), it.state())).collect();
        assert_eq!(shown, [("01A", State::Ended), ("01B", State::Orphaned)]);
        assert_eq!(sessions[0].exit_code, Some(3));
        assert_eq!(sessions[1].ended_at, Some(now));
    }

    proptest! {
        #[test]
        fn no_file_can_make_it_panic_or_run(text in proptest::collection::vec(any::<u8>(), 0..512)) {
            let sessions = read(&text, Timestamp::UNIX_EPOCH);
            prop_assert!(sessions.iter().all(|it| it.state() != State::Running));
        }
    }
}
