//! The vault, its listing, and secrets.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Sensitive;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VaultState {
    Missing,
    Locked,
    Unlocked,
    /// Published for an in-memory vault; this runtime has none.
    Dev,
}

impl fmt::Display for VaultState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "missing",
            Self::Locked => "locked",
            Self::Unlocked => "unlocked",
            Self::Dev => "dev",
        })
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct VaultStatus {
    /// True when missing, too.
    pub locked: bool,
    pub state: VaultState,
    /// The file's format, once there is a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<u32>,
    /// Counts the writes of a version 2 file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<u64>,
    /// Can the vault be opened with a recovery key, too?
    #[serde(default)]
    pub recovery_key: bool,
}

/// Body of `POST /v1/vault/unlock`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct UnlockVault {
    #[schema(inline)]
    pub passphrase: Sensitive,
}

/// Body of `POST /v1/vault`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateVault {
    #[schema(inline)]
    pub passphrase: Sensitive,
}

/// Body of `POST /v1/vault/passphrase`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePassphrase {
    #[schema(inline)]
    pub current: Sensitive,
    #[schema(inline)]
    pub new: Sensitive,
    /// Also replace the vault key and seal every entry again.
    #[serde(default)]
    pub rotate: bool,
}

/// A vault file that unlocking refuses, and the one that was last used here.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct OlderVault {
    pub present: VaultWriting,
    pub last: VaultWriting,
    /// Two states of one vault. Otherwise the file is another vault's, or of the time before its
    /// format changed.
    pub same_vault: bool,
}

/// One writing of a vault file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct VaultWriting {
    /// Counts the writes; 0 for a file of version 1.
    pub generation: u64,
    /// When it was written, as far as that is known.
    #[schema(format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_at: Option<String>,
}

/// Body of `POST /v1/vault/accept-older`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptOlderVault {
    /// The one that opens the file that is there.
    #[schema(inline)]
    pub passphrase: Sensitive,
    /// The generation of the file that the person was shown.
    pub generation: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct VaultEntries {
    pub entries: Vec<VaultEntry>,
}

/// One entry's name and labels; never a value.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct VaultEntry {
    pub path: String,
    /// The namespace: `secret`, `agent`, `user`, `binding`, …
    pub scope: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<VaultMetadata>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct VaultMetadata {
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Secrets {
    pub items: Vec<SecretEntry>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct SecretEntry {
    /// Below `secret/`.
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<VaultMetadata>,
}

/// Body of `PUT /v1/secrets/{name}`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutSecret {
    /// Base64 of the bytes to keep.
    #[schema(inline)]
    pub value: Sensitive,
}

/// What `GET /v1/vault` leaves in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct EntryFilter {
    /// Also list what a control plane owns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_control_plane: Option<bool>,
}
