//! Releases, and packages of a person's own disk.

use reqwest::Method;

use super::{Answer, Call, Client, Result, call::FETCHING};
use crate::{
    progress::PackagesProgress,
    releases::{
        BringPackage, ConnectorUpdates, LocalPackage, NewestFilter, NewestVersion, UpdateFilter,
    },
};

impl Client {
    pub async fn newest(&self, filter: &NewestFilter) -> Result<Answer<NewestVersion>> {
        let call = Call::new(Method::GET, &["packages", "newest"]).filter(filter);
        self.send(call.timeout(FETCHING)).await?.json()
    }

    pub async fn check_connectors(
        &self,
        filter: &UpdateFilter,
    ) -> Result<Answer<ConnectorUpdates>> {
        let call = Call::new(Method::GET, &["connectors", "check"]).filter(filter);
        self.send(call.timeout(FETCHING)).await?.json()
    }

    /// What this token's own previews and installations wait for.
    pub async fn packages_progress(&self) -> Result<Answer<PackagesProgress>> {
        self.get(&["packages", "progress"]).await
    }

    pub async fn bring(&self, body: &BringPackage) -> Result<Answer<LocalPackage>> {
        self.send(Call::new(Method::POST, &["packages", "local"]).json(body)).await?.json()
    }
}
