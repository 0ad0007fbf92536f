//! What egress asks of the vault.

use aileron_contract::{
    Secret,
    credential::{CredentialKind, Reach},
    egress::CredentialUse,
    failure::Failure,
    names::{BindingName, Fqn},
};
use async_trait::async_trait;

/// Hands one credential to egress, for one request.
#[async_trait]
pub trait Credentials: Send + Sync + 'static {
    /// The credential of the connector that fits `wanted`, together with the consent sealed with
    /// it. Which host the request goes to is not asked: egress holds it against `reach`.
    async fn resolve(&self, connector: &Fqn, wanted: &CredentialUse) -> Result<Resolved, Failure>;

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
    pub kind: CredentialKind,
    pub value: Secret,
}
