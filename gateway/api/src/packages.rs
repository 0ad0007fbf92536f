//! Connectors, actions to install, suites, and the keyring.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Body of `POST /v1/connectors/preview` and `…/install`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct InstallConnectorRequest {
    /// `github://owner/repo[/path]`
    pub fqn: String,
    /// A strict semantic version.
    pub version: String,
    /// `sha256:<hex>`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_hash: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct ConnectorPreview {
    pub fqn: String,
    pub version: String,
    pub hash: String,
    pub publisher: String,
    /// `verified`: connectors are never installed unsigned.
    pub signature_status: String,
    pub capabilities: Capabilities,
    pub already_installed: bool,
    /// Of the key that verified the signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// Beside the newest installed version of the same connector, when another one is installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<CapabilityChange>,
}

/// What a version may do that the installed one may not, and the other way round.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct CapabilityChange {
    /// The installed version it is compared with.
    pub from_version: String,
    /// Of the key that signed the installed version.
    pub from_fingerprint: String,
    /// What the installed version may do.
    pub before: Capabilities,
    /// Requests that become possible, sorted by host.
    pub gained: Vec<PossibleRequest>,
    /// Requests that the version no longer asks for, sorted by host.
    pub lost: Vec<PossibleRequest>,
    /// What a provider is asked to grant from now on, and was not before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gained_scopes: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost_scopes: Vec<String>,
}

/// Requests to one host, as a manifest allows them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct PossibleRequest {
    /// `host:port`
    pub host: String,
    /// The kind of credential that may join them; absent when they go without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_kind: Option<String>,
    /// Your own bindings of that kind for this connector, for a caller who may list them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bindings: Vec<String>,
}

/// What a connector may reach.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Capabilities {
    /// `host:port`
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub network_hosts: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<CredentialNeed>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct CredentialNeed {
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The header that carries the credential, with a word in braces in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// The parameter of the query that carries the credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    /// What the provider is asked to grant (OAuth 2.0).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// `host:port` of the page where the person agrees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Can the person agree on another machine?
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<bool>,
    /// Of a signing key, when the manifest has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
}

impl CredentialNeed {
    /// Where in a request the credential goes, with a word in braces in its place.
    pub fn place(&self) -> Option<String> {
        let parameter = self.parameter.as_ref().map(|name| format!("?{name}={{token}}"));
        self.header.clone().or(parameter)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct InstalledConnector {
    pub fqn: String,
    pub version: String,
    pub hash: String,
    pub entry_dir: String,
    #[serde(default)]
    pub already_installed: bool,
    /// Bindings whose consent no longer covers what the connector declares.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub newly_stale_bindings: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Connectors {
    pub items: Vec<Connector>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Connector {
    pub fqn: String,
    pub version: String,
    pub hash: String,
    pub capabilities: Capabilities,
}

/// Body of `POST /v1/actions/preview` and `…/install`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct InstallActionRequest {
    pub fqn: String,
    pub version: String,
    /// Replace an installed action of that name and other bytes.
    #[serde(default)]
    pub force: bool,
    /// Also install the connectors it needs.
    #[serde(default)]
    pub auto_install_connectors: bool,
    /// Install it although nobody signed it: without this, `action_unsigned`.
    #[serde(default)]
    pub accept_unsigned: bool,
    /// Only these bytes, such as a preview showed: others are refused (`hash_mismatch`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_hash: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct ActionPreview {
    pub fqn: String,
    pub version: String,
    pub hash: String,
    pub name: String,
    /// In declaration order.
    pub connector_deps: Vec<ConnectorDependency>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<String>,
    /// `verified` or `unsigned`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature_status: Option<String>,
    #[serde(default)]
    pub already_installed: bool,
    /// An installed action of that name with other bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub existing: Option<ExistingAction>,
    #[serde(default)]
    pub approval_required: bool,
    /// Calls of the action it replaces wait for a person, and calls of this one would not.
    #[serde(default)]
    pub loses_approval: bool,
    /// How the file departs from the published grammar; absent when it keeps it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lenient: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct ConnectorDependency {
    pub fqn: String,
    pub version: String,
    pub hash: String,
    /// The operations the action may call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<String>,
    pub already_installed: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct ExistingAction {
    pub version: String,
    pub hash: String,
    pub source: String,
    pub path: String,
    /// Of the key that signed what was installed there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct InstalledAction {
    pub name: String,
    pub fqn: String,
    pub version: String,
    pub source: String,
    pub path: String,
    #[serde(default)]
    pub already_installed: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// Connectors this call installed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub installed_connectors: Vec<InstalledConnector>,
    /// Credentials still to bind.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unbound_capabilities: Vec<UnboundCapability>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub newly_stale_bindings: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct UnboundCapability {
    pub connector_fqn: String,
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
}

/// Body of `POST /v1/suites`: exactly one of the two.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadSuite {
    /// `<scheme>://<owner>/<repo>/<file>@<ref>`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The text of a `suite.toml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Suite {
    pub name: String,
    pub description: String,
    /// In declaration order.
    pub actions: Vec<SuiteMember>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct SuiteMember {
    pub fqn: String,
    pub version: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Keyring {
    pub items: Vec<TrustedKey>,
    /// Does the file still carry what persons trusted? Absent while the vault is locked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<bool>,
    pub path: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct TrustedKey {
    /// `github://owner[/repo]`
    pub authority: String,
    /// Base64 of the raw Ed25519 key.
    #[schema(format = Byte)]
    pub key: String,
    /// The published short form: `sha256:` and 22 characters of base64.
    pub fingerprint: String,
    /// The whole SHA-256 of the key: `sha256:` and 64 hexadecimal digits.
    pub digest: String,
}

/// Body of `POST /v1/keyring/lookup`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LookUpKey {
    pub authority: String,
}

/// The key a repository publishes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct PublishedKey {
    #[serde(flatten)]
    pub key: TrustedKey,
    /// Already trusted for this authority or its owner.
    pub trusted: bool,
    #[schema(format = DateTime)]
    pub fetched_at: String,
    /// The address it was fetched from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// Body of `POST /v1/keyring`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TrustKey {
    pub authority: String,
    /// Base64 of the raw Ed25519 key.
    #[schema(format = Byte)]
    pub key: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct KeyTrusted {
    #[serde(flatten)]
    pub key: TrustedKey,
    /// It was trusted before: nothing changed.
    pub already_trusted: bool,
    /// The keyring file.
    pub path: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct KeysRevoked {
    /// Empty when nothing matched.
    pub removed: Vec<TrustedKey>,
}

/// Which keys `DELETE /v1/keyring` removes: exactly one of the two.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct RevokeKeys {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<String>,
    /// The short form or the whole digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
}
