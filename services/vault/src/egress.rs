//! The one place where requests leave the house.
//!
//! [`Service`] keeps the promises of [`Egress`]: who may be reached is decided before a name is
//! resolved, which address is dialled after, and a credential is joined last, to the one host it
//! was consented for. Proxy variables, like the rest of the environment, are never read.

use std::{path::PathBuf, sync::Arc};

use aileron_contract::{
    Context, Egress, Error, Reason, Result, Scope, Timestamp, audit,
    egress::{Fetch, Handle, Outcome, Request, Sent},
    limits,
    names::{HostPort, SecretName},
};
use async_trait::async_trait;
use tokio::{sync::Semaphore, time::Instant};
use tracing::Instrument as _;

mod acceptance;
mod address;
mod again;
mod body;
pub mod credentials;
mod deadline;
mod headers;
pub(crate) mod inject;
mod mask;
mod network;
mod order;
mod plain;
mod policy;
mod problem;
pub(crate) mod provider;
mod resolver;
pub(crate) mod sign;
mod target;
mod tls;
mod trace;

pub use credentials::{Credentials, Resolved, Token, Value};
pub use resolver::{Resolver, System};

pub(crate) use network::Network;
use order::{Carried, Order};
use problem::Problem;

/// How requests leave.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// PEM files with certificate authorities to trust besides the system's.
    pub extra_roots: Vec<PathBuf>,
    /// Hosts that `fetch` may reach although they resolve to private or loopback addresses.
    pub private_hosts: Vec<HostPort>,
    /// Secrets of the vault that `fetch` may send, as this process's own configuration has them:
    /// what a caller asks for beyond it is refused.
    pub stored: Vec<Stored>,
}

/// A secret that a configuration key refers to (`vault:secret/<name>`), and where it may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub name: SecretName,
    pub hosts: Vec<HostPort>,
}

/// Sends requests.
pub struct Service {
    inner: Arc<Inner>,
}

struct Inner {
    private_hosts: Vec<HostPort>,
    stored: Vec<Stored>,
    network: Arc<Network>,
    audit: audit::Handle,
    clock: fn() -> Timestamp,
    credentials: Arc<dyn Credentials>,
    slots: Arc<Semaphore>,
    /// In whose name egress records.
    own: Context,
}

impl Service {
    /// Reads the certificate authorities; opens no connection.
    pub fn new(
        options: Options,
        audit: audit::Handle,
        clock: fn() -> Timestamp,
        credentials: Arc<dyn Credentials>,
    ) -> Result<Self> {
        Self::with_resolver(options, audit, clock, credentials, Arc::new(System))
    }

    /// The same with the composition's own name resolution.
    pub fn with_resolver(
        options: Options,
        audit: audit::Handle,
        clock: fn() -> Timestamp,
        credentials: Arc<dyn Credentials>,
        resolver: Arc<dyn Resolver>,
    ) -> Result<Self> {
        let network = network(&options, resolver)?;
        Ok(Self::over(network, options, audit, clock, credentials))
    }

    /// The same over connections that others use, too.
    pub(crate) fn over(
        network: Arc<Network>,
        options: Options,
        audit: audit::Handle,
        clock: fn() -> Timestamp,
        credentials: Arc<dyn Credentials>,
    ) -> Self {
        let slots = Arc::new(Semaphore::new(limits::EGRESS_CONCURRENCY));
        let Options { private_hosts, stored, extra_roots: _ } = options;
        let own = Context::service("egress");
        let inner = Inner { private_hosts, stored, network, audit, clock, credentials, slots, own };
        Self { inner: Arc::new(inner) }
    }

    pub fn handle(&self) -> Handle {
        Arc::<Inner>::clone(&self.inner)
    }

    /// Ends every connection, those of requests under way included.
    pub async fn shutdown(&self) {
        self.inner.network.shutdown().await;
    }
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").finish_non_exhaustive()
    }
}

/// Everything that opens connections; opens none.
pub(crate) fn network(options: &Options, resolver: Arc<dyn Resolver>) -> Result<Arc<Network>> {
    Ok(Arc::new(Network::new(resolver, tls::client(options)?)))
}

#[async_trait]
impl Egress for Inner {
    async fn send(&self, context: &Context, request: Request) -> Result<Outcome> {
        context.require(Scope::ActionsRun)?;
        let span = trace::request(Some(&request.connector));
        // Boxed by itself: two small pieces of memory are got in less time than a large one.
        let sending = Box::pin(self.send_now(context, Box::new(request)));
        let outcome = sending.instrument(span.clone()).await;
        trace::ended(&span, &outcome);
        outcome
    }

    async fn fetch(&self, context: &Context, request: Fetch) -> Result<Outcome> {
        context.require(Scope::PackagesPreview)?;
        let span = trace::request(None);
        let outcome = Box::pin(self.fetch_now(context, request)).instrument(span.clone()).await;
        trace::ended(&span, &outcome);
        outcome
    }
}

fn refused(problem: Problem) -> Outcome {
    tracing::debug!(%problem, "request refused");
    problem.outcome(Sent::NotSent)
}

impl Inner {
    /// Once, and again where an upstream refuses a token that can be replaced.
    async fn send_now(&self, context: &Context, request: Box<Request>) -> Result<Outcome> {
        let again = again::repeatable(&request).then(|| (request.clone(), Instant::now()));
        let order = match self.order(context, request).await? {
            Ok(order) => order,
            Err(problem) => return Ok(refused(problem)),
        };
        let token = order.token.clone();
        let carried = self.carry_out(order).await?;
        let (Some((again, begun)), Some(token)) = (again, token) else {
            return Ok(carried.outcome);
        };
        if !carried.token_refused() || !self.credentials.replaced(&token).await {
            return Ok(carried.outcome);
        }
        let Some(again) = again::within(again, begun.elapsed()) else {
            return Ok(carried.outcome);
        };
        // Its place among the requests under way is needed for the second one.
        drop(carried);
        match Box::pin(self.order(context, again)).await? {
            Ok(order) => Ok(self.carry_out(order).await?.outcome),
            Err(problem) => Ok(refused(problem)),
        }
    }

    async fn fetch_now(&self, context: &Context, request: Fetch) -> Result<Outcome> {
        let credential = match self.of_source(context, &request).await? {
            Ok(credential) => credential,
            Err(problem) => return Ok(refused(problem)),
        };
        let mut order = match self.fetch_order(context, request, credential) {
            Ok(order) => order,
            Err(problem) => return Ok(refused(problem)),
        };
        match self.admit(&mut order).await {
            Ok(()) => Ok(self.carry_out(order).await?.outcome),
            Err(problem) => Ok(refused(problem)),
        }
    }

    /// In an owned task: a caller that goes away does not cut a request in half.
    async fn carry_out(&self, order: Box<Order>) -> Result<Carried> {
        trace::addressed(&order);
        let network = Arc::clone(&self.network);
        let carried = self.network.owned(Box::pin(order.carry_out(network))).await;
        carried.ok_or_else(|| {
            Error::new(
                Reason::ShuttingDown,
                "the runtime shuts down: the request may have been sent; look before trying again",
            )
        })
    }
}
