//! A publishers handle, served.

use aileron_contract::{
    limits,
    publishers::{Handle, TrustRequest},
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
}
