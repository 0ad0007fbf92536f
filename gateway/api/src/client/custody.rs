//! Logins, recovery keys, and a vault as a file.

use reqwest::Method;

use super::{Answer, Call, Client, Result};
use crate::{
    custody::{
        AgentCredentials, ExportVault, ExportedVault, ImportVault, ImportedVault, Purpose,
        RecoverVault, RecoveryKey,
    },
    vault::VaultStatus,
};

impl Client {
    pub async fn put_agent_credentials(
        &self,
        name: &str,
        purpose: &Purpose,
        body: &AgentCredentials,
    ) -> Result<Answer<()>> {
        let call = Call::new(Method::PUT, &["vault", "agents", name, "credentials"]);
        Ok(self.send(call.filter(purpose).json(body)).await?.nothing())
    }

    pub async fn delete_agent_credentials(
        &self,
        name: &str,
        purpose: &Purpose,
    ) -> Result<Answer<()>> {
        let call = Call::new(Method::DELETE, &["vault", "agents", name, "credentials"]);
        Ok(self.send(call.filter(purpose)).await?.nothing())
    }

    pub async fn delete_user_credentials(&self, service: &str) -> Result<Answer<()>> {
        let call = Call::new(Method::DELETE, &["vault", "user", service, "credentials"]);
        Ok(self.send(call).await?.nothing())
    }

    pub async fn add_recovery_key(&self) -> Result<Answer<RecoveryKey>> {
        self.send(Call::new(Method::POST, &["vault", "recovery-key"])).await?.json()
    }

    pub async fn remove_recovery_key(&self) -> Result<Answer<VaultStatus>> {
        self.send(Call::new(Method::DELETE, &["vault", "recovery-key"])).await?.json()
    }

    pub async fn recover_vault(&self, body: &RecoverVault) -> Result<Answer<VaultStatus>> {
        self.send(Call::new(Method::POST, &["vault", "recover"]).json(body)).await?.json()
    }

    pub async fn export_vault(&self, body: &ExportVault) -> Result<Answer<ExportedVault>> {
        self.send(Call::new(Method::POST, &["vault", "export"]).json(body)).await?.json()
    }

    pub async fn import_vault(&self, body: &ImportVault) -> Result<Answer<ImportedVault>> {
        self.send(Call::new(Method::POST, &["vault", "import"]).json(body)).await?.json()
    }
}
