//! The recovery key: added, removed, and used when the passphrase is lost.

use std::sync::Arc;

use aileron_contract::{
    Context, Error, Reason, Result, Secret,
    audit::{Actor, Event, EventKind},
    vault::Status,
};

use super::{Changed, Keeper, Turn, attempt::Proven, write::Next};
use crate::{
    file::{FileError, VaultFile, v2::Draft},
    recovery_key::RecoveryKey,
};

impl Keeper {
    /// A fresh key, in the place of an earlier one. Durable before it is shown.
    pub(crate) async fn add_recovery_key(&self, context: &Context) -> Result<Secret> {
        let key = RecoveryKey::fresh()?;
        let event = Event::new(EventKind::VaultRecoveryKeyAdded, Actor::of(context))
            .with("aileron.vault.replaced", self.view().await?.status().recovery_key);
        self.change(context, |draft, keys| {
            draft.set_recovery_key(keys, &key)?;
            Ok(Changed { value: (), events: vec![event] })
        })
        .await?;
        // A key that does not open what was written must not be put on paper.
        let (file, _) = self.view().await?.unlocked()?;
        let opens = file.recover(&key).is_ok();
        opens.then(|| key.written()).ok_or_else(|| {
            Error::new(
                Reason::Busy,
                "the vault was changed at the same moment: make a recovery key once more",
            )
        })
    }

    pub(crate) async fn remove_recovery_key(&self, context: &Context) -> Result<Status> {
        let event = Event::new(EventKind::VaultRecoveryKeyRemoved, Actor::of(context));
        self.change(context, |draft, _| {
            if !draft.remove_recovery_key() {
                return Err(Error::new(Reason::NotFound, "the vault has no recovery key"));
            }
            Ok(Changed { value: (), events: vec![event] })
        })
        .await?;
        Ok(self.view().await?.status())
    }

    /// Opens with the recovery key, under a new passphrase from now on.
    pub(crate) async fn recover(
        &self,
        context: &Context,
        mut turn: Turn,
        (key, new): (&RecoveryKey, Secret),
    ) -> Result<Status> {
        let Proven { file, keys } = self.prove_recovery(context, &mut turn, key).await?;
        let new = self.derive_new(&mut turn, new).await?;
        let writer = self.writer.lock().await;
        self.unedited(&writer, &file).await?;
        let VaultFile::V2(file) = &*file else { return Err(FileError::Unreadable.into()) };
        let mut draft = Draft::of(file);
        draft.set_passphrase(&keys, &new)?;
        let (file, keys) = (draft.finish(&keys)?, Arc::new(keys));
        let next = Next { file, keys, proof: Some(new), opens: true };
        let event = Event::new(EventKind::VaultRecovered, Actor::of(context));
        self.commit(context, &writer, next, &[event]).await?;
        Ok(self.last().status())
    }
}
