//! Connections kept for the next request of the same kind.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use aileron_contract::{
    limits,
    names::{BindingName, Fqn, HostPort},
};
use tokio::time::{Instant, timeout};

use super::connection::Connection;
use crate::egress::policy::Permit;

/// Which requests may share a connection: same host, same person's account, dialled under the
/// same rules.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) host: HostPort,
    pub(crate) secure: bool,
    pub(crate) permit: Permit,
    pub(crate) owner: Owner,
}

/// In whose name a connection is used.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Owner {
    /// With the connector it belongs to: a revoked binding's name may be another's tomorrow.
    Binding(Fqn, BindingName),
    /// The vault itself, at the binding's OAuth provider.
    Provider(BindingName),
    Connector(Fqn),
    Packages,
}

#[derive(Default)]
pub(crate) struct Pool {
    idle: Mutex<HashMap<Key, Vec<Idle>>>,
}

struct Idle {
    connection: Connection,
    since: Instant,
}

/// How long a connection whose answer has just been read may need to notice.
const SETTLE: Duration = Duration::from_millis(20);

impl Pool {
    /// A connection that is ready for a request, if one is kept.
    pub(crate) async fn take(&self, key: &Key, now: Instant) -> Option<Connection> {
        while let Some(mut connection) = self.newest(key, now) {
            if timeout(SETTLE, connection.ready()).await == Ok(true) {
                return Some(connection);
            }
        }
        None
    }

    /// Keeps a connection. One of HTTP/2 is kept once per key: it serves many requests.
    pub(crate) fn put(&self, key: Key, connection: Connection, now: Instant) {
        let mut idle = self.lock(now);
        let kept = idle.get(&key).is_some_and(|kept| kept.iter().any(Idle::is_shared));
        if connection.is_closed() || (kept && connection.shared().is_some()) {
            return;
        }
        if idle.values().map(Vec::len).sum::<usize>() >= limits::EGRESS_IDLE {
            drop_oldest(&mut idle);
        }
        idle.entry(key).or_default().push(Idle { connection, since: now });
    }

    /// Drops shared connections of the key: one of them failed.
    pub(crate) fn forget(&self, key: &Key) {
        if let Some(kept) = self.lock(Instant::now()).get_mut(key) {
            kept.retain(|idle| !idle.is_shared());
        }
    }

    pub(crate) fn clear(&self) {
        self.lock(Instant::now()).clear();
    }

    fn newest(&self, key: &Key, now: Instant) -> Option<Connection> {
        let mut idle = self.lock(now);
        let kept = idle.get_mut(key)?;
        if let Some(newest) = kept.last_mut()
            && let Some(shared) = newest.connection.shared()
        {
            newest.since = now;
            return Some(shared);
        }
        kept.pop().map(|newest| newest.connection)
    }

    /// The connections that are worth keeping.
    fn lock(&self, now: Instant) -> MutexGuard<'_, HashMap<Key, Vec<Idle>>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|_, kept| {
            kept.retain(|idle| {
                let age = now.saturating_duration_since(idle.since);
                !idle.connection.is_closed() && age < limits::EGRESS_IDLE_WALL
            });
            !kept.is_empty()
        });
        idle
    }
}

impl Idle {
    fn is_shared(&self) -> bool {
        matches!(self.connection, Connection::Second(_))
    }
}

fn drop_oldest(idle: &mut HashMap<Key, Vec<Idle>>) {
    let oldest = idle
        .values_mut()
        .filter(|kept| !kept.is_empty())
        .min_by_key(|kept| kept.iter().map(|idle| idle.since).min());
    if let Some(kept) = oldest {
        kept.remove(0);
    }
}
