//! Who may act: person sessions and minted tokens.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    Context, Principal, Result, Scopes, Secret, Timestamp,
    names::{AuditId, SessionId, Sha256Hash},
};

/// How the other rooms hold the contract, wherever its service runs.
pub type Handle = Arc<dyn Access>;

/// Proves who a caller is. Lives beside the vault, because a person is who knows its passphrase.
#[async_trait]
pub trait Access: Send + Sync + 'static {
    /// Opens a person session after checking the vault passphrase, in the same line as
    /// unlocking. The session is short-lived and kept in memory only.
    async fn open_session(&self, context: &Context, passphrase: Secret) -> Result<Opened>;

    /// Ends a person session; all of them without an id. Idempotent.
    async fn close_sessions(&self, context: &Context, id: Option<String>) -> Result<()>;

    /// Open person sessions, newest first.
    async fn sessions(&self, context: &Context) -> Result<Vec<PersonSession>>;

    /// Mints a token for a program. Only a person session may; only mintable scopes; a token
    /// always has an end.
    async fn mint(&self, context: &Context, request: MintRequest) -> Result<Minted>;

    /// Minted tokens, newest first, expired and revoked ones included for a while.
    async fn tokens(&self, context: &Context) -> Result<Vec<Token>>;

    /// Revokes a token; `not_found` when there is none.
    async fn revoke(&self, context: &Context, id: String) -> Result<()>;

    /// Gives an agent session its token: `Scopes::of_agent`, kept as a hash in memory only, so
    /// that it is worth nothing after a restart. `begun_by` is who began the session. For the
    /// runtime's own parts.
    async fn admit_agent(
        &self,
        context: &Context,
        session: SessionId,
        begun_by: Principal,
    ) -> Result<Secret>;

    /// Ends an agent session's token; all of them without an id. Idempotent.
    async fn dismiss_agents(&self, context: &Context, session: Option<SessionId>) -> Result<()>;

    /// Who presents this bearer token? `token_invalid` for an unknown one, compared in constant
    /// time; `vault_locked` for a minted token while its record cannot be checked.
    async fn authenticate(&self, bearer: Secret) -> Result<Caller>;
}

/// A fresh person session. The bearer is shown once.
#[derive(Debug)]
pub struct Opened {
    pub session: PersonSession,
    pub bearer: Secret,
}

/// A person session as it is listed; its bearer is not among it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonSession {
    pub id: String,
    pub opened_at: Timestamp,
    pub expires_at: Timestamp,
}

/// What a new token may do, and until when (at most `limits::TOKEN_WALL` from now).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MintRequest {
    /// What the token is for, in the person's words.
    pub label: String,
    pub scopes: Scopes,
    pub expires_at: Timestamp,
}

/// A fresh token. The bearer is shown once; only its hash is kept.
#[derive(Debug)]
pub struct Minted {
    pub token: Token,
    pub bearer: Secret,
}

/// A minted token as it is listed; its bearer is not among it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub id: String,
    pub label: String,
    pub scopes: Scopes,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
}

/// The event of a token's revocation in the log. Whoever asks the log by it knows whether the token
/// was revoked, whatever its row says.
pub fn revocation_event(token: &str) -> Result<AuditId> {
    let hash = Sha256Hash::of(&[b"aileron/token-revoked/v1\0", token.as_bytes()]);
    format!("audit-{}", hash.hex()).parse()
}

/// Who a bearer token stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub principal: Principal,
    /// Who began the session of an agent's token.
    pub begun_by: Option<Principal>,
    pub scopes: Scopes,
    pub expires_at: Option<Timestamp>,
}
