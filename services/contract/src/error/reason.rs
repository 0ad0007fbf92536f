//! The closed list of reasons: stable codes, the same in REST, gRPC and on the command line.

use std::{fmt, str::FromStr};

use super::Kind;

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $code:literal => $kind:ident,)*) => {
        /// Which failure it is. The code is stable; the sentence beside it is for people.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Reason { $($(#[$doc])* $name,)* }

        impl Reason {
            /// All reasons, in the order they are listed.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The stable code, as REST, gRPC and the command line spell it.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// What the caller may do about it.
            pub const fn kind(self) -> Kind {
                match self { $(Self::$name => Kind::$kind,)* }
            }
        }
    };
}

reasons! {
    // requests
    InvalidRequest = "invalid_request" => Invalid,
    InvalidBody = "invalid_body" => Invalid,
    InvalidFqn = "invalid_fqn" => Invalid,
    InvalidIdentity = "invalid_identity" => Invalid,
    ValidationError = "validation_error" => Invalid,
    ParseError = "parse_error" => Invalid,
    BodyTooLarge = "body_too_large" => Exhausted,
    Busy = "busy" => Exhausted,
    NotFound = "not_found" => NotFound,
    IdempotencyConflict = "idempotency_conflict" => Conflict,
    HostNotAllowed = "host_not_allowed" => Forbidden,
    OriginNotAllowed = "origin_not_allowed" => Forbidden,

    // who may
    TokenMissing = "token_missing" => Unauthenticated,
    TokenInvalid = "token_invalid" => Unauthenticated,
    TokenExpired = "token_expired" => Unauthenticated,
    ScopeMissing = "scope_missing" => Forbidden,
    /// A program asked for what only a person may do.
    PersonRequired = "person_required" => Forbidden,

    // vault
    PassphraseRejected = "passphrase_rejected" => Unauthenticated,
    PassphraseInvalid = "passphrase_invalid" => Invalid,
    UnlockBackoff = "unlock_backoff" => Exhausted,
    VaultMissing = "vault_not_found" => NotFound,
    VaultExists = "vault_exists" => Conflict,
    VaultLocked = "vault_locked" => Locked,
    VaultAlreadyUnlocked = "vault_already_unlocked" => Conflict,
    /// The file is damaged, tampered with, older than what was last seen, or not a vault file.
    VaultUnreadable = "vault_unreadable" => Internal,
    VaultRolledBack = "vault_rolled_back" => Conflict,
    VaultUnwritable = "vault_unwritable" => Internal,
    /// Not an exported vault, damaged, changed, or under another passphrase.
    ExportUnreadable = "export_unreadable" => Invalid,
    /// The vault has entries that the file would change.
    ImportConflict = "import_conflict" => Conflict,

    // bindings
    BindingExists = "binding_exists" => Conflict,
    /// What the person saw is not what would be bound now.
    ConsentChanged = "consent_changed" => Conflict,
    KindMismatch = "kind_mismatch" => Invalid,
    MissingValue = "missing_value" => Invalid,
    UnsupportedKind = "unsupported_kind" => Invalid,
    ConnectorNotInstalled = "connector_not_installed" => NotFound,
    BindingNotFound = "binding_not_found" => NotFound,

    // setups at a provider
    /// The connector asks for a credential that no provider gives.
    NotOauth2 = "not_oauth2" => Invalid,
    /// A setup that never began here, was finished, or took too long.
    SessionNotFound = "session_not_found" => NotFound,
    StateMismatch = "state_mismatch" => Invalid,
    /// The answer says that it comes from another provider than the one that was asked.
    IssuerMismatch = "issuer_mismatch" => Forbidden,
    /// A command line's setup came back to the daemon, or the other way round.
    WrongCallerMode = "wrong_caller_mode" => Invalid,
    /// Another browser than the one that began the setup.
    BrowserMismatch = "browser_mismatch" => Forbidden,
    InvalidReturnTo = "invalid_return_to" => Invalid,
    DeviceUnsupported = "device_unsupported" => Invalid,
    /// The provider sent the person back with an error.
    ProviderError = "provider_error" => Invalid,
    TokenExchangeFailed = "token_exchange_failed" => Unavailable,

    // packages
    UnknownScheme = "unknown_scheme" => Invalid,
    FetchFailed = "fetch_failed" => Unavailable,
    MalformedTarball = "malformed_tarball" => Invalid,
    SignatureFailure = "signature_failure" => Forbidden,
    HashMismatch = "hash_mismatch" => Invalid,
    FqnMismatch = "fqn_mismatch" => Invalid,
    ConnectorsMissing = "connectors_missing" => Conflict,
    KeyFetchFailed = "key_fetch_failed" => Unavailable,
    /// The key is not the one a person confirmed.
    FingerprintMismatch = "fingerprint_mismatch" => Invalid,
    HubDisabled = "hub_disabled" => Unavailable,
    /// There is no copy of the Hub, and it does not answer.
    HubUnreachable = "hub_unreachable" => Unavailable,
    /// An entry of the Hub contradicts another, or itself.
    HubConflict = "hub_conflict" => Conflict,
    StoreUnwritable = "store_unwritable" => Internal,
    StoreUnreadable = "store_unreadable" => Internal,

    // actions, runs, approvals
    ActionExists = "action_exists" => Conflict,
    /// Nobody signed the action, and nobody agreed to that.
    ActionUnsigned = "action_unsigned" => Forbidden,
    ActionDisabled = "action_disabled" => Conflict,
    ActionStateUnavailable = "action_state_unavailable" => Internal,
    /// The file or its record is not what the runtime wrote: a person has to look.
    Quarantined = "quarantined" => Conflict,
    ApprovalDecided = "approval_decided" => NotFound,
    ApprovalExpired = "approval_expired" => Conflict,
    /// One caller, or all of them, have as many approvals waiting as a person can look through.
    TooManyApprovals = "too_many_approvals" => Exhausted,

    // log
    AuditUnavailable = "audit_unavailable" => Unavailable,
    AuditDamaged = "audit_damaged" => Internal,

    // the house itself
    ConfigInvalid = "config_invalid" => Invalid,
    StateBusy = "state_busy" => Conflict,
    DatabaseUnavailable = "database_unavailable" => Unavailable,
    ServiceUnavailable = "service_unavailable" => Unavailable,
    DeadlineExceeded = "deadline_exceeded" => Timeout,
    ShuttingDown = "shutting_down" => Unavailable,
    InternalError = "internal_error" => Internal,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// The text is not a code of this list.
#[derive(Debug, thiserror::Error)]
#[error("not a known reason code")]
pub struct UnknownReason;

impl FromStr for Reason {
    type Err = UnknownReason;

    fn from_str(code: &str) -> Result<Self, UnknownReason> {
        Self::ALL.iter().copied().find(|reason| reason.code() == code).ok_or(UnknownReason)
    }
}

#[cfg(test)]
mod tests {
    use super::Reason;

    #[test]
    fn every_code_reads_back_as_itself() {
        for reason in Reason::ALL {
            assert_eq!(reason.code().parse::<Reason>().unwrap(), *reason);
        }
    }
}
