//! Several actions in one call.

use super::{Answer, Client, Result, packages::fetching};
use crate::batch::{ActionPreviews, InstallActionsRequest, InstalledActions};

impl Client {
    /// One answer per action, in their order.
    pub async fn preview_actions(
        &self,
        body: &InstallActionsRequest,
    ) -> Result<Answer<ActionPreviews>> {
        self.send(fetching(&["actions", "batch", "preview"]).json(body)).await?.json()
    }

    /// One answer per action, in their order.
    pub async fn install_actions(
        &self,
        body: &InstallActionsRequest,
    ) -> Result<Answer<InstalledActions>> {
        self.send(fetching(&["actions", "batch", "install"]).json(body)).await?.json()
    }
}
