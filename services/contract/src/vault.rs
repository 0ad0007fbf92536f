//! Keys, secrets and bindings.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;

use crate::{
    Context, Result, Secret, Timestamp,
    closed::closed,
    credential::{CredentialKind, Reach, SigningWord},
    names::{BindingName, Fqn, HostPort, Identity, SecretName, VaultPath},
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

    /// Unlocks. Every attempt costs the same; after five failures in a row attempts are refused
    /// for a growing while (`unlock_backoff`).
    async fn unlock(&self, context: &Context, passphrase: Secret) -> Result<Status>;

    /// Forgets every key. Idempotent.
    async fn lock(&self, context: &Context) -> Result<Status>;

    /// Replaces the passphrase; with `rotate`, also the vault key, and every entry is sealed
    /// again. The old file with the old passphrase opens nothing afterwards.
    async fn change_passphrase(
        &self,
        context: &Context,
        change: PassphraseChange,
    ) -> Result<Status>;

    /// Lists metadata, sorted by path. Works while locked; never a value.
    async fn entries(&self, context: &Context, filter: EntryFilter) -> Result<Vec<Entry>>;

    /// Stores a secret under `secret/<name>`, replacing an earlier value.
    async fn put_secret(&self, context: &Context, name: SecretName, value: Secret) -> Result<()>;

    /// Deletes a secret; `not_found` when there is none.
    async fn delete_secret(&self, context: &Context, name: SecretName) -> Result<()>;

    /// Seals a credential together with the consent that bounds its use. Its kind is that of the
    /// consented form. A signing key (`aws_sigv4`) is the secret access key's bytes or, with a
    /// session token, a JSON object `{"secret_access_key", "session_token"}`.
    async fn bind(&self, context: &Context, consent: Consent, value: Secret) -> Result<Binding>;

    /// Lists bindings, sorted by name. Works while locked.
    async fn bindings(&self, context: &Context, filter: BindingFilter) -> Result<Vec<Binding>>;

    /// Tells the hosts an installed connector declares. Bindings of older files that carry no
    /// consented hosts take these, once, logged; bindings whose consent does not cover a declared
    /// host become `stale`. Returns the bindings that became stale now.
    async fn declare_hosts(
        &self,
        context: &Context,
        connector: Fqn,
        hosts: Vec<HostPort>,
    ) -> Result<Vec<BindingName>>;

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

/// What the person agreed to: this connector, this account, these hosts, this form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    pub connector: Fqn,
    pub service: String,
    pub identity: Identity,
    pub account: Option<String>,
    /// Prose of the manifest, shown in lists.
    pub scope: Option<String>,
    pub reach: Reach,
    /// Of a signing key; without it the manifest's counts. With other kinds none.
    pub access_key_id: Option<SigningWord>,
    /// Which of several signing keys is used in which region. With other kinds none.
    pub region: Option<SigningWord>,
    /// Refuse when the binding exists (`binding_exists`) rather than replace it.
    pub refuse_existing: bool,
}

/// What `bindings` leaves in: all conditions that are given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BindingFilter {
    pub connector: Option<Fqn>,
    pub kind: Option<CredentialKind>,
    pub name: Option<BindingName>,
}

/// A binding as it is listed: labels and consent, never the credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    pub name: BindingName,
    pub connector: Fqn,
    pub kind: CredentialKind,
    pub service: String,
    pub identity: Identity,
    /// A person chose it among the bindings of its connector and kind.
    pub default: bool,
    pub scope: Option<String>,
    pub account: Option<String>,
    pub status: BindingStatus,
    pub stale_reason: Option<String>,
    /// The hosts consented to; none on a binding of an older file.
    pub hosts: Option<Vec<HostPort>>,
    /// Of a signing key.
    pub access_key_id: Option<SigningWord>,
    /// Of a signing key.
    pub region: Option<SigningWord>,
    /// What the provider granted; empty when nobody wrote it down, and with static kinds.
    pub granted_scopes: Vec<String>,
    /// What the connector declares and the provider did not grant.
    pub missing_scopes: Vec<String>,
    /// Can an access token that ended be replaced without the person?
    pub refresh_token_present: bool,
    /// New tokens were asked for at this time, and what came of it is not known (yet): a refresh
    /// under way, or one that a crash or a lost answer cut off.
    pub refreshing_since: Option<Timestamp>,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
    pub last_refreshed_at: Option<Timestamp>,
}

impl Binding {
    /// Of bindings of one connector and kind the one that is used where nothing says which: the
    /// only one; of several the one that a person chose, and where nobody did, the one whose
    /// identity is `default`. None where that leaves several, or there is none.
    pub fn preferred<'b>(fitting: &[&'b Self]) -> Option<&'b Self> {
        if let [only] = fitting {
            return Some(only);
        }
        // Two files put together may hold two choices: that is none.
        if fitting.iter().any(|binding| binding.default) {
            return only(fitting.iter().filter(|binding| binding.default));
        }
        only(fitting.iter().filter(|binding| binding.identity.as_str() == "default"))
    }
}

fn only<'a, 'b: 'a>(mut found: impl Iterator<Item = &'a &'b Binding>) -> Option<&'b Binding> {
    match (found.next(), found.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}

closed! {
    BindingStatus {
        Active = "active",
        Stale = "stale",
        Revoked = "revoked",
    }
}

closed! {
    /// What kind of record a pin belongs to; the key of each is derived separately.
    PinDomain {
        Run = "run",
        Action = "action",
        Keyring = "keyring",
        Token = "token",
        /// Copies of what others publish.
        Cache = "cache",
    }
}

/// An authenticator over a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pin(pub [u8; 32]);

#[cfg(test)]
mod tests {
    use super::*;

    fn binding(identity: &str, default: bool) -> Binding {
        Binding {
            name: format!("api_key/notes/{identity}").parse().unwrap(),
            connector: "github://acme/notes".parse().unwrap(),
            kind: CredentialKind::ApiKey,
            service: "notes".to_owned(),
            identity: identity.parse().unwrap(),
            default,
            scope: None,
            account: None,
            status: BindingStatus::Active,
            stale_reason: None,
            hosts: None,
            access_key_id: None,
            region: None,
            granted_scopes: Vec::new(),
            missing_scopes: Vec::new(),
            refresh_token_present: false,
            refreshing_since: None,
            created_at: Timestamp::UNIX_EPOCH,
            last_used_at: None,
            last_refreshed_at: None,
        }
    }

    #[test]
    fn the_only_one_then_the_chosen_one_then_the_one_called_default_is_preferred() {
        for (identities, preferred) in [
            (&[][..], None),
            (&["work"], Some("work")),
            (&["home", "work"], None),
            (&["default", "home", "work"], Some("default")),
            (&["default", "home*", "work"], Some("home")),
            (&["default*", "home", "work"], Some("default")),
            (&["home*", "work"], Some("home")),
            // Two choices are none, whatever the others are called.
            (&["default", "home*", "work*"], None),
            (&["default*", "home*"], None),
        ] {
            let of = |raw: &&str| binding(raw.trim_end_matches('*'), raw.ends_with('*'));
            let fitting: Vec<_> = identities.iter().map(of).collect();
            let found = Binding::preferred(&fitting.iter().collect::<Vec<_>>());
            let found = found.map(|binding| binding.identity.as_str());
            assert_eq!(found, preferred, "{identities:?}");
        }
    }
}
