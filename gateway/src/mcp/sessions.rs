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

    /// Makes room for one more session of this owner: its own oldest goes, nobody else's.
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
    fn reserve(&mut self, owner: Principal, there: &[Arc<str>]) -> Result<(u64, Option<Arc<str>>)> {
        self.sessions.retain(|_, session| session.id.as_ref().is_none_or(|id| there.contains(id)));
        let own = || self.sessions.iter().filter(|(_, session)| session.owner == owner);
        let full = own().count() >= limits::MCP_SESSIONS_EACH;
        let oldest = own().find_map(|(number, session)| Some((*number, session.id.clone()?)));
        let oldest = match oldest {
            Some(oldest) if full => Some(oldest),
            None if full => return Err(busy()),
            _ if self.sessions.len() >= limits::MCP_SESSIONS => return Err(busy()),
            _ => None,
        };
        let oldest = oldest.map(|(number, id)| {
            self.sessions.remove(&number);
            id
        });
        let number = self.next;
        self.next = self.next.saturating_add(1);
        self.sessions.insert(number, Session { owner, id: None });
        Ok((number, oldest))
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
