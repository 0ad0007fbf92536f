//! Installed actions, and running them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Object;

#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct Actions {
    pub items: Vec<Action>,
    pub load_errors: Vec<LoadError>,
    /// What a person should know about the actions as a whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// An action file that is not offered, and why.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct LoadError {
    pub class: String,
    pub message: String,
    pub file: String,
    /// From 1; 0 when unknown.
    #[serde(default)]
    pub line: u32,
    pub boundary: String,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct Action {
    pub name: String,
    pub version: String,
    pub source: String,
    pub requires: Requires,
    #[serde(rename = "match")]
    pub matches: Match,
    pub execute: Vec<Step>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<Input>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    pub enabled: bool,
    /// Markdown.
    #[serde(default)]
    pub body: String,
    #[serde(default)]
    pub path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// Is the file the one a person installed? Absent while the vault is locked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned: Option<bool>,
    /// How the file departs from the published grammar; absent when it keeps it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lenient: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Requires {
    pub connectors: Vec<Requirement>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Requirement {
    /// The connector's fully qualified name.
    pub name: String,
    pub version: String,
    pub hash: String,
    pub capabilities: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Match {
    pub intent: String,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct Step {
    pub id: String,
    pub connector: String,
    pub op: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotent: Option<bool>,
    #[serde(default, skip_serializing_if = "Object::is_empty")]
    #[schema(value_type = Object)]
    pub inputs: Object,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Input {
    /// `^[a-z][a-z0-9_]*$` by the published grammar; a lenient file's may have capital letters.
    #[schema(pattern = "^[A-Za-z_][A-Za-z0-9_]*$")]
    pub name: String,
    /// `string`, `integer`, `number`, `boolean`, `array` or `object`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The type of an array's members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<String>,
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub required: bool,
    pub description: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    #[serde(default)]
    pub multiline: bool,
    /// The type as its author wrote it, when it is none of the published ones: `type` is then the
    /// nearest of those, and not enforced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared_type: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct Approval {
    #[serde(default)]
    pub required: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview: Option<ApprovalPreview>,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct ApprovalPreview {
    pub op: String,
    #[serde(default, skip_serializing_if = "Object::is_empty")]
    #[schema(value_type = Object)]
    pub args: Object,
    /// Label to dotted path.
    #[schema(value_type = Object)]
    pub render: Object,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub multiline: Vec<String>,
}

/// Body of `PATCH /v1/actions/{name}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct PatchAction {
    /// Absent: left as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// Body of `POST /v1/actions/{name}/run`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct RunAction {
    /// Read strictly: no duplicate keys, no integers beyond 2^53.
    #[serde(default, skip_serializing_if = "Object::is_empty")]
    #[schema(value_type = Object)]
    pub args: Object,
    /// Whose account to use, with every connector that has a binding of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
}

/// A run that succeeded (200).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct RunResult {
    pub audit_id: String,
    /// The text the model sees: a JSON document with `action`, `output` and `steps`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// Of the last step's connector, as the two below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connector_fqn: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connector_version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connector_hash: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity_label: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_binding: Option<String>,
    /// `unattended` or `approved`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent_decision: Option<String>,
}

/// A run that waits for a person (202).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[schema(as = ActionRunPendingResponse)]
pub struct RunPending {
    /// `pending_approval`
    pub status: String,
    pub approval_id: String,
    /// Absent while there is no web page to open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review_url: Option<String>,
    /// To be shown to the person verbatim.
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub expires_at: Option<String>,
}

fn yes() -> bool {
    true
}
