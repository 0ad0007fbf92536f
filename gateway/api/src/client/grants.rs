//! Calls that a person let run in advance.

use reqwest::Method;

use super::{Answer, Call, Client, Result};
use crate::grants::{Grant, GrantRequest, GrantTerms, Grants};

impl Client {
    /// What a grant would cover; makes none. Needs a person session's token.
    pub async fn propose_grant(&self, request: &GrantRequest) -> Result<Answer<GrantTerms>> {
        let call = Call::new(Method::POST, &["approval-grants", "proposal"]).json(request);
        self.send(call).await?.json()
    }

    /// Makes the grant whose digest the request carries. Needs a person session's token.
    pub async fn grant(&self, request: &GrantRequest) -> Result<Answer<Grant>> {
        self.send(Call::new(Method::POST, &["approval-grants"]).json(request)).await?.json()
    }

    pub async fn grants(&self) -> Result<Answer<Grants>> {
        self.get(&["approval-grants"]).await
    }

    /// Needs a person session's token.
    pub async fn revoke_grant(&self, id: &str) -> Result<Answer<()>> {
        let call = Call::new(Method::DELETE, &["approval-grants", id]);
        Ok(self.send(call).await?.nothing())
    }
}
