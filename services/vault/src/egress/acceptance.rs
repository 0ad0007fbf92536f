//! How a request becomes an order: all that is checked, looked up and recorded before it may leave.

use std::{pin::pin, sync::Arc, time::Duration};

use aileron_contract::{
    Context, Result,
    audit::{Actor, Event, EventKind},
    egress::{Authorization, Fetch, Request},
    limits,
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use tokio::time::Instant;

use super::{
    Inner, Stored,
    credentials::{Asked, Token},
    deadline::Deadline,
    headers,
    inject::{self, Credential},
    mask::Masker,
    network::Owner,
    order::Order,
    policy::Policy,
    problem::Problem,
    target::Target,
};

impl Inner {
    /// Checks everything that can be checked without a connection, in the order in which a guest
    /// should learn of it. The outer error is the log's: what it cannot record does not happen.
    pub(super) async fn order(
        &self,
        context: &Context,
        request: Box<Request>,
    ) -> Result<std::result::Result<Box<Order>, Problem>> {
        let mut order = match self.draft(context, request) {
            Ok(order) => order,
            Err(problem) => return Ok(Err(problem)),
        };
        if let Err(problem) = self.admit(&mut order).await {
            return Ok(Err(problem));
        }
        let used = match self.join(context, &mut order).await {
            Ok(Some(used)) => used,
            Ok(None) => return Ok(Ok(order)),
            Err(problem) => return Ok(Err(problem)),
        };
        self.audit.append(&self.own, used).await?;
        if let Some(binding) = &order.binding {
            self.credentials.used(binding);
        }
        Ok(Ok(order))
    }

    /// The guest's part of the request.
    fn draft(
        &self,
        context: &Context,
        request: Box<Request>,
    ) -> std::result::Result<Box<Order>, Problem> {
        let target = Target::parse(&request.url)?;
        let policy = Policy::Send { declared: request.allowed, consent: None };
        policy.permit(&target)?;
        let form = request.credential.as_ref().map(|wanted| &wanted.form);
        let joined = form.map(inject::headers).transpose()?;
        let method = headers::method(&request.method)?;
        let mut headers = headers::of_guest(&request.headers, joined.as_deref())?;
        headers::complete(&mut headers);
        if request.body.len() > limits::GUEST_REQUEST {
            return Err(Problem::Malformed("the body is too long".to_owned()));
        }
        let deadline = self.deadline(context, request.timeout, &target)?;
        let credentials = || Arc::clone(&self.credentials);
        let asked = request.credential.map(|wanted| Asked { credentials: credentials(), wanted });
        Ok(Box::new(Order {
            policy,
            target,
            method,
            headers,
            body: request.body,
            credential: None,
            asked,
            first: None,
            clock: self.clock,
            masker: Masker::default(),
            token: None,
            binding: None,
            owner: Owner::Connector(request.connector),
            deadline,
            max_response: request.max_response,
            slot: None,
        }))
    }

    /// Joins the credential, if one is asked for and the person consented to its going to this
    /// host in this form. Returns what is to be recorded before the request leaves.
    async fn join(
        &self,
        context: &Context,
        order: &mut Order,
    ) -> std::result::Result<Option<Event>, Problem> {
        let (Some(asked), Some(connector)) = (&order.asked, order.owner.connector()) else {
            return Ok(None);
        };
        let host = order.target.host();
        let resolved = order.deadline.within(pin!(asked.resolve(connector, host))).await;
        let resolved = resolved
            .ok_or_else(|| Problem::Late { host: host.clone() })?
            .map_err(|failure| Problem::Passed(Box::new(failure)))?;
        let credential = Credential::new(Arc::clone(&resolved), &asked.wanted)?;
        if let Policy::Send { consent, declared: _ } = &mut order.policy {
            *consent = Some(Arc::clone(&resolved));
        }
        order.policy.consented(&order.target)?;
        let permit = order.policy.permit(&order.target)?;
        order.masker = credential.masker()?;
        order.credential = Some(credential);
        order.token = Token::of(&resolved);
        order.binding = Some(resolved.binding.clone());
        let used = Event::new(EventKind::BindingResolved, Actor::of(context))
            .with("aileron.binding.name", resolved.binding.as_str())
            .with("aileron.connector.fqn", connector.as_str())
            .with("aileron.capability.kind", asked.wanted.form.kind().text());
        order.owner = Owner::Binding(connector.clone(), resolved.binding.clone());
        order.first = Some((permit, Box::new(order.draft()?)));
        Ok(Some(used))
    }

    /// Waits for a place among the requests that may be under way at once.
    pub(super) async fn admit(&self, order: &mut Order) -> std::result::Result<(), Problem> {
        let slot = Arc::clone(&self.slots).try_acquire_owned();
        order.slot = if let Ok(slot) = slot {
            Some(slot)
        } else {
            let slot = Box::pin(Arc::clone(&self.slots).acquire_owned());
            let slot = order.deadline.within(slot).await;
            Some(slot.and_then(std::result::Result::ok).ok_or(Problem::Busy)?)
        };
        Ok(())
    }

    /// The token of a package's source. One that the vault keeps is read here, recorded, and goes
    /// to the hosts of this process's own configuration only, whoever asks.
    pub(super) async fn of_source(
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

    pub(super) fn fetch_order(
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
            owner: Owner::Packages,
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
