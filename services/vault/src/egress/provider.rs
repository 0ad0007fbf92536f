//! Asking an OAuth provider: one form, one answer, over the same connections and under the same
//! rules as everything else that leaves. No redirects: a provider that moves is not followed with
//! a secret in hand.

use std::sync::{
    Arc,
    atomic::{AtomicU16, Ordering},
};

use aileron_contract::{
    egress::Sent,
    limits,
    names::{BindingName, HostPort},
};
use bytes::Bytes;
use futures::{StreamExt as _, future::BoxFuture};
use http::{Request, Response};
use oauth2::AsyncHttpClient;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::{
    body::{self, Terms},
    deadline::Deadline,
    headers,
    mask::Masker,
    network::{Draft, Network, Owner},
    policy::{Permit, Policy},
    problem::Problem,
    target::Target,
};

/// One question to a provider, in the name of one binding.
pub(crate) struct Line<'a> {
    pub(crate) network: &'a Arc<Network>,
    pub(crate) binding: &'a BindingName,
    /// What the person consented to: a provider at a private address has to be among these.
    pub(crate) hosts: &'a [HostPort],
    pub(crate) deadline: Instant,
    /// Of the last answer; 0 before there is one. Errors of the library do not carry it.
    pub(crate) status: AtomicU16,
}

/// No answer, and whether the provider may have heard the question.
#[derive(Debug, thiserror::Error)]
#[error("{problem}")]
pub(crate) struct Lost {
    pub(crate) sent: Sent,
    pub(crate) problem: Problem,
}

impl<'c> AsyncHttpClient<'c> for Line<'_> {
    type Error = Lost;
    type Future = BoxFuture<'c, Result<Response<Vec<u8>>, Lost>>;

    fn call(&'c self, request: Request<Vec<u8>>) -> Self::Future {
        Box::pin(self.ask(request))
    }
}

impl Line<'_> {
    /// Sends the request and reads the whole answer.
    pub(crate) async fn ask(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, Lost> {
        let unsent = |problem| Lost { sent: Sent::NotSent, problem };
        let (head, form) = request.into_parts();
        let target = Target::parse(&head.uri.to_string()).map_err(unsent)?;
        let permit = self.permit(&target).map_err(unsent)?;
        let mut headers = head.headers;
        headers::complete(&mut headers);
        let form = Bytes::from_owner(Zeroizing::new(form));
        let host = target.host().clone();
        let of_answer = target.clone();
        let draft = Box::new(Draft { method: head.method, target, headers, body: form });
        let owner = Owner::Provider(self.binding.clone());
        let mut deadline = Deadline::new(self.deadline);
        let (answer, lease) = self
            .network
            .exchange(draft, &owner, permit, &mut deadline)
            .await
            .map_err(|(sent, problem)| Lost { sent, problem })?;
        self.status.store(answer.status().as_u16(), Ordering::Relaxed);
        let lost = |problem| Lost { sent: Sent::MaybeSent, problem };
        let (head, incoming) = answer.into_parts();
        let terms = Terms {
            target: of_answer,
            deadline,
            max: limits::OAUTH_ANSWER,
            masker: Masker::default(),
            slot: None,
        };
        let mut stream = body::stream(&head.headers, incoming, lease, terms).map_err(lost)?;
        let mut body = Vec::new();
        while let Some(part) = stream.next().await {
            let part = part.map_err(|error| {
                lost(Problem::Broken { host: host.clone(), why: error.public().to_owned() })
            })?;
            body.extend_from_slice(&part);
        }
        Ok(Response::from_parts(head, body))
    }

    /// Public addresses over https. Where the person consented to the host itself, what they
    /// consented to for any credential: this machine, an address, a name that is never public.
    fn permit(&self, target: &Target) -> Result<Permit, Problem> {
        let policy = if self.hosts.contains(target.host()) {
            Policy::Send { declared: self.hosts.to_vec(), consent: None }
        } else {
            let (first, nowhere) = (target.host().clone(), Vec::new());
            Policy::Fetch { first, redirects: nowhere.clone(), private: nowhere }
        };
        policy.permit(target)
    }
}
