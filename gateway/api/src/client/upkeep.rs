//! Drift, and what is missing.

use reqwest::Method;

use super::{Answer, Call, Client, Result, call::FETCHING};
use crate::upkeep::{
    AcceptConnector, AcceptDrift, AcceptedDrift, DriftFilter, DriftList, Sync, SyncResponse,
};

impl Client {
    pub async fn drift(&self, filter: &DriftFilter) -> Result<Answer<DriftList>> {
        self.send(Call::new(Method::GET, &["drift"]).filter(filter)).await?.json()
    }

    pub async fn accept_action(
        &self,
        name: &str,
        body: &AcceptDrift,
    ) -> Result<Answer<AcceptedDrift>> {
        self.send(Call::new(Method::POST, &["actions", name, "accept"]).json(body)).await?.json()
    }

    pub async fn accept_connector(&self, body: &AcceptConnector) -> Result<Answer<AcceptedDrift>> {
        self.send(Call::new(Method::POST, &["connectors", "accept"]).json(body)).await?.json()
    }

    pub async fn accept_lock(&self, body: &AcceptDrift) -> Result<Answer<AcceptedDrift>> {
        self.send(Call::new(Method::POST, &["lock", "accept"]).json(body)).await?.json()
    }

    /// What is missing; nothing is installed.
    pub async fn needs(&self) -> Result<Answer<SyncResponse>> {
        self.get(&["sync"]).await
    }

    /// Installs what is missing. The caller has consented to each connector.
    pub async fn sync(&self, body: &Sync) -> Result<Answer<SyncResponse>> {
        let call = Call::new(Method::POST, &["sync"]).json(body).timeout(FETCHING);
        self.send(call).await?.json()
    }
}
