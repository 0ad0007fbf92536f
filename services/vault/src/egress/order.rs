//! One request from its first hop to the answer, redirects followed by hand.

use std::sync::Arc;

use aileron_contract::{
    Timestamp,
    egress::{Outcome, Response, Sent},
    limits,
    names::BindingName,
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use hyper::body::Body;
use tokio::sync::OwnedSemaphorePermit;

use super::{
    body::{self, Terms},
    credentials::{Asked, Token},
    deadline::Deadline,
    headers,
    inject::{self, Credential},
    mask::Masker,
    network::{Draft, Network, Owner},
    policy::{Permit, Policy},
    problem::Problem,
    target::Target,
};

/// A request that was found to be in order.
pub(crate) struct Order {
    pub(crate) policy: Policy,
    pub(crate) target: Target,
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// For the first origin only. Joined anew for each hop: a signature holds for one address.
    pub(crate) credential: Option<Credential>,
    /// What the credential is asked for with, and asked again before each further hop.
    pub(crate) asked: Option<Asked>,
    /// The first hop's request, when it has been made already, and where it may lead.
    pub(crate) first: Option<(Permit, Box<Draft>)>,
    pub(crate) clock: fn() -> Timestamp,
    pub(crate) masker: Masker,
    /// The credential, when it is a token that can be replaced.
    pub(crate) token: Option<Token>,
    pub(crate) binding: Option<BindingName>,
    /// In whose name it leaves: with the credential, the binding's.
    pub(crate) owner: Owner,
    pub(crate) deadline: Deadline,
    pub(crate) max_response: u64,
    /// One of the requests that may be under way at once: waited for before it leaves.
    pub(crate) slot: Option<OwnedSemaphorePermit>,
}

/// What became of an order.
pub(crate) struct Carried {
    pub(crate) outcome: Outcome,
    /// Whoever answered was shown the credential: no redirect led elsewhere.
    shown: bool,
}

impl Carried {
    /// Did the upstream say that the credential it was shown is not valid?
    pub(crate) fn token_refused(&self) -> bool {
        let status = match &self.outcome {
            Outcome::Answered(response) => response.status,
            Outcome::Failed(_) => return false,
        };
        self.shown && status == StatusCode::UNAUTHORIZED.as_u16()
    }
}

impl Order {
    /// Carries the request out. A failure after the first hop left is `MaybeSent`, even when the
    /// hop that failed was not.
    pub(crate) async fn carry_out(self: Box<Self>, network: Arc<Network>) -> Carried {
        let target = self.target.clone();
        let host = target.host();
        let mut sent = Sent::NotSent;
        match self.follow(&network, &mut sent).await {
            Ok((response, shown)) => {
                tracing::debug!(%host, status = response.status, "request answered");
                Carried { outcome: Outcome::Answered(response), shown }
            }
            Err(problem) => {
                tracing::debug!(%host, ?sent, %problem, "request failed");
                Carried { outcome: problem.outcome(sent), shown: false }
            }
        }
    }

    async fn follow(
        mut self: Box<Self>,
        network: &Arc<Network>,
        sent: &mut Sent,
    ) -> Result<(Response, bool), Problem> {
        for _ in 0..=limits::REDIRECTS {
            let (permit, draft) = if let Some(first) = self.first.take() {
                first
            } else {
                let permit = self.policy.permit(&self.target)?;
                self.still_may().await?;
                (permit, Box::new(self.draft()?))
            };
            let Self { owner, deadline, .. } = &mut *self;
            let exchange = network.exchange(draft, owner, permit, deadline);
            let (answer, lease) = exchange.await.map_err(|(this_hop, problem)| {
                if this_hop == Sent::MaybeSent {
                    *sent = Sent::MaybeSent;
                }
                problem
            })?;
            *sent = Sent::MaybeSent;
            match location(answer.status(), answer.headers()) {
                None => {
                    let (head, incoming) = answer.into_parts();
                    let status = head.status.as_u16();
                    let mut headers = headers::for_caller(&head.headers, &self.masker);
                    if matches!(self.owner, Owner::Packages) {
                        headers.extend(headers::announced(&head.headers));
                    }
                    let (binding, shown) = (self.binding.take(), self.credential.is_some());
                    let body = body::stream(&head.headers, incoming, lease, self.terms())?;
                    return Ok((Response { status, headers, body, binding }, shown));
                }
                Some(location) => {
                    self.redirect(answer.status(), location)?;
                    if answer.body().is_end_stream() {
                        lease.give_back();
                    }
                }
            }
        }
        Err(Problem::TooManyRedirects(limits::REDIRECTS))
    }

    /// Between two hops a person may have locked the vault, or taken the credential away.
    async fn still_may(&mut self) -> Result<(), Problem> {
        let (Some(asked), Some(Credential::Bound(before)), Some(connector)) =
            (&self.asked, &self.credential, self.owner.connector())
        else {
            return Ok(());
        };
        let host = self.target.host();
        let checked = self.deadline.within(Box::pin(asked.again(connector, host, before))).await;
        checked
            .ok_or_else(|| Problem::Late { host: host.clone() })?
            .map_err(|failure| Problem::Passed(Box::new(failure)))
    }

    /// The request as the next hop gets it, credential included.
    pub(crate) fn draft(&self) -> Result<Draft, Problem> {
        let mut draft = Draft {
            method: self.method.clone(),
            target: self.target.clone(),
            headers: self.headers.clone(),
            body: self.body.clone(),
        };
        if let Some(credential) = &self.credential {
            inject::join(credential, &mut draft, self.clock)?;
        }
        Ok(draft)
    }

    fn terms(self) -> Terms {
        Terms {
            target: self.target,
            deadline: self.deadline,
            max: self.max_response,
            masker: self.masker,
            slot: self.slot,
        }
    }

    /// Turns to the place the upstream names; the loop checks whether it may be reached.
    fn redirect(&mut self, status: StatusCode, location: &HeaderValue) -> Result<(), Problem> {
        let text = location.to_str().map_err(|_| Problem::RedirectMalformed)?;
        let next = self.target.redirected(text)?;
        let safe = self.method == Method::GET || self.method == Method::HEAD;
        let keeps = [StatusCode::TEMPORARY_REDIRECT, StatusCode::PERMANENT_REDIRECT];
        if !keeps.contains(&status) && !safe {
            // As published: whatever was asked, the answer lies elsewhere, to be got.
            self.method = Method::GET;
            self.body = Bytes::new();
            headers::without_body(&mut self.headers);
        }
        if !next.same_origin(&self.target) {
            // First of all: every other refusal names the host, and a host may be the credential.
            // Hosts lose their case.
            if self.masker.finds(location.as_bytes()) {
                return Err(Problem::CredentialInRedirect { host: self.target.host().clone() });
            }
            if self.method != Method::GET && self.method != Method::HEAD {
                return Err(Problem::EffectWouldMove { host: next.host().clone() });
            }
            // For good: a way back must not bring it back.
            self.credential = None;
            if let Owner::Binding(connector, _) = &self.owner {
                self.owner = Owner::Connector(connector.clone());
            }
            self.body = Bytes::new();
            headers::without_body(&mut self.headers);
        }
        self.target = next;
        Ok(())
    }
}

/// Where the answer wants us to go, if it is a redirect that we follow.
fn location(status: StatusCode, headers: &HeaderMap) -> Option<&HeaderValue> {
    let followed = [
        StatusCode::MOVED_PERMANENTLY,
        StatusCode::FOUND,
        StatusCode::SEE_OTHER,
        StatusCode::TEMPORARY_REDIRECT,
        StatusCode::PERMANENT_REDIRECT,
    ];
    if followed.contains(&status) { headers.get(header::LOCATION) } else { None }
}
