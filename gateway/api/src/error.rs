//! The two published error envelopes. In both, `error.code` is the stable reason code and
//! `error.request_id` finds the request in the daemon's log.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Object;

/// What every endpoint but a run answers when it fails.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
#[schema(as = Error)]
pub struct ErrorEnvelope {
    pub error: ErrorBody,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct ErrorBody {
    /// Stable, snake case.
    pub code: String,
    /// What happened, where, and what to do next.
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    pub details: Option<Vec<serde_json::Value>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The page of the manual about the code, on the daemon that answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub documentation: Option<String>,
}

/// What a run answers when it fails.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct FailureEnvelope {
    pub error: FailureBody,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct FailureBody {
    /// The failure class, out of a closed set.
    pub class: String,
    /// Safe to show to the agent and to the person.
    pub message: String,
    /// May the same call be tried again with a chance to succeed?
    pub retriable: bool,
    /// The part of the runtime that met the failure.
    pub boundary: String,
    /// The event of the log that records it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub details: Option<Object>,
    /// The reason code: the class, unless a more precise reason is known (`vault_locked`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The page of the manual about the class or the reason, on the daemon that answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub documentation: Option<String>,
}
