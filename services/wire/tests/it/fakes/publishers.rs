use aileron_contract::{
    Context, Publishers, Result,
    names::{Authority, Fqn},
    publishers::{
        Confirmation, DistrustRequest, HubCopy, HubDecision, HubFound, HubKind, HubListing,
        HubQuery, Keyring, PublishedKey, TrustRequest, Trusted, TrustedKey,
    },
};
use async_trait::async_trait;

use super::Stage;
use crate::samples::publishers as samples;

#[derive(Default)]
pub(crate) struct FakePublishers {
    pub(crate) stage: Stage,
}

#[async_trait]
impl Publishers for FakePublishers {
    async fn keyring(&self, context: &Context) -> Result<Keyring> {
        self.stage.enter("keyring", &context).map(samples::keyring)
    }

    async fn published_key(&self, context: &Context, authority: Authority) -> Result<PublishedKey> {
        self.stage.enter("published_key", &(context, authority)).map(samples::published_key)
    }

    async fn trust(&self, context: &Context, request: TrustRequest) -> Result<Trusted> {
        self.stage.enter("trust", &(context, request)).map(samples::trusted)
    }

    async fn distrust(
        &self,
        context: &Context,
        request: DistrustRequest,
    ) -> Result<Vec<TrustedKey>> {
        self.stage.enter("distrust", &(context, request)).map(samples::keys)
    }
    async fn hub(&self, context: &Context, query: HubQuery) -> Result<HubListing> {
        self.stage.enter("hub", &(context, query)).map(samples::listing)
    }

    async fn hub_entry(
        &self,
        context: &Context,
        fqn: Fqn,
        kind: Option<HubKind>,
    ) -> Result<HubFound> {
        self.stage.enter("hub_entry", &(context, fqn, kind)).map(samples::found)
    }

    async fn hub_refresh(&self, context: &Context) -> Result<HubCopy> {
        self.stage.enter("hub_refresh", &context).map(samples::copy)
    }

    async fn hub_decision(
        &self,
        context: &Context,
        fqn: Fqn,
        kind: HubKind,
    ) -> Result<HubDecision> {
        self.stage.enter("hub_decision", &(context, fqn, kind)).map(samples::decision)
    }
    async fn confirm(&self, context: &Context, confirmation: Confirmation) -> Result<Vec<Trusted>> {
        self.stage.enter("confirm", &(context, confirmation)).map(samples::all_trusted)
    }
}
