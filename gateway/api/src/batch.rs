//! Several actions in one call, as a suite brings them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    error::ErrorBody,
    packages::{ActionPreview, InstallActionRequest, InstalledAction},
};

/// The most actions one call takes, as `GET /v1/limits` says too.
pub const MOST: usize = 64;

/// Body of `POST /v1/actions/batch/preview` and `…/install`: at most as many as `INSTALL_BATCH` of
/// `GET /v1/limits`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InstallActionsRequest {
    pub actions: Vec<InstallActionRequest>,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct ActionPreviews {
    /// In the order of the request.
    pub items: Vec<ActionPreviewed>,
}

/// One of the two.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct ActionPreviewed {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview: Option<ActionPreview>,
    /// Why this one cannot be installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorBody>,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct InstalledActions {
    /// In the order of the request.
    pub items: Vec<ActionInstalled>,
}

/// One of the two.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct ActionInstalled {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installed: Option<InstalledAction>,
    /// Why this one was not installed; nothing of it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorBody>,
}
