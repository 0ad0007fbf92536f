//! Who holds the vault key: a passphrase, and a recovery key if the person wants one. Each has a
//! wrapping of its own; an enclave would be one more.

use aileron_contract::{Result as Checked, json};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::{
    envelope,
    file::{FileError, UnlockError},
    kdf::Kdf,
    recovery_key::RecoveryKey,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Member {
    Passphrase {
        kdf: Kdf,
        salt: Vec<u8>,
        wrapped: Vec<u8>,
    },
    /// 256 random bits on paper: nobody guesses them, so nothing slows a guess down.
    Recovery {
        wrapped: Vec<u8>,
    },
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
        let mut member = Self::Passphrase { kdf: *kdf, salt: salt.clone(), wrapped: Vec::new() };
        member.seal(vault, key_version, own, key)?;
        Ok(member)
    }

    /// Wraps the vault key for whoever has the recovery key.
    pub(super) fn wrap_for_recovery(
        vault: [u8; 16],
        key_version: u32,
        own: &RecoveryKey,
        key: &[u8; 32],
    ) -> Checked<Self> {
        let mut member = Self::Recovery { wrapped: Vec::new() };
        member.seal(vault, key_version, own.bytes(), key)?;
        Ok(member)
    }

    pub(super) fn is_passphrase(&self) -> bool {
        matches!(self, Self::Passphrase { .. })
    }

    /// What has to be done to a passphrase before it can be tried.
    pub(super) fn challenge(&self) -> (Kdf, &[u8]) {
        match self {
            Self::Passphrase { kdf, salt, .. } => (*kdf, salt),
            Self::Recovery { .. } => (Kdf::default(), &[]),
        }
    }

    pub(super) fn unwrap(
        &self,
        vault: [u8; 16],
        key_version: u32,
        own: &[u8; 32],
    ) -> Result<Zeroizing<[u8; 32]>, UnlockError> {
        let (Self::Passphrase { wrapped, .. } | Self::Recovery { wrapped }) = self;
        let associated = self.associated(vault, key_version)?;
        let wrapping = envelope::derive(own, &vault, self.purpose())?;
        let key = envelope::open(&wrapping, &associated, wrapped).ok_or(UnlockError::Rejected)?;
        let key = key.as_slice().try_into().map(Zeroizing::new);
        key.map_err(|_| FileError::Tampered("its wrapped key has the wrong length").into())
    }

    fn seal(
        &mut self,
        vault: [u8; 16],
        key_version: u32,
        own: &[u8; 32],
        key: &[u8; 32],
    ) -> Checked<()> {
        let associated = self.associated(vault, key_version)?;
        let wrapping = envelope::derive(own, &vault, self.purpose())?;
        let (Self::Passphrase { wrapped, .. } | Self::Recovery { wrapped }) = self;
        *wrapped = envelope::seal(&wrapping, &associated, key)?;
        Ok(())
    }

    fn purpose(&self) -> &'static str {
        match self {
            Self::Passphrase { .. } => "aileron/vault/2/wrap",
            Self::Recovery { .. } => "aileron/vault/2/wrap-recovery",
        }
    }

    /// Which vault's key it is, which of its keys, and how this member proves itself.
    fn associated(&self, vault: [u8; 16], key_version: u32) -> Checked<[u8; 32]> {
        #[derive(Serialize)]
        struct Bound {
            vault: String,
            key_version: u32,
            kind: &'static str,
            #[serde(flatten)]
            challenge: Option<Challenge>,
        }
        #[derive(Serialize)]
        struct Challenge {
            kdf: (u32, u32, u32),
            salt: String,
        }
        let (kind, challenge) = match self {
            Self::Passphrase { kdf, salt, .. } => {
                let kdf = (kdf.memory_kib, kdf.passes, kdf.lanes);
                ("passphrase", Some(Challenge { kdf, salt: hex::encode(salt) }))
            }
            Self::Recovery { .. } => ("recovery", None),
        };
        let bound = Bound { vault: hex::encode(vault), key_version, kind, challenge };
        Ok(*json::digest("aileron/vault/2/member", &bound)?.bytes())
    }
}
