use aileron_contract::{
    Context, Packages, Result,
    names::{ActionName, Fqn, PackageRef, Sha256Hash},
    packages::{
        Acceptance, Accepted, ActionPreview, ActionRequest, Connector, ConnectorPreview,
        ConnectorRequest, Drift, InstalledAction, InstalledConnector, LocalFiles, LocalPackage,
        Needs, Progress, Suite, SuiteSource, Synced, Update,
    },
};
use async_trait::async_trait;

use super::Stage;
use crate::samples::{drift, packages as samples};

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

    async fn preview_actions(
        &self,
        context: &Context,
        requests: Vec<ActionRequest>,
    ) -> Result<Vec<Result<ActionPreview>>> {
        let full = self.stage.enter("preview_actions", &(context, requests))?;
        Ok(samples::each(full, samples::action_preview))
    }

    async fn install_actions(
        &self,
        context: &Context,
        requests: Vec<ActionRequest>,
    ) -> Result<Vec<Result<InstalledAction>>> {
        let full = self.stage.enter("install_actions", &(context, requests))?;
        Ok(samples::each(full, samples::installed_action))
    }

    async fn newest(&self, context: &Context, fqn: Fqn, prereleases: bool) -> Result<PackageRef> {
        self.stage.enter("newest", &(context, fqn, prereleases)).map(samples::newest)
    }

    async fn updates(&self, context: &Context, prereleases: bool) -> Result<Vec<Update>> {
        self.stage.enter("updates", &(context, prereleases)).map(samples::updates)
    }

    async fn progress(&self, context: &Context) -> Result<Vec<Progress>> {
        self.stage.enter("progress", &context).map(samples::progress)
    }

    async fn bring(&self, context: &Context, files: LocalFiles) -> Result<LocalPackage> {
        self.stage.enter("bring", &(context, files)).map(samples::local_package)
    }

    async fn suite(&self, context: &Context, source: SuiteSource) -> Result<Suite> {
        self.stage.enter("suite", &(context, source)).map(samples::suite)
    }

    async fn drift(&self, context: &Context, only: Option<ActionName>) -> Result<Vec<Drift>> {
        self.stage.enter("drift", &(context, only)).map(drift::drift)
    }

    async fn accept(&self, context: &Context, acceptance: Acceptance) -> Result<Accepted> {
        self.stage.enter("accept", &(context, acceptance)).map(drift::accepted)
    }

    async fn needs(&self, context: &Context) -> Result<Needs> {
        self.stage.enter("needs", &context).map(drift::needs)
    }

    async fn sync(&self, context: &Context, only: Option<Vec<Sha256Hash>>) -> Result<Synced> {
        self.stage.enter("sync", &(context, only)).map(drift::synced)
    }
}
