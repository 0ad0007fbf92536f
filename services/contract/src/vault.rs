//! Keys, entries and pins.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;

use crate::{
    Context, Result, Secret, Timestamp,
    closed::closed,
    names::{SecretName, VaultPath},
};

/// How the other rooms hold the contract, wherever its service runs.
pub type Handle = Arc<dyn Vault>;

/// Holds the credentials. No method returns one: they are used (by egress), never read.
#[async_trait]
pub trait Vault: Send + Sync + 'static {
    /// State without side effects; never unlocks.
    async fn status(&self, context: &Context) -> Result<Status>;

    /// Creates the vault and leaves it unlocked. Refuses when a file exists, whatever it holds.
    async fn create(&self, context: &Context, passphrase: Secret) -> Result<Status>;

    /// Unlocks. Every attempt costs the same and waits its turn in the line of callers like this
    /// one, which moves at a steady pace once some were wrong; `unlock_backoff` when the line is
    /// full. Who goes away before the turn came was not there.
    async fn unlock(&self, context: &Context, passphrase: Secret) -> Result<Status>;

    /// Forgets every key, and with the keys every person session and every setup that waits for a
    /// person. Idempotent.
    async fn lock(&self, context: &Context) -> Result<Status>;

    /// Replaces the passphrase; with `rotate`, also the vault key, and every entry is sealed
    /// again. The old file with the old passphrase opens nothing afterwards.
    async fn change_passphrase(
        &self,
        context: &Context,
        change: PassphraseChange,
    ) -> Result<Status>;

    /// What lies in the place of the file last used here, when it is an older one or another
    /// vault's, which `unlock` refuses (`vault_rolled_back`). Opens nothing. None when there is
    /// nothing to accept.
    async fn older(&self, context: &Context) -> Result<Option<Older>>;

    /// Takes such a file for the vault from now on, and leaves it unlocked: a backup that a person
    /// restored. Its own passphrase is the proof, as when unlocking, in the same line: no
    /// person session can be opened on a file that is refused. All person sessions end.
    /// `consent_changed` when the file is not the one that was shown.
    async fn accept_older(&self, context: &Context, acceptance: Acceptance) -> Result<Status>;

    /// Lists metadata, sorted by path. Works while locked; never a value.
    async fn entries(&self, context: &Context, filter: EntryFilter) -> Result<Vec<Entry>>;

    /// Stores a secret under `secret/<name>`, replacing an earlier value.
    async fn put_secret(&self, context: &Context, name: SecretName, value: Secret) -> Result<()>;

    /// Deletes a secret; `not_found` when there is none.
    async fn delete_secret(&self, context: &Context, name: SecretName) -> Result<()>;

    /// Pins a record under a key derived in the vault (HMAC-SHA-256, domain separated), so that
    /// editing a file or a table does not forge it. Needs the vault unlocked.
    async fn pin(&self, context: &Context, domain: PinDomain, record: Vec<u8>) -> Result<Pin>;

    /// Does the pin belong to exactly this record? Needs the vault unlocked.
    async fn check_pin(
        &self,
        context: &Context,
        domain: PinDomain,
        record: Vec<u8>,
        pin: Pin,
    ) -> Result<bool>;
}

closed! {
    State {
        Missing = "missing",
        Locked = "locked",
        Unlocked = "unlocked",
    }
}

/// Where the vault stands, without opening it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    pub state: State,
    /// The file's format, once there is a file.
    pub format: Option<u32>,
    /// Counts the writes of a version 2 file.
    pub generation: Option<u64>,
    /// Can the vault be opened with a recovery key, too?
    pub recovery_key: bool,
}

/// The passphrase now, the one from now on, and whether the vault key is replaced as well.
#[derive(Debug)]
pub struct PassphraseChange {
    pub current: Secret,
    pub new: Secret,
    pub rotate: bool,
}

/// The file that is there, and the one last used here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Older {
    pub present: Writing,
    pub last: Writing,
    /// Two states of one vault. Otherwise the file is another vault's, or of the time before its
    /// format changed.
    pub same_vault: bool,
}

/// One writing of a vault file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Writing {
    /// Counts the writes; 0 for a file of version 1, which counts none.
    pub generation: u64,
    /// When it was written, as far as that is known: of the present file what the file system
    /// says.
    pub at: Option<Timestamp>,
}

/// A person's decision to go on with an older file.
#[derive(Debug)]
pub struct Acceptance {
    /// The one that opens the file that is there.
    pub passphrase: Secret,
    /// The generation that the person was shown.
    pub generation: u64,
}

/// What `entries` leaves in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EntryFilter {
    pub prefix: Option<String>,
    /// Also list the namespaces a control plane owns (`connected-accounts/`, `llm-config/`).
    pub include_control_plane: bool,
}

/// One entry's metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub path: VaultPath,
    pub scope: EntryScope,
    pub kind: String,
    pub environment: String,
    pub labels: BTreeMap<String, String>,
}

closed! {
    /// Which namespace an entry lives in, in the published order of classification.
    EntryScope {
        ConnectedAccount = "connected-account",
        LlmConfig = "llm-config",
        Secret = "secret",
        Agent = "agent",
        User = "user",
        Binding = "binding",
        Other = "other",
    }
}

closed! {
    /// What kind of record a pin belongs to; the key of each is derived separately.
    PinDomain {
        Run = "run",
        Action = "action",
        Keyring = "keyring",
        Token = "token",
        Grant = "grant",
        /// Copies of what others publish.
        Cache = "cache",
    }
}

/// An authenticator over a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pin(pub [u8; 32]);
