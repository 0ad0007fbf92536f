//! What leaves the vault on purpose: logins, and the vault itself as a file; and the ways back in.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Sensitive, vault::VaultMetadata};

/// A login of an agent or of the person, as it is stored.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentCredentials {
    /// Base64 of the bytes, which are kept as they are.
    #[schema(inline)]
    pub value: Sensitive,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<VaultMetadata>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct AgentLogins {
    pub agents: Vec<AgentLogin>,
}

/// That an agent has a login; never the login.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct AgentLogin {
    pub name: String,
    pub purpose: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<VaultMetadata>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct UserLogins {
    pub services: Vec<UserLogin>,
}

/// That the person has a login at a service; never the login.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct UserLogin {
    pub service: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<VaultMetadata>,
}

/// Which of an agent's logins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Purpose {
    /// `oauth` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
}

/// A recovery key. It is shown this once.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct RecoveryKey {
    /// 14 groups of four letters and digits.
    #[schema(inline)]
    pub key: Sensitive,
}

/// Body of `POST /v1/vault/recover`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecoverVault {
    /// As it was shown; case and separators do not matter.
    #[schema(inline)]
    pub key: Sensitive,
    /// The passphrase from now on.
    #[schema(inline)]
    pub passphrase: Sensitive,
}

/// Body of `POST /v1/vault/export`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExportVault {
    /// The file's own.
    #[schema(inline)]
    pub passphrase: Sensitive,
}

/// A vault in a file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct ExportedVault {
    /// Base64 of the file's bytes, sealed under its passphrase.
    pub file: String,
    pub entries: u64,
}

/// Body of `POST /v1/vault/import`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportVault {
    /// Base64 of the file's bytes.
    pub file: String,
    /// The one it was exported with.
    #[schema(inline)]
    pub passphrase: Sensitive,
    /// Let the file win where both have an entry.
    #[serde(default)]
    pub replace: bool,
}

/// What an import changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct ImportedVault {
    pub added: u64,
    pub replaced: u64,
    pub unchanged: u64,
}
