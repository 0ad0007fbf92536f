//! Approvals.

use reqwest::Method;

use super::{Answer, Call, Client, Result};
use crate::approvals::{ApprovalResult, Approvals, Decide};

impl Client {
    pub async fn approvals(&self) -> Result<Answer<Approvals>> {
        self.get(&["action-approvals"]).await
    }

    /// Decides. Needs a person session's token.
    pub async fn decide(&self, id: &str, body: &Decide) -> Result<Answer<()>> {
        let call = Call::new(Method::POST, &["action-approvals", id, "decide"]).json(body);
        Ok(self.send(call).await?.nothing())
    }

    pub async fn approval_result(&self, id: &str) -> Result<Answer<ApprovalResult>> {
        self.get(&["action-approvals", id, "result"]).await
    }
}
