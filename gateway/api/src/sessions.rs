//! Agent sessions.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::Sensitive;

/// Body of `POST /v1/sessions`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BeginSession {
    /// Such as `claude`.
    pub agent: String,
    /// The folder the agent works in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<String>,
}

/// A fresh session and its agent's token, which is shown once.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct BegunSession {
    #[serde(flatten)]
    pub session: Session,
    /// Lists and runs actions and polls what becomes of them, as this session, until it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(inline)]
    pub caveat_token: Option<Sensitive>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Session {
    pub id: String,
    /// `running`; `ended`; `orphaned`, when nobody saw it end.
    #[serde(default)]
    pub state: String,
    #[schema(format = DateTime)]
    pub started_at: String,
    /// Null while it runs.
    #[schema(format = DateTime)]
    pub ended_at: Option<String>,
    pub agent: String,
    pub working_dir: String,
    /// Null while it runs, and of an orphan.
    pub exit_code: Option<i32>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Sessions {
    /// Newest first.
    pub items: Vec<Session>,
}

/// Body of `POST /v1/sessions/{session_id}/end`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndSession {
    /// Without it nobody saw the end: the session is orphaned.
    #[serde(default)]
    pub exit_code: Option<i32>,
}

/// Query of `GET /v1/sessions`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct SessionFilter {
    /// Only those that run.
    #[serde(default)]
    pub active_only: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Started then or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(format = DateTime)]
    pub since: Option<String>,
    /// 0, and without it: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}
