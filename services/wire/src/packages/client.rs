//! Packages kept somewhere else.

use aileron_contract::{
    Context, Packages, Result, limits,
    names::Fqn,
    packages::{
        ActionPreview, ActionRequest, Connector, ConnectorPreview, ConnectorRequest,
        InstalledAction, InstalledConnector, Suite, SuiteSource,
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

    async fn preview_action(
        &self,
        context: &Context,
        request: ActionRequest,
    ) -> Result<ActionPreview> {
        let request = self.link.request(pb::PreviewActionRequest {
            context: context_to_wire(context),
            request: request.into_wire(),
        })?;
        let pb::PreviewActionResponse { preview } =
            self.link.call(context, self.client().preview_action(request)).await?;
        self.link.read(preview, "preview")
    }

    async fn install_action(
        &self,
        context: &Context,
        request: ActionRequest,
    ) -> Result<InstalledAction> {
        let request = self.link.request(pb::InstallActionRequest {
            context: context_to_wire(context),
            request: request.into_wire(),
        })?;
        let pb::InstallActionResponse { installed } =
            self.link.call(context, self.client().install_action(request)).await?;
        self.link.read(installed, "installed")
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
}
