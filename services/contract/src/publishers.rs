//! Whom a person trusts to sign packages, and what publishers offer.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{Context, Result, Timestamp, names::Authority};

/// How the other rooms hold the contract, wherever its service runs.
pub type Handle = Arc<dyn Publishers>;

/// Keeps the keyring. Looking is cheap and changes nothing; trusting is for persons.
#[async_trait]
pub trait Publishers: Send + Sync + 'static {
    /// Trusted keys, sorted by authority. `verified` is none while the vault is locked.
    async fn keyring(&self, context: &Context) -> Result<Keyring>;

    /// Looks up the key a repository publishes, without trusting it.
    async fn published_key(&self, context: &Context, authority: Authority) -> Result<PublishedKey>;

    /// Trusts a key for an authority. Trusting a known key again changes nothing.
    async fn trust(&self, context: &Context, request: TrustRequest) -> Result<Trusted>;

    /// Stops trusting; returns what was removed, empty when nothing matched.
    async fn distrust(
        &self,
        context: &Context,
        request: DistrustRequest,
    ) -> Result<Vec<TrustedKey>>;
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
