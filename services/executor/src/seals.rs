//! Records pinned by the vault, remembered once they were found sound.

use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use aileron_contract::{
    Context, Error, Reason, Result,
    names::Sha256Hash,
    vault::{self, Pin, PinDomain},
};

/// Records remembered as sound; past it all are forgotten and checked again.
const REMEMBERED: usize = 8_192;

/// Asks the vault for pins and about pins.
pub(crate) struct Seals {
    vault: vault::Handle,
    sound: Mutex<HashSet<Sha256Hash>>,
}

impl Seals {
    pub(crate) fn new(vault: vault::Handle) -> Self {
        Self { vault, sound: Mutex::default() }
    }

    /// The pin of a record. `vault_locked` while it is.
    pub(crate) async fn seal(&self, domain: PinDomain, record: Vec<u8>) -> Result<Pin> {
        self.vault.pin(&Context::service("executor"), domain, record).await
    }

    /// Does the pin belong to exactly this record? None while the vault is locked and cannot tell.
    pub(crate) async fn check(
        &self,
        domain: PinDomain,
        record: Vec<u8>,
        pin: Pin,
    ) -> Result<Option<bool>> {
        let seen = Sha256Hash::of(&[domain.text().as_bytes(), b"\0", &pin.0, &record]);
        if self.sound().contains(&seen) {
            return Ok(Some(true));
        }
        let context = Context::service("executor");
        match self.vault.check_pin(&context, domain, record, pin).await {
            Ok(true) => {
                let mut sound = self.sound();
                if sound.len() >= REMEMBERED {
                    sound.clear();
                }
                sound.insert(seen);
                Ok(Some(true))
            }
            Ok(false) => Ok(Some(false)),
            Err(error) if closed(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn sound(&self) -> MutexGuard<'_, HashSet<Sha256Hash>> {
        // Entries are written whole: a panic elsewhere leaves nothing half done here.
        self.sound.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The vault cannot be used until a person does something about it: unlocks it, or looks at a
/// file that is not the one it wrote.
pub(crate) fn closed(error: &Error) -> bool {
    matches!(
        error.reason(),
        Reason::VaultLocked
            | Reason::VaultMissing
            | Reason::VaultUnreadable
            | Reason::VaultRolledBack
    )
}
