//! The transparency log.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Object;

mod words;

pub use words::{Fact, facts, happened, subject};

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct AuditEvents {
    /// Newest first.
    pub events: Vec<AuditEvent>,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct AuditEvent {
    pub audit_id: String,
    pub event_type: String,
    #[schema(format = DateTime)]
    pub timestamp: String,
    pub actor: Actor,
    #[schema(value_type = Object)]
    pub payload: Object,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// Its leaf's place in the log, from 0.
    pub index: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Actor {
    /// `agent`, `human`, `service` or `connector_runtime`.
    #[serde(rename = "type")]
    pub kind: String,
    pub id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
}

/// The newest signed checkpoint. Keep it elsewhere: the log can be verified against it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Checkpoint {
    /// A signed note (C2SP tlog-checkpoint).
    pub note: String,
    /// `name+hash+key` (C2SP signed-note).
    pub verifier_key: String,
    pub size: u64,
}

/// What `GET /v1/audit` leaves in; all conditions must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct AuditFilter {
    /// Inclusive, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(format = DateTime)]
    pub since: Option<String>,
    /// Exclusive, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(format = DateTime)]
    pub until: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connector_fqn: Option<String>,
    /// A failure class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// One of the types the log may hold, such as `execution.failed`; others are refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
    /// 1 to 1,000; 100 without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<u32>,
}
