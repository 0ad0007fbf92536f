//! Person sessions and tokens kept somewhere else.

use aileron_contract::{
    Access, Context, Principal, Result, Secret,
    access::{Caller, MintRequest, Minted, Opened, PersonSession, Token},
    limits,
    names::SessionId,
};
use aileron_proto::vault::v1::{self as pb, access_service_client::AccessServiceClient};
use async_trait::async_trait;

use crate::{call::Link, channel::Channel, context::context_to_wire, message::Wire};

/// The access service behind a channel.
#[derive(Clone, Debug)]
pub struct Remote {
    link: Link,
    client: AccessServiceClient<tonic::transport::Channel>,
}

impl Remote {
    /// Calls the access service through `channel`; nothing is dialled yet.
    pub fn new(channel: Channel) -> Self {
        let client =
            AccessServiceClient::new(channel.transport()).max_decoding_message_size(limits::ANSWER);
        Self { link: Link { channel, service: "access" }, client }
    }

    fn client(&self) -> AccessServiceClient<tonic::transport::Channel> {
        self.client.clone()
    }
}

#[async_trait]
impl Access for Remote {
    async fn open_session(&self, context: &Context, passphrase: Secret) -> Result<Opened> {
        let request = self.link.request(pb::OpenSessionRequest {
            context: context_to_wire(context),
            passphrase: passphrase.into_wire(),
        })?;
        let opened = self.link.call(context, self.client().open_session(request)).await?;
        self.link.read(opened, "opened")
    }

    async fn close_sessions(&self, context: &Context, id: Option<String>) -> Result<()> {
        let context_message = context_to_wire(context);
        let request =
            self.link.request(pb::CloseSessionsRequest { context: context_message, id })?;
        let pb::CloseSessionsResponse {} =
            self.link.call(context, self.client().close_sessions(request)).await?;
        Ok(())
    }

    async fn sessions(&self, context: &Context) -> Result<Vec<PersonSession>> {
        let request =
            self.link.request(pb::SessionsRequest { context: context_to_wire(context) })?;
        let pb::SessionsResponse { sessions } =
            self.link.call(context, self.client().sessions(request)).await?;
        self.link.read(sessions, "sessions")
    }

    async fn mint(&self, context: &Context, request: MintRequest) -> Result<Minted> {
        let MintRequest { label, scopes, expires_at } = request;
        let request = self.link.request(pb::MintRequest {
            context: context_to_wire(context),
            label,
            scopes: scopes.into_wire(),
            expires_at: expires_at.into_wire(),
        })?;
        let minted = self.link.call(context, self.client().mint(request)).await?;
        self.link.read(minted, "minted")
    }

    async fn tokens(&self, context: &Context) -> Result<Vec<Token>> {
        let request = self.link.request(pb::TokensRequest { context: context_to_wire(context) })?;
        let pb::TokensResponse { tokens } =
            self.link.call(context, self.client().tokens(request)).await?;
        self.link.read(tokens, "tokens")
    }

    async fn revoke(&self, context: &Context, id: String) -> Result<()> {
        let request =
            self.link.request(pb::RevokeTokenRequest { context: context_to_wire(context), id })?;
        let pb::RevokeTokenResponse {} =
            self.link.call(context, self.client().revoke_token(request)).await?;
        Ok(())
    }

    async fn admit_agent(
        &self,
        context: &Context,
        session: SessionId,
        begun_by: Principal,
    ) -> Result<Secret> {
        let request = self.link.request(pb::AdmitAgentRequest {
            context: context_to_wire(context),
            session: session.into_wire(),
            begun_by: begun_by.into_wire(),
        })?;
        let pb::AdmitAgentResponse { bearer } =
            self.link.call(context, self.client().admit_agent(request)).await?;
        Ok(Secret::new(bearer))
    }

    async fn dismiss_agents(&self, context: &Context, session: Option<SessionId>) -> Result<()> {
        let request = self.link.request(pb::DismissAgentsRequest {
            context: context_to_wire(context),
            session: session.into_wire(),
        })?;
        let pb::DismissAgentsResponse {} =
            self.link.call(context, self.client().dismiss_agents(request)).await?;
        Ok(())
    }

    async fn authenticate(&self, bearer: Secret) -> Result<Caller> {
        let request = self.link.request(pb::AuthenticateRequest { bearer: bearer.into_wire() })?;
        let caller = self.link.wait(None, self.client().authenticate(request)).await?;
        self.link.read(caller, "caller")
    }
}
