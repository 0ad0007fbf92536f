//! The life of bindings somewhere else.

use aileron_contract::{
    Bindings, Context, Result, Secret,
    bindings::{
        Begin, BeginDevice, Begun, Binding, BindingFilter, Callback, Consent, DeviceBegun,
        DevicePoll, Finish, Finished, Landed, Revoked,
    },
    limits,
    names::{BindingName, Fqn, HostPort},
};
use aileron_proto::vault::v1::{self as pb, bindings_service_client::BindingsServiceClient};
use async_trait::async_trait;

use super::messages::{device_from_wire, poll_from_wire};
use crate::{call::Link, channel::Channel, context::context_to_wire, message::Wire};

/// The life of bindings behind a channel.
#[derive(Clone, Debug)]
pub struct Remote {
    link: Link,
    client: BindingsServiceClient<tonic::transport::Channel>,
}

impl Remote {
    /// Calls the service through `channel`; nothing is dialled yet.
    pub fn new(channel: Channel) -> Self {
        let client = BindingsServiceClient::new(channel.transport())
            .max_decoding_message_size(limits::ANSWER);
        Self { link: Link { channel, service: "bindings" }, client }
    }

    fn client(&self) -> BindingsServiceClient<tonic::transport::Channel> {
        self.client.clone()
    }
}

#[async_trait]
impl Bindings for Remote {
    async fn bind(&self, context: &Context, consent: Consent, value: Secret) -> Result<Binding> {
        let request = self.link.request(pb::BindRequest {
            context: context_to_wire(context),
            consent: consent.into_wire(),
            value: value.into_wire(),
        })?;
        let pb::BindResponse { binding } =
            self.link.call(context, self.client().bind(request)).await?;
        self.link.read(binding, "binding")
    }

    async fn agree(&self, context: &Context, consent: Consent) -> Result<Binding> {
        let request = self.link.request(pb::AgreeRequest {
            context: context_to_wire(context),
            consent: consent.into_wire(),
        })?;
        let pb::AgreeResponse { binding } =
            self.link.call(context, self.client().agree(request)).await?;
        self.link.read(binding, "binding")
    }

    async fn list(&self, context: &Context, filter: BindingFilter) -> Result<Vec<Binding>> {
        let request = self.link.request(pb::ListBindingsRequest {
            context: context_to_wire(context),
            filter: filter.into_wire(),
        })?;
        let pb::ListBindingsResponse { bindings } =
            self.link.call(context, self.client().list_bindings(request)).await?;
        self.link.read(bindings, "bindings")
    }

    async fn declare_hosts(
        &self,
        context: &Context,
        connector: Fqn,
        hosts: Vec<HostPort>,
    ) -> Result<Vec<BindingName>> {
        let request = self.link.request(pb::DeclareHostsRequest {
            context: context_to_wire(context),
            connector: connector.into_wire(),
            hosts: hosts.into_wire(),
        })?;
        let pb::DeclareHostsResponse { stale } =
            self.link.call(context, self.client().declare_hosts(request)).await?;
        self.link.read(stale, "stale")
    }

    async fn begin(&self, context: &Context, begin: Begin) -> Result<Begun> {
        let Begin { consent, client, purpose, caller } = begin;
        let request = self.link.request(pb::BeginSetupRequest {
            context: context_to_wire(context),
            consent: consent.into_wire(),
            client: client.into_wire(),
            purpose: purpose.into_wire(),
            caller: caller.into_wire(),
        })?;
        let mut service = self.client();
        let answer = Box::pin(service.begin_setup(request));
        self.link.read(self.link.call(context, answer).await?, "begun")
    }

    async fn finish(&self, context: &Context, finish: Finish) -> Result<Finished> {
        let Finish { session, state, code, issuer } = finish;
        let request = self.link.request(pb::FinishSetupRequest {
            context: context_to_wire(context),
            session: session.into_wire(),
            state: state.into_wire(),
            code: code.into_wire(),
            issuer,
        })?;
        let finished = self.link.call(context, self.client().finish_setup(request)).await?;
        self.link.read(finished, "finished")
    }

    async fn callback(&self, context: &Context, callback: Callback) -> Result<Landed> {
        let Callback { state, answer, cookie, issuer } = callback;
        let request = self.link.request(pb::CallbackRequest {
            context: context_to_wire(context),
            state: state.into_wire(),
            answer: answer.into_wire(),
            cookie: cookie.into_wire(),
            issuer,
        })?;
        let landed = self.link.call(context, self.client().callback(request)).await?;
        self.link.read(landed, "landed")
    }

    async fn begin_device(&self, context: &Context, begin: BeginDevice) -> Result<DeviceBegun> {
        let BeginDevice { consent, client, purpose } = begin;
        let request = self.link.request(pb::BeginDeviceRequest {
            context: context_to_wire(context),
            consent: consent.into_wire(),
            client: client.into_wire(),
            purpose: purpose.into_wire(),
        })?;
        let mut service = self.client();
        let answer = Box::pin(service.begin_device(request));
        self.link.understood(device_from_wire(self.link.call(context, answer).await?))
    }

    async fn poll_device(&self, context: &Context, session: Secret) -> Result<DevicePoll> {
        let request = self.link.request(pb::PollDeviceRequest {
            context: context_to_wire(context),
            session: session.into_wire(),
        })?;
        let poll = self.link.call(context, self.client().poll_device(request)).await?;
        self.link.understood(poll_from_wire(poll))
    }

    async fn revoke(&self, context: &Context, name: BindingName) -> Result<Revoked> {
        let request = self.link.request(pb::RevokeBindingRequest {
            context: context_to_wire(context),
            name: name.into_wire(),
        })?;
        let revoked = self.link.call(context, self.client().revoke_binding(request)).await?;
        self.link.read(revoked, "revoked")
    }

    async fn set_default(&self, context: &Context, name: BindingName) -> Result<Binding> {
        let request = self.link.request(pb::SetDefaultBindingRequest {
            context: context_to_wire(context),
            name: name.into_wire(),
        })?;
        let pb::SetDefaultBindingResponse { binding } =
            self.link.call(context, self.client().set_default_binding(request)).await?;
        self.link.read(binding, "binding")
    }

    async fn declare_scopes(
        &self,
        context: &Context,
        connector: Fqn,
        scopes: Vec<String>,
    ) -> Result<Vec<BindingName>> {
        let request = self.link.request(pb::DeclareScopesRequest {
            context: context_to_wire(context),
            connector: connector.into_wire(),
            scopes,
        })?;
        let pb::DeclareScopesResponse { stale } =
            self.link.call(context, self.client().declare_scopes(request)).await?;
        self.link.read(stale, "stale")
    }
}
