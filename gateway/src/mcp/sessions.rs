//! Whose each MCP session is, and how many there may be.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::answer::{Refusal, Result};
use aileron_contract::{Principal, Reason, limits};
use rmcp::transport::streamable_http_server::session::{
    SessionManager as _,
    local::{LocalSessionManager, SessionConfig},
};

/// Keeps the sessions themselves.
pub(super) type Keeper = LocalSessionManager;

/// The sessions there are.
pub(super) struct Sessions {
    keeper: Arc<Keeper>,
    owned: Arc<Mutex<Owned>>,
}

#[derive(Default)]
struct Owned {
    /// Rises with every session: the lowest one of an owner is its oldest.
    next: u64,
    sessions: BTreeMap<u64, Session>,
}

struct Session {
    owner: Principal,
    /// Absent while it is being begun.
    id: Option<Arc<str>>,
}

impl Default for Sessions {
    fn default() -> Self {
        let mut config = SessionConfig::default();
        config.keep_alive = Some(limits::MCP_IDLE);
        let mut keeper = Keeper::default();
        keeper.session_config = config;
        Self { keeper: Arc::new(keeper), owned: Arc::default() }
    }
}

impl Sessions {
    pub(super) fn keeper(&self) -> Arc<Keeper> {
        Arc::clone(&self.keeper)
    }

    /// Is this session there, and this owner's?
    pub(super) async fn belongs(&self, id: &str, owner: &Principal) -> bool {
        let own = lock(&self.owned)
            .sessions
            .values()
            .any(|session| session.id.as_deref() == Some(id) && session.owner == *owner);
        own && self.keeper.has_session(&id.into()).await.unwrap_or(false)
    }

    /// Makes room for one more session of this owner.
    pub(super) async fn reserve(&self, owner: Principal) -> Result<Reserved> {
        let there: Vec<Arc<str>> = self.keeper.sessions.read().await.keys().cloned().collect();
        let (reserved, oldest) = lock(&self.owned).reserve(owner, &there)?;
        if let Some(oldest) = oldest {
            // One that is gone already has left its room.
            drop(self.keeper.close_session(&oldest).await);
        }
        Ok(Reserved { number: Some(reserved), owned: Arc::clone(&self.owned) })
    }
}

impl Owned {
    /// Room for one more, and which session goes for it: the owner's own oldest when it has its
    /// share; when all room is taken, the oldest of whoever has most, or the owner's own when
    /// nobody has more. So nobody shuts others out by beginning many.
    fn reserve(&mut self, owner: Principal, there: &[Arc<str>]) -> Result<(u64, Option<Arc<str>>)> {
        self.sessions.retain(|_, session| session.id.as_ref().is_none_or(|id| there.contains(id)));
        let own = self.count(&owner);
        let from = if own >= limits::MCP_SESSIONS_EACH {
            Some(owner.clone())
        } else if self.sessions.len() >= limits::MCP_SESSIONS {
            let more = self.greediest().filter(|most| self.count(most) > own);
            Some(more.unwrap_or_else(|| owner.clone()))
        } else {
            None
        };
        let ends = match from {
            Some(from) => Some(self.take_oldest(&from).ok_or_else(busy)?),
            None => None,
        };
        let number = self.next;
        self.next = self.next.saturating_add(1);
        self.sessions.insert(number, Session { owner, id: None });
        Ok((number, ends))
    }

    fn count(&self, owner: &Principal) -> usize {
        self.sessions.values().filter(|session| session.owner == *owner).count()
    }

    /// Whoever has most.
    fn greediest(&self) -> Option<Principal> {
        let mut counts = BTreeMap::<&Principal, usize>::new();
        for session in self.sessions.values() {
            let count = counts.entry(&session.owner).or_default();
            *count = count.saturating_add(1);
        }
        counts.into_iter().max_by_key(|(_, count)| *count).map(|(owner, _)| owner.clone())
    }

    /// None when all of them are just being begun.
    fn take_oldest(&mut self, owner: &Principal) -> Option<Arc<str>> {
        let mut begun = self.sessions.iter().filter(|(_, session)| session.owner == *owner);
        let (number, id) = begun.find_map(|(number, it)| Some((*number, it.id.clone()?)))?;
        self.sessions.remove(&number);
        Some(id)
    }
}

/// Room for a session that is being begun; given back unless it was.
pub(super) struct Reserved {
    number: Option<u64>,
    owned: Arc<Mutex<Owned>>,
}

impl Reserved {
    pub(super) fn begun(mut self, id: &str) {
        if let Some(number) = self.number.take()
            && let Some(session) = lock(&self.owned).sessions.get_mut(&number)
        {
            session.id = Some(id.into());
        }
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            lock(&self.owned).sessions.remove(&number);
        }
    }
}

fn busy() -> Refusal {
    Refusal::new(Reason::Busy, "too many MCP sessions are open (MCP_SESSIONS): end one")
}

/// Every change of the table is whole.
fn lock(owned: &Mutex<Owned>) -> MutexGuard<'_, Owned> {
    owned.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct House {
        owned: Owned,
        there: Vec<Arc<str>>,
    }

    impl House {
        /// Begins a session; which one went for it.
        fn begin(&mut self, owner: &str, id: &str) -> Result<Option<String>> {
            let owner = Principal::Agent(owner.into());
            let (number, gone) = self.owned.reserve(owner, &self.there)?;
            self.there.retain(|there| Some(there) != gone.as_ref());
            self.there.push(id.into());
            self.owned.sessions.get_mut(&number).unwrap().id = Some(id.into());
            Ok(gone.map(|gone| gone.to_string()))
        }
    }

    #[test]
    fn who_begins_many_loses_its_own_and_shuts_nobody_out() {
        let mut house = House::default();
        assert_eq!(house.begin("quiet", "quiet").unwrap(), None);
        let owners = limits::MCP_SESSIONS / limits::MCP_SESSIONS_EACH;
        for owner in 0..owners {
            for number in 0..limits::MCP_SESSIONS_EACH {
                house.begin(&format!("greedy-{owner}"), &format!("{owner}/{number}")).unwrap();
            }
        }
        assert_eq!(house.owned.sessions.len(), limits::MCP_SESSIONS);
        for number in 0..limits::MCP_SESSIONS_EACH / 2 {
            let gone = house.begin("new", &format!("new/{number}")).unwrap().unwrap();
            assert!(gone != "quiet" && !gone.starts_with("new/"), "{gone}");
        }
        assert!(house.there.iter().any(|id| **id == *"quiet"));
        assert_eq!(house.owned.sessions.len(), limits::MCP_SESSIONS);
    }

    #[test]
    fn who_has_as_many_as_anybody_loses_its_own() {
        let mut house = House::default();
        for owner in 0..limits::MCP_SESSIONS {
            house.begin(&owner.to_string(), &owner.to_string()).unwrap();
        }
        assert_eq!(house.begin("7", "more").unwrap().as_deref(), Some("7"));
        let gone = house.begin("new", "new").unwrap();
        assert!(gone.is_some_and(|gone| gone != "new"));
    }

    #[test]
    fn sessions_that_are_just_being_begun_are_not_ended() {
        let mut owned = Owned::default();
        let greedy = || Principal::Agent("1".into());
        for _ in 0..limits::MCP_SESSIONS_EACH {
            assert!(owned.reserve(greedy(), &[]).unwrap().1.is_none());
        }
        assert!(owned.reserve(greedy(), &[]).is_err());
        assert_eq!(owned.sessions.len(), limits::MCP_SESSIONS_EACH);
    }
}
