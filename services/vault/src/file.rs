//! The vault file, `secrets.json`: what it says, in its published version 1 and in ours.
//!
//! Reading is parsing and bounds only: no key is derived and nothing is decrypted here. What a
//! file claims is believed only after [`v2::File::unlock`] or [`v1::File::unlock`].

mod text;
pub(crate) mod v1;
pub(crate) mod v2;

use std::collections::BTreeMap;

use aileron_contract::{Error, Reason, json, limits};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::{kdf::Kdf, keys::Keys, recovery_key::RecoveryKey};

/// One secret as it lies in the file: sealed, with its readable metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sealed {
    pub(crate) envelope: Vec<u8>,
    pub(crate) metadata: Metadata,
}

/// What may be listed without a key. In version 2 the seals cover all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Metadata {
    // The published reader ignores the case of keys, and so some files have the lower one.
    #[serde(default, rename = "Type", alias = "type")]
    pub(crate) kind: String,
    #[serde(default, alias = "environment")]
    pub(crate) environment: String,
    #[serde(default, alias = "labels", deserialize_with = "text::null_as_default")]
    pub(crate) labels: BTreeMap<String, String>,
}

/// All secrets, by path. The published formats allow any text as a path; entries that are no
/// [`VaultPath`](aileron_contract::names::VaultPath) are carried along, never listed or used.
pub(crate) type Entries = BTreeMap<String, Sealed>;

/// A parsed vault file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum VaultFile {
    V1(v1::File),
    V2(v2::File),
}

impl VaultFile {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, FileError> {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if length > limits::VAULT_FILE {
            return Err(FileError::TooLong);
        }
        let object =
            json::object(bytes).map_err(|error| FileError::Malformed(error.public().to_owned()))?;
        match object.get("version") {
            None | Some(Value::Null) => v1::File::parse(object).map(Self::V1),
            Some(version) => match version.as_u64() {
                Some(0 | 1) => v1::File::parse(object).map(Self::V1),
                Some(2) => v2::File::parse(object).map(Self::V2),
                Some(newer) => Err(FileError::Newer(newer)),
                None => Err(FileError::Malformed("its version is not a number".to_owned())),
            },
        }
    }

    pub(crate) fn format(&self) -> u32 {
        match self {
            Self::V1(_) => 1,
            Self::V2(_) => 2,
        }
    }

    pub(crate) fn generation(&self) -> Option<u64> {
        match self {
            Self::V1(_) => None,
            Self::V2(file) => Some(file.generation()),
        }
    }

    pub(crate) fn entries(&self) -> &Entries {
        match self {
            Self::V1(file) => file.entries(),
            Self::V2(file) => file.entries(),
        }
    }

    /// Says which vault this is, and how far its writes got.
    pub(crate) fn seen(&self) -> Seen {
        match self {
            Self::V1(file) => file.seen(),
            Self::V2(file) => file.seen(),
        }
    }

    /// The keys, by the key derived from a passphrase; all that the file authenticates is checked.
    pub(crate) fn unlock(&self, key: &[u8; 32]) -> Result<Keys, UnlockError> {
        match self {
            Self::V1(file) => file.unlock(key),
            Self::V2(file) => file.unlock(key),
        }
    }

    /// Is this file one that the holder of these keys wrote?
    pub(crate) fn verify(&self, keys: &Keys) -> Result<(), UnlockError> {
        match self {
            Self::V1(file) => file.check(keys.vault()),
            Self::V2(file) => file.verify(keys),
        }
    }

    pub(crate) fn has_recovery_key(&self) -> bool {
        match self {
            Self::V1(_) => false,
            Self::V2(file) => file.has_recovery_key(),
        }
    }

    /// The keys, by a recovery key; version 1 knows none.
    pub(crate) fn recover(&self, key: &RecoveryKey) -> Result<Keys, UnlockError> {
        match self {
            Self::V1(_) => Err(UnlockError::Rejected),
            Self::V2(file) => file.recover(key),
        }
    }

    pub(crate) fn open(&self, keys: &Keys, path: &str) -> Result<Zeroizing<Vec<u8>>, UnlockError> {
        match self {
            Self::V1(file) => Ok(file.open(keys, path)?),
            Self::V2(file) => file.open(keys, path),
        }
    }

    /// Does every entry open?
    pub(crate) fn verify_entries(&self, keys: &Keys) -> Result<(), UnlockError> {
        for path in self.entries().keys() {
            self.open(keys, path)?;
        }
        Ok(())
    }

    /// What has to be done to a passphrase before it can be tried.
    pub(crate) fn challenge(&self) -> (Kdf, &[u8]) {
        match self {
            Self::V1(file) => (Kdf::PUBLISHED, file.salt()),
            Self::V2(file) => file.challenge(),
        }
    }
}

/// Which state of which vault a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) vault: String,
    pub(crate) generation: u64,
    pub(crate) seal: String,
}

/// Why a file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FileError {
    #[error("it is longer than a vault file may be")]
    TooLong,
    #[error("it cannot be parsed: {0}")]
    Malformed(String),
    #[error("it has format {0}, which a newer version of this program wrote")]
    Newer(u64),
    #[error("its key derivation is out of bounds")]
    Planted,
    /// Authentic parts do not fit together: somebody edited, removed or swapped something.
    #[error("it was changed by something else than this program: {0}")]
    Tampered(&'static str),
    #[error("it cannot be read")]
    Unreadable,
    #[error("it is older than the one last used")]
    RolledBack,
}

/// Why a key did not open a file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnlockError {
    #[error("the passphrase is not the vault's")]
    Rejected,
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Inside(#[from] Error),
}

impl From<UnlockError> for Error {
    fn from(error: UnlockError) -> Self {
        match error {
            UnlockError::Rejected => {
                Self::new(Reason::PassphraseRejected, "this is not the vault's passphrase")
            }
            UnlockError::File(error) => error.into(),
            UnlockError::Inside(error) => error,
        }
    }
}

impl From<FileError> for Error {
    fn from(error: FileError) -> Self {
        match error {
            FileError::RolledBack => Self::new(
                Reason::VaultRolledBack,
                "secrets.json is not the vault file last used here: it is older, or another one. \
                 Put the newer file back; or, if you restored a backup on purpose, accept it with \
                 `aileron vault accept-older`",
            ),
            FileError::Newer(_) => Self::new(
                Reason::VaultUnreadable,
                format!("secrets.json cannot be used: {error}; update this program"),
            ),
            _ => Self::new(
                Reason::VaultUnreadable,
                format!(
                    "secrets.json cannot be used: {error}. It was left as it is; restore it from \
                     a backup you trust"
                ),
            ),
        }
    }
}

#[cfg(test)]
mod tests;
