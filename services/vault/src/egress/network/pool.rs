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
use crate::egress::{policy::Permit, target::Target};

/// Which requests may share a connection: same host, same person's account, dialled under the
/// same rules.
#[derive(PartialEq, Eq)]
pub(crate) struct Key {
    host: HostPort,
    secure: bool,
    permit: Permit,
    owner: Owner,
}

/// The same of a request that looks for one.
#[derive(Clone, Copy)]
pub(crate) struct Sought<'a> {
    pub(crate) target: &'a Target,
    pub(crate) permit: Permit,
    pub(crate) owner: &'a Owner,
}

impl Sought<'_> {
    /// To keep a connection under.
    pub(crate) fn key(self) -> Arc<Key> {
        let Self { target, permit, owner } = self;
        let (host, secure) = (target.host().clone(), target.secure());
        Arc::new(Key { host, secure, permit, owner: owner.clone() })
    }

    fn is(self, key: &Key) -> bool {
        let Key { host, secure, permit, owner } = key;
        self.target.host() == host
            && self.target.secure() == *secure
            && self.permit == *permit
            && self.owner == owner
    }
}

/// In whose name a connection is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// With the connector it belongs to: a revoked binding's name may be another's tomorrow.
    Binding(Fqn, BindingName),
    /// The vault itself, at the binding's OAuth provider.
    Provider(BindingName),
    Connector(Fqn),
    Packages,
}

impl Owner {
    /// Whose request it is; nobody's of the vault's own and of packages'.
    pub(crate) fn connector(&self) -> Option<&Fqn> {
        match self {
            Self::Binding(connector, _) | Self::Connector(connector) => Some(connector),
            Self::Provider(_) | Self::Packages => None,
        }
    }
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
    key: Arc<Key>,
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
    pub(crate) async fn take(
        &self,
        sought: Sought<'_>,
        now: Instant,
    ) -> Option<(Arc<Key>, Connection)> {
        while let Some((key, mut connection)) = self.newest(sought, now) {
            if connection.is_ready() || timeout(SETTLE, connection.ready()).await == Ok(true) {
                return Some((key, connection));
            }
        }
        None
    }

    /// Keeps a connection. One of HTTP/2 is kept once per key: it serves many requests. Returns
    /// whether somebody has to [`sweep`](Self::sweep) from now on.
    pub(crate) fn put(&self, key: Arc<Key>, connection: Connection, now: Instant) -> bool {
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

    /// Drops shared connections of this kind: one of them failed.
    pub(crate) fn forget(&self, sought: Sought<'_>) {
        self.lock().idle.retain(|idle| !idle.is_shared() || !sought.is(&idle.key));
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

    fn newest(&self, sought: Sought<'_>, now: Instant) -> Option<(Arc<Key>, Connection)> {
        let idle = &mut self.lock().idle;
        loop {
            let newest = idle.iter().rposition(|idle| sought.is(&idle.key))?;
            let found = idle.get_mut(newest).filter(|found| found.is_worth_keeping(now));
            if let Some(found) = found
                && let Some(shared) = found.connection.shared()
            {
                found.since = now;
                return Some((Arc::clone(&found.key), shared));
            }
            let taken = idle.remove(newest);
            if taken.is_worth_keeping(now) {
                return Some((taken.key, taken.connection));
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
