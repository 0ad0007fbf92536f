//! What became of each call.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Object, actions::RunResult, error::FailureEnvelope};

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct Runs {
    /// Newest first.
    pub items: Vec<Run>,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct Run {
    /// Also the id of its approval, when it is gated.
    pub id: String,
    pub action_name: String,
    pub action_hash: String,
    pub state: RunState,
    pub gated: bool,
    /// The standing grant that let it run without waiting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant_id: Option<String>,
    #[schema(format = DateTime)]
    pub requested_at: String,
    pub requested_by: Principal,
    #[serde(default)]
    #[schema(value_type = Object)]
    pub args: Object,
    /// Whose account was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connector_fqn: Option<String>,
    /// The step under way or last attempted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub expires_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub decided_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<Principal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub ended_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<RunResult>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailureEnvelope>,
    /// SHA-256 over what the approval covers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The record is not what the runtime wrote; it will not run.
    #[serde(default)]
    pub quarantined: bool,
}

/// Who acted.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Principal {
    /// `person`, `program`, `agent` or `service`.
    #[serde(rename = "type")]
    pub kind: String,
    pub id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    Parked,
    Approved,
    AwaitingVault,
    Running,
    Done,
    Failed,
    /// The upstream may have acted, and nobody knows.
    Ambiguous,
    Denied,
    Expired,
}

impl fmt::Display for RunState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Parked => "parked",
            Self::Approved => "approved",
            Self::AwaitingVault => "awaiting_vault",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Ambiguous => "ambiguous",
            Self::Denied => "denied",
            Self::Expired => "expired",
        })
    }
}

/// What `GET /v1/action-runs` leaves in; all conditions must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct RunFilter {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<RunState>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<u32>,
}
