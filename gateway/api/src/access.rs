//! Person sessions and minted tokens.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Sensitive;

/// Body of `POST /v1/person-sessions`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenPersonSession {
    #[schema(inline)]
    pub passphrase: Sensitive,
}

/// A fresh person session. The token is shown once: keep it in memory only.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct OpenedPersonSession {
    pub id: String,
    #[schema(inline)]
    pub token: Sensitive,
    #[schema(format = DateTime)]
    pub opened_at: String,
    #[schema(format = DateTime)]
    pub expires_at: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct PersonSessions {
    /// Newest first.
    pub items: Vec<PersonSession>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct PersonSession {
    pub id: String,
    #[schema(format = DateTime)]
    pub opened_at: String,
    #[schema(format = DateTime)]
    pub expires_at: String,
}

/// Body of `POST /v1/tokens`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MintToken {
    /// What the token is for.
    pub label: String,
    /// Such as `actions:run`.
    pub scopes: Vec<String>,
    #[schema(format = DateTime)]
    pub expires_at: String,
}

/// A fresh token. It is shown once; only its hash is kept.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct MintedToken {
    pub id: String,
    #[schema(inline)]
    pub token: Sensitive,
    pub label: String,
    pub scopes: Vec<String>,
    #[schema(format = DateTime)]
    pub created_at: String,
    #[schema(format = DateTime)]
    pub expires_at: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Tokens {
    /// Newest first.
    pub items: Vec<Token>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Token {
    pub id: String,
    pub label: String,
    pub scopes: Vec<String>,
    #[schema(format = DateTime)]
    pub created_at: String,
    #[schema(format = DateTime)]
    pub expires_at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub revoked_at: Option<String>,
}
