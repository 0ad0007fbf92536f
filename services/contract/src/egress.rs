//! The one place where requests leave the house.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;

use crate::{
    Context, Result, Stream,
    credential::Form,
    failure::Failure,
    names::{BindingName, Fqn, HostPort, SecretName},
};

/// How the other rooms hold the contract, wherever its service runs.
pub type Handle = Arc<dyn Egress>;

/// Sends requests to the outside. Two doors: [`send`](Egress::send) joins a credential,
/// [`fetch`](Egress::fetch) never does. Both check addresses after resolution and dial the
/// address they checked, cap bodies, and ignore proxy variables.
#[async_trait]
pub trait Egress: Send + Sync + 'static {
    /// Sends one request of a connector. The host must be allowed by the manifest *and*, when a
    /// credential is asked for, by the binding's sealed consent. Redirects are re-checked and
    /// drop the credential on a change of host. A credential reflected in the answer is masked.
    ///
    /// The outer error is the boundary's (locked vault, lost service); everything that can go
    /// wrong with the request itself is an [`Outcome::Failed`].
    async fn send(&self, context: &Context, request: Request) -> Result<Outcome>;

    /// Fetches a package, a key or a listing: `GET`, never with a bound credential; a source's
    /// token may be a secret of the vault. Redirects are followed only to hosts of `request.redirects`, and drop `authorization`.
    async fn fetch(&self, context: &Context, request: Fetch) -> Result<Outcome>;
}

/// What a connector asks to send.
#[derive(Clone, Debug)]
pub struct Request {
    pub connector: Fqn,
    /// Hosts the installed manifest declares.
    pub allowed: Vec<HostPort>,
    pub credential: Option<CredentialUse>,
    pub method: String,
    pub url: String,
    /// Guest headers, one value per name.
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
    /// Declared to do no harm when it is carried out twice. Where an upstream refuses a token that
    /// can be replaced, such a request is sent a second time, and so is one that only reads.
    pub idempotent: bool,
    /// Refuse bodies longer than this, in bytes, after decompression.
    pub max_response: u64,
    /// Give up after this long, from the call to the last byte.
    pub timeout: Duration,
}

/// Which credential to join, and how the manifest wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialUse {
    pub form: Form,
    /// The binding to use; none picks the [preferred](crate::bindings::Binding::preferred) one of the
    /// connector and kind, and of several signing keys the one for the region of the request's
    /// host.
    pub binding: Option<BindingName>,
}

/// A package, key or listing to fetch.
#[derive(Clone, Debug)]
pub struct Fetch {
    pub url: String,
    pub accept: Option<String>,
    /// The entity tag of an earlier answer: a source that still has that one says so with the
    /// status 304 and no body.
    pub if_none_match: Option<String>,
    /// Sent to the first host only.
    pub authorization: Option<Authorization>,
    /// Hosts a redirect may lead to, besides the URL's own.
    pub redirects: Vec<HostPort>,
    pub max_response: u64,
    pub timeout: Duration,
}

/// A source's token.
#[derive(Clone, Debug)]
pub enum Authorization {
    /// The token itself (`GH_TOKEN`).
    Token(Arc<crate::Secret>),
    /// A secret of the vault, by its name: it never leaves there but to a host that the vault's
    /// own configuration lists for it.
    Stored(SecretName),
}

/// What became of a request.
#[derive(Debug)]
pub enum Outcome {
    Answered(Response),
    Failed(SendFailure),
}

/// An upstream's answer. The body ends with an error when it is cut, late or too long.
pub struct Response {
    pub status: u16,
    /// In order, lower-case names; credentials and cookies of the upstream are left out.
    pub headers: Vec<(String, String)>,
    pub body: Stream<Bytes>,
    /// The binding whose credential was joined.
    pub binding: Option<BindingName>,
}

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Response").field("status", &self.status).finish_non_exhaustive()
    }
}

/// Why there is no answer, and whether the upstream may have acted all the same.
#[derive(Clone, Debug, PartialEq)]
pub struct SendFailure {
    pub sent: Sent,
    pub failure: Failure,
}

/// May the upstream have received the request?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sent {
    /// Not one byte of the request left: it can be tried again without harm.
    NotSent,
    /// It may have been received and acted upon.
    MaybeSent,
}
