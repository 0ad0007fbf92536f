//! Who holds the vault key. A passphrase today; an enclave or a recovery key are further members
//! of the same list, each with a wrapping of its own.

use aileron_contract::{Result as Checked, json};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::{
    envelope,
    file::{FileError, UnlockError},
    kdf::Kdf,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Member {
    Passphrase { kdf: Kdf, salt: Vec<u8>, wrapped: Vec<u8> },
}

/// A passphrase's key with what is needed to derive it again.
pub(crate) struct NewPassphrase {
    pub(crate) kdf: Kdf,
    pub(crate) salt: Vec<u8>,
    pub(crate) key: Zeroizing<[u8; 32]>,
}

impl Member {
    /// Wraps the vault key for whoever can derive `passphrase.key`.
    pub(super) fn wrap(
        vault: [u8; 16],
        key_version: u32,
        passphrase: &NewPassphrase,
        key: &[u8; 32],
    ) -> Checked<Self> {
        let NewPassphrase { kdf, salt, key: own } = passphrase;
        let associated = associated(vault, key_version, *kdf, salt)?;
        let wrapping = envelope::derive(own, &vault, "aileron/vault/2/wrap")?;
        let wrapped = envelope::seal(&wrapping, &associated, key)?;
        Ok(Self::Passphrase { kdf: *kdf, salt: salt.clone(), wrapped })
    }

    pub(super) fn unwrap(
        &self,
        vault: [u8; 16],
        key_version: u32,
        own: &[u8; 32],
    ) -> Result<Zeroizing<[u8; 32]>, UnlockError> {
        let Self::Passphrase { kdf, salt, wrapped } = self;
        let associated = associated(vault, key_version, *kdf, salt)?;
        let wrapping = envelope::derive(own, &vault, "aileron/vault/2/wrap")?;
        let key = envelope::open(&wrapping, &associated, wrapped).ok_or(UnlockError::Rejected)?;
        let key = key.as_slice().try_into().map(Zeroizing::new);
        key.map_err(|_| FileError::Tampered("its wrapped key has the wrong length").into())
    }
}

fn associated(vault: [u8; 16], key_version: u32, kdf: Kdf, salt: &[u8]) -> Checked<[u8; 32]> {
    #[derive(Serialize)]
    struct Bound {
        vault: String,
        key_version: u32,
        kind: &'static str,
        kdf: (u32, u32, u32),
        salt: String,
    }
    let bound = Bound {
        vault: hex::encode(vault),
        key_version,
        kind: "passphrase",
        kdf: (kdf.memory_kib, kdf.passes, kdf.lanes),
        salt: hex::encode(salt),
    };
    Ok(*json::digest("aileron/vault/2/member", &bound)?.bytes())
}
