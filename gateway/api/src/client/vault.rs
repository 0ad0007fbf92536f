//! The vault and secrets.

use reqwest::Method;

use super::{Answer, Call, Client, Result};
use crate::vault::{
    AcceptOlderVault, ChangePassphrase, CreateVault, EntryFilter, OlderVault, PutSecret, Secrets,
    UnlockVault, VaultEntries, VaultStatus,
};

impl Client {
    pub async fn vault_status(&self) -> Result<Answer<VaultStatus>> {
        self.get(&["vault", "status"]).await
    }

    pub async fn create_vault(&self, body: &CreateVault) -> Result<Answer<VaultStatus>> {
        self.send(Call::new(Method::POST, &["vault"]).json(body)).await?.json()
    }

    /// Unlocks. The answer's status is 409 when the vault was unlocked already.
    pub async fn unlock_vault(&self, body: &UnlockVault) -> Result<Answer<VaultStatus>> {
        let call = Call::new(Method::POST, &["vault", "unlock"]).json(body);
        let received = self.exchange(call).await?;
        // The published 409 carries the vault's state; other conflicts carry an error.
        if received.status() == 409 && !received.has_error() {
            received.json()
        } else {
            received.accepted()?.json()
        }
    }

    pub async fn lock_vault(&self) -> Result<Answer<VaultStatus>> {
        self.send(Call::new(Method::POST, &["vault", "lock"])).await?.json()
    }

    /// The vault file that unlocking refuses, and the one last used; `not_found` when it does not.
    pub async fn older_vault(&self) -> Result<Answer<OlderVault>> {
        self.get(&["vault", "older"]).await
    }

    pub async fn accept_older_vault(&self, body: &AcceptOlderVault) -> Result<Answer<VaultStatus>> {
        self.send(Call::new(Method::POST, &["vault", "accept-older"]).json(body)).await?.json()
    }

    pub async fn change_passphrase(&self, body: &ChangePassphrase) -> Result<Answer<VaultStatus>> {
        self.send(Call::new(Method::POST, &["vault", "passphrase"]).json(body)).await?.json()
    }

    pub async fn vault_entries(&self, filter: &EntryFilter) -> Result<Answer<VaultEntries>> {
        self.send(Call::new(Method::GET, &["vault"]).filter(filter)).await?.json()
    }

    pub async fn secrets(&self) -> Result<Answer<Secrets>> {
        self.get(&["secrets"]).await
    }

    pub async fn put_secret(&self, name: &str, body: &PutSecret) -> Result<Answer<()>> {
        let call = Call::new(Method::PUT, &["secrets", name]).json(body);
        Ok(self.send(call).await?.nothing())
    }

    pub async fn delete_secret(&self, name: &str) -> Result<Answer<()>> {
        Ok(self.send(Call::new(Method::DELETE, &["secrets", name])).await?.nothing())
    }
}
