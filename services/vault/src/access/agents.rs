//! Tokens of agent sessions: in memory only, of each bearer only the hash. A restart ends them all.

use std::sync::{Mutex, MutexGuard, PoisonError};

use aileron_contract::{
    Error, Principal, Reason, Result, Secret, limits,
    names::{SessionId, Sha256Hash},
};

use super::AGENT;
use crate::passes::{find, fresh, hashed};

/// The tokens good now.
#[derive(Debug, Default)]
pub(crate) struct Agents(Mutex<Vec<Held>>);

#[derive(Debug)]
struct Held {
    session: SessionId,
    /// Who began the session.
    begun_by: Principal,
    hash: Sha256Hash,
}

impl Agents {
    /// A token for this session. One it had before ends: a session has one at most.
    pub(super) fn admit(&self, session: SessionId, begun_by: Principal) -> Result<Secret> {
        let bearer = fresh(AGENT)?;
        let mut held = self.held();
        held.retain(|held| held.session != session);
        if held.len() >= limits::AGENT_SESSIONS {
            return Err(Error::new(
                Reason::Busy,
                format!(
                    "{} agent sessions are running: end one (aileron sessions list --active)",
                    limits::AGENT_SESSIONS
                ),
            ));
        }
        held.push(Held { session, begun_by, hash: hashed(&bearer) });
        Ok(bearer)
    }

    /// Ends the token of a session, or of all.
    pub(super) fn dismiss(&self, session: Option<&SessionId>) {
        self.held().retain(|held| session.is_some_and(|session| held.session != *session));
    }

    /// Whose bearer is this, and who began that session?
    pub(super) fn find(&self, hash: &Sha256Hash) -> Option<(SessionId, Principal)> {
        let held = self.held();
        let Held { session, begun_by, hash: _ } = find(&*held, |held| held.hash, hash)?;
        Some((session.clone(), begun_by.clone()))
    }

    fn held(&self) -> MutexGuard<'_, Vec<Held>> {
        // Every change is whole: a panic elsewhere leaves nothing half done here.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(id: &str) -> SessionId {
        id.parse().unwrap()
    }

    fn by() -> Principal {
        Principal::Program(Principal::DAEMON.into())
    }

    #[test]
    fn a_token_is_its_sessions_until_that_one_is_dismissed() {
        let agents = Agents::default();
        let first = hashed(&agents.admit(named("s1"), by()).unwrap());
        let second = hashed(&agents.admit(named("s2"), by()).unwrap());
        assert_eq!(agents.find(&first), Some((named("s1"), by())));
        agents.dismiss(Some(&named("s1")));
        assert_eq!(agents.find(&first), None);
        assert_eq!(agents.find(&second), Some((named("s2"), by())));
        agents.dismiss(None);
        assert_eq!(agents.find(&second), None);
    }

    #[test]
    fn a_session_has_one_token_and_there_are_not_too_many() {
        let agents = Agents::default();
        let first = hashed(&agents.admit(named("s0"), by()).unwrap());
        for number in 0..limits::AGENT_SESSIONS {
            agents.admit(named(&format!("s{number}")), by()).unwrap();
        }
        assert_eq!(agents.find(&first), None);
        let refused = agents.admit(named("another"), by()).unwrap_err();
        assert_eq!(refused.reason(), Reason::Busy);
    }
}
