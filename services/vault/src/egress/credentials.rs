//! What egress asks of the vault.

use aileron_contract::{
    Secret,
    credential::{Reach, SigningWord},
    egress::CredentialUse,
    failure::Failure,
    names::{BindingName, Fqn, HostPort},
};
use async_trait::async_trait;

/// Hands one credential to egress, for one request.
#[async_trait]
pub trait Credentials: Send + Sync + 'static {
    /// The credential of the connector that fits `wanted`, together with the consent sealed with
    /// it. `host` is where the request goes: of several signing keys, its region picks one.
    /// Whether the credential may go there is not asked: egress holds it against `reach`.
    async fn resolve(
        &self,
        connector: &Fqn,
        wanted: &CredentialUse,
        host: &HostPort,
    ) -> Result<Resolved, Failure>;

    /// The binding's credential was joined to a request that is about to leave.
    async fn used(&self, binding: &BindingName);
}

/// A credential and the consent that bounds its use.
#[derive(Debug)]
pub struct Resolved {
    pub binding: BindingName,
    /// What the person consented to. A binding of an older file consented to no form: its form
    /// is the wanted one.
    pub reach: Reach,
    /// What joins the request: a key, a token, `user:password`; with `oauth2` an access token
    /// that is fresh enough, with `aws_sigv4` the signing key as it is stored.
    pub value: Secret,
    /// Of a signing key.
    pub access_key_id: Option<SigningWord>,
    /// Of a signing key.
    pub region: Option<SigningWord>,
}
