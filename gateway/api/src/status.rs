//! Health, status and limits.

use std::fmt;

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
    /// Why the vault's file cannot be used. Until it can, none of its bindings is counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vault_problem: Option<String>,
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
    /// Where people find the web page; none where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// How the person at the desktop is told of what waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notifications: Option<Notifications>,
}

/// Notifications of the desktop that the daemon runs on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[schema(as = NotificationStatus)]
pub struct Notifications {
    pub state: NotificationState,
    /// Why they are unavailable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<QuietHours>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotificationState {
    On,
    /// Turned off by the configuration.
    Off,
    /// Silent until the quiet hours are over.
    Quiet,
    /// There is no desktop, or it did not take the last one.
    Unavailable,
}

impl fmt::Display for NotificationState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::On => "on",
            Self::Off => "off",
            Self::Quiet => "quiet",
            Self::Unavailable => "unavailable",
        })
    }
}

/// When the desktop stays silent, every day.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct QuietHours {
    /// `HH:MM`
    pub start: String,
    /// `HH:MM`, of the next day when it is the earlier one.
    pub end: String,
    /// IANA name; none when the machine's own zone has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
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
