//! Connectors, suites and the keyring.

use reqwest::Method;

use super::{Answer, Call, Client, Result, call::FETCHING};
use crate::packages::{
    ActionPreview, ConnectorPreview, Connectors, InstallActionRequest, InstallConnectorRequest,
    InstalledAction, InstalledConnector, KeyTrusted, Keyring, KeysRevoked, LookUpKey, PublishedKey,
    ReadSuite, RevokeKeys, Suite, TrustKey,
};

impl Client {
    pub async fn preview_connector(
        &self,
        body: &InstallConnectorRequest,
    ) -> Result<Answer<ConnectorPreview>> {
        self.send(fetching(&["connectors", "preview"]).json(body)).await?.json()
    }

    /// The answer's status is 201 when it is new, 200 when it was there.
    pub async fn install_connector(
        &self,
        body: &InstallConnectorRequest,
    ) -> Result<Answer<InstalledConnector>> {
        self.send(fetching(&["connectors", "install"]).json(body)).await?.json()
    }

    pub async fn connectors(&self) -> Result<Answer<Connectors>> {
        self.get(&["connectors"]).await
    }

    pub async fn preview_action(
        &self,
        body: &InstallActionRequest,
    ) -> Result<Answer<ActionPreview>> {
        self.send(fetching(&["actions", "preview"]).json(body)).await?.json()
    }

    /// The answer's status is 201 when it is new, 200 when it was there.
    pub async fn install_action(
        &self,
        body: &InstallActionRequest,
    ) -> Result<Answer<InstalledAction>> {
        self.send(fetching(&["actions", "install"]).json(body)).await?.json()
    }

    pub async fn read_suite(&self, body: &ReadSuite) -> Result<Answer<Suite>> {
        self.send(fetching(&["suites"]).json(body)).await?.json()
    }

    pub async fn keyring(&self) -> Result<Answer<Keyring>> {
        self.get(&["keyring"]).await
    }

    pub async fn look_up_key(&self, body: &LookUpKey) -> Result<Answer<PublishedKey>> {
        self.send(fetching(&["keyring", "lookup"]).json(body)).await?.json()
    }

    /// The answer's status is 201 when it is new, 200 when it was trusted already.
    pub async fn trust_key(&self, body: &TrustKey) -> Result<Answer<KeyTrusted>> {
        self.send(Call::new(Method::POST, &["keyring"]).json(body)).await?.json()
    }

    pub async fn revoke_keys(&self, which: &RevokeKeys) -> Result<Answer<KeysRevoked>> {
        self.send(Call::new(Method::DELETE, &["keyring"]).filter(which)).await?.json()
    }
}

pub(super) fn fetching(path: &[&str]) -> Call {
    Call::new(Method::POST, path).timeout(FETCHING)
}
