//! The index: where every record stands, and what it can be found by. Derived from the lines,
//! never trusted over them: a missing, damaged or strange index is built again.

use std::{path::PathBuf, sync::Arc, time::Duration};

use aileron_contract::{
    Error, Reason, Result,
    audit::{Filter, Record},
    limits,
    names::AuditId,
};
use aileron_receipt::Hash;
use aileron_store::{Database, Location, Migration, failed};
use sqlx::Row as _;
use tokio::{
    sync::{Notify, watch},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use crate::{event, files, files::Place, writer::Head};

mod fill;
mod select;

use fill::Position;

const MIGRATIONS: &[Migration] = &[Migration {
    id: "audit/1",
    statements: &[
        "CREATE TABLE audit_record (place BIGINT PRIMARY KEY, id TEXT NOT NULL, kind TEXT NOT \
         NULL, at BIGINT NOT NULL, class TEXT, file TEXT NOT NULL, start BIGINT NOT NULL, length \
         BIGINT NOT NULL)",
        "CREATE INDEX audit_record_id ON audit_record (id)",
        "CREATE INDEX audit_record_kind ON audit_record (kind, place)",
        "CREATE INDEX audit_record_at ON audit_record (at, place)",
        "CREATE INDEX audit_record_class ON audit_record (class, place)",
        "CREATE TABLE audit_connector (fqn TEXT NOT NULL, place BIGINT NOT NULL, PRIMARY KEY \
         (fqn, place))",
        // How far the index reaches, and the root of the tree there.
        "CREATE TABLE audit_indexed (slot BIGINT PRIMARY KEY, size BIGINT NOT NULL, root TEXT NOT \
         NULL)",
    ],
}];

/// How long a reader waits for the index to hold what was written before the reader asked.
const PATIENCE: Duration = Duration::from_secs(10);

/// Rows are added in groups, unless a reader waits for them: appends come in bursts, and while
/// they do, they need the processor more than the index does.
const GROUP: Duration = Duration::from_millis(500);

/// How long until a database that refused is asked again.
const RETRY: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Index {
    database: Database,
    local: bool,
    folder: PathBuf,
    head: watch::Receiver<Head>,
    indexed: watch::Sender<u64>,
    wanted: Notify,
}

/// An open database that is not an index yet.
#[derive(Debug)]
pub(crate) struct Found {
    database: Database,
    local: bool,
    reaches: Option<(u64, String)>,
}

/// Where a record stands.
#[derive(Clone, Debug)]
pub(crate) struct Located {
    pub(crate) index: u64,
    id: String,
    place: Place,
    length: usize,
}

impl Found {
    /// Opens the database; a file that is none is replaced, for all it holds can be read again.
    pub(crate) async fn open(location: Location) -> Result<Self> {
        match Self::try_open(location.clone()).await {
            Err(error) if let Location::File(path) = &location => {
                tracing::warn!(%error, "the index of the log cannot be read and is built again");
                for suffix in ["", "-wal", "-shm"] {
                    let mut path = path.as_os_str().to_owned();
                    path.push(suffix);
                    // What is not there need not be removed; what cannot be is told below.
                    drop(tokio::fs::remove_file(path).await);
                }
                Self::try_open(location).await
            }
            opened => opened,
        }
    }

    /// How many leaves it claims to hold.
    pub(crate) fn size(&self) -> Option<u64> {
        self.reaches.as_ref().map(|(size, _)| *size)
    }

    async fn try_open(location: Location) -> Result<Self> {
        let local = matches!(location, Location::File(_));
        let database = Database::open(location, MIGRATIONS).await?;
        let row = sqlx::query("SELECT size, root FROM audit_indexed WHERE slot = 1")
            .fetch_optional(database.pool())
            .await
            .map_err(failed)?;
        let reaches = match row {
            None => None,
            Some(row) => {
                let size: i64 = row.try_get("size").map_err(failed)?;
                let root: String = row.try_get("root").map_err(failed)?;
                u64::try_from(size).ok().map(|size| (size, root))
            }
        };
        Ok(Self { database, local, reaches })
    }
}

impl Index {
    /// `at` is where the log's lines end that the index claims to hold, and the root there; an
    /// index that belongs to other lines is emptied.
    pub(crate) async fn start(
        found: Found,
        folder: PathBuf,
        head: watch::Receiver<Head>,
        at: Option<(Place, Hash)>,
    ) -> Result<(Arc<Self>, Position)> {
        let Found { database, local, reaches } = found;
        let position = match (reaches, at) {
            (Some((size, root)), Some((place, found))) if root == found.to_string() => {
                Position { size, place }
            }
            _ => {
                fill::empty(&database).await?;
                Position { size: 0, place: Place::start() }
            }
        };
        let indexed = watch::Sender::new(position.size);
        let wanted = Notify::new();
        Ok((Arc::new(Self { database, local, folder, head, indexed, wanted }), position))
    }

    /// Follows the log until told to stop.
    pub(crate) async fn run(self: Arc<Self>, mut position: Position, stop: CancellationToken) {
        let mut head = self.head.clone();
        loop {
            let pause = match self.catch_up(&mut position, &mut head).await {
                Ok(()) => GROUP,
                Err(error) => {
                    tracing::warn!(%error, "the index of the log cannot be written; trying again");
                    RETRY
                }
            };
            let next = async {
                if position.size >= head.borrow().tree.size() && head.changed().await.is_err() {
                    stop.cancelled().await;
                }
                // Somebody who waits shortens the pause, not the one after a failure.
                if pause == GROUP {
                    drop(timeout(pause, self.wanted.notified()).await);
                } else {
                    tokio::time::sleep(pause).await;
                }
            };
            tokio::select! {
                () = stop.cancelled() => break,
                () = next => {}
            }
        }
        self.database.close().await;
    }

    /// How many leaves it holds.
    pub(crate) fn size(&self) -> u64 {
        *self.indexed.borrow()
    }

    /// Waits until it holds all that was durable when this was called.
    pub(crate) async fn caught_up(&self) -> Result<()> {
        let size = self.head.borrow().tree.size();
        let mut indexed = self.indexed.subscribe();
        if *indexed.borrow_and_update() >= size {
            return Ok(());
        }
        self.wanted.notify_one();
        match timeout(PATIENCE, indexed.wait_for(|indexed| *indexed >= size)).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err(Error::new(
                Reason::AuditUnavailable,
                "the index of the log is behind and cannot be read yet: try again; the runtime's \
                 own log says why",
            )),
        }
    }

    pub(crate) async fn find(&self, id: &AuditId) -> Result<Option<Located>> {
        select::by_id(&self.database, id).await
    }

    pub(crate) async fn matching(&self, filter: &Filter) -> Result<Vec<Located>> {
        select::matching(&self.database, filter).await
    }

    /// The records from `from` on, oldest first, at most `limit`.
    pub(crate) async fn from(&self, from: u64, limit: u32) -> Result<Vec<Located>> {
        select::from(&self.database, from, limit).await
    }

    /// Reads the records that stand at these places.
    pub(crate) async fn read(&self, located: Vec<Located>) -> Result<Vec<Record>> {
        let lines = self.lines(located).await?;
        lines.into_iter().map(|(located, line)| record(&located, &line)).collect()
    }

    /// Reads the lines that stand at these places.
    pub(crate) async fn lines(&self, located: Vec<Located>) -> Result<Vec<(Located, Vec<u8>)>> {
        let folder = self.folder.clone();
        let read = move || {
            let read = |located: Located| {
                let line = files::read_line(&folder, &located.place, located.length)
                    .map_err(|cause| strange(&located).caused_by(cause))?;
                Ok((located, line))
            };
            located.into_iter().map(read).collect()
        };
        tokio::task::spawn_blocking(read).await.map_err(Error::internal)?
    }
}

/// The record of a line, provided it is the one the index means.
pub(crate) fn record(located: &Located, line: &[u8]) -> Result<Record> {
    event::read(located.index, line)
        .filter(|record| record.id.as_str() == located.id)
        .ok_or_else(|| strange(located))
}

fn strange(located: &Located) -> Error {
    let Place { file, offset } = &located.place;
    Error::new(
        Reason::AuditDamaged,
        format!(
            "{file} does not hold the event {} at byte {offset}, where it was written: run \
             `aileron audit verify`",
            located.id
        ),
    )
}

/// One page of records, whatever was asked for.
fn page(limit: Option<u32>) -> Result<i64> {
    let limit = limit.unwrap_or(100);
    if (1..=limits::AUDIT_PAGE).contains(&limit) {
        return Ok(i64::from(limit));
    }
    Err(Error::new(
        Reason::InvalidRequest,
        format!("limit is 1 to {}, not {limit}", limits::AUDIT_PAGE),
    ))
}
