//! A handle to the life of bindings, served.

use aileron_contract::{
    Secret,
    bindings::{Callback, Finish, Handle},
    limits,
};
use aileron_proto::vault::v1::{
    self as pb,
    bindings_service_server::{BindingsService, BindingsServiceServer},
};
use async_trait::async_trait;
use tonic::Request;

use super::messages::{begin_device_from_wire, begin_from_wire, device_to_wire, poll_to_wire};
use crate::{
    call::{Answer, Call},
    message::{Wire, read},
};

/// The gRPC service that answers with `handle`.
pub fn serve(handle: Handle) -> BindingsServiceServer<impl BindingsService> {
    BindingsServiceServer::new(Adapter(handle))
        .max_decoding_message_size(limits::MESSAGE)
        .max_encoding_message_size(limits::ANSWER)
}

struct Adapter(Handle);

#[async_trait]
impl BindingsService for Adapter {
    async fn bind(&self, request: Request<pb::BindRequest>) -> Answer<pb::BindResponse> {
        let (call, message) = Call::begin("bindings.bind", request);
        call.answer(async {
            let pb::BindRequest { context, consent, value } = message;
            let (consent, value) = (read(consent, "consent")?, Secret::new(value));
            let binding = self.0.bind(&read(context, "context")?, consent, value).await?;
            Ok(pb::BindResponse { binding: binding.into_wire() })
        })
        .await
    }

    async fn agree(&self, request: Request<pb::AgreeRequest>) -> Answer<pb::AgreeResponse> {
        let (call, message) = Call::begin("bindings.agree", request);
        call.answer(async {
            let pb::AgreeRequest { context, consent } = message;
            let consent = read(consent, "consent")?;
            let binding = self.0.agree(&read(context, "context")?, consent).await?;
            Ok(pb::AgreeResponse { binding: binding.into_wire() })
        })
        .await
    }

    async fn list_bindings(
        &self,
        request: Request<pb::ListBindingsRequest>,
    ) -> Answer<pb::ListBindingsResponse> {
        let (call, message) = Call::begin("bindings.list", request);
        call.answer(async {
            let pb::ListBindingsRequest { context, filter } = message;
            let filter = read(filter, "filter")?;
            let bindings = self.0.list(&read(context, "context")?, filter).await?;
            Ok(pb::ListBindingsResponse { bindings: bindings.into_wire() })
        })
        .await
    }

    async fn declare_hosts(
        &self,
        request: Request<pb::DeclareHostsRequest>,
    ) -> Answer<pb::DeclareHostsResponse> {
        let (call, message) = Call::begin("bindings.declare_hosts", request);
        call.answer(async {
            let pb::DeclareHostsRequest { context, connector, hosts } = message;
            let (connector, hosts) = (read(connector, "connector")?, read(hosts, "hosts")?);
            let stale = self.0.declare_hosts(&read(context, "context")?, connector, hosts).await?;
            Ok(pb::DeclareHostsResponse { stale: stale.into_wire() })
        })
        .await
    }

    async fn begin_setup(
        &self,
        request: Request<pb::BeginSetupRequest>,
    ) -> Answer<pb::BeginSetupResponse> {
        let (call, message) = Call::begin("bindings.begin_setup", request);
        call.answer(async {
            let pb::BeginSetupRequest { context, consent, client, purpose, caller } = message;
            let begin = begin_from_wire(consent, client, purpose, caller)?;
            Ok(self.0.begin(&read(context, "context")?, begin).await?.into_wire())
        })
        .await
    }

    async fn finish_setup(
        &self,
        request: Request<pb::FinishSetupRequest>,
    ) -> Answer<pb::FinishSetupResponse> {
        let (call, message) = Call::begin("bindings.finish_setup", request);
        call.answer(async {
            let pb::FinishSetupRequest { context, session, state, code, issuer } = message;
            let [session, state, code] = [session, state, code].map(Secret::new);
            let finish = Finish { session, state, code, issuer };
            Ok(self.0.finish(&read(context, "context")?, finish).await?.into_wire())
        })
        .await
    }

    async fn callback(
        &self,
        request: Request<pb::CallbackRequest>,
    ) -> Answer<pb::CallbackResponse> {
        let (call, message) = Call::begin("bindings.callback", request);
        call.answer(async {
            let pb::CallbackRequest { context, state, answer, cookie, issuer } = message;
            let callback = Callback {
                state: Secret::new(state),
                answer: read(answer, "answer")?,
                cookie: read(cookie, "cookie")?,
                issuer,
            };
            let landed = self.0.callback(&read(context, "context")?, callback).await?;
            Ok(landed.into_wire())
        })
        .await
    }

    async fn begin_device(
        &self,
        request: Request<pb::BeginDeviceRequest>,
    ) -> Answer<pb::BeginDeviceResponse> {
        let (call, message) = Call::begin("bindings.begin_device", request);
        call.answer(async {
            let pb::BeginDeviceRequest { context, consent, client, purpose } = message;
            let begin = begin_device_from_wire(consent, client, purpose)?;
            device_to_wire(self.0.begin_device(&read(context, "context")?, begin).await?)
        })
        .await
    }

    async fn poll_device(
        &self,
        request: Request<pb::PollDeviceRequest>,
    ) -> Answer<pb::PollDeviceResponse> {
        let (call, message) = Call::begin("bindings.poll_device", request);
        call.answer(async {
            let pb::PollDeviceRequest { context, session } = message;
            let session = Secret::new(session);
            poll_to_wire(self.0.poll_device(&read(context, "context")?, session).await?)
        })
        .await
    }

    async fn revoke_binding(
        &self,
        request: Request<pb::RevokeBindingRequest>,
    ) -> Answer<pb::RevokeBindingResponse> {
        let (call, message) = Call::begin("bindings.revoke_binding", request);
        call.answer(async {
            let pb::RevokeBindingRequest { context, name } = message;
            let revoked = self.0.revoke(&read(context, "context")?, read(name, "name")?).await?;
            Ok(revoked.into_wire())
        })
        .await
    }

    async fn set_default_binding(
        &self,
        request: Request<pb::SetDefaultBindingRequest>,
    ) -> Answer<pb::SetDefaultBindingResponse> {
        let (call, message) = Call::begin("bindings.set_default", request);
        call.answer(async {
            let pb::SetDefaultBindingRequest { context, name } = message;
            let binding =
                self.0.set_default(&read(context, "context")?, read(name, "name")?).await?;
            Ok(pb::SetDefaultBindingResponse { binding: binding.into_wire() })
        })
        .await
    }

    async fn declare_scopes(
        &self,
        request: Request<pb::DeclareScopesRequest>,
    ) -> Answer<pb::DeclareScopesResponse> {
        let (call, message) = Call::begin("bindings.declare_scopes", request);
        call.answer(async {
            let pb::DeclareScopesRequest { context, connector, scopes } = message;
            let connector = read(connector, "connector")?;
            let stale =
                self.0.declare_scopes(&read(context, "context")?, connector, scopes).await?;
            Ok(pb::DeclareScopesResponse { stale: stale.into_wire() })
        })
        .await
    }
}
