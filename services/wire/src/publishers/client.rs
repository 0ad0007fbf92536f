//! Publishers kept somewhere else.

use aileron_contract::{
    Context, Publishers, Result, limits,
    names::{Authority, Fqn},
    publishers::{
        Confirmation, DistrustRequest, HubCopy, HubDecision, HubFound, HubKind, HubListing,
        HubQuery, Keyring, PublishedKey, TrustRequest, Trusted, TrustedKey,
    },
};
use aileron_proto::executor::v1::{self as pb, publishers_service_client::PublishersServiceClient};
use async_trait::async_trait;

use crate::{call::Link, channel::Channel, context::context_to_wire, message::Wire};

/// The publishers service behind a channel.
#[derive(Clone, Debug)]
pub struct Remote {
    link: Link,
    client: PublishersServiceClient<tonic::transport::Channel>,
}

impl Remote {
    /// Calls the publishers service through `channel`; nothing is dialled yet.
    pub fn new(channel: Channel) -> Self {
        let client = PublishersServiceClient::new(channel.transport())
            .max_decoding_message_size(limits::ANSWER);
        Self { link: Link { channel, service: "publishers" }, client }
    }

    fn client(&self) -> PublishersServiceClient<tonic::transport::Channel> {
        self.client.clone()
    }
}

#[async_trait]
impl Publishers for Remote {
    async fn keyring(&self, context: &Context) -> Result<Keyring> {
        let request =
            self.link.request(pb::GetKeyringRequest { context: context_to_wire(context) })?;
        let pb::GetKeyringResponse { keyring } =
            self.link.call(context, self.client().get_keyring(request)).await?;
        self.link.read(keyring, "keyring")
    }

    async fn published_key(&self, context: &Context, authority: Authority) -> Result<PublishedKey> {
        let request = self.link.request(pb::LookUpKeyRequest {
            context: context_to_wire(context),
            authority: authority.into_wire(),
        })?;
        let pb::LookUpKeyResponse { key } =
            self.link.call(context, self.client().look_up_key(request)).await?;
        self.link.read(key, "key")
    }

    async fn trust(&self, context: &Context, request: TrustRequest) -> Result<Trusted> {
        let TrustRequest { authority, key } = request;
        let request = self.link.request(pb::TrustRequest {
            context: context_to_wire(context),
            authority: authority.into_wire(),
            key: key.into_wire(),
        })?;
        let trusted = self.link.call(context, self.client().trust(request)).await?;
        self.link.read(trusted, "trusted")
    }

    async fn distrust(
        &self,
        context: &Context,
        request: DistrustRequest,
    ) -> Result<Vec<TrustedKey>> {
        let request = self.link.request(pb::DistrustRequest {
            context: context_to_wire(context),
            which: request.into_wire(),
        })?;
        let pb::DistrustResponse { removed } =
            self.link.call(context, self.client().distrust(request)).await?;
        self.link.read(removed, "removed")
    }
    async fn hub(&self, context: &Context, query: HubQuery) -> Result<HubListing> {
        let HubQuery { kind, text } = query;
        let request = self.link.request(pb::HubRequest {
            context: context_to_wire(context),
            kind: kind.into_wire(),
            text,
        })?;
        let pb::HubResponse { listing } =
            self.link.call(context, self.client().hub(request)).await?;
        self.link.read(listing, "listing")
    }

    async fn hub_entry(
        &self,
        context: &Context,
        fqn: Fqn,
        kind: Option<HubKind>,
    ) -> Result<HubFound> {
        let request = self.link.request(pb::GetHubEntryRequest {
            context: context_to_wire(context),
            fqn: fqn.into_wire(),
            kind: kind.into_wire(),
        })?;
        let pb::GetHubEntryResponse { found } =
            self.link.call(context, self.client().get_hub_entry(request)).await?;
        self.link.read(found, "found")
    }

    async fn hub_refresh(&self, context: &Context) -> Result<HubCopy> {
        let request =
            self.link.request(pb::RefreshHubRequest { context: context_to_wire(context) })?;
        let pb::RefreshHubResponse { copy } =
            self.link.call(context, self.client().refresh_hub(request)).await?;
        self.link.read(copy, "copy")
    }

    async fn hub_decision(
        &self,
        context: &Context,
        fqn: Fqn,
        kind: HubKind,
    ) -> Result<HubDecision> {
        let request = self.link.request(pb::GetHubDecisionRequest {
            context: context_to_wire(context),
            fqn: fqn.into_wire(),
            kind: kind.into_wire(),
        })?;
        let pb::GetHubDecisionResponse { decision } =
            self.link.call(context, self.client().get_hub_decision(request)).await?;
        self.link.read(decision, "decision")
    }
    async fn confirm(&self, context: &Context, confirmation: Confirmation) -> Result<Vec<Trusted>> {
        let Confirmation { wanted, keys } = confirmation;
        let request = self.link.request(pb::ConfirmRequest {
            context: context_to_wire(context),
            wanted: wanted.into_wire(),
            keys: keys.into_wire(),
        })?;
        let pb::ConfirmResponse { trusted } =
            self.link.call(context, self.client().confirm(request)).await?;
        self.link.read(trusted, "trusted")
    }
}
