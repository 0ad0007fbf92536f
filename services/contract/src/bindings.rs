//! The life of bindings: how a credential is bound, by hand or at its provider (OAuth 2.0), what
//! a person agrees to with it, and how it ends. Lives with the vault, which keeps every value:
//! what crosses this contract is what a person sees, never a credential.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use crate::{
    Context, Result, Secret, Timestamp,
    closed::closed,
    credential::Oauth2Client,
    names::{BindingName, Fqn, HostPort},
};

mod binding;

pub use binding::{Binding, BindingFilter, BindingStatus, Consent, StaleReason};

pub type Handle = Arc<dyn Bindings>;

/// Setups wait in memory, for ten minutes at most: a restart forgets them, and so does locking
/// the vault.
#[async_trait]
pub trait Bindings: Send + Sync + 'static {
    /// Seals a credential together with the consent that bounds its use. Its kind is that of the
    /// consented form. A signing key (`aws_sigv4`) is the secret access key's bytes or, with a
    /// session token, a JSON object `{"secret_access_key", "session_token"}`.
    async fn bind(&self, context: &Context, consent: Consent, value: Secret) -> Result<Binding>;

    /// Renews a consent: the hosts are those of now, the sealed value stays. For what a person has
    /// at hand, in the form it was bound in; where a provider gives the credential, or the form is
    /// another, this is refused. `binding_not_found`.
    async fn agree(&self, context: &Context, consent: Consent) -> Result<Binding>;

    /// Lists bindings, sorted by name. Works while locked; each says whether it is verified.
    async fn list(&self, context: &Context, filter: BindingFilter) -> Result<Vec<Binding>>;

    /// Tells the hosts an installed connector declares. Bindings of older files that carry no
    /// consented hosts take these, once, logged; bindings whose consent does not cover a declared
    /// host become `stale`. Returns the bindings that became stale now.
    async fn declare_hosts(
        &self,
        context: &Context,
        connector: Fqn,
        hosts: Vec<HostPort>,
    ) -> Result<Vec<BindingName>>;

    /// Prepares the authorization code grant (RFC 6749, with PKCE S256) and says where to send
    /// the person. Refuses at once what could not be finished: a locked vault, a consent that
    /// cannot be stored, `binding_exists`; `binding_not_found` when there is nothing to authorize
    /// again.
    async fn begin(&self, context: &Context, begin: Begin) -> Result<Begun>;

    /// Trades the code for tokens and stores them. For setups of a command line, which has caught
    /// the redirect itself. A wrong `state` ends the setup, and so does an answer that says it
    /// comes from another provider (`issuer_mismatch`).
    async fn finish(&self, context: &Context, finish: Finish) -> Result<Finished>;

    /// The same for setups of a browser, whose redirect arrives at the daemon without any token:
    /// `state` says which setup it is, and the cookie that this is the browser which began it.
    /// Another browser's is refused (`browser_mismatch`) and the setup goes on waiting for the
    /// right one. Asks no right: the right was needed to begin.
    async fn callback(&self, context: &Context, callback: Callback) -> Result<Landed>;

    /// Begins the device authorization grant (RFC 8628), for machines without a browser;
    /// `device_unsupported` when the provider has no endpoint for it.
    async fn begin_device(&self, context: &Context, begin: BeginDevice) -> Result<DeviceBegun>;

    /// Asks whether the person has answered. The provider is asked at its own pace, however often
    /// this is called. Once done, it stays done until the setup would have expired.
    async fn poll_device(&self, context: &Context, session: Secret) -> Result<DevicePoll>;

    /// Removes a binding for good, and tells its provider (RFC 7009) where that has an endpoint
    /// for it. A provider that cannot be told does not keep the binding alive: the answer says so.
    async fn revoke(&self, context: &Context, name: BindingName) -> Result<Revoked>;

    /// Chooses the binding that is used where several of its connector and kind fit and a call
    /// names no identity; an earlier choice among them ends. `binding_not_found`.
    async fn set_default(&self, context: &Context, name: BindingName) -> Result<Binding>;

    /// Tells the scopes an installed connector declares. Bindings that were not granted all of
    /// them become `stale` (`scope_drift`, or `no_grant_record` when nobody wrote down what they
    /// were granted). Returns those that became stale now.
    async fn declare_scopes(
        &self,
        context: &Context,
        connector: Fqn,
        scopes: Vec<String>,
    ) -> Result<Vec<BindingName>>;
}

closed! {
    /// Why a person is sent to the provider.
    Purpose {
        Setup = "setup",
        /// The binding exists and keeps its day of creation and its account; the provider is told
        /// to ask for consent again.
        Reauthorize = "reauthorize",
    }
}

/// A setup with a browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begin {
    /// Of kind `oauth2`. Its hosts are the ones the token may go to; a provider that lives at a
    /// private or loopback address has to be among them.
    pub consent: Consent,
    pub client: Oauth2Client,
    pub purpose: Purpose,
    pub caller: Caller,
}

/// Who catches the redirect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// A command line, on this loopback port. Whoever shares its machine picks a free one.
    Cli { port: u16 },
    /// The daemon. `return_to` is where the browser goes in the end, on this machine only.
    Daemon { callback_url: String, return_to: String },
}

/// A setup that waits for the person.
#[derive(Debug)]
pub struct Begun {
    pub session: Secret,
    pub authorize_url: String,
    pub redirect_uri: String,
    /// For the browser that begins, when the daemon catches the redirect: to be set for the
    /// callback's path alone, `HttpOnly`, `SameSite=Lax`, until `expires_at`.
    pub browser_cookie: Option<Secret>,
    pub expires_at: Timestamp,
}

#[derive(Debug)]
pub struct Finish {
    pub session: Secret,
    pub state: Secret,
    pub code: Secret,
    /// Who says to have answered: `iss` of RFC 9207, where the provider sends it.
    pub issuer: Option<String>,
}

/// A command line's setup that is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    pub binding: Binding,
    pub purpose: Purpose,
}

/// What a provider's redirect carried, and which browser brought it.
#[derive(Debug)]
pub struct Callback {
    pub state: Secret,
    pub answer: Answer,
    pub cookie: Option<Secret>,
    /// Who says to have answered: `iss` of RFC 9207, where the provider sends it.
    pub issuer: Option<String>,
}

#[derive(Debug)]
pub enum Answer {
    Code(Secret),
    /// The provider's `error`, such as `access_denied`. Its description is not asked for: it is
    /// the provider's text in our page.
    Refused(String),
}

/// A finished setup, and where its browser goes now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Landed {
    pub return_to: String,
    pub binding: Binding,
}

/// A setup without a browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BeginDevice {
    pub consent: Consent,
    pub client: Oauth2Client,
    pub purpose: Purpose,
}

/// What the person needs to answer elsewhere.
#[derive(Debug)]
pub struct DeviceBegun {
    pub session: Secret,
    pub user_code: String,
    pub verification_uri: String,
    /// The same with the code in it.
    pub verification_uri_complete: Option<String>,
    pub expires_at: Timestamp,
    pub interval: Duration,
}

/// How far a device's setup is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DevicePoll {
    /// Come back after this long.
    Pending {
        interval: Duration,
    },
    /// The provider wants to be asked less often: come back after this long.
    SlowDown {
        interval: Duration,
    },
    Done(Box<Binding>),
    Denied,
    Expired,
}

/// What became of a binding that was revoked: gone here, whatever the provider said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// There was nothing to tell a provider, or none that can be told.
    Here,
    AtProvider,
    /// The sentence says why the provider may still honour its tokens.
    NotAtProvider(String),
}
