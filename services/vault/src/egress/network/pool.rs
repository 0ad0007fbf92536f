//! Connections kept for the next request of the same kind.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use aileron_contract::{
    limits,
    names::{BindingName, Fqn, HostPort},
};
use tokio::time::{Instant, sleep, timeout};

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
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// The newest last. Few: comparing keys takes less than hashing one would.
    idle: Vec<Idle>,
    /// Does somebody sweep?
    swept: bool,
}

struct Idle {
    key: Key,
    connection: Connection,
    since: Instant,
}

/// How long a connection whose answer has just been read may need to notice.
const SETTLE: Duration = Duration::from_millis(20);

/// How often connections that are not worth keeping are looked for. While connections are kept,
/// the runtime's clock wakes this often, and need not be woken to start the timer of a request.
const SWEEP: Duration = Duration::from_secs(1);

impl Pool {
    /// A connection that is ready for a request, if one is kept.
    pub(crate) async fn take(&self, key: &Key, now: Instant) -> Option<Connection> {
        while let Some(mut connection) = self.newest(key, now) {
            if connection.is_ready() || timeout(SETTLE, connection.ready()).await == Ok(true) {
                return Some(connection);
            }
        }
        None
    }

    /// Keeps a connection. One of HTTP/2 is kept once per key: it serves many requests. Returns
    /// whether somebody has to [`sweep`](Self::sweep) from now on.
    pub(crate) fn put(&self, key: Key, connection: Connection, now: Instant) -> bool {
        let Kept { idle, swept } = &mut *self.lock();
        let shared = connection.is_shared();
        let known = |idle: &Idle| idle.is_shared() && idle.is_worth_keeping(now) && idle.key == key;
        if connection.is_closed() || (shared && idle.iter().any(known)) {
            return false;
        }
        if idle.len() >= limits::EGRESS_IDLE {
            drop_oldest(idle);
        }
        idle.push(Idle { key, connection, since: now });
        !std::mem::replace(swept, true)
    }

    /// Drops shared connections of the key: one of them failed.
    pub(crate) fn forget(&self, key: &Key) {
        self.lock().idle.retain(|idle| !idle.is_shared() || idle.key != *key);
    }

    pub(crate) fn clear(&self) {
        self.lock().idle.clear();
    }

    /// Drops connections as they close or grow old, until none is kept.
    pub(crate) async fn sweep(self: Arc<Self>) {
        loop {
            sleep(SWEEP).await;
            let now = Instant::now();
            let Kept { idle, swept } = &mut *self.lock();
            idle.retain(|idle| idle.is_worth_keeping(now));
            if idle.is_empty() {
                *swept = false;
                return;
            }
        }
    }

    fn newest(&self, key: &Key, now: Instant) -> Option<Connection> {
        let idle = &mut self.lock().idle;
        loop {
            let newest = idle.iter().rposition(|idle| idle.key == *key)?;
            let found = idle.get_mut(newest).filter(|found| found.is_worth_keeping(now));
            if let Some(found) = found
                && let Some(shared) = found.connection.shared()
            {
                found.since = now;
                return Some(shared);
            }
            let taken = idle.remove(newest);
            if taken.is_worth_keeping(now) {
                return Some(taken.connection);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Idle {
    fn is_shared(&self) -> bool {
        self.connection.is_shared()
    }

    fn is_worth_keeping(&self, now: Instant) -> bool {
        let age = now.saturating_duration_since(self.since);
        !self.connection.is_closed() && age < limits::EGRESS_IDLE_WALL
    }
}

fn drop_oldest(idle: &mut Vec<Idle>) {
    let oldest = idle.iter().enumerate().min_by_key(|(_, idle)| idle.since);
    if let Some((oldest, _)) = oldest {
        idle.remove(oldest);
    }
}
