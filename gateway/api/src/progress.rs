//! How far the previews and installations are that a caller waits for.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// In the order they began.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct PackagesProgress {
    pub items: Vec<PackageProgress>,
}

/// A step that is under way.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct PackageProgress {
    pub fqn: String,
    pub version: String,
    /// `fetching` or `compiling`
    pub step: String,
    /// How much has come of what is fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received_bytes: Option<u64>,
    /// Of how much, by the source's own word; left out when it gave none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_bytes: Option<u64>,
}
