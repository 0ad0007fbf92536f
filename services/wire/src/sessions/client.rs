//! Sessions kept somewhere else.

use aileron_contract::{
    Context, Result, Sessions, limits,
    names::SessionId,
    sessions::{Begin, Begun, Filter, Session},
};
use aileron_proto::launcher::v1::{self as pb, sessions_service_client::SessionsServiceClient};
use async_trait::async_trait;

use crate::{call::Link, channel::Channel, context::context_to_wire, message::Wire};

/// The sessions service behind a channel.
#[derive(Clone, Debug)]
pub struct Remote {
    link: Link,
    client: SessionsServiceClient<tonic::transport::Channel>,
}

impl Remote {
    /// Calls the sessions service through `channel`; nothing is dialled yet.
    pub fn new(channel: Channel) -> Self {
        let client = SessionsServiceClient::new(channel.transport())
            .max_decoding_message_size(limits::ANSWER);
        Self { link: Link { channel, service: "launcher" }, client }
    }

    fn client(&self) -> SessionsServiceClient<tonic::transport::Channel> {
        self.client.clone()
    }
}

#[async_trait]
impl Sessions for Remote {
    async fn begin(&self, context: &Context, request: Begin) -> Result<Begun> {
        let Begin { agent, working_dir } = request;
        let request = self.link.request(pb::BeginRequest {
            context: context_to_wire(context),
            agent: agent.into_wire(),
            working_dir,
        })?;
        let begun = self.link.call(context, self.client().begin(request)).await?;
        self.link.read(begun, "begun")
    }

    async fn end(
        &self,
        context: &Context,
        id: SessionId,
        exit_code: Option<i32>,
    ) -> Result<Session> {
        let request = self.link.request(pb::EndRequest {
            context: context_to_wire(context),
            id: id.into_wire(),
            exit_code,
        })?;
        let pb::EndResponse { session } =
            self.link.call(context, self.client().end(request)).await?;
        self.link.read(session, "session")
    }

    async fn list(&self, context: &Context, filter: Filter) -> Result<Vec<Session>> {
        let Filter { active_only, agent, since, limit } = filter;
        let request = self.link.request(pb::ListRequest {
            context: context_to_wire(context),
            active_only,
            agent: agent.into_wire(),
            since: since.into_wire(),
            limit,
        })?;
        let pb::ListResponse { sessions } =
            self.link.call(context, self.client().list(request)).await?;
        self.link.read(sessions, "sessions")
    }

    async fn get(&self, context: &Context, id: SessionId) -> Result<Session> {
        let request = self
            .link
            .request(pb::GetRequest { context: context_to_wire(context), id: id.into_wire() })?;
        let pb::GetResponse { session } =
            self.link.call(context, self.client().get(request)).await?;
        self.link.read(session, "session")
    }
}
