//! The log.

use reqwest::Method;

use super::{Answer, Call, Client, Result};
use crate::audit::{AuditEvent, AuditEvents, AuditFilter, Checkpoint};

impl Client {
    pub async fn audit_events(&self, filter: &AuditFilter) -> Result<Answer<AuditEvents>> {
        self.send(Call::new(Method::GET, &["audit"]).filter(filter)).await?.json()
    }

    pub async fn audit_event(&self, id: &str) -> Result<Answer<AuditEvent>> {
        self.get(&["audit", id]).await
    }

    pub async fn audit_checkpoint(&self) -> Result<Answer<Checkpoint>> {
        self.get(&["audit", "checkpoint"]).await
    }

    /// The receipt's text, to be verified offline.
    pub async fn audit_receipt(&self, id: &str) -> Result<Answer<String>> {
        Ok(self.send(Call::new(Method::GET, &["audit", id, "receipt"])).await?.text())
    }
}
