//! Runs that wait for a person.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Object, error::FailureEnvelope, runs::RunState};

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct Approvals {
    /// Oldest first.
    pub items: Vec<PendingApproval>,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
#[schema(as = PendingActionApproval)]
pub struct PendingApproval {
    pub id: String,
    /// `action`, `comms_send`, `comms_draft` or `http_request`
    pub kind: String,
    pub action_name: String,
    #[schema(format = DateTime)]
    pub requested_at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connector_fqn: Option<String>,
    #[serde(default)]
    #[schema(value_type = Object)]
    pub args: Object,
    /// Whose account was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The session was named by a program whose token is not that session's: whether its agent
    /// asked, nobody knows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub session_named: bool,
    /// What the call would act upon, asked for by the runtime.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview: Option<Preview>,
    /// What a person reads. Bidirectional and invisible characters are escaped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub input_fields: Vec<Field>,
    /// After this it can no longer be approved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub expires_at: Option<String>,
    /// SHA-256 over everything the approval covers: send it back with the decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// A person agreed to this call before, and what was shown with it changed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_before: Option<AskedBefore>,
}

impl PendingApproval {
    /// What a person is asked for, in the words of the published cards.
    pub fn badge(&self) -> String {
        badge(&self.kind)
    }

    /// Enough of the digest to compare by eye with another surface.
    pub fn short_digest(&self) -> Option<String> {
        self.digest.as_deref().map(short)
    }
}

/// The beginning of a digest.
pub fn short(digest: &str) -> String {
    const SHOWN: usize = "sha256:".len() + 16;
    digest.chars().take(SHOWN).collect()
}

/// `action` → `ACTION`, `comms_send` → `COMMS SEND`.
pub fn badge(kind: &str) -> String {
    kind.replace('_', " ").to_uppercase()
}

/// An approval that was given, and taken back because what was shown with it changed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[schema(as = ApprovalAskedBefore)]
pub struct AskedBefore {
    /// How often that happened.
    pub times: u32,
    /// What was agreed to the last time.
    pub digest: String,
    /// From what was shown then to what is shown now, for who may decide. None when both say the
    /// same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<ChangedLine>,
}

/// One line of a difference.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[schema(as = ApprovalChangedLine)]
pub struct ChangedLine {
    /// `kept`, `removed` or `added`.
    pub change: String,
    pub text: String,
}

/// The answer of a preview's call: its lines, or why there are none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[schema(as = ApprovalPreviewed)]
pub struct Preview {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Field>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unavailable: Option<String>,
}

/// How an approval stopped waiting.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[schema(as = ApprovalResolved)]
pub struct Resolved {
    pub id: String,
    pub kind: String,
    pub approved: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[schema(format = DateTime)]
    pub decided_at: String,
}

/// One line of an approval card.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Field {
    pub label: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub missing: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub multiline: bool,
}

/// Body of `POST /v1/action-approvals/{id}/decide`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct Decide {
    pub approved: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What the person saw; a decision about anything else is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Published for messages. Arguments of an action cannot be edited: refused when given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub edited_payload: Option<Object>,
}

/// Body of `POST /v1/action-approvals/deny`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct DenySession {
    /// The agent session whose calls are denied, all that wait.
    pub session: String,
    /// Recorded with each decision, and told to the agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Which approvals were denied.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Denied {
    pub denied: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
#[schema(as = ActionApprovalResult)]
pub struct ApprovalResult {
    pub status: ApprovalStatus,
    /// The precise state: the published `status` has no word for `expired` or `ambiguous`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<RunState>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailureEnvelope>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalStatus {
    PendingApproval,
    AwaitingVault,
    Running,
    Completed,
    Denied,
    Failed,
}

impl ApprovalStatus {
    /// Will nothing change any more?
    pub fn is_end(self) -> bool {
        matches!(self, Self::Completed | Self::Denied | Self::Failed)
    }
}

impl fmt::Display for ApprovalStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PendingApproval => "pending_approval",
            Self::AwaitingVault => "awaiting_vault",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Denied => "denied",
            Self::Failed => "failed",
        })
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes the field by reference")]
fn is_false(value: &bool) -> bool {
    !value
}
