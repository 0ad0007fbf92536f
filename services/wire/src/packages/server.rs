//! A packages handle, served.

use aileron_contract::{limits, packages::Handle};
use aileron_proto::executor::v1::{
    self as pb,
    packages_service_server::{PackagesService, PackagesServiceServer},
};
use async_trait::async_trait;
use tonic::Request;

use crate::{
    call::{Answer, Call},
    message::{Wire, read},
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
            let request = read(request, "request")?;
            let preview = self.0.preview_connector(&read(context, "context")?, request).await?;
            Ok(pb::PreviewConnectorResponse { preview: preview.into_wire() })
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
            let request = read(request, "request")?;
            let installed = self.0.install_connector(&read(context, "context")?, request).await?;
            Ok(pb::InstallConnectorResponse { installed: installed.into_wire() })
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
            let connectors = self.0.connectors(&read(context, "context")?).await?;
            Ok(pb::ConnectorsResponse { connectors: connectors.into_wire() })
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
            let connector = self.0.connector(&read(context, "context")?, read(fqn, "fqn")?).await?;
            Ok(pb::GetConnectorResponse { connector: connector.into_wire() })
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
            let request = read(request, "request")?;
            let preview = self.0.preview_action(&read(context, "context")?, request).await?;
            Ok(pb::PreviewActionResponse { preview: preview.into_wire() })
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
            let request = read(request, "request")?;
            let installed = self.0.install_action(&read(context, "context")?, request).await?;
            Ok(pb::InstallActionResponse { installed: installed.into_wire() })
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
            let source = read(source, "source")?;
            let suite = self.0.suite(&read(context, "context")?, source).await?;
            Ok(pb::GetSuiteResponse { suite: suite.into_wire() })
        })
        .await
    }
}
