//! The transparency log: what happened, in an order nobody can change unnoticed.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Map, Value};

use crate::{
    Context, Result, Stream, Timestamp,
    closed::closed,
    failure::Class,
    names::{AuditId, Fqn, SessionId},
};

/// How the other rooms hold the contract, wherever its service runs.
pub type Handle = Arc<dyn Audit>;

/// An append-only Merkle log in the public C2SP formats.
#[async_trait]
pub trait Audit: Send + Sync + 'static {
    /// Durable, and covered by a signed checkpoint, once this returns: the caller may act on it.
    /// Appending an id twice with the same event returns the first record.
    async fn append(&self, context: &Context, event: Event) -> Result<Record>;

    /// Records that match, newest first.
    async fn query(&self, context: &Context, filter: Filter) -> Result<Vec<Record>>;

    /// One record; `not_found`.
    async fn get(&self, context: &Context, id: AuditId) -> Result<Record>;

    /// Records from `index` on, oldest first, then those to come. A watcher that falls behind is
    /// ended with `busy` and may resume at the index it had reached.
    async fn watch(&self, context: &Context, from: u64) -> Result<Stream<Record>>;

    /// The newest signed checkpoint and the key that verifies it.
    async fn checkpoint(&self, context: &Context) -> Result<Checkpoint>;

    /// A proof, verifiable offline, that one event is in the log.
    async fn receipt(&self, context: &Context, id: AuditId) -> Result<String>;
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Given by the caller when a retry must not record twice.
    pub id: Option<AuditId>,
    pub kind: EventKind,
    pub actor: Actor,
    /// Flat `aileron.*` keys. Never secrets, headers, bodies, query strings or full URLs.
    pub payload: Map<String, Value>,
    pub trace_id: Option<String>,
}

impl Event {
    /// An event without payload; the log gives it an id and the time.
    pub fn new(kind: EventKind, actor: Actor) -> Self {
        Self { id: None, kind, actor, payload: Map::new(), trace_id: None }
    }

    /// Adds one payload key; nothing when the value is null.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        let value = value.into();
        if !value.is_null() {
            self.payload.insert(key.to_owned(), value);
        }
        self
    }
}

closed! {
    /// The event types this runtime writes. Imported logs may hold others: a [`Record`] carries
    /// the type as text.
    EventKind {
        ActionInstalled = "action.installed",
        ActionEnabled = "action.enabled",
        ActionDisabled = "action.disabled",
        ActionQuarantined = "action.quarantined",
        /// A person accepted a file as it is, or that it is gone.
        ActionAccepted = "action.accepted",
        /// `actions.lock` is not what the runtime wrote.
        LockQuarantined = "lock.quarantined",
        /// A person had it written anew.
        LockRenewed = "lock.renewed",
        ConnectorInstalled = "connector.installed",
        BindingCreated = "binding.created",
        BindingResolved = "binding.resolved",
        BindingRebound = "binding.rebound",
        BindingConsented = "binding.consented",
        BindingRevoked = "binding.revoked",
        /// A provider is about to be asked for new tokens; `binding.refreshed` follows.
        BindingRefreshing = "binding.refreshing",
        BindingRefreshed = "binding.refreshed",
        BindingStale = "binding.stale",
        BindingHostsAdopted = "binding.hosts_adopted",
        BindingDefaultChosen = "binding.default_chosen",
        ExecutionStarted = "execution.started",
        ExecutionSucceeded = "execution.succeeded",
        ExecutionFailed = "execution.failed",
        ApprovalRequested = "approval.requested",
        ApprovalApproved = "approval.approved",
        ApprovalDenied = "approval.denied",
        ApprovalExpired = "approval.expired",
        /// What the person was shown changed before the run began: the approval was taken back.
        ApprovalReopened = "approval.reopened",
        /// Somebody without the right tried to decide.
        ApprovalRefused = "approval.refused",
        /// A run's record is not what the runtime wrote: it is not acted upon.
        RunQuarantined = "run.quarantined",
        /// A person let calls of one caller run in advance.
        GrantIssued = "grant.issued",
        /// A call is about to run on a grant.
        GrantUsed = "grant.used",
        GrantRevoked = "grant.revoked",
        GrantExpired = "grant.expired",
        /// What the grant is bound to is no longer what it was.
        GrantVoided = "grant.voided",
        /// Somebody without the right tried to make a grant, or to take one back.
        GrantRefused = "grant.refused",
        KeyringTrusted = "keyring.trusted",
        KeyringRevoked = "keyring.revoked",
        /// `keyring.json` is not what persons made it.
        KeyringQuarantined = "keyring.quarantined",
        VaultCreated = "vault.created",
        VaultUnlocked = "vault.unlocked",
        VaultUnlockFailed = "vault.unlock_failed",
        VaultLocked = "vault.locked",
        VaultPassphraseChanged = "vault.passphrase_changed",
        VaultMigrated = "vault.migrated",
        VaultRecoveryKeyAdded = "vault.recovery_key_added",
        VaultRecoveryKeyRemoved = "vault.recovery_key_removed",
        /// Opened with the recovery key, which set a new passphrase.
        VaultRecovered = "vault.recovered",
        VaultOlderAccepted = "vault.older_accepted",
        VaultExported = "vault.exported",
        VaultImported = "vault.imported",
        SecretStored = "secret.stored",
        SecretDeleted = "secret.deleted",
        /// A secret that the configuration refers to was joined to a request.
        SecretResolved = "secret.resolved",
        /// A login, of an agent or of the person.
        CredentialStored = "credential.stored",
        CredentialDeleted = "credential.deleted",
        /// A login left the vault in the clear.
        CredentialExported = "credential.exported",
        /// An agent was started; its token is good from here on.
        SessionStarted = "session.started",
        SessionEnded = "session.ended",
        PersonSessionOpened = "person_session.opened",
        PersonSessionRefused = "person_session.refused",
        PersonSessionClosed = "person_session.closed",
        TokenMinted = "token.minted",
        TokenRevoked = "token.revoked",
        /// A tail that no checkpoint covered was set aside after a crash.
        LogTailSetAside = "log.tail_set_aside",
        LogImported = "log.imported",
    }
}

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    pub kind: ActorKind,
    pub id: String,
    pub display_name: Option<String>,
}

closed! {
    ActorKind {
        Agent = "agent",
        Human = "human",
        Service = "service",
        ConnectorRuntime = "connector_runtime",
    }
}

impl Actor {
    /// The actor of a call, from who made it.
    pub fn of(context: &Context) -> Self {
        use crate::Principal::{Agent, Person, Program, Service};
        let (kind, id) = match &context.principal {
            // The published human id is fixed: a runtime serves one person.
            Person(_) => (ActorKind::Human, "user"),
            Agent(id) => (ActorKind::Agent, &**id),
            Program(id) | Service(id) => (ActorKind::Service, &**id),
        };
        Self { kind, id: id.to_owned(), display_name: None }
    }
}

/// An event as the log holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Its leaf's place in the tree, from 0.
    pub index: u64,
    pub id: AuditId,
    pub kind: String,
    pub timestamp: Timestamp,
    pub actor: Actor,
    pub payload: Map<String, Value>,
    pub trace_id: Option<String>,
}

/// All conditions must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Inclusive.
    pub since: Option<Timestamp>,
    /// Exclusive.
    pub until: Option<Timestamp>,
    pub id: Option<AuditId>,
    pub connector: Option<Fqn>,
    pub class: Option<Class>,
    pub kind: Option<String>,
    /// The agent session that the event is of.
    pub session: Option<SessionId>,
    /// 1 to 1,000; 100 without.
    pub limit: Option<u32>,
}

/// A signed statement of how large the log is and what its tree's root is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The signed note, as C2SP tlog-checkpoint prescribes.
    pub note: String,
    /// The verifier key (`name+hash+key`), as C2SP signed-note prescribes.
    pub verifier_key: String,
    pub size: u64,
}
