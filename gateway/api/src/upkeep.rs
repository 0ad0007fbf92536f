//! Keeping what is installed as it was accepted: drift and its acceptance, and what is missing.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::packages::{InstalledConnector, UnboundCapability};

/// Narrows `GET /v1/drift`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct DriftFilter {
    /// Only what became of this action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// What is no longer as a person accepted it: actions by name, then connectors, then the lockfile.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct DriftList {
    pub items: Vec<Drift>,
}

/// Something that is not as it was accepted. It is not used until a person accepts it as it is,
/// or installs it again.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Drift {
    pub kind: DriftKind,
    /// An action's name; `<fqn>@<version>` of a connector; `actions.lock`.
    pub name: String,
    /// `unaccepted`, `changed`, `reworded`, `unreadable`, `missing` or `record_altered`.
    pub state: String,
    pub path: String,
    /// What happened, and what to do.
    pub message: String,
    /// A unified diff, in the words of whoever wrote the files: to be escaped before it is shown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub difference: String,
    /// There is more than `difference` holds.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
    /// What an acceptance names. Absent when it cannot be accepted as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DriftKind {
    Action,
    Connector,
    Lock,
}

/// Body of `POST /v1/actions/{name}/accept` and `POST /v1/lock/accept`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptDrift {
    /// Of the drift that was shown.
    pub digest: String,
}

/// Body of `POST /v1/connectors/accept`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptConnector {
    pub fqn: String,
    pub version: String,
    /// Of the drift that was shown.
    pub digest: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct AcceptedDrift {
    /// It was as accepted before; nothing changed.
    pub already_accepted: bool,
    /// Connectors the action needs that are not installed: `<fqn>@<version>`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_connectors: Vec<String>,
}

/// Body of `POST /v1/sync`, which may be left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Sync {
    /// Without effect, as published: whoever calls has consented.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_install: Option<bool>,
    /// Only connectors with these hashes; absent: all that are missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<Vec<String>>,
}

/// What the action files ask for, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct SyncResponse {
    pub actions_seen: u64,
    /// Action files that could not be read.
    #[serde(default)]
    pub actions_unreadable: u64,
    /// Every connector an action file asks for.
    pub required: Vec<ConnectorVersion>,
    pub installed: Vec<InstalledConnector>,
    pub already_installed: Vec<ConnectorVersion>,
    pub install_failures: Vec<InstallFailure>,
    /// What is still not installed.
    #[serde(default)]
    pub missing: Vec<MissingConnector>,
    /// Credentials still to bind, sorted.
    pub unbound: Vec<UnboundCapability>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct ConnectorVersion {
    pub fqn: String,
    pub version: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct InstallFailure {
    pub fqn: String,
    pub version: String,
    pub error: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct MissingConnector {
    pub fqn: String,
    pub version: String,
    pub hash: String,
    /// The actions that ask for it.
    pub needed_by: Vec<String>,
    /// Is one of those accepted as it is?
    pub accepted: bool,
}
