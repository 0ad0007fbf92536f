//! The transparency log: every event is a line of a file that people can read, a leaf of a Merkle
//! tree in the public C2SP formats, and covered by a signed checkpoint before the caller hears
//! that it was recorded.
//!
//! In the folder `audit` (0700, every file 0600):
//!
//! | file | what it is |
//! |---|---|
//! | `audit-YYYY-MM-DD.jsonl` | the lines, one file per local day. The log is the lines of all files in the order of their names; a clock that is set back goes on with the newest file |
//! | `checkpoint`, `tile/…` | C2SP tlog-checkpoint and tlog-tiles, published some milliseconds after the append |
//! | `log.key`, `log.vkey` | the Ed25519 key that signs, and its public half |
//! | `journal` | the newest batches with their checkpoints: what makes an append durable with one fsync |
//! | `index.db` | what a list can be filtered by; built again when it is missing or strange, and never believed over the lines |
//! | `set-aside-…` | lines behind the newest checkpoint, found at a start; never part of the log |
//!
//! Deliberately absent: judging events, and deleting them.

mod event;
mod files;
pub mod fuzz;
mod index;
mod journal;
mod key;
mod log;
mod reader;
mod recovery;
mod roll;
mod tiles;
mod writer;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, mpsc},
};

use aileron_contract::{
    Audit as _, Context, Error, Result, Timestamp,
    audit::{self, Actor, ActorKind, Event, EventKind},
    limits,
};
use aileron_store::{Location, lock::FolderLock};
use jiff::tz::TimeZone;
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    index::{Found, Index},
    log::Log,
    reader::Reader,
    recovery::{Imported, Recovered},
    tiles::Publisher,
    writer::{Head, Writer},
};

/// What the log needs to know.
#[derive(Debug)]
pub struct Options {
    /// The state folder; the log lives in its folder `audit`.
    pub home: PathBuf,
    /// The name of a new log, as its checkpoints and its key carry it: without spaces and `+`. An
    /// existing log keeps the name it was made with.
    pub origin: String,
    /// Where the index lives; `audit/index.db` without.
    pub database: Option<Location>,
    pub clock: fn() -> Timestamp,
}

/// A running log.
pub struct Service {
    log: Arc<Log>,
    tracker: TaskTracker,
    stop: CancellationToken,
    lock: Mutex<Option<FolderLock>>,
}

impl Service {
    /// Opens the log, or makes one; older files found in the folder become its first leaves.
    /// `state_busy` when another process holds it, `audit_damaged` when its lines are not those
    /// it signed: it is then not written to.
    pub async fn open(options: Options) -> Result<Self> {
        let Options { home, origin, database, clock } = options;
        let folder = home.join("audit");
        let lock = blocking({
            let folder = folder.clone();
            move || FolderLock::acquire(&folder, "log.lock")
        })
        .await?;
        let database = database.unwrap_or_else(|| Location::File(folder.join("index.db")));
        let found = Found::open(database).await?;
        let zone = TimeZone::system();
        let recovered = blocking({
            let (folder, size) = (folder.clone(), found.size());
            let today = files::name_at(clock(), &zone, "");
            move || recovery::open(&folder, &origin, today, size)
        })
        .await?;
        let imported = recovered.imported;
        let service = Self::start(&folder, (clock, zone), found, recovered, lock).await?;
        if let Err(error) = service.report(&folder, imported).await {
            service.shutdown().await;
            return Err(error);
        }
        Ok(service)
    }

    /// A handle for callers; it answers `shutting_down` once the service has been shut down.
    pub fn audit(&self) -> audit::Handle {
        Arc::<Log>::clone(&self.log)
    }

    /// Finishes the appends under way, publishes the last tiles and lets go of the folder.
    pub async fn shutdown(&self) {
        self.log.stop();
        self.stop.cancel();
        self.tracker.close();
        self.tracker.wait().await;
        let lock = self.lock.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        drop(lock);
    }

    async fn start(
        folder: &Path,
        (clock, zone): (fn() -> Timestamp, TimeZone),
        found: Found,
        recovered: Recovered,
        lock: FolderLock,
    ) -> Result<Self> {
        let Recovered { key, edge, note, store, roll, indexed, imported: _ } = recovered;
        let reader = Arc::new(Reader::new(folder.to_owned(), roll));
        let verifier = key.verifier().clone();
        let head =
            watch::Sender::new(Head { tree: Arc::new(edge.tree.clone()), note: Arc::clone(&note) });
        let (index, position) =
            Index::start(found, Arc::clone(&reader), head.subscribe(), indexed).await?;
        let publisher = Publisher::new(folder.to_owned(), edge, note);
        let shown = publisher.published();
        let (batches, to_publish) = mpsc::sync_channel(limits::AUDIT_PUBLISH_QUEUE);
        let (commands, to_write) = mpsc::channel();
        let log = Arc::new(Log::new(
            Arc::clone(&reader),
            verifier,
            commands,
            Arc::clone(&index),
            (head.subscribe(), shown),
        ));
        let writer = Writer {
            folder: folder.to_owned(),
            key,
            zone,
            clock,
            store,
            head,
            batches,
            waiting: log.waiting(),
            reader,
        };
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        // The handles are the tracker's to wait for; both threads end when their channel does.
        drop(tracker.spawn_blocking(move || writer.run(&to_write)));
        drop(tracker.spawn_blocking(move || publisher.run(&to_publish)));
        drop(tracker.spawn(index.run(position, stop.child_token())));
        Ok(Self { log, tracker, stop, lock: Mutex::new(Some(lock)) })
    }

    /// Records what the opening found. A new log's key takes its final name only afterwards, so
    /// that an opening cut off before is done again.
    async fn report(&self, folder: &Path, imported: Option<Imported>) -> Result<()> {
        if let Some(Imported { files, lines, unreadable, oversized }) = imported {
            if lines > 0 {
                let event = Event::new(EventKind::LogImported, myself())
                    .with("aileron.log.files", files)
                    .with("aileron.log.lines", lines)
                    .with("aileron.log.unreadable", unreadable)
                    .with("aileron.log.oversized", oversized);
                self.log.append(&Context::service("audit"), event).await?;
            }
            let folder = folder.to_owned();
            blocking(move || key::adopt(&folder)).await?;
        }
        let found = blocking({
            let folder = folder.to_owned();
            move || recovery::set_aside_files(&folder).map_err(Error::internal)
        })
        .await?;
        for recovery::SetAside { name, size, digest } in found {
            let mut event = Event::new(EventKind::LogTailSetAside, myself())
                .with("aileron.log.file", name)
                .with("aileron.log.size", size)
                .with("aileron.log.digest", digest.clone());
            // Named by its content: recorded once, however often the log is opened.
            event.id = Some(format!("audit-set-aside-{digest}").parse()?);
            self.log.append(&Context::service("audit"), event).await?;
        }
        Ok(())
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").field("log", &self.log).finish_non_exhaustive()
    }
}

fn myself() -> Actor {
    Actor { kind: ActorKind::Service, id: "audit".to_owned(), display_name: None }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
}
