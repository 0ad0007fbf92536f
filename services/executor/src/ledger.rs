//! The table of runs. Reads go to the pool; writes go to one task that puts those of many callers
//! into one transaction, so that one flush to the disk serves them all.

use aileron_contract::{
    Error, Reason, Result, Timestamp,
    executor::RunState,
    limits,
    names::{ActionName, RunId, SessionId, Sha256Hash},
    vault::Pin,
};
use aileron_store::{Database, Migration, failed};
use sqlx::{
    Any, AssertSqlSafe, Row as _,
    any::{AnyArguments, AnyRow},
};
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::TaskTracker;

use crate::runs::{PERSON, Record, micros, origin_text, principal_text};

mod grants;
mod writer;

pub(crate) use grants::{GrantQuery, PinnedGrant, UseWritten};

const MIGRATIONS: &[Migration] = &[RUNS, grants::MIGRATION, ORIGINS];

const RUNS: Migration = Migration {
    id: "executor/1",
    statements: &[
        // Every column but the last two repeats a part of `record`, for conditions and order;
        // what is acted upon is `record`, after its pin was checked.
        "CREATE TABLE runs (
            id TEXT PRIMARY KEY,
            version BIGINT NOT NULL,
            state TEXT NOT NULL,
            action TEXT NOT NULL,
            principal TEXT NOT NULL,
            session TEXT,
            requested_at BIGINT NOT NULL,
            expires_at BIGINT,
            repetition TEXT UNIQUE,
            record TEXT NOT NULL,
            pin BYTEA NOT NULL
        )",
        "CREATE INDEX runs_by_state ON runs (state, requested_at)",
        "CREATE INDEX runs_by_time ON runs (requested_at)",
    ],
};

const ORIGINS: Migration = Migration {
    id: "executor/2",
    statements: &[
        // Of runs from before: none, and their principal stands for it.
        "ALTER TABLE runs ADD COLUMN origin TEXT",
    ],
};

/// A record as the table holds it, not yet believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) text: String,
    pub(crate) pin: Pin,
}

/// A record with its pin, ready to be written.
#[derive(Debug)]
pub(crate) struct Pinned {
    pub(crate) record: Record,
    pub(crate) text: String,
    pub(crate) pin: Pin,
}

/// Which rows to read. All conditions must hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query {
    pub(crate) action: Option<ActionName>,
    pub(crate) states: Vec<RunState>,
    pub(crate) session: Option<SessionId>,
    /// As [`principal_text`] writes it.
    pub(crate) principal: Option<String>,
    /// Whose they are for counting, as [`origin_text`] writes it.
    pub(crate) origin: Option<String>,
    /// Not the person's, nor of a session that a person began.
    pub(crate) of_programs: bool,
    /// Parked rows whose time was over at this moment.
    pub(crate) expired_at: Option<Timestamp>,
    pub(crate) oldest_first: bool,
    pub(crate) limit: u32,
}

/// The table and its writer.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    database: Database,
    writes: mpsc::Sender<writer::Write>,
    _tasks: TaskTracker,
    #[cfg(test)]
    pub(crate) transactions: std::sync::Arc<std::sync::atomic::AtomicU64>,
}

impl Ledger {
    /// Makes the table when missing and starts the writer, which ends when the last ledger is
    /// dropped.
    pub(crate) async fn open(database: Database) -> Result<Self> {
        database.migrate(MIGRATIONS).await?;
        let (writes, waiting) = mpsc::channel(limits::LEDGER_QUEUE);
        let transactions = std::sync::Arc::default();
        let tasks = TaskTracker::new();
        tasks.spawn(writer::run(database.clone(), waiting, std::sync::Arc::clone(&transactions)));
        Ok(Self {
            database,
            writes,
            _tasks: tasks,
            #[cfg(test)]
            transactions,
        })
    }

    /// Adds a run. False when its id, or its repetition key, is taken: nothing was written.
    pub(crate) async fn insert(&self, pinned: Pinned) -> Result<bool> {
        self.write(writer::Change::Insert(pinned)).await.map(|written| written == UseWritten::Yes)
    }

    /// Replaces the run's previous version. False when the row is not that version any more:
    /// nothing was written.
    pub(crate) async fn advance(&self, pinned: Pinned) -> Result<bool> {
        self.write(writer::Change::Advance(pinned)).await.map(|written| written == UseWritten::Yes)
    }

    pub(crate) async fn get(&self, id: &RunId) -> Result<Option<Row>> {
        let row = sqlx::query("SELECT id, record, pin FROM runs WHERE id = $1")
            .bind(id.as_str())
            .fetch_optional(self.database.pool())
            .await
            .map_err(failed)?;
        row.as_ref().map(read).transpose()
    }

    /// The run of a repetition key.
    pub(crate) async fn repeated(&self, key: Sha256Hash) -> Result<Option<Row>> {
        let row = sqlx::query("SELECT id, record, pin FROM runs WHERE repetition = $1")
            .bind(key.to_string())
            .fetch_optional(self.database.pool())
            .await
            .map_err(failed)?;
        row.as_ref().map(read).transpose()
    }

    pub(crate) async fn list(&self, query: &Query) -> Result<Vec<Row>> {
        let mut select = Select::new("SELECT id, record, pin FROM runs WHERE 1 = 1", query);
        let order = if query.oldest_first {
            " ORDER BY requested_at, id LIMIT "
        } else {
            " ORDER BY requested_at DESC, id DESC LIMIT "
        };
        select.push(order, Value::Number(i64::from(query.limit)));
        let rows = select.build().fetch_all(self.database.pool()).await.map_err(failed)?;
        rows.iter().map(read).collect()
    }

    pub(crate) async fn count(&self, query: &Query) -> Result<u64> {
        let select = Select::new("SELECT COUNT(*) AS n FROM runs WHERE 1 = 1", query);
        let row = select.build().fetch_one(self.database.pool()).await.map_err(failed)?;
        let count: i64 = row.try_get("n").map_err(failed)?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    /// How many rows there are, and how long their records are together.
    pub(crate) async fn weigh(&self, query: &Query) -> Result<(u64, u64)> {
        let head = "SELECT COUNT(*) AS n, CAST(COALESCE(SUM(LENGTH(record)), 0) AS BIGINT) AS size
            FROM runs WHERE 1 = 1";
        let select = Select::new(head, query);
        let row = select.build().fetch_one(self.database.pool()).await.map_err(failed)?;
        let number = |name: &str| row.try_get::<i64, _>(name).map_err(failed);
        let positive = |number: i64| u64::try_from(number).unwrap_or_default();
        Ok((positive(number("n")?), positive(number("size")?)))
    }

    /// Removes at most `limit` rows in one of these states that were asked for before a moment,
    /// the oldest first, and says how many.
    pub(crate) async fn remove(
        &self,
        states: &[RunState],
        before: Timestamp,
        limit: u32,
    ) -> Result<u64> {
        let query = Query { states: states.to_vec(), ..Query::default() };
        let mut select =
            Select::new("DELETE FROM runs WHERE id IN (SELECT id FROM runs WHERE 1 = 1", &query);
        select.push(" AND requested_at < ", Value::Number(micros(before)));
        select.push(" ORDER BY requested_at LIMIT ", Value::Number(i64::from(limit)));
        select.sql.push(')');
        let done = select.build().execute(self.database.pool()).await.map_err(failed)?;
        Ok(done.rows_affected())
    }

    async fn write(&self, change: writer::Change) -> Result<UseWritten> {
        let gone = || {
            Error::new(Reason::ShuttingDown, "the executor is stopping: try again when it is back")
        };
        let (done, outcome) = oneshot::channel();
        self.writes.send(writer::Write { change, done }).await.map_err(|_| gone())?;
        outcome.await.map_err(|_| gone())?
    }
}

/// A statement under construction. Placeholders are numbered, as both databases read them.
struct Select {
    sql: String,
    values: Vec<Value>,
}

enum Value {
    Text(String),
    Number(i64),
}

impl Select {
    fn new(head: &str, query: &Query) -> Self {
        let mut select = Self { sql: head.to_owned(), values: Vec::new() };
        let texts = [
            (" AND action = ", query.action.as_ref().map(ToString::to_string)),
            (" AND session = ", query.session.as_ref().map(ToString::to_string)),
            (" AND principal = ", query.principal.clone()),
            (" AND COALESCE(origin, principal) = ", query.origin.clone()),
            (" AND COALESCE(origin, principal) <> ", query.of_programs.then(|| PERSON.to_owned())),
        ];
        for (condition, value) in texts {
            if let Some(value) = value {
                select.push(condition, Value::Text(value));
            }
        }
        if let Some(now) = query.expired_at {
            select.push(" AND expires_at <= ", Value::Number(micros(now)));
        }
        let mut separator = " AND state IN (";
        for state in &query.states {
            select.push(separator, Value::Text(state.text().to_owned()));
            separator = ", ";
        }
        if !query.states.is_empty() {
            select.sql.push(')');
        }
        select
    }

    /// `text` is ours; what comes from outside is only ever a value.
    fn push(&mut self, text: &'static str, value: Value) {
        self.values.push(value);
        self.sql.push_str(text);
        self.sql.push('$');
        self.sql.push_str(&self.values.len().to_string());
    }

    fn build(self) -> sqlx::query::Query<'static, Any, AnyArguments> {
        let mut query = sqlx::query(AssertSqlSafe(self.sql));
        for value in self.values {
            query = match value {
                Value::Text(text) => query.bind(text),
                Value::Number(number) => query.bind(number),
            };
        }
        query
    }
}

fn read(row: &AnyRow) -> Result<Row> {
    let pin: Vec<u8> = row.try_get("pin").map_err(failed)?;
    Ok(Row {
        id: row.try_get("id").map_err(failed)?,
        text: row.try_get("record").map_err(failed)?,
        // A pin of another length belongs to nothing: it will not match.
        pin: Pin(pin.try_into().unwrap_or([0; 32])),
    })
}

/// The columns that repeat parts of a record.
fn columns(record: &Record) -> Columns {
    Columns {
        version: i64::from(record.version),
        state: record.state().text(),
        principal: principal_text(&record.principal),
        origin: origin_text(&record.principal, record.begun_by.as_ref()),
        session: record.session.as_ref().map(ToString::to_string),
        requested_at: micros(record.requested_at),
        expires_at: record.gate.as_ref().map(|gate| micros(gate.expires_at)),
        repetition: record.repetition.as_ref().map(|repetition| repetition.key.to_string()),
    }
}

struct Columns {
    version: i64,
    state: &'static str,
    principal: String,
    origin: String,
    session: Option<String>,
    requested_at: i64,
    expires_at: Option<i64>,
    repetition: Option<String>,
}
