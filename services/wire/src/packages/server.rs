//! A packages handle, served.

use aileron_contract::{
    limits,
    packages::{Handle, TrustRequest},
};
use aileron_proto::executor::v1::{
    self as pb,
    packages_service_server::{PackagesService, PackagesServiceServer},
};
use async_trait::async_trait;
use tonic::Request;

use super::convert::{
    action_preview_to_wire, action_request_from_wire, connector_preview_to_wire,
    connector_request_from_wire, connector_to_wire, installed_action_to_wire,
    installed_connector_to_wire,
    keys::{
        distrust_from_wire, key_to_wire, keyring_to_wire, published_key_to_wire, trusted_to_wire,
    },
    suite_source_from_wire, suite_to_wire,
};
use crate::{
    call::{Answer, Call},
    context::context_from_wire,
    values::{bytes32_from_wire, parsed},
};

/// The gRPC service that answers with `handle`.
pub fn serve(handle: Handle) -> PackagesServiceServer<impl PackagesService> {
    PackagesServiceServer::new(Adapter(handle))
        .max_decoding_message_size(limits::MESSAGE)
        .max_encoding_message_size(limits::ANSWER)
}

struct Adapter(Handle);

#[async_trait]
impl PackagesService for Adapter {
    async fn preview_connector(
        &self,
        request: Request<pb::PreviewConnectorRequest>,
    ) -> Answer<pb::PreviewConnectorResponse> {
        let (call, message) = Call::begin("packages.preview_connector", request);
        call.answer(async {
            let pb::PreviewConnectorRequest { context, request } = message;
            let request = connector_request_from_wire(request)?;
            let preview = self.0.preview_connector(&context_from_wire(context)?, request).await?;
            let preview = Some(connector_preview_to_wire(preview));
            Ok(pb::PreviewConnectorResponse { preview })
        })
        .await
    }

    async fn install_connector(
        &self,
        request: Request<pb::InstallConnectorRequest>,
    ) -> Answer<pb::InstallConnectorResponse> {
        let (call, message) = Call::begin("packages.install_connector", request);
        call.answer(async {
            let pb::InstallConnectorRequest { context, request } = message;
            let request = connector_request_from_wire(request)?;
            let installed = self.0.install_connector(&context_from_wire(context)?, request).await?;
            let installed = Some(installed_connector_to_wire(installed));
            Ok(pb::InstallConnectorResponse { installed })
        })
        .await
    }

    async fn connectors(
        &self,
        request: Request<pb::ConnectorsRequest>,
    ) -> Answer<pb::ConnectorsResponse> {
        let (call, message) = Call::begin("packages.connectors", request);
        call.answer(async {
            let pb::ConnectorsRequest { context } = message;
            let connectors = self.0.connectors(&context_from_wire(context)?).await?;
            let connectors = connectors.into_iter().map(connector_to_wire).collect();
            Ok(pb::ConnectorsResponse { connectors })
        })
        .await
    }

    async fn get_connector(
        &self,
        request: Request<pb::GetConnectorRequest>,
    ) -> Answer<pb::GetConnectorResponse> {
        let (call, message) = Call::begin("packages.connector", request);
        call.answer(async {
            let pb::GetConnectorRequest { context, fqn } = message;
            let connector = self.0.connector(&context_from_wire(context)?, parsed(fqn)?).await?;
            Ok(pb::GetConnectorResponse { connector: Some(connector_to_wire(connector)) })
        })
        .await
    }

    async fn preview_action(
        &self,
        request: Request<pb::PreviewActionRequest>,
    ) -> Answer<pb::PreviewActionResponse> {
        let (call, message) = Call::begin("packages.preview_action", request);
        call.answer(async {
            let pb::PreviewActionRequest { context, request } = message;
            let request = action_request_from_wire(request)?;
            let preview = self.0.preview_action(&context_from_wire(context)?, request).await?;
            Ok(pb::PreviewActionResponse { preview: Some(action_preview_to_wire(preview)) })
        })
        .await
    }

    async fn install_action(
        &self,
        request: Request<pb::InstallActionRequest>,
    ) -> Answer<pb::InstallActionResponse> {
        let (call, message) = Call::begin("packages.install_action", request);
        call.answer(async {
            let pb::InstallActionRequest { context, request } = message;
            let request = action_request_from_wire(request)?;
            let installed = self.0.install_action(&context_from_wire(context)?, request).await?;
            Ok(pb::InstallActionResponse { installed: Some(installed_action_to_wire(installed)) })
        })
        .await
    }

    async fn get_suite(
        &self,
        request: Request<pb::GetSuiteRequest>,
    ) -> Answer<pb::GetSuiteResponse> {
        let (call, message) = Call::begin("packages.suite", request);
        call.answer(async {
            let pb::GetSuiteRequest { context, source } = message;
            let source = suite_source_from_wire(source)?;
            let suite = self.0.suite(&context_from_wire(context)?, source).await?;
            Ok(pb::GetSuiteResponse { suite: Some(suite_to_wire(suite)) })
        })
        .await
    }

    async fn get_keyring(
        &self,
        request: Request<pb::GetKeyringRequest>,
    ) -> Answer<pb::GetKeyringResponse> {
        let (call, message) = Call::begin("packages.keyring", request);
        call.answer(async {
            let pb::GetKeyringRequest { context } = message;
            let keyring = self.0.keyring(&context_from_wire(context)?).await?;
            Ok(pb::GetKeyringResponse { keyring: Some(keyring_to_wire(keyring)) })
        })
        .await
    }

    async fn look_up_key(
        &self,
        request: Request<pb::LookUpKeyRequest>,
    ) -> Answer<pb::LookUpKeyResponse> {
        let (call, message) = Call::begin("packages.published_key", request);
        call.answer(async {
            let pb::LookUpKeyRequest { context, authority } = message;
            let (context, authority) = (context_from_wire(context)?, parsed(authority)?);
            let key = self.0.published_key(&context, authority).await?;
            Ok(pb::LookUpKeyResponse { key: Some(published_key_to_wire(key)) })
        })
        .await
    }

    async fn trust(&self, request: Request<pb::TrustRequest>) -> Answer<pb::TrustResponse> {
        let (call, message) = Call::begin("packages.trust", request);
        call.answer(async {
            let pb::TrustRequest { context, authority, key } = message;
            let key = bytes32_from_wire(key, "key")?;
            let request = TrustRequest { authority: parsed(authority)?, key };
            let trusted = self.0.trust(&context_from_wire(context)?, request).await?;
            Ok(trusted_to_wire(trusted))
        })
        .await
    }

    async fn distrust(
        &self,
        request: Request<pb::DistrustRequest>,
    ) -> Answer<pb::DistrustResponse> {
        let (call, message) = Call::begin("packages.distrust", request);
        call.answer(async {
            let pb::DistrustRequest { context, which } = message;
            let which = distrust_from_wire(which)?;
            let removed = self.0.distrust(&context_from_wire(context)?, which).await?;
            Ok(pb::DistrustResponse { removed: removed.into_iter().map(key_to_wire).collect() })
        })
        .await
    }
}
