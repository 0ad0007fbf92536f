//! What the composition root hands over.

use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

use aileron_api::status::Notifications;
use aileron_contract::{
    Timestamp, access, audit, bindings, custody, executor, limits, names::RunId, packages,
    publishers, sessions, vault,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::pages::origin::Origin;

/// The services behind the door, however they are reached.
#[derive(Clone)]
pub struct Services {
    pub vault: vault::Handle,
    pub access: access::Handle,
    pub bindings: bindings::Handle,
    pub custody: custody::Handle,
    pub executor: executor::Handle,
    pub packages: packages::Handle,
    pub publishers: publishers::Handle,
    /// None where agent sessions are not kept.
    pub sessions: Option<sessions::Handle>,
    pub audit: audit::Handle,
}

impl fmt::Debug for Services {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Services").finish_non_exhaustive()
    }
}

/// Asks how the notifications of this process stand.
#[derive(Clone)]
pub struct Notifying(Arc<dyn Fn() -> Notifications + Send + Sync>);

impl Notifying {
    pub fn new(ask: impl Fn() -> Notifications + Send + Sync + 'static) -> Self {
        Self(Arc::new(ask))
    }

    pub(crate) fn now(&self) -> Notifications {
        (self.0)()
    }
}

impl fmt::Debug for Notifying {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notifying").finish_non_exhaustive()
    }
}

/// How the door behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// Shown by health and status.
    pub version: String,
    pub commit: Option<String>,
    /// Where the listener is bound; its port is part of the names a request may use for us.
    pub listen_addr: SocketAddr,
    /// Further names a request may use for us: `name`, or `name:port` for another port.
    pub extra_hosts: Vec<String>,
    /// The address people reach us at, when it is not the listener's.
    pub gateway_url: Option<String>,
    pub session_id: Option<String>,
    /// None where nobody at a desktop is told of anything.
    pub notifications: Option<Notifying>,
    pub clock: fn() -> Timestamp,
    /// How long a request's body may take.
    pub body_wall: Duration,
    /// Work that goes on when its caller is gone; the owner waits for it at shutdown.
    pub tasks: TaskTracker,
    /// Ends the watches, so that the listener can drain.
    pub shutdown: CancellationToken,
}

impl Options {
    /// What every gateway needs to be told; the rest is as a laptop wants it.
    pub fn new(
        version: impl Into<String>,
        listen_addr: SocketAddr,
        clock: fn() -> Timestamp,
    ) -> Self {
        Self {
            version: version.into(),
            commit: None,
            listen_addr,
            extra_hosts: Vec::new(),
            gateway_url: None,
            session_id: None,
            notifications: None,
            clock,
            body_wall: limits::REQUEST_BODY_WALL,
            tasks: TaskTracker::new(),
            shutdown: CancellationToken::new(),
        }
    }

    /// Where people find the web page, as banners, links and notifications name it: the one rule.
    /// None where there is no page.
    pub fn page_address(&self) -> Option<String> {
        Origin::known_address(self)
    }

    /// Where a person looks at a call that waits, as agents and programs are told.
    pub(crate) fn review_url(&self, id: &RunId) -> Option<String> {
        Some(format!("{}/approvals?focus={id}", self.page_address()?))
    }
}
