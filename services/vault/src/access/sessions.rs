//! Person sessions: short-lived, few, in memory only; of each bearer only the hash.

use std::sync::{Mutex, MutexGuard, PoisonError};

use aileron_contract::{
    Context, Error, Principal, Reason, Result, Timestamp,
    access::{Opened, PersonSession},
    audit::{Actor, Event, EventKind},
    limits,
    names::Sha256Hash,
};

use super::{PERSON, fresh_id, unknown};
use crate::passes::{find, fresh, hashed};

/// The sessions open now.
#[derive(Debug, Default)]
pub(crate) struct Sessions(Mutex<Vec<Held>>);

#[derive(Debug)]
struct Held {
    session: PersonSession,
    hash: Sha256Hash,
}

impl Sessions {
    /// A session that does not count yet.
    pub(super) fn prepare(now: Timestamp) -> Result<Opened> {
        let session = PersonSession {
            id: fresh_id("ps")?,
            opened_at: now,
            expires_at: now.checked_add(limits::PERSON_SESSION_WALL).map_err(Error::internal)?,
        };
        Ok(Opened { session, bearer: fresh(PERSON)? })
    }

    /// From now on its bearer is the person. Where there are too many already, the oldest end: a
    /// command that was interrupted leaves its session behind, and must not keep the person out.
    /// What to record about those.
    pub(super) fn admit(&self, context: &Context, opened: &Opened) -> Vec<Event> {
        let Opened { session, bearer } = opened;
        let mut held = self.held();
        held.retain(|held| alive(&held.session, session.opened_at));
        let kept = held.len().min(limits::PERSON_SESSIONS.saturating_sub(1));
        let over = held.len().saturating_sub(kept);
        let ended = held.drain(..over).map(|ended| closed(context, ended)).collect();
        held.push(Held { session: session.clone(), hash: hashed(bearer) });
        ended
    }

    /// Whose bearer is this?
    pub(super) fn find(&self, hash: &Sha256Hash, now: Timestamp) -> Result<PersonSession> {
        let found = find(&*self.held(), |held| held.hash, hash).map(|held| held.session.clone());
        let session = found.ok_or_else(unknown)?;
        if alive(&session, now) {
            return Ok(session);
        }
        Err(Error::new(
            Reason::TokenExpired,
            "this person session has ended: open another one with the vault passphrase",
        ))
    }

    /// Newest first.
    pub(super) fn list(&self, now: Timestamp) -> Vec<PersonSession> {
        let held = self.held();
        let alive = held.iter().filter(|held| alive(&held.session, now));
        alive.rev().map(|held| held.session.clone()).collect()
    }

    /// Ends one; what to record about it.
    pub(super) fn close(&self, context: &Context, id: &str) -> Vec<Event> {
        self.close_where(context, |session| session.id == id)
    }

    pub(crate) fn close_all(&self, context: &Context) -> Vec<Event> {
        self.close_where(context, |_| true)
    }

    /// Ends all but the caller's own.
    pub(crate) fn close_others(&self, context: &Context) -> Vec<Event> {
        let own = match &context.principal {
            Principal::Person(id) => Some(&**id),
            _ => None,
        };
        self.close_where(context, |session| Some(session.id.as_str()) != own)
    }

    fn close_where(&self, context: &Context, ends: impl Fn(&PersonSession) -> bool) -> Vec<Event> {
        let mut held = self.held();
        held.extract_if(.., |held| ends(&held.session)).map(|held| closed(context, held)).collect()
    }

    fn held(&self) -> MutexGuard<'_, Vec<Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn closed(context: &Context, held: Held) -> Event {
    Event::new(EventKind::PersonSessionClosed, Actor::of(context))
        .with("aileron.person_session.id", held.session.id)
}

/// A clock set back to before the session began ends it, too: else it would last longer.
fn alive(session: &PersonSession, now: Timestamp) -> bool {
    (session.opened_at..session.expires_at).contains(&now)
}
