//! Health, status and limits.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::vault::VaultState;

/// Is the daemon alive?
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Health {
    /// `ok`, `degraded` or `down`.
    pub status: String,
    pub service: String,
    pub version: String,
    #[schema(format = DateTime)]
    pub timestamp: String,
}

/// How the runtime stands. Reading it has no side effect and never unlocks.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[schema(as = StatusResponse)]
pub struct Status {
    pub version: String,
    pub vault_state: VaultState,
    pub action_count: u64,
    pub connector_count: u64,
    pub binding_count: u64,
    /// Bindings that a person has to see to before they are used again.
    #[serde(default)]
    pub stale_binding_count: u64,
    /// Bindings whose new tokens were asked for, and it is not known (yet) whether they came.
    #[serde(default)]
    pub refreshing_binding_count: u64,
    /// Runs that wait for a person.
    #[serde(default)]
    pub pending_approval_count: u64,
    /// What is no longer as a person accepted it: `GET /v1/drift`. None is told while the
    /// vault is locked.
    #[serde(default)]
    pub drift_count: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// `127.0.0.1:54321`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listen_addr: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
}

/// Every bound of the runtime.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Limits {
    pub items: Vec<Limit>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Limit {
    pub name: String,
    pub value: u64,
    pub unit: String,
    pub reason: String,
}
