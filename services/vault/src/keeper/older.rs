//! A backup that a person restored: shown beside the file it replaces, and accepted.

use std::sync::Arc;

use aileron_contract::{
    Context, Error, Reason, Result,
    audit::{Actor, Event, EventKind},
    vault::{Acceptance, Older, Status, Writing},
};

use super::{Content, Keeper, Turn, View, attempt::Proven};
use crate::{
    disk::{Disk, Print},
    file::{FileError, VaultFile},
    mark::{self, Mark},
};

/// A file that `unlock` refuses, and the one it came after.
struct Found {
    file: Arc<VaultFile>,
    print: Print,
    last: Mark,
}

impl Keeper {
    pub(crate) async fn older(&self) -> Result<Option<Older>> {
        Ok(self.found().await?.map(|found| found.shown()))
    }

    /// The file is opened whole before it counts. Leaves the vault unlocked with it.
    pub(crate) async fn accept_older(
        &self,
        context: &Context,
        mut turn: Turn,
        acceptance: Acceptance,
    ) -> Result<Status> {
        let Acceptance { passphrase, generation } = acceptance;
        let found = self.found().await?.ok_or_else(|| {
            let public = "the vault's file is the one last used here: there is nothing to accept";
            Error::new(Reason::NotFound, public)
        })?;
        let shown = found.shown();
        if shown.present.generation != generation {
            return Err(another());
        }
        let Found { file, print, last: _ } = found;
        if matches!(&*file, VaultFile::V1(file) if file.takes_any_passphrase()) {
            let public = "the file is an old one that holds nothing, and no passphrase proves \
                          anything about it: put the newer file back";
            return Err(Error::new(Reason::InvalidRequest, public));
        }
        let Proven { file, keys } = self.prove_older(context, &mut turn, file, passphrase).await?;
        let writer = self.writer.lock().await;
        if self.disk.print().map_err(|cause| self.disk.unwritable(cause))? != Some(print) {
            return Err(another());
        }
        let event = Event::new(EventKind::VaultOlderAccepted, Actor::of(context))
            .with("aileron.vault.generation", shown.present.generation)
            .with("aileron.vault.earlier_generation", shown.last.generation)
            .with("aileron.vault.same", shown.same_vault);
        self.record(context, &[event]).await?;
        let seen = file.seen();
        mark::settle(&self.database, &seen, (self.clock)()).await?;
        self.show(View {
            print: Some(print),
            content: Content::Ready(file),
            keys: Some(Arc::new(keys)),
            accepted: Some(Arc::new(Mark::of(seen))),
            opened: Arc::default(),
        });
        drop(writer);
        Ok(self.last().status())
    }

    /// None when the file that is there is the one last used here, or a later one of it.
    async fn found(&self) -> Result<Option<Found>> {
        let Some(last) = mark::read(&self.database).await? else { return Ok(None) };
        let read = self.blocking(Disk::read).await?;
        let Some((bytes, print)) = read.map_err(|_| FileError::Unreadable)? else {
            return Ok(None);
        };
        let file = Arc::new(VaultFile::parse(&bytes)?);
        Ok((!last.admits(&file.seen())).then_some(Found { file, print, last }))
    }
}

impl Found {
    fn shown(&self) -> Older {
        let (seen, last) = (self.file.seen(), &self.last.seen);
        Older {
            present: Writing { generation: seen.generation, at: self.print.modified() },
            last: Writing { generation: last.generation, at: self.last.at },
            same_vault: seen.vault == last.vault,
        }
    }
}

fn another() -> Error {
    Error::new(Reason::ConsentChanged, "the file is another one than the one shown: look again")
}
