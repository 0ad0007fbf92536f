//! What every handler may use: the services, how this door behaves, and what it keeps itself.

use std::{ops::Deref, sync::Arc};

use aileron_contract::{Context, Error, Principal, Reason, Result, limits, sessions};
use tokio::sync::Semaphore;

use crate::{
    guard,
    options::{Options, Services},
    pages,
    refusals::Refusals,
    watches::Watches,
};

/// Cheap to clone: all clones are the same.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) services: Services,
    pub(crate) options: Options,
    pub(crate) addresses: guard::Addresses,
    /// The web page's name, and who is signed in to it.
    pub(crate) pages: pages::Pages,
    /// Requests under way.
    pub(crate) requests: Arc<Semaphore>,
    /// Watches of the log under way.
    pub(crate) watches: Watches,
    /// Watches of the approvals under way.
    pub(crate) approval_watches: Watches,
    /// Who asked to be signed in to the web page and was refused.
    pub(crate) refusals: Refusals,
}

impl Shared {
    pub(crate) fn new(services: Services, options: Options) -> Self {
        let pages = pages::Pages::new(&options);
        let own = pages.origin.as_ref().map(|origin| origin.host().to_owned());
        let names: Vec<String> = options.extra_hosts.iter().cloned().chain(own).collect();
        let addresses = guard::Addresses::new(options.listen_addr, &names);
        let refusals = Refusals::new(&services.audit, &options);
        Self(Arc::new(Inner {
            services,
            options,
            addresses,
            pages,
            requests: Arc::new(Semaphore::new(limits::REQUESTS)),
            watches: Watches::of_the_log(),
            approval_watches: Watches::of_approvals(),
            refusals,
        }))
    }

    /// Runs work that consists of several steps in a task of its own, so that a caller who goes
    /// away does not leave it half done.
    pub(crate) async fn detached<T: Send + 'static, E: From<Error> + Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> Result<T, E> {
        use tracing::Instrument as _;
        let task = self.options.tasks.spawn(work.in_current_span());
        task.await.map_err(Error::internal)?
    }

    /// Runs what opens the vault, and then resumes what waited for it, whether or not the caller
    /// stays.
    pub(crate) async fn opening<T: Send + 'static>(
        &self,
        opens: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let shared = self.clone();
        self.detached(async move {
            let opened = opens.await?;
            shared.wake().await;
            Ok(opened)
        })
        .await
    }

    /// Tells the executor that the vault is open. The unlock stands whatever comes of it.
    pub(crate) async fn wake(&self) {
        let own = Context::service(Principal::GATEWAY);
        if let Err(error) = self.services.executor.wake(&own).await {
            tracing::warn!(?error, "what waits for the vault was not resumed");
        }
    }

    /// The service that keeps agent sessions, where there is one.
    pub(crate) fn sessions(&self) -> Result<&sessions::Handle> {
        self.services.sessions.as_ref().ok_or_else(|| {
            Error::new(
                Reason::ServiceUnavailable,
                "agent sessions are not kept here: run the role launcher, or name its door \
                 (services.launcher)",
            )
        })
    }
}

impl Deref for Shared {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}
