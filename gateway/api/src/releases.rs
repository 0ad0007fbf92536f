//! What publishers have released, and packages of a person's own disk.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Of which package the newest version is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct NewestFilter {
    /// `github://owner/repo[/path]`
    pub fqn: String,
    /// Count pre-releases too.
    #[serde(default)]
    pub include_prerelease: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct NewestVersion {
    pub fqn: String,
    pub version: String,
}

/// Which versions count as newer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct UpdateFilter {
    /// Count pre-releases too.
    #[serde(default)]
    pub include_prerelease: bool,
}

/// Connectors in use, sorted by name and version.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct ConnectorUpdates {
    pub results: Vec<ConnectorUpdate>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct ConnectorUpdate {
    pub fqn: String,
    /// The version that is installed, or that an installed action names.
    pub current_version: String,
    pub update_available: bool,
    /// Of all published versions; left out when none is, or nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest_version: Option<String>,
    /// Newer than the current one, the newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub available_versions: Vec<String>,
    /// Why nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A package as its files: exactly one of the two.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BringPackage {
    /// Base64 of an `aileron.tar.gz`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = Byte)]
    pub archive: Option<String>,
    /// The files such an archive holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<Vec<PackageFile>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PackageFile {
    /// `connector.wasm`, `manifest.toml`, `signature.sig` or `action.md`
    pub name: String,
    /// Base64.
    #[schema(format = Byte)]
    pub content: String,
}

/// What the files are: the name under which they can be installed for a while.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct LocalPackage {
    pub fqn: String,
    pub version: String,
    /// `connector` or `action`
    pub kind: String,
    pub hash: String,
}
