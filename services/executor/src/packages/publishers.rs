//! The contract about publishers: the keyring, the keys they publish, and the Hub.

use aileron_contract::{
    Context, Publishers, Result, Scope,
    names::{Authority, Fqn},
    publishers::{
        Confirmation, DistrustRequest, HubCopy, HubDecision, HubFound, HubKind, HubListing,
        HubQuery, Keyring, PublishedKey, TrustRequest, Trusted, TrustedKey,
    },
};
use async_trait::async_trait;

use super::{Parts, catalog::Catalog, hub, trust};

/// The contract's implementation. Mutations run on the tracker: they end even when the caller
/// is gone.
pub(super) struct Door {
    pub(super) parts: Parts,
    pub(super) catalog: Catalog,
}

#[async_trait]
impl Publishers for Door {
    async fn keyring(&self, context: &Context) -> Result<Keyring> {
        context.require(Scope::KeyringList)?;
        trust::list(&self.parts).await
    }

    async fn published_key(&self, context: &Context, authority: Authority) -> Result<PublishedKey> {
        context.require(Scope::PackagesPreview)?;
        trust::published(&self.parts.seen_by(context), authority).await
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

    async fn hub(&self, context: &Context, query: HubQuery) -> Result<HubListing> {
        context.require(Scope::PackagesPreview)?;
        self.view().await?.listing(&query)
    }

    async fn hub_entry(
        &self,
        context: &Context,
        fqn: Fqn,
        kind: Option<HubKind>,
    ) -> Result<HubFound> {
        context.require(Scope::PackagesPreview)?;
        self.view().await?.found(&fqn, kind)
    }

    async fn hub_refresh(&self, context: &Context) -> Result<HubCopy> {
        context.require(Scope::PackagesPreview)?;
        let (hub, person) = (self.parts.hub.clone(), context.principal.is_person());
        self.parts.owned(async move { hub.refresh(person).await }).await
    }

    async fn hub_decision(
        &self,
        context: &Context,
        fqn: Fqn,
        kind: HubKind,
    ) -> Result<HubDecision> {
        context.require(Scope::PackagesPreview)?;
        hub::decide::decision(&self.parts, &fqn, kind).await
    }

    async fn confirm(&self, context: &Context, confirmation: Confirmation) -> Result<Vec<Trusted>> {
        context.require(Scope::KeyringTrust)?;
        let keys = hub::confirm::keys(&self.parts, &self.catalog, confirmation).await?;
        let (parts, context) = (self.parts.clone(), context.clone());
        self.parts.owned(async move { trust::trust_all(&parts, &context, keys).await }).await
    }
}

impl Door {
    /// A copy that is being renewed is renewed to its end, whatever becomes of the caller.
    async fn view(&self) -> Result<hub::View> {
        let hub = self.parts.hub.clone();
        self.parts.owned(async move { hub.view().await }).await
    }
}
