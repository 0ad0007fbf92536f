//! The Hub.

use reqwest::Method;

use super::{Answer, Call, Client, Result, call::FETCHING};
use crate::hub::{
    HubAction, HubConnector, HubCopy, HubEntries, HubName, HubQuery, HubSuite, InstallDecision,
};

impl Client {
    /// Entries of all kinds, or of one.
    pub async fn hub(&self, query: &HubQuery) -> Result<Answer<HubEntries>> {
        self.send(getting(&["hub"]).filter(query)).await?.json()
    }

    pub async fn hub_connector(&self, name: &HubName) -> Result<Answer<HubConnector>> {
        self.send(getting(&["hub", "connector"]).filter(name)).await?.json()
    }

    pub async fn hub_action(&self, name: &HubName) -> Result<Answer<HubAction>> {
        self.send(getting(&["hub", "action"]).filter(name)).await?.json()
    }

    pub async fn hub_suite(&self, name: &HubName) -> Result<Answer<HubSuite>> {
        self.send(getting(&["hub", "suite"]).filter(name)).await?.json()
    }

    pub async fn install_decision(&self, name: &HubName) -> Result<Answer<InstallDecision>> {
        self.send(getting(&["hub", "install-decision"]).filter(name)).await?.json()
    }

    /// Asks the Hub anew.
    pub async fn refresh_hub(&self) -> Result<Answer<HubCopy>> {
        self.send(Call::new(Method::POST, &["hub", "refresh"]).timeout(FETCHING)).await?.json()
    }
}

/// The runtime may have to fetch the Hub first.
fn getting(path: &[&str]) -> Call {
    Call::new(Method::GET, path).timeout(FETCHING)
}
