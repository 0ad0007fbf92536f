//! What the Hub lists, and what to know before trusting it.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::packages::{InstallActionRequest, InstallConnectorRequest};

/// Which entries to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct HubSearch {
    /// Part of the name or of the description, in any case of letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
}

/// Which entries of all kinds to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct HubQuery {
    /// Part of the name or of the description, in any case of letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    /// `connectors`, `actions` or `suites`.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

/// Which entry.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct HubName {
    /// `github://owner/repo[/path]`
    pub fqn: String,
}

/// Entries of all kinds, each sorted by name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct HubEntries {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connectors: Option<Vec<HubConnector>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actions: Option<Vec<HubAction>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suites: Option<Vec<HubSuite>>,
    /// Files of the Hub that cannot be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<HubProblem>,
    pub copy: HubCopy,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct HubConnectors {
    pub connectors: Vec<HubConnector>,
    /// Files of the Hub that cannot be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<HubProblem>,
    pub copy: HubCopy,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct HubActions {
    pub actions: Vec<HubAction>,
    /// Files of the Hub that cannot be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<HubProblem>,
    pub copy: HubCopy,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct HubSuites {
    pub suites: Vec<HubSuite>,
    /// Files of the Hub that cannot be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<HubProblem>,
    pub copy: HubCopy,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct HubConnector {
    /// `github://owner/repo`
    pub fqn: String,
    pub description: String,
    /// The GitHub account that says to publish it.
    pub publisher_github: String,
    pub key_url: String,
    /// Which tags are releases, such as `v*`.
    pub release_pattern: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<HubConflict>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct HubAction {
    /// `github://owner/repo/actions/name`
    pub fqn: String,
    pub description: String,
    pub publisher_github: String,
    pub connector_fqn: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub intents: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<HubConflict>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct HubSuite {
    /// `github://owner/repo/suite` or `…/suites/name`
    pub fqn: String,
    pub description: String,
    pub publisher_github: String,
    /// In the publisher's order.
    pub member_actions: Vec<String>,
    /// As listed, or taken from its members.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub connectors_required: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<HubConflict>,
}

/// Something that contradicts something else: nobody is trusted because of such an entry.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct HubConflict {
    /// `duplicate_fqn`, `publisher_mismatch`, `key_elsewhere`, `connectors_mismatch` or
    /// `member_unknown`.
    pub kind: String,
    pub detail: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct HubProblem {
    pub file: String,
    /// From 1; 0 when there is none to name.
    pub line: u32,
    pub message: String,
}

/// The runtime's copy of the Hub.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct HubCopy {
    /// The repository it was fetched from.
    pub source: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    #[schema(format = DateTime)]
    pub fetched_at: String,
    /// When the repository last said that it is still this one.
    #[schema(format = DateTime)]
    pub checked_at: String,
    /// Since `checked_at`.
    pub age_seconds: u64,
    /// Why it is older than it should be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}

/// What to know before installing a connector.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct InstallDecision {
    pub fqn: String,
    pub description: String,
    pub publisher_github: String,
    /// Of the key that the entry points to, fetched now.
    pub fingerprint: String,
    /// `already_trusted`, `unknown`, or `conflict`: another key of the publisher is trusted.
    pub trust_state: String,
    /// The publisher's connectors in the Hub.
    pub publisher_footprint: Vec<String>,
    pub risk_indicators: Vec<String>,
}

/// The same of one connector that something else needs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct InstallAuthority {
    pub fqn: String,
    pub publisher_github: String,
    pub fingerprint: String,
    pub trust_state: String,
    pub publisher_footprint: Vec<String>,
    pub risk_indicators: Vec<String>,
}

/// What to know before installing an action.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct ActionInstallDecision {
    /// `action`
    pub kind: String,
    pub fqn: String,
    pub description: String,
    pub publisher_github: String,
    pub connector_fqn: String,
    /// Exactly one.
    pub authorities: Vec<InstallAuthority>,
}

/// What to know before installing a suite.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct SuiteInstallDecision {
    /// `suite`
    pub kind: String,
    pub fqn: String,
    pub description: String,
    pub publisher_github: String,
    pub member_actions: Vec<String>,
    /// One per repository whose signature is needed.
    pub authorities: Vec<InstallAuthority>,
}

/// Body of `POST /v1/connectors/install`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct InstallConnector {
    #[serde(flatten)]
    pub request: InstallConnectorRequest,
    /// Of the key that the Hub names for the connector: it is fetched, compared and, once the
    /// connector verifies with it, trusted for its repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_fingerprint: Option<String>,
}

/// Body of `POST /v1/actions/install`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct InstallAction {
    #[serde(flatten)]
    pub request: InstallActionRequest,
    /// The same for every publisher whose signature the action needs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub confirmed_fingerprints: Vec<ConfirmedFingerprint>,
}

/// A key that a person confirmed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmedFingerprint {
    /// The connector of the Hub that names the key.
    pub fqn: String,
    /// The short form, or the whole digest.
    pub fingerprint: String,
}
