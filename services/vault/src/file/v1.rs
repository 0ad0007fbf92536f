//! The published version 1, and what came before it: one key from the passphrase, envelopes
//! without associated data, nothing that ties entries together. Read, never written.

use std::collections::BTreeMap;

use aileron_contract::names::{BindingName, Sha256Hash};
use serde::Deserialize;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{Entries, FileError, Metadata, Sealed, Seen, UnlockError, text};
use crate::{binding::DEFAULT, envelope, keys::Keys};

const VERIFICATION: &[u8] = b"aileron-vault-v1";

/// The published reader wants at least this much salt.
const SALT_MIN: usize = 16;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct File {
    salt: Vec<u8>,
    /// None in files of the time before version 1.
    verification: Option<Vec<u8>>,
    entries: Entries,
}

#[derive(Deserialize)]
struct Text {
    #[serde(with = "text::base64_bytes")]
    salt: Vec<u8>,
    #[serde(default, deserialize_with = "text::optional_base64")]
    verification: Option<Vec<u8>>,
    #[serde(default, deserialize_with = "text::null_as_default")]
    secrets: BTreeMap<String, TextEntry>,
}

#[derive(Deserialize)]
struct TextEntry {
    #[serde(with = "text::base64_bytes")]
    value: Vec<u8>,
    #[serde(default, deserialize_with = "text::null_as_default")]
    metadata: Metadata,
}

impl File {
    pub(super) fn parse(object: Map<String, Value>) -> Result<Self, FileError> {
        let text: Text = serde_json::from_value(Value::Object(object))
            .map_err(|error| FileError::Malformed(error.to_string()))?;
        let Text { salt, verification, secrets } = text;
        if salt.len() < SALT_MIN || salt.len() > 1024 {
            return Err(FileError::Malformed("its salt has the wrong length".to_owned()));
        }
        let entries = secrets
            .into_iter()
            .map(|(path, TextEntry { value, mut metadata })| {
                // Nobody could choose a default in such a file, and nothing seals its labels: one
                // that says so was put there by something else.
                if path.parse::<BindingName>().is_ok() {
                    metadata.labels.remove(DEFAULT);
                }
                (path, Sealed { envelope: value, metadata })
            })
            .collect();
        Ok(Self { salt, verification, entries })
    }

    pub(crate) fn salt(&self) -> &[u8] {
        &self.salt
    }

    pub(crate) fn entries(&self) -> &Entries {
        &self.entries
    }

    /// Says which vault this is: by what only a new vault or a new passphrase changes.
    pub(crate) fn seen(&self) -> Seen {
        let verification = self.verification.as_deref().unwrap_or_default();
        let vault = format!("v1:{}", Sha256Hash::of(&[&self.salt, &[0], verification]).hex());
        Seen { vault, generation: 0, seal: String::new() }
    }

    /// An old file that is empty says nothing about its passphrase: the first one given counts.
    pub(crate) fn takes_any_passphrase(&self) -> bool {
        self.verification.is_none() && self.entries.is_empty()
    }

    /// Does the key open this file?
    pub(crate) fn check(&self, key: &[u8; 32]) -> Result<(), UnlockError> {
        match &self.verification {
            Some(sealed) => match envelope::open(key, &[], sealed) {
                Some(plain) if **plain == *VERIFICATION => Ok(()),
                Some(_) => Err(FileError::Tampered("its verification is another's").into()),
                None => Err(UnlockError::Rejected),
            },
            None if self.entries.is_empty() => Ok(()),
            None => {
                let opens = |entry: &Sealed| envelope::open(key, &[], &entry.envelope).is_some();
                if self.entries.values().any(opens) { Ok(()) } else { Err(UnlockError::Rejected) }
            }
        }
    }

    /// The keys of this file, from the passphrase's. Pins hang on a key derived from it, which a
    /// migration carries along, so that they stay good.
    pub(crate) fn unlock(&self, key: &[u8; 32]) -> Result<Keys, UnlockError> {
        self.check(key)?;
        let pin_root = envelope::derive(key, &self.salt, "aileron/vault/1/pin-root")?;
        Ok(Keys::new(key, &pin_root))
    }

    pub(crate) fn open(&self, keys: &Keys, path: &str) -> Result<Zeroizing<Vec<u8>>, FileError> {
        let entry = self.entries.get(path).ok_or(FileError::Tampered("an entry is gone"))?;
        envelope::open(keys.vault(), &[], &entry.envelope)
            .ok_or(FileError::Tampered("an entry does not open"))
    }
}
