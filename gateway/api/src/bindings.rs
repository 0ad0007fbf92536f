//! Credentials bound to a connector.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Sensitive;

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Bindings {
    pub items: Vec<Binding>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Binding {
    /// `<kind>/<service>/<identity>`
    pub name: String,
    pub kind: String,
    pub service: String,
    pub identity: String,
    /// A person chose it among the bindings of its connector and kind.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub default: bool,
    pub connector_fqn: String,
    #[schema(format = DateTime)]
    pub created_at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// `null` when never used, as published.
    #[schema(format = DateTime)]
    #[serde(default)]
    pub last_used_at: Option<String>,
    /// `null` when never refreshed, as published.
    #[schema(format = DateTime)]
    #[serde(default)]
    pub last_refreshed_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<BindingStatus>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    /// `hosts_added`, `scope_drift`, `no_grant_record`, `refresh_rejected`, `refresh_lost`, or
    /// `unknown` for a word of another program.
    pub stale_reason: Option<String>,
    /// Are these labels known to be the ones that were sealed? Not while the vault is locked: then
    /// they are what the file says, and whoever can write it can have changed them.
    #[serde(default)]
    pub verified: bool,
    /// The hosts the person consented to; absent on a binding of an older file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hosts: Option<Vec<String>>,
    /// Of a signing key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    /// Of a signing key: where it is used, when there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Can an access token that ended be replaced without the person?
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token_present: Option<bool>,
    /// What the provider granted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub granted_scopes: Vec<String>,
    /// What the connector declares and the provider did not grant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_scopes: Vec<String>,
    /// New tokens were asked for at this time, and what came of it is not known (yet).
    #[schema(format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refreshing_since: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BindingStatus {
    Active,
    Stale,
    Revoked,
}

impl fmt::Display for BindingStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Active => "active",
            Self::Stale => "stale",
            Self::Revoked => "revoked",
        })
    }
}

/// Body of `POST /v1/bindings/setup`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct BindingSetup {
    pub connector_fqn: String,
    /// At least one.
    #[schema(min_items = 1)]
    pub bindings: Vec<BindingSpec>,
    /// Skip bindings that exist rather than refuse.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub skip_existing: bool,
    /// The hosts the person saw. When given they must be the ones the installed connector
    /// declares; when they changed meanwhile the call is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hosts: Option<Vec<String>>,
}

#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct BindingSpec {
    pub identity: String,
    /// Without it, named after the connector's repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    pub source: BindingSource,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Of a signing key, unless the connector's manifest has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    /// Of a signing key: where it is used, when there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct BindingSource {
    /// The kind the connector declares: `api_key`, `aws_sigv4`, `basic`, `header` or `query`.
    pub kind: String,
    /// The key or token; `user:password` with `basic`; with `aws_sigv4` the secret access key,
    /// or a JSON object `{"secret_access_key", "session_token"}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(inline)]
    pub value: Option<Sensitive>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct BindingSetupResult {
    pub created: Vec<Binding>,
    /// Names of bindings that existed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<String>,
}

/// Body of `POST /v1/bindings/{name}/rebind`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Rebind {
    pub source: BindingSource,
    /// Of a new signing key; without it, as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    /// Of a signing key; without it, as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// As in the setup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hosts: Option<Vec<String>>,
}

/// Body of `POST /v1/bindings/{name}/consent`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RenewConsent {
    /// The hosts the person saw: they must be the ones the installed connector declares.
    pub hosts: Vec<String>,
}

/// What `GET /v1/bindings` leaves in; all conditions must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct BindingFilter {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connector_fqn: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

/// Query of `DELETE /v1/bindings/{name}`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, utoipa::IntoParams,
)]
#[into_params(parameter_in = Query)]
pub struct RevokeQuery {
    /// Say in the answer what became of it at the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<bool>,
}

/// What became of a binding that was revoked. Here it is gone, whatever the provider said.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct RevokedBinding {
    pub name: String,
    pub provider: AtProvider,
    /// Why the provider may still honour its tokens, and what to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AtProvider {
    /// There was no provider to be told.
    None,
    Revoked,
    NotRevoked,
}

fn yes() -> bool {
    true
}
