//! The index: what records can be found by, and where they stand. Derived from the lines, never
//! believed over them: what it finds is shown when the line says so, and a missing, damaged or
//! strange index is built again. What must not be forgotten is asked of the [`Reader`], by id.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use aileron_contract::{
    Error, Reason, Result,
    audit::{Filter, Record},
    limits,
};
use aileron_store::{Database, Location, Migration, failed};
use sqlx::Row as _;
use tokio::{
    sync::{Notify, watch},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use crate::{event, files, files::Place, reader::Reader, recovery::Indexed, writer::Head};

mod fill;
mod select;

use fill::Position;
pub(crate) use select::matches;

const MIGRATIONS: &[Migration] = &[
    Migration {
        id: "audit/1",
        statements: &[
            "CREATE TABLE audit_record (place BIGINT PRIMARY KEY, id TEXT NOT NULL, kind TEXT \
             NOT NULL, at BIGINT NOT NULL, class TEXT, file TEXT NOT NULL, start BIGINT NOT \
             NULL, length BIGINT NOT NULL)",
            "CREATE INDEX audit_record_id ON audit_record (id)",
            "CREATE INDEX audit_record_kind ON audit_record (kind, place)",
            "CREATE INDEX audit_record_at ON audit_record (at, place)",
            "CREATE INDEX audit_record_class ON audit_record (class, place)",
            "CREATE TABLE audit_connector (fqn TEXT NOT NULL, place BIGINT NOT NULL, PRIMARY KEY \
             (fqn, place))",
            // How far the index reaches, and the root of the tree there.
            "CREATE TABLE audit_indexed (slot BIGINT PRIMARY KEY, size BIGINT NOT NULL, root \
             TEXT NOT NULL)",
        ],
    },
    Migration {
        id: "audit/2",
        statements: &[
            "ALTER TABLE audit_record ADD COLUMN session TEXT",
            // Most records are of none.
            "CREATE INDEX audit_record_session ON audit_record (session, place) WHERE session IS \
             NOT NULL",
            // The rows there are lack it: without a place that the index reaches, all is read
            // again.
            "DELETE FROM audit_indexed",
        ],
    },
];

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
    reader: Arc<Reader>,
    head: watch::Receiver<Head>,
    indexed: watch::Sender<u64>,
    /// Set when a row was found that no line bears out; changed while `indexed` is held.
    distrusted: AtomicBool,
    wanted: Notify,
}

/// An open database that is not an index yet.
#[derive(Debug)]
pub(crate) struct Found {
    database: Database,
    local: bool,
    reaches: Option<(u64, String)>,
    rows: u64,
}

/// Where a row says that a record stands.
#[derive(Clone, Debug)]
struct Located {
    index: u64,
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
        let count = sqlx::query("SELECT COUNT(*) AS n FROM audit_record")
            .fetch_one(database.pool())
            .await
            .and_then(|row| row.try_get::<i64, _>("n"))
            .map_err(failed)?;
        Ok(Self { database, local, reaches, rows: u64::try_from(count).unwrap_or_default() })
    }
}

impl Index {
    /// `at` is the log as it was where the index claims to end. An index that belongs to other
    /// lines, or has not a row for every record, is emptied.
    pub(crate) async fn start(
        found: Found,
        reader: Arc<Reader>,
        head: watch::Receiver<Head>,
        at: Option<Indexed>,
    ) -> Result<(Arc<Self>, Position)> {
        let Found { database, local, reaches, rows } = found;
        let position = match (reaches, at) {
            (Some((size, root)), Some(at)) if root == at.root.to_string() && rows == at.records => {
                Position { size, place: at.place }
            }
            _ => {
                fill::empty(&database).await?;
                Position::start()
            }
        };
        let indexed = watch::Sender::new(position.size);
        let (distrusted, wanted) = (AtomicBool::new(false), Notify::new());
        let index = Self { database, local, reader, head, indexed, distrusted, wanted };
        Ok((Arc::new(index), position))
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
                if position.size >= head.borrow().tree.size() {
                    tokio::select! {
                        changed = head.changed() => if changed.is_err() {
                            stop.cancelled().await;
                        },
                        () = self.wanted.notified() => return,
                    }
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

    /// Records that match, newest first.
    pub(crate) async fn query(&self, filter: &Filter) -> Result<Vec<Record>> {
        for _ in 0..2 {
            self.caught_up().await?;
            if let Some(located) = select::matching(&self.database, filter).await?
                && let Some(records) = self.read(located).await?
            {
                return Ok(records);
            }
            tracing::warn!("the index of the log says what no line says, and is built again");
            self.distrust();
        }
        Err(Error::new(
            Reason::AuditDamaged,
            "something changes the index of the log (audit/index.db) while it is used: look at \
             who can write it, and try again",
        ))
    }

    /// Waits until it holds all that was durable when this was called.
    async fn caught_up(&self) -> Result<()> {
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

    /// Everything is indexed anew.
    fn distrust(&self) {
        self.indexed.send_modify(|indexed| {
            self.distrusted.store(true, Ordering::Relaxed);
            *indexed = 0;
        });
        self.wanted.notify_one();
    }

    /// Reads the records that rows tell of; none when a row tells what its line does not.
    async fn read(&self, located: Vec<Located>) -> Result<Option<Vec<Record>>> {
        let reader = Arc::clone(&self.reader);
        let read = move || located.iter().map(|located| record(&reader, located)).collect();
        tokio::task::spawn_blocking(read).await.map_err(Error::internal)?
    }
}

/// The record a row tells of, if its line is where the row says and has its id. Blocks.
fn record(reader: &Reader, located: &Located) -> Result<Option<Record>> {
    let line = files::read_line(reader.folder(), &located.place, located.length);
    let Some(line) = line.ok().filter(|line| reader.vouches(located.index, line)) else {
        // Either the row is wrong, or the line itself was changed: that is told.
        reader.leaf(located.index)?;
        return Ok(None);
    };
    Ok(event::read(located.index, &line).filter(|record| record.id.as_str() == located.id))
}

/// One page of records, whatever was asked for.
pub(crate) fn page(limit: Option<u32>) -> Result<usize> {
    let limit = limit.unwrap_or(100);
    if (1..=limits::AUDIT_PAGE).contains(&limit) {
        return usize::try_from(limit).map_err(Error::internal);
    }
    Err(Error::new(
        Reason::InvalidRequest,
        format!("limit is 1 to {}, not {limit}", limits::AUDIT_PAGE),
    ))
}
