//! Calls that a person let run in advance.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{Object, approvals::Field, runs::Principal};

/// What a person wants to allow: body of `POST /v1/approval-grants` and of its `/proposal`.
/// Exactly one of `session_id` and `token_id` is given, and every input of the action is in
/// exactly one of `args`, `any` and `left_out`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, ToSchema)]
#[schema(as = ApprovalGrantRequest)]
#[serde(deny_unknown_fields)]
pub struct GrantRequest {
    pub action_name: String,
    /// The account that calls have to ask for; without it they must not ask for any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// The agent session the grant is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The minted token the grant is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_id: Option<String>,
    /// Arguments that must have exactly this value.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub args: Object,
    /// Arguments that may have any value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub any: Vec<String>,
    /// Arguments that have to be left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    pub max_uses: u32,
    #[schema(format = DateTime)]
    pub expires_at: String,
    /// The digest of the proposal that the person agreed to. Needed to make the grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// Everything that a person agrees to with a grant.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
#[schema(as = ApprovalGrantTerms)]
pub struct GrantTerms {
    pub action_name: String,
    pub action_version: String,
    pub action_hash: String,
    pub connectors: Vec<GrantedConnector>,
    pub bindings: Vec<GrantedBinding>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_id: Option<String>,
    /// One for each input of the action, in declared order.
    pub arguments: Vec<GrantedArgument>,
    pub max_uses: u32,
    #[schema(format = DateTime)]
    pub expires_at: String,
    /// SHA-256 over all of it.
    pub digest: String,
}

/// A connector at exactly these bytes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct GrantedConnector {
    /// With its version.
    pub connector: String,
    pub hash: String,
    /// What the action calls of it.
    pub operations: Vec<String>,
}

/// A credential that granted calls use.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct GrantedBinding {
    pub connector_fqn: String,
    pub binding: String,
    /// Where it may go.
    pub hosts: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct GrantedArgument {
    pub name: String,
    /// `exactly`, `left_out` or `any`.
    pub rule: String,
    /// With `exactly`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// What a person reads. Bidirectional and invisible characters are escaped.
    pub field: Field,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
#[schema(as = ApprovalGrant)]
pub struct Grant {
    pub id: String,
    /// `live`, `used_up`, `expired`, `revoked` or `void`.
    pub state: String,
    /// Why it is void: `action_gone`, `action_changed`, `action_disabled`, `connector_changed`,
    /// `binding_changed`, `session_ended` or `token_revoked`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub void: Option<String>,
    pub terms: GrantTerms,
    /// Uses so far.
    pub used: u32,
    #[schema(format = DateTime)]
    pub created_at: String,
    pub created_by: Principal,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub last_used_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub ended_at: Option<String>,
    /// The record is not what the runtime wrote; nothing runs on it.
    #[serde(default)]
    pub quarantined: bool,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
#[schema(as = ApprovalGrants)]
pub struct Grants {
    /// Newest first, those that are over included for a while.
    pub items: Vec<Grant>,
}
