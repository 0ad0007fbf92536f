//! The contract about publishers: the keyring, and the keys they publish.

use aileron_contract::{
    Context, Publishers, Result, Scope,
    names::Authority,
    publishers::{DistrustRequest, Keyring, PublishedKey, TrustRequest, Trusted, TrustedKey},
};
use async_trait::async_trait;

use super::{Parts, trust};

/// The contract's implementation. Mutations run on the tracker: they end even when the caller
/// is gone.
pub(super) struct Door {
    pub(super) parts: Parts,
}

#[async_trait]
impl Publishers for Door {
    async fn keyring(&self, context: &Context) -> Result<Keyring> {
        context.require(Scope::KeyringList)?;
        trust::list(&self.parts).await
    }

    async fn published_key(&self, context: &Context, authority: Authority) -> Result<PublishedKey> {
        context.require(Scope::PackagesPreview)?;
        trust::published(&self.parts, authority).await
    }

    async fn trust(&self, context: &Context, request: TrustRequest) -> Result<Trusted> {
        context.require(Scope::KeyringTrust)?;
        let (parts, context) = (self.parts.clone(), context.clone());
        self.parts.owned(async move { trust::trust(&parts, &context, request).await }).await
    }

    async fn distrust(
        &self,
        context: &Context,
        request: DistrustRequest,
    ) -> Result<Vec<TrustedKey>> {
        context.require(Scope::KeyringTrust)?;
        let (parts, context) = (self.parts.clone(), context.clone());
        self.parts.owned(async move { trust::distrust(&parts, &context, request).await }).await
    }
}
