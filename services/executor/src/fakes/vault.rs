use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use aileron_contract::{
    Context, Error, Reason, Result, Secret, Vault,
    names::{SecretName, Sha256Hash},
    vault::{
        Acceptance, Entry, EntryFilter, Older, PassphraseChange, Pin, PinDomain, State, Status,
    },
};
use async_trait::async_trait;

use super::{FakeBindings, Fuse, unused};

/// Pins with a key of its own; refuses while locked, and with an older file.
#[derive(Default)]
pub(crate) struct FakeVault {
    pub(crate) fuse: Arc<Fuse>,
    pub(crate) locked: AtomicBool,
    /// Its file is an older one.
    pub(crate) rolled_back: AtomicBool,
    pub(crate) bindings: Arc<FakeBindings>,
}

impl FakeVault {
    pub(crate) fn seal(&self, domain: PinDomain, record: &[u8]) -> Result<Pin> {
        self.open()?;
        let parts: [&[u8]; 4] = [b"a key nobody has", domain.text().as_bytes(), b"\0", record];
        Ok(Pin(*Sha256Hash::of(&parts).bytes()))
    }

    fn open(&self) -> Result<()> {
        if self.rolled_back.load(Ordering::SeqCst) {
            return Err(Error::new(Reason::VaultRolledBack, "the vault's file is an older one"));
        }
        if self.locked.load(Ordering::SeqCst) {
            return Err(Error::new(Reason::VaultLocked, "the vault is locked"));
        }
        Ok(())
    }
}

#[async_trait]
impl Vault for FakeVault {
    async fn status(&self, _: &Context) -> Result<Status> {
        let state = if self.open().is_ok() { State::Unlocked } else { State::Locked };
        Ok(Status { state, format: Some(2), generation: Some(1), recovery_key: false })
    }

    async fn create(&self, _: &Context, _: Secret) -> Result<Status> {
        unused()
    }

    async fn unlock(&self, _: &Context, _: Secret) -> Result<Status> {
        unused()
    }

    async fn lock(&self, _: &Context) -> Result<Status> {
        unused()
    }

    async fn change_passphrase(&self, _: &Context, _: PassphraseChange) -> Result<Status> {
        unused()
    }

    async fn older(&self, _: &Context) -> Result<Option<Older>> {
        unused()
    }

    async fn accept_older(&self, _: &Context, _: Acceptance) -> Result<Status> {
        unused()
    }

    async fn entries(&self, _: &Context, _: EntryFilter) -> Result<Vec<Entry>> {
        unused()
    }

    async fn put_secret(&self, _: &Context, _: SecretName, _: Secret) -> Result<()> {
        unused()
    }

    async fn delete_secret(&self, _: &Context, _: SecretName) -> Result<()> {
        unused()
    }

    async fn pin(&self, _: &Context, domain: PinDomain, record: Vec<u8>) -> Result<Pin> {
        self.fuse.point().await;
        self.seal(domain, &record)
    }

    async fn check_pin(
        &self,
        _: &Context,
        domain: PinDomain,
        record: Vec<u8>,
        pin: Pin,
    ) -> Result<bool> {
        Ok(self.seal(domain, &record)? == pin)
    }
}
