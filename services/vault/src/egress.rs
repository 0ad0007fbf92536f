//! The one place where requests leave the house.
//!
//! [`Service`] keeps the promises of [`Egress`]: who may be reached is decided before a name is
//! resolved, which address is dialled after, and a credential is joined last, to the one host it
//! was consented for. Proxy variables, like the rest of the environment, are never read.

use std::{path::PathBuf, sync::Arc, time::Duration};

use aileron_contract::{
    Context, Egress, Error, Reason, Result, Scope, Timestamp, audit,
    audit::{Actor, Event, EventKind},
    credential::Form,
    egress::{Authorization, CredentialUse, Fetch, Handle, Outcome, Request, Sent},
    limits,
    names::{Fqn, HostPort, SecretName},
};
use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use tokio::{sync::Semaphore, time::Instant};
use tracing::Instrument as _;

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

use credentials::Asked;
pub use credentials::{Credentials, Resolved, Token, Value};
pub use resolver::{Resolver, System};

use deadline::Deadline;
use inject::Credential;
use mask::Masker;
pub(crate) use network::Network;
use order::{Carried, Order};
use policy::Policy;
use problem::Problem;
use target::Target;

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
        let sending = self.send_now(context, Box::new(request));
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

    /// Checks everything that can be checked without a connection, in the order in which a guest
    /// should learn of it. The outer error is the log's: what it cannot record does not happen.
    async fn order(
        &self,
        context: &Context,
        mut request: Box<Request>,
    ) -> Result<std::result::Result<Box<Order>, Problem>> {
        let (connector, wanted) = (request.connector.clone(), request.credential.take());
        let form = wanted.as_ref().map(|wanted| &wanted.form);
        let mut order = match self.draft(context, request, form) {
            Ok(order) => order,
            Err(problem) => return Ok(Err(problem)),
        };
        if let Err(problem) = self.admit(&mut order).await {
            return Ok(Err(problem));
        }
        let Some(wanted) = wanted else { return Ok(Ok(order)) };
        let used = match self.join(context, &mut order, connector, wanted).await {
            Ok(used) => used,
            Err(problem) => return Ok(Err(problem)),
        };
        self.audit.append(&self.own, used).await?;
        if let Some(binding) = &order.binding {
            self.credentials.used(binding).await;
        }
        Ok(Ok(order))
    }

    /// The guest's part of the request, to which a credential of this form will be joined.
    fn draft(
        &self,
        context: &Context,
        request: Box<Request>,
        form: Option<&Form>,
    ) -> std::result::Result<Box<Order>, Problem> {
        let target = Target::parse(&request.url)?;
        let policy = Policy::Send { declared: request.allowed, consent: None };
        policy.permit(&target)?;
        let joined = form.map(inject::headers).transpose()?;
        let method = headers::method(&request.method)?;
        let mut headers = headers::of_guest(&request.headers, joined.as_deref())?;
        headers::complete(&mut headers);
        if request.body.len() > limits::GUEST_REQUEST {
            return Err(Problem::Malformed("the body is too long".to_owned()));
        }
        let deadline = self.deadline(context, request.timeout, &target)?;
        Ok(Box::new(Order {
            policy,
            target,
            method,
            headers,
            body: request.body,
            credential: None,
            asked: None,
            first: None,
            clock: self.clock,
            masker: Masker::default(),
            token: None,
            binding: None,
            connector: Some(request.connector),
            deadline,
            max_response: request.max_response,
            slot: None,
        }))
    }

    /// Joins the credential, if the person consented to its going to this host in this form.
    /// Returns what is to be recorded before the request leaves.
    async fn join(
        &self,
        context: &Context,
        order: &mut Order,
        connector: Fqn,
        wanted: CredentialUse,
    ) -> std::result::Result<Event, Problem> {
        let host = order.target.host();
        let at_hand = self.credentials.at_hand(&connector, &wanted, host);
        let resolved = if let Some(resolved) = at_hand {
            resolved
        } else {
            let resolving = self.credentials.resolve(&connector, &wanted, host);
            let resolved = order.deadline.within(resolving).await;
            resolved
                .ok_or_else(|| Problem::Late { host: host.clone() })?
                .map_err(|failure| Problem::Passed(Box::new(failure)))?
        };
        let used = Event::new(EventKind::BindingResolved, Actor::of(context))
            .with("aileron.binding.name", resolved.binding.as_str())
            .with("aileron.connector.fqn", connector.as_str())
            .with("aileron.capability.kind", wanted.form.kind().text());
        order.binding = Some(resolved.binding.clone());
        order.token = Token::of(&resolved);
        let credential = Credential::new(Arc::clone(&resolved), &wanted)?;
        if let Policy::Send { consent, declared: _ } = &mut order.policy {
            *consent = Some(Arc::clone(&resolved));
        }
        order.policy.consented(&order.target)?;
        let permit = order.policy.permit(&order.target)?;
        order.masker = credential.masker()?;
        order.credential = Some(credential);
        let credentials = Arc::clone(&self.credentials);
        order.asked = Some(Asked { credentials, connector, wanted, resolved });
        order.first = Some((permit, Box::new(order.draft()?)));
        Ok(used)
    }

    /// Waits for a place among the requests that may be under way at once.
    async fn admit(&self, order: &mut Order) -> std::result::Result<(), Problem> {
        let slot = Arc::clone(&self.slots).try_acquire_owned();
        order.slot = if let Ok(slot) = slot {
            Some(slot)
        } else {
            let slot = Box::pin(Arc::clone(&self.slots).acquire_owned());
            let slot = order.deadline.within(slot).await;
            Some(slot.and_then(|slot| slot.ok()).ok_or(Problem::Busy)?)
        };
        Ok(())
    }

    /// The token of a package's source. One that the vault keeps is read here, recorded, and goes
    /// to the hosts of this process's own configuration only, whoever asks.
    async fn of_source(
        &self,
        context: &Context,
        request: &Fetch,
    ) -> Result<std::result::Result<Option<Credential>, Problem>> {
        let name = match &request.authorization {
            None => return Ok(Ok(None)),
            Some(Authorization::Token(token)) => return Ok(Ok(Some(Credential::of_source(token)))),
            Some(Authorization::Stored(name)) => name,
        };
        let target = match Target::parse(&request.url) {
            Ok(target) => target,
            Err(problem) => return Ok(Err(problem)),
        };
        let host = target.host();
        let meant = |stored: &&Stored| stored.name == *name && stored.hosts.contains(host);
        if self.stored.iter().find(meant).is_none() {
            let (name, host) = (name.clone(), host.clone());
            return Ok(Err(Problem::SecretElsewhere { name, host }));
        }
        let value = match self.credentials.stored(name).await {
            Ok(value) => value,
            Err(failure) => return Ok(Err(Problem::Passed(Box::new(failure)))),
        };
        let event = Event::new(EventKind::SecretResolved, Actor::of(context))
            .with("aileron.secret.path", format!("secret/{name}"))
            .with("aileron.secret.host", host.to_string());
        self.audit.append(&self.own, event).await?;
        Ok(Ok(Some(Credential::of_source(&value))))
    }

    fn fetch_order(
        &self,
        context: &Context,
        request: Fetch,
        credential: Option<Credential>,
    ) -> std::result::Result<Box<Order>, Problem> {
        let target = Target::parse(&request.url)?;
        let policy = Policy::Fetch {
            first: target.host().clone(),
            redirects: request.redirects,
            private: self.private_hosts.clone(),
        };
        policy.permit(&target)?;
        let mut headers = HeaderMap::new();
        if let Some(accept) = &request.accept {
            let accept = HeaderValue::from_str(accept)
                .map_err(|_| Problem::Malformed("the accepted type is no header".to_owned()))?;
            headers.insert(header::ACCEPT, accept);
        }
        if let Some(tag) = &request.if_none_match {
            let tag = HeaderValue::from_str(tag)
                .map_err(|_| Problem::Malformed("the entity tag is no header".to_owned()))?;
            headers.insert(header::IF_NONE_MATCH, tag);
        }
        headers::complete(&mut headers);
        let masker = credential.as_ref().map(Credential::masker).transpose()?.unwrap_or_default();
        let deadline = self.deadline(context, request.timeout, &target)?;
        Ok(Box::new(Order {
            policy,
            target,
            method: Method::GET,
            headers,
            body: Bytes::new(),
            credential,
            asked: None,
            first: None,
            clock: self.clock,
            masker,
            token: None,
            binding: None,
            connector: None,
            deadline,
            max_response: request.max_response,
            slot: None,
        }))
    }

    /// When to give up: the request's own time, the caller's, and never longer than any call. An
    /// error when there is no time at all.
    fn deadline(
        &self,
        context: &Context,
        timeout: Duration,
        target: &Target,
    ) -> std::result::Result<Deadline, Problem> {
        let left = match context.deadline {
            Some(deadline) => {
                let left = deadline.duration_since((self.clock)());
                Duration::try_from(left).unwrap_or(Duration::ZERO)
            }
            None => limits::GUEST_WALL_MAX,
        };
        let left = timeout.min(left).min(limits::GUEST_WALL_MAX);
        if left.is_zero() {
            return Err(Problem::Late { host: target.host().clone() });
        }
        Ok(Deadline::new(Instant::now() + left))
    }
}
