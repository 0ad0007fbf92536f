//! Holds the file and the keys: who reads sees one consistent view, who writes does so alone,
//! and a file that somebody else changed is read again, never overwritten.

pub(crate) mod attempt;
mod gate;
mod older;
pub(crate) mod opened;
mod passphrase;
mod recovery;
mod view;
mod write;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::{Duration, Instant},
};

use aileron_contract::{Context, Error, Reason, Result, Timestamp, audit, names::BindingName};
use aileron_store::Database;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    Kdf,
    disk::Disk,
    file::{FileError, UnlockError, VaultFile},
    keys::Keys,
    mark::Mark,
    refusals::Refusals,
};

use gate::Gate;
pub(crate) use gate::Turn;
use opened::Opened;
pub(crate) use view::{Content, View};
pub(crate) use write::Changed;

/// The vault behind its doors.
pub(crate) struct Keeper {
    pub(crate) database: Database,
    pub(crate) audit: audit::Handle,
    pub(crate) clock: fn() -> Timestamp,
    pub(crate) tasks: TaskTracker,
    /// Ends what goes on by itself, and what waits.
    pub(crate) stop: CancellationToken,
    disk: Arc<Disk>,
    kdf: Kdf,
    view: RwLock<View>,
    /// Held while the file is written, or read again.
    writer: tokio::sync::Mutex<()>,
    /// Where passphrases wait to be checked.
    gate: Arc<Gate>,
    /// Those that were wrong.
    refusals: Refusals,
    /// When the file was last seen to be the one of the view.
    seen: Mutex<Option<Instant>>,
    /// When bindings were used since the last write; written with the next one.
    uses: Mutex<BTreeMap<BindingName, Timestamp>>,
    /// When a credential was last used, or a person last did something.
    active: Mutex<Timestamp>,
}

/// What a keeper is made of.
pub(crate) struct Parts {
    pub(crate) disk: Disk,
    pub(crate) database: Database,
    pub(crate) audit: audit::Handle,
    pub(crate) clock: fn() -> Timestamp,
    pub(crate) kdf: Kdf,
}

/// For how long a file that was looked at is taken for the same when nobody says otherwise: what
/// is done from another machine, or by another name of the file, is noticed after this long.
const RECENT: Duration = Duration::from_millis(5);

impl Keeper {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { disk, database, audit, clock, kdf } = parts;
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let log = Arc::clone(&audit);
        Self {
            database,
            audit,
            clock,
            refusals: Refusals::new(log, clock, tasks.clone(), stop.clone()),
            gate: Arc::new(Gate::new(stop.clone())),
            tasks,
            stop,
            disk: Arc::new(disk),
            kdf,
            view: RwLock::new(View::nothing()),
            writer: tokio::sync::Mutex::new(()),
            seen: Mutex::new(None),
            uses: Mutex::new(BTreeMap::new()),
            active: Mutex::new(clock()),
        }
    }

    /// The vault as it is now, read again when the file changed.
    pub(crate) async fn view(&self) -> Result<View> {
        if let Some(view) = self.fresh() {
            return Ok(view);
        }
        let writer = self.writer.lock().await;
        self.reload(&writer).await
    }

    /// The same for requests, which come by the thousand: the file is looked at when the system
    /// says that something was done in its folder, and every [`RECENT`] all the same.
    pub(crate) async fn recent(&self) -> Result<View> {
        match self.unchanged() {
            Some(view) => Ok(view),
            None => self.view().await,
        }
    }

    /// The same when the file need not be looked at.
    pub(crate) fn unchanged(&self) -> Option<View> {
        self.is_unchanged().then(|| self.last())
    }

    /// What egress asked of the file, when that need not be looked at.
    pub(crate) fn opened(&self) -> Option<Arc<Opened>> {
        let opened =
            || Arc::clone(&self.view.read().unwrap_or_else(PoisonError::into_inner).opened);
        self.is_unchanged().then(opened)
    }

    fn is_unchanged(&self) -> bool {
        let mut seen = self.seen();
        *seen = seen.filter(|seen| seen.elapsed() < RECENT && self.disk.quiet());
        seen.is_some()
    }

    /// A binding's credential was used: remembered until the next write.
    pub(crate) fn used(&self, binding: &BindingName) {
        let now = (self.clock)();
        *self.active.lock().unwrap_or_else(PoisonError::into_inner) = now;
        let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        match uses.get_mut(binding) {
            Some(at) => *at = now,
            None => drop(uses.insert(binding.clone(), now)),
        }
    }

    /// Somebody is there: an idle vault begins to wait anew.
    pub(crate) fn touch(&self) {
        *self.active.lock().unwrap_or_else(PoisonError::into_inner) = (self.clock)();
    }

    pub(crate) fn last_activity(&self) -> Timestamp {
        *self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When a binding was last used, as far as the file does not know yet.
    pub(crate) fn last_use(&self, binding: &BindingName) -> Option<Timestamp> {
        self.uses.lock().unwrap_or_else(PoisonError::into_inner).get(binding).copied()
    }

    /// Runs `work` to its end even when the caller goes away.
    pub(crate) async fn owned<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        if self.tasks.is_closed() {
            return Err(Error::new(Reason::ShuttingDown, "the vault is shutting down"));
        }
        self.tasks.spawn(work).await.map_err(Error::internal)?
    }

    /// Appends, in order; the change these events announce must not happen when it fails.
    pub(crate) async fn record(&self, context: &Context, events: &[audit::Event]) -> Result<()> {
        for event in events {
            self.audit.append(context, event.clone()).await?;
        }
        Ok(())
    }

    /// Forgets the keys. Returns whether there were any.
    pub(crate) async fn forget(&self) -> bool {
        let _writer = self.writer.lock().await;
        let mut view = self.view.write().unwrap_or_else(PoisonError::into_inner);
        view.accepted = None;
        view.opened = Arc::default();
        view.keys.take().is_some()
    }

    /// After the last change: another process may take the state folder.
    pub(crate) fn release(&self) {
        self.disk.release();
    }

    /// The view, when the file is still the one it was made of.
    fn fresh(&self) -> Option<View> {
        // Held while looking: what happens meanwhile is seen here, or asked for afterwards.
        let mut seen = self.seen();
        let (view, now) = (self.last(), Instant::now());
        let same = self.disk.print().ok()? == view.print;
        *seen = same.then_some(now);
        same.then_some(view)
    }

    fn seen(&self) -> MutexGuard<'_, Option<Instant>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn last(&self) -> View {
        self.view.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn show(&self, view: View) {
        *self.view.write().unwrap_or_else(PoisonError::into_inner) = view;
    }

    /// Reads the file again, unless it is unchanged. While unlocked, a changed file is believed
    /// only when the keys say that it is ours and not an older one.
    async fn reload(&self, _writer: &tokio::sync::MutexGuard<'_, ()>) -> Result<View> {
        if let Some(view) = self.fresh() {
            return Ok(view);
        }
        let View { keys, mut accepted, .. } = self.last();
        let (held, earlier) = (keys.clone(), accepted.clone());
        let (print, content) = self
            .blocking(move |disk| {
                let (bytes, print) = match disk.read() {
                    Ok(Some(read)) => read,
                    Ok(None) => return (None, Content::Missing),
                    Err(_) => {
                        let print = disk.print().ok().flatten();
                        return (print, Content::Refused(FileError::Unreadable));
                    }
                };
                let believed = VaultFile::parse(&bytes)
                    .and_then(|file| believe(file, held.as_deref(), earlier.as_deref()));
                let content =
                    believed.map_or_else(Content::Refused, |file| Content::Ready(Arc::new(file)));
                (Some(print), content)
            })
            .await?;
        if let (Content::Ready(file), Some(_)) = (&content, &keys) {
            accepted = Some(Arc::new(Mark::of(file.seen())));
        }
        let view = View { print, content, keys, accepted, opened: Arc::default() };
        self.show(view.clone());
        Ok(view)
    }

    /// The view, when the file is still the one that a passphrase was checked against: that takes a
    /// while, and what another program wrote meanwhile must not be written over.
    async fn unedited(
        &self,
        writer: &tokio::sync::MutexGuard<'_, ()>,
        file: &VaultFile,
    ) -> Result<View> {
        let view = self.reload(writer).await?;
        if matches!(&view.content, Content::Ready(present) if **present == *file) {
            return Ok(view);
        }
        Err(Error::new(Reason::Busy, "the vault was changed at the same moment: try again"))
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Disk) -> T + Send + 'static,
    ) -> Result<T> {
        let disk = Arc::clone(&self.disk);
        tokio::task::spawn_blocking(move || work(&disk)).await.map_err(Error::internal)
    }
}

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keeper").field("disk", &self.disk).finish_non_exhaustive()
    }
}

/// The file, unless the keys say that it is not ours, or an older one.
fn believe(
    file: VaultFile,
    keys: Option<&Keys>,
    earlier: Option<&Mark>,
) -> Result<VaultFile, FileError> {
    let Some(keys) = keys else { return Ok(file) };
    if earlier.is_some_and(|mark| !mark.admits(&file.seen())) {
        return Err(FileError::RolledBack);
    }
    match file.verify(keys) {
        Ok(()) => Ok(file),
        Err(UnlockError::File(error)) => Err(error),
        Err(_) => Err(FileError::Tampered("it does not fit the keys in use")),
    }
}
