//! A packages handle, served.

use aileron_contract::{
    limits,
    packages::{Acceptance, Handle},
};
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
        .max_decoding_message_size(LARGEST)
        .max_encoding_message_size(limits::ANSWER)
}

/// A person's package and what surrounds it.
const LARGEST: usize = limits::LOCAL_PACKAGE + limits::BODY_PIECE;

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

    async fn preview_actions(
        &self,
        request: Request<pb::PreviewActionsRequest>,
    ) -> Answer<pb::PreviewActionsResponse> {
        let (call, message) = Call::begin("packages.preview_actions", request);
        call.answer(async {
            let pb::PreviewActionsRequest { context, requests } = message;
            let requests = read(requests, "requests")?;
            let previews = self.0.preview_actions(&read(context, "context")?, requests).await?;
            Ok(pb::PreviewActionsResponse { previews: previews.into_wire() })
        })
        .await
    }

    async fn install_actions(
        &self,
        request: Request<pb::InstallActionsRequest>,
    ) -> Answer<pb::InstallActionsResponse> {
        let (call, message) = Call::begin("packages.install_actions", request);
        call.answer(async {
            let pb::InstallActionsRequest { context, requests } = message;
            let requests = read(requests, "requests")?;
            let installed = self.0.install_actions(&read(context, "context")?, requests).await?;
            Ok(pb::InstallActionsResponse { installed: installed.into_wire() })
        })
        .await
    }

    async fn newest(&self, request: Request<pb::NewestRequest>) -> Answer<pb::NewestResponse> {
        let (call, message) = Call::begin("packages.newest", request);
        call.answer(async {
            let pb::NewestRequest { context, fqn, prereleases } = message;
            let (context, fqn) = (read(context, "context")?, read(fqn, "fqn")?);
            let package = self.0.newest(&context, fqn, prereleases).await?;
            Ok(pb::NewestResponse { package: package.into_wire() })
        })
        .await
    }

    async fn updates(&self, request: Request<pb::UpdatesRequest>) -> Answer<pb::UpdatesResponse> {
        let (call, message) = Call::begin("packages.updates", request);
        call.answer(async {
            let pb::UpdatesRequest { context, prereleases } = message;
            let updates = self.0.updates(&read(context, "context")?, prereleases).await?;
            Ok(pb::UpdatesResponse { updates: updates.into_wire() })
        })
        .await
    }

    async fn get_progress(
        &self,
        request: Request<pb::GetProgressRequest>,
    ) -> Answer<pb::GetProgressResponse> {
        let (call, message) = Call::begin("packages.progress", request);
        call.answer(async {
            let pb::GetProgressRequest { context } = message;
            let items = self.0.progress(&read(context, "context")?).await?;
            Ok(pb::GetProgressResponse { items: items.into_wire() })
        })
        .await
    }

    async fn bring(&self, request: Request<pb::BringRequest>) -> Answer<pb::BringResponse> {
        let (call, message) = Call::begin("packages.bring", request);
        call.answer(async {
            let pb::BringRequest { context, files } = message;
            let files = read(files, "files")?;
            let package = self.0.bring(&read(context, "context")?, files).await?;
            Ok(pb::BringResponse { package: package.into_wire() })
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

    async fn drift(&self, request: Request<pb::DriftRequest>) -> Answer<pb::DriftResponse> {
        let (call, message) = Call::begin("packages.drift", request);
        call.answer(async {
            let pb::DriftRequest { context, only } = message;
            let (context, only) = (read(context, "context")?, read(only, "only")?);
            let items = self.0.drift(&context, only).await?;
            Ok(pb::DriftResponse { items: items.into_wire() })
        })
        .await
    }

    async fn accept(&self, request: Request<pb::AcceptRequest>) -> Answer<pb::AcceptResponse> {
        let (call, message) = Call::begin("packages.accept", request);
        call.answer(async {
            let pb::AcceptRequest { context, of, digest } = message;
            let acceptance = Acceptance { of: read(of, "of")?, digest: read(digest, "digest")? };
            let accepted = self.0.accept(&read(context, "context")?, acceptance).await?;
            Ok(accepted.into_wire())
        })
        .await
    }

    async fn get_needs(
        &self,
        request: Request<pb::GetNeedsRequest>,
    ) -> Answer<pb::GetNeedsResponse> {
        let (call, message) = Call::begin("packages.needs", request);
        call.answer(async {
            let pb::GetNeedsRequest { context } = message;
            let needs = self.0.needs(&read(context, "context")?).await?;
            Ok(pb::GetNeedsResponse { needs: needs.into_wire() })
        })
        .await
    }

    async fn sync(&self, request: Request<pb::SyncRequest>) -> Answer<pb::SyncResponse> {
        let (call, message) = Call::begin("packages.sync", request);
        call.answer(async {
            let pb::SyncRequest { context, only } = message;
            let only = read(only.map(|pb::Hashes { hashes }| hashes), "only")?;
            let synced = self.0.sync(&read(context, "context")?, only).await?;
            Ok(synced.into_wire())
        })
        .await
    }
}
