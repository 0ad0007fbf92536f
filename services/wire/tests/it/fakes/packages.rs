use aileron_contract::{
    Context, Packages, Result,
    names::Fqn,
    packages::{
        ActionPreview, ActionRequest, Connector, ConnectorPreview, ConnectorRequest,
        InstalledAction, InstalledConnector, Suite, SuiteSource,
    },
};
use async_trait::async_trait;

use super::Stage;
use crate::samples::packages as samples;

#[derive(Default)]
pub(crate) struct FakePackages {
    pub(crate) stage: Stage,
}

#[async_trait]
impl Packages for FakePackages {
    async fn preview_connector(
        &self,
        context: &Context,
        request: ConnectorRequest,
    ) -> Result<ConnectorPreview> {
        self.stage.enter("preview_connector", &(context, request)).map(samples::connector_preview)
    }

    async fn install_connector(
        &self,
        context: &Context,
        request: ConnectorRequest,
    ) -> Result<InstalledConnector> {
        self.stage.enter("install_connector", &(context, request)).map(samples::installed_connector)
    }

    async fn connectors(&self, context: &Context) -> Result<Vec<Connector>> {
        self.stage.enter("connectors", &context).map(samples::connectors)
    }

    async fn connector(&self, context: &Context, fqn: Fqn) -> Result<Connector> {
        self.stage.enter("connector", &(context, fqn)).map(samples::connector)
    }

    async fn preview_action(
        &self,
        context: &Context,
        request: ActionRequest,
    ) -> Result<ActionPreview> {
        self.stage.enter("preview_action", &(context, request)).map(samples::action_preview)
    }

    async fn install_action(
        &self,
        context: &Context,
        request: ActionRequest,
    ) -> Result<InstalledAction> {
        self.stage.enter("install_action", &(context, request)).map(samples::installed_action)
    }

    async fn suite(&self, context: &Context, source: SuiteSource) -> Result<Suite> {
        self.stage.enter("suite", &(context, source)).map(samples::suite)
    }
}
