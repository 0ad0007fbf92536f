//! A guest's way to the network: what its manifest allows goes to egress, what may change
//! something is recorded first, and what may have happened is remembered.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use aileron_contract::{
    Context, Error, Kind, Reason, Stream,
    credential::CredentialNeed,
    egress::{self, CredentialUse, Outcome, Request, Sent},
    failure::{Boundary, Class, Failure},
    limits,
    names::{BindingName, SessionId},
};
use aileron_wasmhost::{GuestRequest, GuestResponse, Network};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;
use tokio::time::Instant;

use super::{lifecycle::Journal, outcome};
use crate::packages::store::Loaded;

/// The door of one call.
pub(super) struct Door {
    pub(super) egress: egress::Handle,
    /// Where a request that may change something is recorded first. Without one there is none: a
    /// preview changes nothing.
    pub(super) journal: Option<Arc<Journal>>,
    pub(super) connector: Arc<Loaded>,
    /// The binding that was approved or asked for; none lets egress pick one.
    pub(super) binding: Option<BindingName>,
    pub(super) session: Option<SessionId>,
    /// The step may be repeated without harm, by declaration.
    pub(super) repeatable: bool,
    pub(super) deadline: Instant,
    pub(super) seen: Mutex<Seen>,
}

/// What went through the door.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// A request other than GET and HEAD was asked for.
    pub(super) changing: bool,
    /// A request that may change something, and must not be repeated, may have been received,
    /// and nobody knows what came of it.
    pub(super) doubt: bool,
    /// The last request got no answer.
    pub(super) unreached: bool,
    /// Of the last answer.
    pub(super) status: Option<u16>,
    /// The binding whose credential was joined last.
    pub(super) binding: Option<BindingName>,
}

#[async_trait]
impl Network for Door {
    async fn http(&self, request: GuestRequest) -> Result<GuestResponse, Failure> {
        let changing = !matches!(request.method.as_str(), "GET" | "HEAD");
        let credential = self.credential(request.credential.as_deref())?;
        let risky = changing && !self.repeatable;
        {
            let mut seen = self.look();
            if seen.doubt {
                return Err(in_doubt());
            }
            seen.changing |= changing;
        }
        if risky {
            let Some(journal) = &self.journal else { return Err(unrecordable()) };
            journal.about_to_send().await.map_err(|error| not_recorded(&error))?;
        }
        // Whatever ends this call early leaves the doubt behind.
        let pending = Pending::new(self, risky);
        let context = Context { session: self.session.clone(), ..Context::service("executor") };
        let outcome = self.egress.send(&context, self.request(request, credential)).await;
        match outcome {
            Ok(Outcome::Answered(response)) => {
                {
                    let mut seen = self.look();
                    seen.status = Some(response.status);
                    seen.unreached = false;
                    if response.binding.is_some() {
                        seen.binding.clone_from(&response.binding);
                    }
                }
                let body = collect(response.body).await?;
                pending.known();
                Ok(GuestResponse { status: response.status, body })
            }
            Ok(Outcome::Failed(failed)) => {
                self.look().unreached = true;
                if failed.sent == Sent::NotSent {
                    pending.known();
                }
                Err(failed.failure)
            }
            Err(error) => {
                self.look().unreached = true;
                if surely_not_sent(&error) {
                    pending.known();
                }
                Err(boundary(&error))
            }
        }
    }
}

impl Door {
    /// What went through, once the guest has ended.
    pub(super) fn seen(&self) -> Seen {
        self.look().clone()
    }

    fn request(&self, request: GuestRequest, credential: Option<CredentialUse>) -> Request {
        Request {
            connector: self.connector.package.fqn.clone(),
            allowed: self.connector.manifest.hosts.clone(),
            credential,
            method: request.method,
            url: request.url,
            headers: request.headers,
            body: request.body,
            idempotent: self.repeatable,
            max_response: limits::GUEST_RESPONSE,
            timeout: self.remaining(),
        }
    }

    fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    fn credential(&self, asked: Option<&str>) -> Result<Option<CredentialUse>, Failure> {
        let Some(asked) = asked else { return Ok(None) };
        let denied = |message: String| {
            Failure::new(Class::CapabilityDenied, Boundary::Sandbox, message)
                .detail("boundary_detail", "connector_manifest")
                .detail("requested", format!("credential:{asked}"))
        };
        let Some(CredentialNeed { form, .. }) = self.connector.manifest.need() else {
            return Err(denied(format!(
                "the connector asked for a credential ({asked}) that its manifest does not declare"
            )));
        };
        let kind = form.kind();
        if kind.text() != asked {
            return Err(denied(format!(
                "the connector asked for a credential of kind {asked}; its manifest declares {kind}"
            ))
            .detail("declared", kind.text()));
        }
        Ok(Some(CredentialUse { form: form.clone(), binding: self.binding.clone() }))
    }

    fn look(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request whose effect is not known yet.
struct Pending<'a> {
    door: &'a Door,
    risky: bool,
}

impl<'a> Pending<'a> {
    fn new(door: &'a Door, risky: bool) -> Self {
        Self { door, risky }
    }

    /// The effect is known, or nothing was sent.
    fn known(mut self) {
        self.risky = false;
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if self.risky {
            self.door.look().doubt = true;
        }
    }
}

async fn collect(mut body: Stream<Bytes>) -> Result<Bytes, Failure> {
    let mut collected = BytesMut::new();
    while let Some(part) = body.next().await {
        let part = part.map_err(|error| boundary(&error))?;
        let length = collected.len().saturating_add(part.len());
        if u64::try_from(length).map_or(true, |length| length > limits::GUEST_RESPONSE) {
            return Err(Failure::new(
                Class::ResourceLimitExceeded,
                Boundary::Sandbox,
                "the answer is longer than a connector may read",
            )
            .detail("limit", "response")
            .detail("configured", format!("{} MiB", limits::GUEST_RESPONSE / (1024 * 1024))));
        }
        collected.extend_from_slice(&part);
    }
    Ok(collected.freeze())
}

/// Refusals that egress gives before it dials. Anything else may be a lost call.
fn surely_not_sent(error: &Error) -> bool {
    !matches!(error.kind(), Kind::Unavailable | Kind::Timeout | Kind::Internal)
}

/// An error of the boundary, as a run tells it.
fn boundary(error: &Error) -> Failure {
    match error.reason() {
        Reason::VaultLocked => outcome::vault_locked(false),
        Reason::VaultMissing => outcome::vault_locked(true),
        Reason::BodyTooLarge => {
            Failure::new(Class::ResourceLimitExceeded, Boundary::Sandbox, error.public().to_owned())
        }
        _ => Failure::new(
            Class::NetworkError,
            Boundary::External,
            format!("the request could not be carried out: {}", error.public()),
        )
        .retriable(true)
        .detail("reason", error.reason().code()),
    }
}

fn in_doubt() -> Failure {
    Failure::new(
        Class::NetworkError,
        Boundary::Runtime,
        "nobody knows whether the request before this one was carried out, so nothing more is sent",
    )
}

/// There is nothing to record it in.
fn unrecordable() -> Failure {
    Failure::new(
        Class::CapabilityDenied,
        Boundary::Runtime,
        "a preview must not change anything, so the request was not sent",
    )
}

/// What cannot be recorded is not sent.
fn not_recorded(error: &Error) -> Failure {
    match error.reason() {
        Reason::VaultLocked => outcome::vault_locked(false),
        Reason::VaultMissing => outcome::vault_locked(true),
        _ => Failure::new(
            Class::ConnectorRuntimeError,
            Boundary::Runtime,
            format!("the request could not be recorded, so it was not sent: {}", error.public()),
        )
        .detail("reason", error.reason().code()),
    }
}
