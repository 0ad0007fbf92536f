//! Packages kept somewhere else.

use aileron_contract::{
    Context, Packages, Result, limits,
    names::{Authority, Fqn},
    packages::{
        ActionPreview, ActionRequest, Connector, ConnectorPreview, ConnectorRequest,
        DistrustRequest, InstalledAction, InstalledConnector, Keyring, PublishedKey, Suite,
        SuiteSource, TrustRequest, Trusted, TrustedKey,
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

    async fn keyring(&self, context: &Context) -> Result<Keyring> {
        let request =
            self.link.request(pb::GetKeyringRequest { context: context_to_wire(context) })?;
        let pb::GetKeyringResponse { keyring } =
            self.link.call(context, self.client().get_keyring(request)).await?;
        self.link.read(keyring, "keyring")
    }

    async fn published_key(&self, context: &Context, authority: Authority) -> Result<PublishedKey> {
        let request = self.link.request(pb::LookUpKeyRequest {
            context: context_to_wire(context),
            authority: authority.into_wire(),
        })?;
        let pb::LookUpKeyResponse { key } =
            self.link.call(context, self.client().look_up_key(request)).await?;
        self.link.read(key, "key")
    }

    async fn trust(&self, context: &Context, request: TrustRequest) -> Result<Trusted> {
        let TrustRequest { authority, key } = request;
        let request = self.link.request(pb::TrustRequest {
            context: context_to_wire(context),
            authority: authority.into_wire(),
            key: key.into_wire(),
        })?;
        let trusted = self.link.call(context, self.client().trust(request)).await?;
        self.link.read(trusted, "trusted")
    }

    async fn distrust(
        &self,
        context: &Context,
        request: DistrustRequest,
    ) -> Result<Vec<TrustedKey>> {
        let request = self.link.request(pb::DistrustRequest {
            context: context_to_wire(context),
            which: request.into_wire(),
        })?;
        let pb::DistrustResponse { removed } =
            self.link.call(context, self.client().distrust(request)).await?;
        self.link.read(removed, "removed")
    }
}
