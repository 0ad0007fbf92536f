//! Packages kept somewhere else.

use aileron_contract::{
    Context, Packages, Result, limits,
    names::{ActionName, Fqn, PackageRef, Sha256Hash},
    packages::{
        Acceptance, Accepted, ActionPreview, ActionRequest, Connector, ConnectorPreview,
        ConnectorRequest, Drift, InstalledAction, InstalledConnector, LocalFiles, LocalPackage,
        Needs, Progress, Suite, SuiteSource, Synced, Update,
    },
};
use aileron_proto::executor::v1::{self as pb, packages_service_client::PackagesServiceClient};
use async_trait::async_trait;

use crate::{call::Link, channel::Channel, context::context_to_wire, message::Wire};

/// The packages service behind a channel.
#[derive(Clone, Debug)]
pub struct Remote {
    link: Link,
    client: PackagesServiceClient<tonic::transport::Channel>,
}

impl Remote {
    /// Calls the packages service through `channel`; nothing is dialled yet.
    pub fn new(channel: Channel) -> Self {
        let client = PackagesServiceClient::new(channel.transport())
            .max_decoding_message_size(limits::ANSWER);
        Self { link: Link { channel, service: "packages" }, client }
    }

    fn client(&self) -> PackagesServiceClient<tonic::transport::Channel> {
        self.client.clone()
    }
}

#[async_trait]
impl Packages for Remote {
    async fn preview_connector(
        &self,
        context: &Context,
        request: ConnectorRequest,
    ) -> Result<ConnectorPreview> {
        let request = self.link.request(pb::PreviewConnectorRequest {
            context: context_to_wire(context),
            request: request.into_wire(),
        })?;
        let pb::PreviewConnectorResponse { preview } =
            self.link.call(context, self.client().preview_connector(request)).await?;
        self.link.read(preview, "preview")
    }

    async fn install_connector(
        &self,
        context: &Context,
        request: ConnectorRequest,
    ) -> Result<InstalledConnector> {
        let request = self.link.request(pb::InstallConnectorRequest {
            context: context_to_wire(context),
            request: request.into_wire(),
        })?;
        let pb::InstallConnectorResponse { installed } =
            self.link.call(context, self.client().install_connector(request)).await?;
        self.link.read(installed, "installed")
    }

    async fn connectors(&self, context: &Context) -> Result<Vec<Connector>> {
        let request =
            self.link.request(pb::ConnectorsRequest { context: context_to_wire(context) })?;
        let pb::ConnectorsResponse { connectors } =
            self.link.call(context, self.client().connectors(request)).await?;
        self.link.read(connectors, "connectors")
    }

    async fn connector(&self, context: &Context, fqn: Fqn) -> Result<Connector> {
        let request = self.link.request(pb::GetConnectorRequest {
            context: context_to_wire(context),
            fqn: fqn.into_wire(),
        })?;
        let pb::GetConnectorResponse { connector } =
            self.link.call(context, self.client().get_connector(request)).await?;
        self.link.read(connector, "connector")
    }

    async fn preview_actions(
        &self,
        context: &Context,
        requests: Vec<ActionRequest>,
    ) -> Result<Vec<Result<ActionPreview>>> {
        let request = self.link.request(pb::PreviewActionsRequest {
            context: context_to_wire(context),
            requests: requests.into_wire(),
        })?;
        let pb::PreviewActionsResponse { previews } =
            self.link.call(context, self.client().preview_actions(request)).await?;
        self.link.read(previews, "previews")
    }

    async fn install_actions(
        &self,
        context: &Context,
        requests: Vec<ActionRequest>,
    ) -> Result<Vec<Result<InstalledAction>>> {
        let request = self.link.request(pb::InstallActionsRequest {
            context: context_to_wire(context),
            requests: requests.into_wire(),
        })?;
        let pb::InstallActionsResponse { installed } =
            self.link.call(context, self.client().install_actions(request)).await?;
        self.link.read(installed, "installed")
    }

    async fn newest(&self, context: &Context, fqn: Fqn, prereleases: bool) -> Result<PackageRef> {
        let request = self.link.request(pb::NewestRequest {
            context: context_to_wire(context),
            fqn: fqn.into_wire(),
            prereleases,
        })?;
        let pb::NewestResponse { package } =
            self.link.call(context, self.client().newest(request)).await?;
        self.link.read(package, "package")
    }

    async fn updates(&self, context: &Context, prereleases: bool) -> Result<Vec<Update>> {
        let context_on_wire = context_to_wire(context);
        let request =
            self.link.request(pb::UpdatesRequest { context: context_on_wire, prereleases })?;
        let pb::UpdatesResponse { updates } =
            self.link.call(context, self.client().updates(request)).await?;
        self.link.read(updates, "updates")
    }

    async fn progress(&self, context: &Context) -> Result<Vec<Progress>> {
        let request =
            self.link.request(pb::GetProgressRequest { context: context_to_wire(context) })?;
        let pb::GetProgressResponse { items } =
            self.link.call(context, self.client().get_progress(request)).await?;
        self.link.read(items, "items")
    }

    async fn bring(&self, context: &Context, files: LocalFiles) -> Result<LocalPackage> {
        let request = self.link.request(pb::BringRequest {
            context: context_to_wire(context),
            files: files.into_wire(),
        })?;
        let pb::BringResponse { package } =
            self.link.call(context, self.client().bring(request)).await?;
        self.link.read(package, "package")
    }

    async fn suite(&self, context: &Context, source: SuiteSource) -> Result<Suite> {
        let request = self.link.request(pb::GetSuiteRequest {
            context: context_to_wire(context),
            source: source.into_wire(),
        })?;
        let pb::GetSuiteResponse { suite } =
            self.link.call(context, self.client().get_suite(request)).await?;
        self.link.read(suite, "suite")
    }

    async fn drift(&self, context: &Context, only: Option<ActionName>) -> Result<Vec<Drift>> {
        let request = self.link.request(pb::DriftRequest {
            context: context_to_wire(context),
            only: only.into_wire(),
        })?;
        let pb::DriftResponse { items } =
            self.link.call(context, self.client().drift(request)).await?;
        self.link.read(items, "items")
    }

    async fn accept(&self, context: &Context, acceptance: Acceptance) -> Result<Accepted> {
        let Acceptance { of, digest } = acceptance;
        let request = self.link.request(pb::AcceptRequest {
            context: context_to_wire(context),
            of: of.into_wire(),
            digest: digest.into_wire(),
        })?;
        let accepted = self.link.call(context, self.client().accept(request)).await?;
        self.link.read(accepted, "accepted")
    }

    async fn needs(&self, context: &Context) -> Result<Needs> {
        let request =
            self.link.request(pb::GetNeedsRequest { context: context_to_wire(context) })?;
        let pb::GetNeedsResponse { needs } =
            self.link.call(context, self.client().get_needs(request)).await?;
        self.link.read(needs, "needs")
    }

    async fn sync(&self, context: &Context, only: Option<Vec<Sha256Hash>>) -> Result<Synced> {
        let request = self.link.request(pb::SyncRequest {
            context: context_to_wire(context),
            only: only.map(|only| pb::Hashes { hashes: only.into_wire() }),
        })?;
        let synced = self.link.call(context, self.client().sync(request)).await?;
        self.link.read(synced, "synced")
    }
}
