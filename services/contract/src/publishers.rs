//! Whom a person trusts to sign packages, and what publishers offer.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    Context, Result, Timestamp,
    names::{Authority, Fqn},
    packages::{ActionRequest, ConnectorRequest},
};

mod hub;
pub use hub::{
    ActionOffer, ConnectorOffer, HubAuthority, HubConflict, HubConflictKind, HubCopy, HubDecision,
    HubEntry, HubFound, HubKind, HubListing, HubOffer, HubProblem, HubQuery, HubRisk, SuiteOffer,
    TrustState,
};

/// How the other rooms hold the contract, wherever its service runs.
pub type Handle = Arc<dyn Publishers>;

/// Keeps the keyring. Looking is cheap and changes nothing; trusting is for persons.
#[async_trait]
pub trait Publishers: Send + Sync + 'static {
    /// Trusted keys, sorted by authority. `verified` is none while the vault is locked.
    async fn keyring(&self, context: &Context) -> Result<Keyring>;

    /// Looks up the key a repository publishes, without trusting it; for an owner, the key that
    /// the first of its connectors in the Hub names.
    async fn published_key(&self, context: &Context, authority: Authority) -> Result<PublishedKey>;

    /// Trusts a key for an authority. Trusting a known key again changes nothing.
    async fn trust(&self, context: &Context, request: TrustRequest) -> Result<Trusted>;

    /// Stops trusting; returns what was removed, empty when nothing matched.
    async fn distrust(
        &self,
        context: &Context,
        request: DistrustRequest,
    ) -> Result<Vec<TrustedKey>>;

    /// What the Hub lists, from the runtime's copy. The copy is fetched when there is none or when
    /// it is old; one that cannot be renewed is used with a warning. `hub_unreachable` when there
    /// is none, `hub_disabled` when the configuration says so.
    async fn hub(&self, context: &Context, query: HubQuery) -> Result<HubListing>;

    /// One entry; `not_found`. Without a kind, the kind its name says.
    async fn hub_entry(
        &self,
        context: &Context,
        fqn: Fqn,
        kind: Option<HubKind>,
    ) -> Result<HubFound>;

    /// Asks the Hub anew, whatever the age of the copy. Who is no person asks once in
    /// `limits::HUB_PAUSE`; until then the copy answers as it is, or the error that was met.
    async fn hub_refresh(&self, context: &Context) -> Result<HubCopy>;

    /// What a person should know before installing what an entry offers: the keys of its
    /// publishers, fetched now, and whether they are trusted. `not_found`, `key_fetch_failed`;
    /// `validation_error` when a connector it needs is not listed.
    async fn hub_decision(&self, context: &Context, fqn: Fqn, kind: HubKind)
    -> Result<HubDecision>;

    /// Trusts the keys a person confirmed by their fingerprints, each for the repository of the
    /// Hub's connector that names it: all of them or none, and only once what is wanted verifies with
    /// them. `fingerprint_mismatch` when a key is another one, `hub_conflict` when its entry is
    /// not believed.
    async fn confirm(&self, context: &Context, confirmation: Confirmation) -> Result<Vec<Trusted>>;
}

/// Which keys are trusted, and whether the file that says so can be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyring {
    pub keys: Vec<TrustedKey>,
    /// Does the file still carry what persons trusted? None while the vault is locked.
    pub verified: Option<bool>,
    pub path: String,
}

/// A key and whose packages it may sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedKey {
    pub authority: Authority,
    /// Ed25519, raw.
    pub key: [u8; 32],
    /// `sha256:` and the first 22 characters of the unpadded base64 of the key's SHA-256.
    pub fingerprint: String,
}

/// A key as its repository publishes it: to be compared and then trusted, or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedKey {
    pub authority: Authority,
    pub key: [u8; 32],
    pub fingerprint: String,
    /// Already trusted for this authority or its owner.
    pub trusted: bool,
    pub fetched_at: Timestamp,
    /// The address it was fetched from.
    pub source: String,
}

/// A key to trust, and for whose packages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustRequest {
    pub authority: Authority,
    pub key: [u8; 32],
}

/// What became of a request to trust a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trusted {
    pub key: TrustedKey,
    pub already: bool,
    pub path: String,
}

/// Which keys to stop trusting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DistrustRequest {
    Authority(Authority),
    Fingerprint(String),
}

/// What is about to be installed, and the keys a person confirmed for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmation {
    pub wanted: Wanted,
    pub keys: Vec<ConfirmedKey>,
}

/// What a person wants to install.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    Connector(ConnectorRequest),
    Action(ActionRequest),
}

/// A key that a person confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfirmedKey {
    /// The connector of the Hub that names the key.
    pub connector: Fqn,
    /// The short form, or the whole digest.
    pub fingerprint: String,
}
