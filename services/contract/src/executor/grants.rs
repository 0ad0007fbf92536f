//! Standing grants: the one exception to an approval being used once. A person lets one agent
//! session, or one minted token, call one action a few times without being asked again.

use serde_json::Value;

use super::Field;
use crate::{
    Principal, Timestamp,
    closed::closed,
    names::{
        ActionName, BindingName, Fqn, GrantId, HostPort, Identity, PackageRef, SessionId,
        Sha256Hash, TokenId, Version,
    },
};

/// What a person wants to allow.
#[derive(Clone, Debug, PartialEq)]
pub struct GrantRequest {
    /// Needs approval, and shows no preview: what a preview shows is part of every decision, and
    /// nobody looks at it when a grant is used.
    pub action: ActionName,
    /// The account that calls have to ask for; with none they must not ask for any.
    pub identity: Option<Identity>,
    pub caller: GrantCaller,
    /// One rule for each input of the action, each named once.
    pub arguments: Vec<(String, GrantRule)>,
    /// 1 to `limits::GRANT_USES`.
    pub max_uses: u32,
    /// At most `limits::GRANT_WALL` from now.
    pub expires_at: Timestamp,
}

/// Who may use a grant: nobody else, whatever they know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrantCaller {
    /// An agent session, by its own token. A program that merely names the session is not it.
    Session(SessionId),
    /// The program that holds a minted token.
    Token(TokenId),
}

/// What an argument may be.
#[derive(Clone, Debug, PartialEq)]
pub enum GrantRule {
    /// Exactly this value, by its RFC 8785 form: 1 and 1.0 are the same number, "1" is none. The
    /// call is given this value as it stands here.
    Exactly(Value),
    /// It has to be left out.
    LeftOut,
    /// Anything the action takes, and left out where that is allowed.
    Any,
}

/// Everything a person agrees to with a grant.
#[derive(Clone, Debug, PartialEq)]
pub struct GrantTerms {
    pub action: ActionName,
    pub version: Version,
    pub action_hash: Sha256Hash,
    pub connectors: Vec<GrantedConnector>,
    pub bindings: Vec<GrantedBinding>,
    pub identity: Option<Identity>,
    pub caller: GrantCaller,
    /// In the order in which the action declares them.
    pub arguments: Vec<GrantedArgument>,
    pub max_uses: u32,
    pub expires_at: Timestamp,
    /// SHA-256 over all of it.
    pub digest: Sha256Hash,
}

/// A connector the granted calls go through, at exactly these bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantedConnector {
    pub package: PackageRef,
    pub hash: Sha256Hash,
    /// What the action calls of it.
    pub operations: Vec<String>,
}

/// A credential the granted calls use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantedBinding {
    pub connector: Fqn,
    pub binding: BindingName,
    /// Where it may go.
    pub hosts: Vec<HostPort>,
}

/// The rule for one argument.
#[derive(Clone, Debug, PartialEq)]
pub struct GrantedArgument {
    pub name: String,
    pub rule: GrantRule,
    /// The same for a person: nothing in it can hide or reorder itself. Without a value unless
    /// the rule has one.
    pub field: Field,
}

/// A grant as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Grant {
    pub id: GrantId,
    pub terms: GrantTerms,
    pub state: GrantState,
    /// What has changed since, where that is why it is void.
    pub void: Option<GrantVoid>,
    pub created_at: Timestamp,
    pub created_by: Principal,
    /// Uses so far. A use that a crash cut off counts.
    pub used: u32,
    pub last_used_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    /// The record is not what the runtime wrote; nothing runs on it.
    pub quarantined: bool,
}

closed! {
    /// Where a grant stands; all but the first are ends.
    GrantState {
        Live = "live",
        UsedUp = "used_up",
        Expired = "expired",
        Revoked = "revoked",
        /// Something it is bound to is no longer what it was.
        Void = "void",
    }
}

closed! {
    /// Why a grant is void.
    GrantVoid {
        ActionGone = "action_gone",
        ActionChanged = "action_changed",
        ActionDisabled = "action_disabled",
        ConnectorChanged = "connector_changed",
        /// Bound anew, revoked, stale, or another one would be used now.
        BindingChanged = "binding_changed",
        SessionEnded = "session_ended",
        TokenRevoked = "token_revoked",
    }
}
