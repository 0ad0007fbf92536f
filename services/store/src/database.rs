//! Opens `SQLite` (the default) or `PostgreSQL` behind one pool.

use std::{path::PathBuf, sync::Arc, time::Duration};

use aileron_contract::{Error, Reason, Result, limits};
use sqlx::{
    Any, AnyConnection, AnyPool, ConnectOptions as _, Connection as _, Executor as _, Transaction,
    any::{AnyConnectOptions, AnyPoolOptions},
};

use crate::{Migration, files, migrations};

/// One writer at a time on a server as well. The number names this lock among all of the
/// database's and means nothing else.
const WRITE_LOCK: &str = "SELECT pg_advisory_xact_lock(7020160931)";

/// Where a database is.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// A `SQLite` file; it and its folder are made when missing, readable by their owner only.
    File(PathBuf),
    /// A URL (`postgres://…`). It may hold a password and is never shown.
    Url(String),
}

impl std::fmt::Debug for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Url(_) => f.write_str("Url(..)"),
        }
    }
}

/// An open, migrated database. Cheap to clone.
///
/// Statements are portable: `$n` placeholders; BIGINT, TEXT and BYTEA columns; upserts with
/// `ON CONFLICT`.
#[derive(Clone, Debug)]
pub struct Database {
    pool: AnyPool,
    /// How a server is reached; none for a `SQLite` file.
    server: Option<Arc<AnyConnectOptions>>,
}

impl Database {
    /// Opens the database at `location` and applies the migrations it lacks. Several rooms may
    /// share one database: see [`Database::migrate`].
    pub async fn open(location: Location, migrations: &[Migration]) -> Result<Self> {
        sqlx::any::install_default_drivers();
        let (url, sqlite) = match location {
            Location::File(path) => (sqlite_url(path).await?, true),
            Location::Url(url) if url.starts_with("postgres") => (url, false),
            Location::Url(_) => {
                return Err(Error::new(
                    Reason::ConfigInvalid,
                    "the database URL must start with postgres://; leave it out to use SQLite",
                ));
            }
        };
        // The URL may hold a password: the cause of a parse failure does not leave with it.
        let options: AnyConnectOptions = url.parse().map_err(|_| {
            Error::new(Reason::ConfigInvalid, "the database URL cannot be read: check database_url")
        })?;
        let options = options.disable_statement_logging();
        // The pool would try again for its whole patience; what cannot be opened is told at once.
        let mut first = AnyConnection::connect_with(&options).await.map_err(failed)?;
        prepare(&mut first, sqlite).await.map_err(failed)?;
        first.close().await.map_err(failed)?;
        let server = (!sqlite).then(|| Arc::new(options.clone()));
        let database = Self { pool: pool_options(sqlite).connect_lazy_with(options), server };
        database.migrate(migrations).await?;
        Ok(database)
    }

    /// Applies the migrations the database lacks, all of them or none. An id is `room/number`;
    /// a migration of the same rooms that this list does not know means that a newer version
    /// wrote the database, and one whose statements changed means that it is another's: both are
    /// refused. Other rooms' migrations are left alone.
    pub async fn migrate(&self, migrations: &[Migration]) -> Result<()> {
        migrations::apply(self, migrations).await
    }

    /// For reads, and for single statements.
    pub fn pool(&self) -> &AnyPool {
        &self.pool
    }

    /// Begins a transaction that may write. It holds the write lock from the start, so what it read
    /// is still true when it writes: the one of `SQLite`, and on a server one that stands for it.
    /// Single statements through [`Database::pool`] do not wait for it there.
    pub async fn begin(&self) -> Result<Transaction<'static, Any>> {
        if self.is_sqlite() {
            return self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(failed);
        }
        let mut transaction = self.pool.begin().await.map_err(failed)?;
        sqlx::query(WRITE_LOCK).execute(&mut *transaction).await.map_err(failed)?;
        Ok(transaction)
    }

    /// Waits for connections in use, then closes them all.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        self.server.is_none()
    }

    pub(crate) fn server(&self) -> Option<&AnyConnectOptions> {
        self.server.as_deref()
    }
}

/// A database failure as callers see it; the cause stays inside.
pub fn failed(cause: sqlx::Error) -> Error {
    Error::new(
        Reason::DatabaseUnavailable,
        "the state database did not answer or refused: nothing was changed; the log of the \
         runtime names the cause",
    )
    .caused_by(cause)
}

fn pool_options(sqlite: bool) -> AnyPoolOptions {
    AnyPoolOptions::new()
        .max_connections(limits::DATABASE_CONNECTIONS)
        .acquire_timeout(limits::DATABASE_WALL)
        // A file does not go away as a server does: asking each time would cost what a read costs.
        .test_before_acquire(!sqlite)
        .after_connect(move |connection, _| Box::pin(prepare(connection, sqlite)))
        // A rollback that failed (a full disk) leaves a connection that can begin nothing more.
        .after_release(|connection, _| {
            let idle = !connection.is_in_transaction();
            Box::pin(async move { Ok(idle) })
        })
}

async fn prepare(connection: &mut AnyConnection, sqlite: bool) -> sqlx::Result<()> {
    if sqlite {
        for pragma in [
            // `limits::DATABASE_WALL` in milliseconds.
            "PRAGMA busy_timeout = 15000",
            "PRAGMA journal_mode = WAL",
            // WAL without this loses the last commits with the power.
            "PRAGMA synchronous = FULL",
            "PRAGMA foreign_keys = ON",
            // A planted schema must not run functions of ours.
            "PRAGMA trusted_schema = OFF",
        ] {
            patiently(connection, pragma).await?;
        }
    } else {
        // As patient as `busy_timeout` above; without it a lock is waited for without end.
        connection.execute("SET lock_timeout = '15s'").await?;
    }
    Ok(())
}

/// Two that open a new file at once both turn it to WAL, and `SQLite` tells one of them that it is
/// busy without waiting: `busy_timeout` does not count for a lock that is raised.
async fn patiently(connection: &mut AnyConnection, pragma: &'static str) -> sqlx::Result<()> {
    let deadline = tokio::time::Instant::now() + limits::DATABASE_WALL;
    loop {
        match connection.execute(pragma).await {
            Err(error) if busy(&error) && tokio::time::Instant::now() < deadline => {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            done => return done.map(drop),
        }
    }
}

/// `SQLITE_BUSY`, whatever its extended code says further.
fn busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.and_then(|code| code.parse::<u32>().ok()).is_some_and(|code| code & 0xff == 5)
}

/// Makes sure that the file exists with its mode, and names it as a URL.
async fn sqlite_url(path: PathBuf) -> Result<String> {
    let shown = path.display().to_string();
    let made = tokio::task::spawn_blocking(move || -> std::io::Result<PathBuf> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            files::create_private_dir(folder)?;
        }
        files::create_private_file(&path)?;
        path.canonicalize()
    })
    .await
    .map_err(Error::internal)?;
    let path = made.map_err(|cause| {
        Error::new(
            Reason::DatabaseUnavailable,
            format!("the state database {shown} cannot be opened: check that it is yours"),
        )
        .caused_by(cause)
    })?;
    let plain = |c: u8| c.is_ascii_alphanumeric() || b"/-_.".contains(&c);
    let mut url = "sqlite://".to_owned();
    for byte in path.as_os_str().as_encoded_bytes() {
        if plain(*byte) {
            url.push(char::from(*byte));
        } else {
            url.push('%');
            url.push_str(&hex::encode([*byte]));
        }
    }
    url.push_str("?mode=rw");
    Ok(url)
}
