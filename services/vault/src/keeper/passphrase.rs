//! The life of the keys: created, opened, replaced.

use std::sync::Arc;

use aileron_contract::{
    Context, Error, Reason, Result, Secret,
    audit::{Actor, Event, EventKind},
    vault::{PassphraseChange, State, Status},
};

use super::{
    Content, Keeper, Turn, View,
    attempt::Proven,
    write::{Next, migrated},
};
use crate::{
    disk::Disk,
    file::{VaultFile, v2::Draft},
    keys::Keys,
    mark::{self, Mark},
};

impl Keeper {
    /// A new vault, unlocked. Never in the place of anything.
    pub(crate) async fn create(
        &self,
        context: &Context,
        mut turn: Turn,
        passphrase: Secret,
    ) -> Result<Status> {
        self.must_be_absent().await?;
        self.touch();
        let passphrase = self.derive_new(&mut turn, passphrase).await?;
        let (draft, keys) = Draft::create(&passphrase)?;
        let (file, keys) = (draft.finish(&keys)?, Arc::new(keys));
        let next = Next { file, keys, proof: Some(passphrase), opens: false };
        let writer = self.writer.lock().await;
        self.reload(&writer).await?;
        if self.disk.print().map_err(|cause| self.disk.unwritable(cause))?.is_some() {
            return Err(exists());
        }
        let event = Event::new(EventKind::VaultCreated, Actor::of(context));
        self.commit(context, &writer, next, &[event]).await?;
        Ok(self.last().status())
    }

    pub(crate) async fn unlock(
        &self,
        context: &Context,
        mut turn: Turn,
        passphrase: Secret,
    ) -> Result<Status> {
        self.must_be_closed().await?;
        let refused = EventKind::VaultUnlockFailed;
        let Proven { file, keys } = self.prove(context, &mut turn, passphrase, refused).await?;
        let writer = self.writer.lock().await;
        let present = self.unedited(&writer, &file).await?;
        self.finish_earlier_write(&file, &keys).await?;
        self.record(context, &[Event::new(EventKind::VaultUnlocked, Actor::of(context))]).await?;
        let seen = file.seen();
        mark::settle(&self.database, &seen, (self.clock)()).await?;
        self.show(View {
            keys: Some(Arc::new(keys)),
            accepted: Some(Arc::new(Mark::of(seen))),
            opened: Arc::default(),
            ..present
        });
        drop(writer);
        if matches!(&*file, VaultFile::V1(file) if file.takes_any_passphrase()) {
            // From now on the passphrase counts.
            self.migrate(context).await?;
        }
        Ok(self.view().await?.status())
    }

    /// Replaces the passphrase, and with `rotate` the vault key. Works locked as well, and leaves
    /// the vault locked or unlocked as it was.
    pub(crate) async fn change_passphrase(
        &self,
        context: &Context,
        mut turn: Turn,
        change: PassphraseChange,
    ) -> Result<Status> {
        let PassphraseChange { current, new, rotate } = change;
        let refused = EventKind::VaultUnlockFailed;
        let Proven { file, keys } = self.prove(context, &mut turn, current, refused).await?;
        let new = self.derive_new(&mut turn, new).await?;
        let mut events = vec![
            Event::new(EventKind::VaultPassphraseChanged, Actor::of(context))
                .with("aileron.vault.rotated", rotate || matches!(&*file, VaultFile::V1(_))),
        ];
        let writer = self.writer.lock().await;
        self.unedited(&writer, &file).await?;
        let (draft, keys) = match &*file {
            VaultFile::V1(file) => {
                events.insert(0, migrated(context));
                Draft::migrate(file, &keys, &new)?
            }
            VaultFile::V2(file) => {
                let mut draft = Draft::of(file);
                let keys = if rotate {
                    draft.rotate(file, &keys, &new)?
                } else {
                    draft.set_passphrase(&keys, &new)?;
                    keys
                };
                (draft, keys)
            }
        };
        let (file, keys) = (draft.finish(&keys)?, Arc::new(keys));
        let next = Next { file, keys, proof: Some(new), opens: false };
        self.commit(context, &writer, next, &events).await?;
        Ok(self.last().status())
    }

    /// After a crash between a new file and the removal of the one before: once the file that
    /// counts has been opened whole, the copy goes.
    async fn finish_earlier_write(&self, file: &VaultFile, keys: &Keys) -> Result<()> {
        if !self.disk.has_copy() {
            return Ok(());
        }
        file.verify_entries(keys)?;
        let dropped = self.blocking(Disk::drop_copy).await?;
        dropped.map_err(|cause| self.disk.unwritable(cause))
    }

    /// Nobody waits in line, nor is checked, for a vault that is open.
    pub(crate) async fn must_be_closed(&self) -> Result<()> {
        if self.view().await?.status().state == State::Unlocked {
            return Err(Error::new(
                Reason::VaultAlreadyUnlocked,
                "the vault is unlocked already: nothing to do",
            ));
        }
        Ok(())
    }

    async fn must_be_absent(&self) -> Result<()> {
        if self.disk.has_copy() {
            return Err(Error::new(
                Reason::VaultExists,
                "there is no secrets.json but a secrets.json.before, left by an interrupted \
                 change: rename it to secrets.json and unlock with the passphrase of that time",
            ));
        }
        match self.view().await?.content {
            Content::Missing => Ok(()),
            Content::Ready(_) | Content::Refused(_) => Err(exists()),
        }
    }
}

fn exists() -> Error {
    Error::new(Reason::VaultExists, "there is a vault file already: unlock it instead")
}
