//! Agent sessions: who was started to act, when, where, and how it ended.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    Context, Result, Secret, Timestamp,
    closed::closed,
    names::{AgentName, AuditId, SessionId, Sha256Hash},
};

/// How the other rooms hold the contract, wherever its service runs.
pub type Handle = Arc<dyn Sessions>;

/// The record of agent sessions, and the end of each agent's rights.
#[async_trait]
pub trait Sessions: Send + Sync + 'static {
    /// Begins a session. It is in the log before its token is good. `busy` when too many run.
    async fn begin(&self, context: &Context, request: Begin) -> Result<Begun>;

    /// Ends a session: its token is worth nothing from here on. Without an exit code it is
    /// orphaned. Ending again changes nothing, except that an orphan's exit code may be told
    /// later. `not_found`.
    async fn end(
        &self,
        context: &Context,
        id: SessionId,
        exit_code: Option<i32>,
    ) -> Result<Session>;

    /// Sessions that match, newest first.
    async fn list(&self, context: &Context, filter: Filter) -> Result<Vec<Session>>;

    /// One session; `not_found`.
    async fn get(&self, context: &Context, id: SessionId) -> Result<Session>;
}

/// Who is about to be started, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begin {
    pub agent: AgentName,
    /// The folder the agent works in; empty when nobody says.
    pub working_dir: String,
}

/// A fresh session. The bearer is the agent's, and shown once: it lists and runs actions and polls
/// what becomes of them, as this session, until the session ends or the runtime does.
#[derive(Debug)]
pub struct Begun {
    pub session: Session,
    pub bearer: Secret,
}

/// A session as it is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub agent: AgentName,
    pub working_dir: String,
    /// None while it runs, and of an orphan: nobody saw it end.
    pub exit_code: Option<i32>,
    /// Where the log begins to tell of it; none of sessions of an earlier runtime.
    pub first_event: Option<u64>,
}

impl Session {
    /// What became of it.
    pub fn state(&self) -> State {
        match (self.ended_at, self.exit_code) {
            (None, _) => State::Running,
            (Some(_), Some(_)) => State::Ended,
            (Some(_), None) => State::Orphaned,
        }
    }
}

closed! {
    /// What became of a session.
    State {
        Running = "running",
        Ended = "ended",
        /// Over, but nobody saw how: whoever started it, or the runtime, was gone first.
        Orphaned = "orphaned",
    }
}

/// The event of a session's end in the log: one for each way to end, so that an orphan's can be
/// explained later. Whoever asks the log by it knows whether the session is over.
pub fn end_event(id: &SessionId, state: State) -> Result<AuditId> {
    let parts: [&[u8]; 4] =
        [b"aileron/session-ended/v1\0", id.as_str().as_bytes(), b"\0", state.text().as_bytes()];
    format!("audit-{}", Sha256Hash::of(&parts).hex()).parse()
}

/// All conditions must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    pub active_only: bool,
    pub agent: Option<AgentName>,
    /// Started then or later.
    pub since: Option<Timestamp>,
    /// Without it, and as 0, all of them.
    pub limit: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_of_a_session_follows_from_its_record() {
        let mut session = Session {
            id: "s1".parse().unwrap(),
            started_at: Timestamp::UNIX_EPOCH,
            ended_at: None,
            agent: "claude".parse().unwrap(),
            working_dir: String::new(),
            exit_code: None,
            first_event: None,
        };
        assert_eq!(session.state(), State::Running);
        session.ended_at = Some(Timestamp::UNIX_EPOCH);
        assert_eq!(session.state(), State::Orphaned);
        session.exit_code = Some(0);
        assert_eq!(session.state(), State::Ended);
    }
}
