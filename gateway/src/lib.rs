//! The public door: REST over the handles of the contracts.
//!
//! It authenticates, reads input strictly, calls one service and shapes the answer. It decides
//! nothing: which scope a call needs, whether an approval is good, what a binding may reach, the
//! services behind the handles decide. One cookie ties a setup at a provider to the browser that
//! began it, and lets nobody in. Another signs a person in to the web page, and opens nothing of
//! the API. Deliberately absent: cross-origin access, any knowledge of how a service is reached.

mod answer;
mod caller;
pub mod fuzz;
mod guard;
mod input;
mod manual;
mod mcp;
pub mod openapi;
mod options;
mod pages;
mod refusals;
mod router;
mod routes;
mod shape;
mod watches;
mod watching;

use std::sync::Arc;

pub use options::{Notifying, Options, Services};

/// The door itself.
#[derive(Debug)]
pub struct Gateway;

impl Gateway {
    /// Every route, behind its guards: to be mounted on a listener as it is.
    pub fn router(services: Services, options: Options) -> axum::Router {
        router::build(Shared::new(services, options))
    }
}

/// What every handler may use.
#[derive(Clone)]
struct Shared(Arc<Inner>);

struct Inner {
    services: Services,
    options: Options,
    addresses: guard::Addresses,
    /// The web page's name, and who is signed in to it.
    pages: pages::Pages,
    /// Requests under way.
    requests: Arc<tokio::sync::Semaphore>,
    /// Watches of the log under way.
    watches: watches::Watches,
    /// Watches of the approvals under way.
    approval_watches: watches::Watches,
    /// Who asked to be signed in to the web page and was refused.
    refusals: refusals::Refusals,
}

impl Shared {
    fn new(services: Services, options: Options) -> Self {
        use aileron_contract::limits;
        use tokio::sync::Semaphore;

        let pages = pages::Pages::new(&options);
        let own = pages.origin.as_ref().map(|origin| origin.host().to_owned());
        let names: Vec<String> = options.extra_hosts.iter().cloned().chain(own).collect();
        let addresses = guard::Addresses::new(options.listen_addr, &names);
        let refusals = refusals::Refusals::new(&services.audit, &options);
        Self(Arc::new(Inner {
            services,
            options,
            addresses,
            pages,
            requests: Arc::new(Semaphore::new(limits::REQUESTS)),
            watches: watches::Watches::of_the_log(),
            approval_watches: watches::Watches::of_approvals(),
            refusals,
        }))
    }
}

impl std::ops::Deref for Shared {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}
