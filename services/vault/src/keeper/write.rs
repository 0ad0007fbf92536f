//! Changing the file: record first, then write, then show.
//!
//! The log comes first: when it cannot be written the change does not happen. When the disk then
//! fails, the same event is recorded once more with `aileron.outcome` = `uncertain`.

use std::sync::{Arc, PoisonError};

use aileron_contract::{Context, Error, Reason, Result, audit};
use tokio::sync::MutexGuard;

use super::{Content, Keeper, View};
use crate::{
    binding::LAST_USED,
    file::{
        FileError, UnlockError, VaultFile, v1,
        v2::{self, Draft, NewPassphrase},
    },
    kdf::Kdf,
    keys::Keys,
    mark::{self, Mark},
};

/// What a change came to. Without events nothing changed, and nothing is written.
pub(crate) struct Changed<T> {
    pub(crate) value: T,
    pub(crate) events: Vec<audit::Event>,
}

/// A file about to be written.
pub(super) struct Next {
    pub(super) file: v2::File,
    pub(super) keys: Arc<Keys>,
    /// When the keys changed: what the new file is opened with once more before the copy goes.
    pub(super) proof: Option<NewPassphrase>,
    /// Leave the vault unlocked, whatever it was.
    pub(super) opens: bool,
}

impl Keeper {
    /// Changes the unlocked vault. `change` sees a draft of the next generation; a version 1 file
    /// becomes version 2 on the way. Runs to its end once begun: call it in an owned task.
    pub(crate) async fn change<T>(
        &self,
        context: &Context,
        change: impl FnOnce(&mut Draft, &Keys) -> Result<Changed<T>> + Send,
    ) -> Result<T> {
        let writer = self.writer.lock().await;
        let view = self.reload(&writer).await?;
        let (file, keys) = view.unlocked()?;
        let (mut draft, keys, proof) = match &*file {
            VaultFile::V2(file) => (Draft::of(file), keys, None),
            VaultFile::V1(file) => {
                let passphrase = published(file, &keys);
                let (draft, keys) = Draft::migrate(file, &keys, &passphrase)?;
                (draft, Arc::new(keys), Some(passphrase))
            }
        };
        let Changed { value, mut events } = change(&mut draft, &keys)?;
        if events.is_empty() {
            return Ok(value);
        }
        if proof.is_some() {
            events.insert(0, migrated(context));
        }
        self.write_uses(&mut draft);
        let next = Next { file: draft.finish(&keys)?, keys, proof, opens: false };
        self.commit(context, &writer, next, &events).await?;
        Ok(value)
    }

    /// Makes version 2 of an unlocked version 1 file; nothing for others.
    pub(crate) async fn migrate(&self, context: &Context) -> Result<()> {
        let event = migrated(context);
        let writer = self.writer.lock().await;
        let view = self.reload(&writer).await?;
        let (file, keys) = view.unlocked()?;
        let VaultFile::V1(file) = &*file else { return Ok(()) };
        let passphrase = published(file, &keys);
        let (draft, keys) = Draft::migrate(file, &keys, &passphrase)?;
        let (file, keys) = (draft.finish(&keys)?, Arc::new(keys));
        let next = Next { file, keys, proof: Some(passphrase), opens: false };
        self.commit(context, &writer, next, &[event]).await
    }

    /// Writes when bindings were last used, if that is all there is to write. Version 1 files are
    /// not migrated for it.
    pub(crate) async fn flush_uses(&self) -> Result<()> {
        let context = Context::service("vault");
        let writer = self.writer.lock().await;
        if self.uses.lock().unwrap_or_else(PoisonError::into_inner).is_empty() {
            return Ok(());
        }
        let view = self.reload(&writer).await?;
        let (file, keys) = view.unlocked()?;
        let VaultFile::V2(file) = &*file else { return Ok(()) };
        let mut draft = Draft::of(file);
        self.write_uses(&mut draft);
        let next = Next { file: draft.finish(&keys)?, keys, proof: None, opens: false };
        self.commit(&context, &writer, next, &[]).await
    }

    /// Records, writes and shows. With a proof, the old file is kept beside the new one until
    /// that has been read back, opened with the passphrase's key, and every entry checked.
    pub(super) async fn commit(
        &self,
        context: &Context,
        writer: &MutexGuard<'_, ()>,
        next: Next,
        events: &[audit::Event],
    ) -> Result<()> {
        let Next { file, keys, proof, opens } = next;
        self.record(context, events).await?;
        let written = self.write(&file, proof).await;
        if let Err(error) = written {
            let uncertain: Vec<_> = events
                .iter()
                .map(|event| event.clone().with("aileron.outcome", "uncertain"))
                .collect();
            if let Err(error) = self.record(context, &uncertain).await {
                tracing::warn!(%error, "a failed write of the vault could not be recorded");
            }
            self.reload(writer).await?;
            return Err(error);
        }
        let seen = file.seen();
        let print = self.disk.print().map_err(|cause| self.disk.unwritable(cause))?;
        let unlocked = opens || self.last().keys.is_some() || self.last().print.is_none();
        self.show(View {
            print,
            content: Content::Ready(Arc::new(VaultFile::V2(file))),
            keys: unlocked.then_some(keys),
            accepted: unlocked.then(|| Arc::new(Mark::of(seen.clone()))),
            opened: Arc::default(),
        });
        self.uses.lock().unwrap_or_else(PoisonError::into_inner).clear();
        if let Err(error) = mark::settle(&self.database, &seen, (self.clock)()).await {
            // The file is written; the next write or unlock remembers how far it got.
            tracing::warn!(%error, "the vault's generation could not be remembered");
        }
        Ok(())
    }

    async fn write(&self, file: &v2::File, proof: Option<NewPassphrase>) -> Result<()> {
        let bytes = file.render()?;
        let Some(proof) = proof else {
            let written = self.blocking(move |disk| disk.replace(&bytes)).await?;
            return written.map_err(|cause| self.disk.unwritable(cause));
        };
        mark::announce(&self.database, &file.seen()).await?;
        self.blocking(move |disk| {
            let failed = |cause| disk.unwritable(cause);
            disk.keep_copy().map_err(failed)?;
            disk.replace(&bytes).map_err(failed)?;
            let read = disk.read().map_err(failed)?.map(|(bytes, _)| bytes);
            verify(read.as_deref(), &proof)?;
            disk.drop_copy().map_err(failed)
        })
        .await?
    }

    fn write_uses(&self, draft: &mut Draft) {
        let uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        for (binding, at) in &*uses {
            draft.touch(binding.as_str(), LAST_USED, at.as_second().to_string());
        }
    }
}

/// The key of a version 1 passphrase goes on as that of the first member: the passphrase itself
/// is not known any more, and need not be.
fn published(file: &v1::File, keys: &Keys) -> NewPassphrase {
    let key = zeroize::Zeroizing::new(*keys.vault());
    NewPassphrase { kdf: Kdf::PUBLISHED, salt: file.salt().to_vec(), key }
}

pub(super) fn migrated(context: &Context) -> audit::Event {
    audit::Event::new(audit::EventKind::VaultMigrated, audit::Actor::of(context))
        .with("aileron.vault.format", 2)
}

/// Does what lies on the disk open, whole, with this passphrase's key?
fn verify(read: Option<&[u8]>, proof: &NewPassphrase) -> Result<()> {
    let unproven = |cause: UnlockError| {
        Error::new(
            Reason::VaultUnwritable,
            "the new vault file does not open as it was written; the one before lies beside it \
             as secrets.json.before",
        )
        .caused_by(cause)
    };
    let read = read.ok_or_else(|| unproven(FileError::Unreadable.into()))?;
    let VaultFile::V2(file) = VaultFile::parse(read).map_err(|error| unproven(error.into()))?
    else {
        return Err(unproven(FileError::Unreadable.into()));
    };
    let keys = file.unlock(&proof.key).map_err(unproven)?;
    file.verify_entries(&keys).map_err(unproven)
}
