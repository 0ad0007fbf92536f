//! A publishers handle, served.

use aileron_contract::{
    limits,
    publishers::{Confirmation, Handle, HubQuery, TrustRequest},
};
use aileron_proto::executor::v1::{
    self as pb,
    publishers_service_server::{PublishersService, PublishersServiceServer},
};
use async_trait::async_trait;
use tonic::Request;

use crate::{
    call::{Answer, Call},
    message::{Wire, read},
};

/// The gRPC service that answers with `handle`.
pub fn serve(handle: Handle) -> PublishersServiceServer<impl PublishersService> {
    PublishersServiceServer::new(Adapter(handle))
        .max_decoding_message_size(limits::MESSAGE)
        .max_encoding_message_size(limits::ANSWER)
}

struct Adapter(Handle);

#[async_trait]
impl PublishersService for Adapter {
    async fn get_keyring(
        &self,
        request: Request<pb::GetKeyringRequest>,
    ) -> Answer<pb::GetKeyringResponse> {
        let (call, message) = Call::begin("publishers.keyring", request);
        call.answer(async {
            let pb::GetKeyringRequest { context } = message;
            let keyring = self.0.keyring(&read(context, "context")?).await?;
            Ok(pb::GetKeyringResponse { keyring: keyring.into_wire() })
        })
        .await
    }

    async fn look_up_key(
        &self,
        request: Request<pb::LookUpKeyRequest>,
    ) -> Answer<pb::LookUpKeyResponse> {
        let (call, message) = Call::begin("publishers.published_key", request);
        call.answer(async {
            let pb::LookUpKeyRequest { context, authority } = message;
            let (context, authority) = (read(context, "context")?, read(authority, "authority")?);
            let key = self.0.published_key(&context, authority).await?;
            Ok(pb::LookUpKeyResponse { key: key.into_wire() })
        })
        .await
    }

    async fn trust(&self, request: Request<pb::TrustRequest>) -> Answer<pb::TrustResponse> {
        let (call, message) = Call::begin("publishers.trust", request);
        call.answer(async {
            let pb::TrustRequest { context, authority, key } = message;
            let (authority, key) = (read(authority, "authority")?, read(key, "key")?);
            let request = TrustRequest { authority, key };
            let trusted = self.0.trust(&read(context, "context")?, request).await?;
            Ok(trusted.into_wire())
        })
        .await
    }

    async fn distrust(
        &self,
        request: Request<pb::DistrustRequest>,
    ) -> Answer<pb::DistrustResponse> {
        let (call, message) = Call::begin("publishers.distrust", request);
        call.answer(async {
            let pb::DistrustRequest { context, which } = message;
            let which = read(which, "which")?;
            let removed = self.0.distrust(&read(context, "context")?, which).await?;
            Ok(pb::DistrustResponse { removed: removed.into_wire() })
        })
        .await
    }
    async fn hub(&self, request: Request<pb::HubRequest>) -> Answer<pb::HubResponse> {
        let (call, message) = Call::begin("publishers.hub", request);
        call.answer(async {
            let pb::HubRequest { context, kind, text } = message;
            let query = HubQuery { kind: read(kind, "kind")?, text };
            let listing = self.0.hub(&read(context, "context")?, query).await?;
            Ok(pb::HubResponse { listing: listing.into_wire() })
        })
        .await
    }

    async fn get_hub_entry(
        &self,
        request: Request<pb::GetHubEntryRequest>,
    ) -> Answer<pb::GetHubEntryResponse> {
        let (call, message) = Call::begin("publishers.hub_entry", request);
        call.answer(async {
            let pb::GetHubEntryRequest { context, fqn, kind } = message;
            let (fqn, kind) = (read(fqn, "fqn")?, read(kind, "kind")?);
            let found = self.0.hub_entry(&read(context, "context")?, fqn, kind).await?;
            Ok(pb::GetHubEntryResponse { found: found.into_wire() })
        })
        .await
    }

    async fn refresh_hub(
        &self,
        request: Request<pb::RefreshHubRequest>,
    ) -> Answer<pb::RefreshHubResponse> {
        let (call, message) = Call::begin("publishers.hub_refresh", request);
        call.answer(async {
            let pb::RefreshHubRequest { context } = message;
            let copy = self.0.hub_refresh(&read(context, "context")?).await?;
            Ok(pb::RefreshHubResponse { copy: copy.into_wire() })
        })
        .await
    }

    async fn get_hub_decision(
        &self,
        request: Request<pb::GetHubDecisionRequest>,
    ) -> Answer<pb::GetHubDecisionResponse> {
        let (call, message) = Call::begin("publishers.hub_decision", request);
        call.answer(async {
            let pb::GetHubDecisionRequest { context, fqn, kind } = message;
            let (fqn, kind) = (read(fqn, "fqn")?, read(kind, "kind")?);
            let decision = self.0.hub_decision(&read(context, "context")?, fqn, kind).await?;
            Ok(pb::GetHubDecisionResponse { decision: decision.into_wire() })
        })
        .await
    }
    async fn confirm(&self, request: Request<pb::ConfirmRequest>) -> Answer<pb::ConfirmResponse> {
        let (call, message) = Call::begin("publishers.confirm", request);
        call.answer(async {
            let pb::ConfirmRequest { context, wanted, keys } = message;
            let (wanted, keys) = (read(wanted, "wanted")?, read(keys, "keys")?);
            let confirmation = Confirmation { wanted, keys };
            let trusted = self.0.confirm(&read(context, "context")?, confirmation).await?;
            Ok(pb::ConfirmResponse { trusted: trusted.into_wire() })
        })
        .await
    }
}
