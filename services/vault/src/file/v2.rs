//! Version 2: a random vault key, wrapped once per member; every entry sealed under it together
//! with its path and labels; a seal over the whole file with a counted generation.

mod canonical;
mod draft;
mod members;
mod text;

use aileron_contract::{Result as Checked, json, names::Sha256Hash};
use serde::Serialize;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{Entries, FileError, Metadata, Seen, UnlockError};
use crate::{
    binding::{LAST_REFRESHED, LAST_USED},
    envelope,
    kdf::Kdf,
    keys::Keys,
    recovery_key::RecoveryKey,
};

pub(crate) use draft::Draft;
pub(crate) use members::{Member, NewPassphrase};

/// Labels that say when a credential was last used: they change often, decide nothing, and are
/// covered by the seal of the file alone.
pub(crate) const VOLATILE: [&str; 2] = [LAST_USED, LAST_REFRESHED];

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct File {
    header: Header,
    /// HMAC-SHA-256 over everything else.
    seal: [u8; 32],
    pub(super) entries: Entries,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Header {
    /// Random; the same for the life of the vault.
    vault: [u8; 16],
    /// Counts the writes.
    generation: u64,
    /// Counts the vault keys.
    key_version: u32,
    /// The root of all pins, sealed under the vault key; it outlives that key.
    pin_root: Vec<u8>,
    members: Vec<Member>,
}

impl File {
    pub(super) fn parse(object: Map<String, Value>) -> Result<Self, FileError> {
        text::parse(object)
    }

    /// The file as it is written.
    pub(crate) fn render(&self) -> Checked<Vec<u8>> {
        text::render(self)
    }

    pub(crate) fn generation(&self) -> u64 {
        self.header.generation
    }

    pub(crate) fn entries(&self) -> &Entries {
        &self.entries
    }

    pub(crate) fn seen(&self) -> Seen {
        Seen {
            vault: format!("v2:{}", hex::encode(self.header.vault)),
            generation: self.header.generation,
            seal: hex::encode(self.seal),
        }
    }

    /// Without a passphrase member the work is done all the same, so that an attempt tells
    /// nothing about the members by its duration.
    pub(crate) fn challenge(&self) -> (Kdf, &[u8]) {
        self.header.passphrase().map_or((Kdf::default(), &self.header.vault), Member::challenge)
    }

    /// The keys, by the key derived from the passphrase; the whole file is checked with them.
    pub(crate) fn unlock(&self, key: &[u8; 32]) -> Result<Keys, UnlockError> {
        self.open_with(self.header.passphrase(), key)
    }

    /// The same, by the recovery key.
    pub(crate) fn recover(&self, key: &RecoveryKey) -> Result<Keys, UnlockError> {
        self.open_with(self.header.recovery(), key.bytes())
    }

    pub(crate) fn has_recovery_key(&self) -> bool {
        self.header.recovery().is_some()
    }

    /// Is this file, as a whole, one that the holder of these keys wrote?
    pub(crate) fn verify(&self, keys: &Keys) -> Result<(), UnlockError> {
        let expected = self.computed_seal(keys)?;
        if envelope::equal(&expected, &self.seal) {
            return Ok(());
        }
        Err(FileError::Tampered("its seal does not fit its content").into())
    }

    /// Does every entry open? What a whole file is checked with before its copy goes.
    pub(crate) fn verify_entries(&self, keys: &Keys) -> Result<(), UnlockError> {
        self.verify(keys)?;
        for path in self.entries.keys() {
            self.open(keys, path)?;
        }
        Ok(())
    }

    pub(crate) fn open(&self, keys: &Keys, path: &str) -> Result<Zeroizing<Vec<u8>>, UnlockError> {
        let entry = self.entries.get(path).ok_or(FileError::Tampered("an entry is gone"))?;
        let key = self.header.key(keys, "entries")?;
        let associated = self.header.associated(path, &entry.metadata)?;
        envelope::open(&key, &associated, &entry.envelope)
            .ok_or(UnlockError::File(FileError::Tampered("an entry does not open")))
    }

    fn open_with(&self, member: Option<&Member>, own: &[u8; 32]) -> Result<Keys, UnlockError> {
        let member = member.ok_or(UnlockError::Rejected)?;
        let vault = member.unwrap(self.header.vault, self.header.key_version, own)?;
        let keys = self.keys(&vault)?;
        self.verify(&keys)?;
        Ok(keys)
    }

    fn keys(&self, vault: &[u8; 32]) -> Result<Keys, UnlockError> {
        let key = envelope::derive(vault, &self.header.vault, "aileron/vault/2/pin-root")?;
        let tampered = FileError::Tampered("its pin key does not open");
        let root = envelope::open(&key, &self.header.pin_associated()?, &self.header.pin_root)
            .ok_or_else(|| tampered.clone())?;
        Ok(Keys::new(vault, root.first_chunk().filter(|_| root.len() == 32).ok_or(tampered)?))
    }

    fn computed_seal(&self, keys: &Keys) -> Checked<[u8; 32]> {
        let digest = text::digest(self)?;
        envelope::authenticate(&*self.header.key(keys, "file")?, digest.bytes())
    }
}

impl Header {
    fn passphrase(&self) -> Option<&Member> {
        self.members.iter().find(|member| member.is_passphrase())
    }

    fn recovery(&self) -> Option<&Member> {
        self.members.iter().find(|member| !member.is_passphrase())
    }

    fn key(&self, keys: &Keys, purpose: &str) -> Checked<Zeroizing<[u8; 32]>> {
        envelope::derive(keys.vault(), &self.vault, &format!("aileron/vault/2/{purpose}"))
    }

    /// What an entry's envelope is bound to: its place, its key and every label that decides
    /// something (hosts, connector, status, form, scopes).
    fn associated(&self, path: &str, metadata: &Metadata) -> Checked<[u8; 32]> {
        #[derive(Serialize)]
        struct Bound<'a> {
            vault: String,
            key_version: u32,
            path: &'a str,
            kind: &'a str,
            environment: &'a str,
            labels: Vec<(&'a str, &'a str)>,
        }
        let labels = metadata.labels.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let bound = Bound {
            vault: hex::encode(self.vault),
            key_version: self.key_version,
            path,
            kind: &metadata.kind,
            environment: &metadata.environment,
            labels: labels.filter(|(key, _)| !VOLATILE.contains(key)).collect(),
        };
        Ok(*json::digest("aileron/vault/2/entry", &bound)?.bytes())
    }

    fn pin_associated(&self) -> Checked<[u8; 32]> {
        let vault = hex::encode(self.vault);
        let digest: Sha256Hash =
            json::digest("aileron/vault/2/pin-root", &(vault, self.key_version))?;
        Ok(*digest.bytes())
    }
}
