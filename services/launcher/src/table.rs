//! The records, one row each.

use aileron_contract::{
    Error, Reason, Result, Timestamp, limits,
    names::SessionId,
    sessions::{Filter, Session},
};
use aileron_store::{Database, Migration, failed};
use sqlx::{Any, Executor, Row as _, any::AnyRow};

pub(crate) const MIGRATION: Migration = Migration {
    id: "launcher/1",
    statements: &[
        // No column is null: `ended_ms` and `first_event` are -1 where there is none, the exit
        // code counts where `has_exit_code` is 1. `told` is 1 once the log knows of the end.
        "CREATE TABLE sessions (
            id TEXT PRIMARY KEY,
            agent TEXT NOT NULL,
            working_dir TEXT NOT NULL,
            started_ms BIGINT NOT NULL,
            ended_ms BIGINT NOT NULL,
            has_exit_code BIGINT NOT NULL,
            exit_code BIGINT NOT NULL,
            first_event BIGINT NOT NULL,
            told BIGINT NOT NULL
        )",
        "CREATE INDEX sessions_started ON sessions (started_ms)",
        // Files of the published form that were read, by their content.
        "CREATE TABLE session_files (hash TEXT PRIMARY KEY, read_ms BIGINT NOT NULL)",
    ],
};

const COLUMNS: &str = "id, agent, working_dir, started_ms, ended_ms, has_exit_code, exit_code, \
                       first_event";

/// What no time and no place in the log is.
const NONE: i64 = -1;

/// Is everything told that the log has to know of it?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Yes,
    NotYet,
}

#[derive(Clone, Debug)]
pub(crate) struct Table(Database);

impl Table {
    pub(crate) async fn open(database: Database) -> Result<Self> {
        database.migrate(&[MIGRATION]).await?;
        Ok(Self(database))
    }

    pub(crate) async fn get(&self, id: &SessionId) -> Result<Session> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} FROM sessions WHERE id = $1"
        )))
        .bind(id.as_str())
        .fetch_optional(self.0.pool())
        .await
        .map_err(failed)?;
        row.as_ref().map(read).transpose()?.flatten().ok_or_else(|| {
            Error::new(Reason::NotFound, format!("there is no agent session {id}: list them first"))
        })
    }

    /// Newest first.
    pub(crate) async fn list(&self, filter: &Filter) -> Result<Vec<Session>> {
        let Filter { active_only, agent, since, limit } = filter;
        let limit = limit.filter(|limit| *limit > 0).unwrap_or(limits::SESSIONS_KEPT);
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} FROM sessions
             WHERE ($1 = 0 OR ended_ms = -1) AND ($2 = '' OR agent = $3) AND started_ms >= $4
             ORDER BY started_ms DESC, id DESC LIMIT $5"
        )))
        .bind(i64::from(*active_only))
        .bind(agent.as_ref().map_or("", |agent| agent.as_str()))
        .bind(agent.as_ref().map_or("", |agent| agent.as_str()))
        .bind(since.map_or(i64::MIN, rounded_up))
        .bind(i64::from(limit))
        .fetch_all(self.0.pool())
        .await
        .map_err(failed)?;
        readable(&rows)
    }

    /// Those whose end the log may not know.
    pub(crate) async fn untold(&self) -> Result<Vec<Session>> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} FROM sessions WHERE told = 0 AND ended_ms <> -1"
        )))
        .fetch_all(self.0.pool())
        .await
        .map_err(failed)?;
        readable(&rows)
    }

    /// Nobody saw these end: whoever watched them is gone.
    pub(crate) async fn orphan_running(&self, now: Timestamp) -> Result<()> {
        sqlx::query("UPDATE sessions SET ended_ms = $1, told = 0 WHERE ended_ms = -1")
            .bind(now.as_millisecond())
            .execute(self.0.pool())
            .await
            .map_err(failed)?;
        Ok(())
    }

    /// Adds a session, and lets go of the oldest ended ones when there are too many.
    pub(crate) async fn add(&self, session: &Session) -> Result<()> {
        let mut transaction = self.0.begin().await?;
        insert(&mut *transaction, session, Told::NotYet).await?;
        sqlx::query(
            "DELETE FROM sessions WHERE ended_ms <> -1 AND told = 1 AND id NOT IN
             (SELECT id FROM sessions ORDER BY started_ms DESC, id DESC LIMIT $1)",
        )
        .bind(i64::from(limits::SESSIONS_KEPT))
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
        transaction.commit().await.map_err(failed)
    }

    /// Writes how a session ended.
    pub(crate) async fn settle(&self, session: &Session, told: Told) -> Result<()> {
        sqlx::query(
            "UPDATE sessions SET ended_ms = $1, has_exit_code = $2, exit_code = $3, told = $4
             WHERE id = $5",
        )
        .bind(session.ended_at.map_or(NONE, Timestamp::as_millisecond))
        .bind(i64::from(session.exit_code.is_some()))
        .bind(i64::from(session.exit_code.unwrap_or_default()))
        .bind(i64::from(told == Told::Yes))
        .bind(session.id.as_str())
        .execute(self.0.pool())
        .await
        .map_err(failed)?;
        Ok(())
    }

    pub(crate) async fn has_read(&self, hash: &str) -> Result<bool> {
        let row = sqlx::query("SELECT hash FROM session_files WHERE hash = $1")
            .bind(hash)
            .fetch_optional(self.0.pool())
            .await
            .map_err(failed)?;
        Ok(row.is_some())
    }

    /// Takes over the records of a published file; those known already stay as they are.
    pub(crate) async fn take_over(
        &self,
        hash: &str,
        sessions: &[Session],
        now: Timestamp,
    ) -> Result<()> {
        let mut transaction = self.0.begin().await?;
        for session in sessions {
            insert(&mut *transaction, session, Told::Yes).await?;
        }
        sqlx::query(
            "INSERT INTO session_files (hash, read_ms) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        )
        .bind(hash)
        .bind(now.as_millisecond())
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
        transaction.commit().await.map_err(failed)
    }
}

async fn insert(
    connection: impl Executor<'_, Database = Any>,
    session: &Session,
    told: Told,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO sessions (id, agent, working_dir, started_ms, ended_ms, has_exit_code,
                               exit_code, first_event, told)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
    )
    .bind(session.id.as_str())
    .bind(session.agent.as_str())
    .bind(session.working_dir.as_str())
    .bind(session.started_at.as_millisecond())
    .bind(session.ended_at.map_or(NONE, Timestamp::as_millisecond))
    .bind(i64::from(session.exit_code.is_some()))
    .bind(i64::from(session.exit_code.unwrap_or_default()))
    .bind(session.first_event.and_then(|index| i64::try_from(index).ok()).unwrap_or(NONE))
    .bind(i64::from(told == Told::Yes))
    .execute(connection)
    .await
    .map_err(failed)?;
    Ok(())
}

fn readable(rows: &[AnyRow]) -> Result<Vec<Session>> {
    let read = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
    Ok(read.into_iter().flatten().collect())
}

/// None for a row that no version of this program wrote.
fn read(row: &AnyRow) -> Result<Option<Session>> {
    let text = |column: &str| row.try_get::<String, _>(column).map_err(failed);
    let number = |column: &str| row.try_get::<i64, _>(column).map_err(failed);
    let (id, agent) = (text("id")?.parse(), text("agent")?.parse());
    let started_at = Timestamp::from_millisecond(number("started_ms")?);
    let ended_ms = Some(number("ended_ms")?).filter(|ended| *ended != NONE);
    let ended_at = ended_ms.map(Timestamp::from_millisecond).transpose();
    let seen = number("has_exit_code")? == 1;
    let exit_code = Some(number("exit_code")?).filter(|_| seen);
    let exit_code = exit_code.map(i32::try_from).transpose();
    let (Ok(id), Ok(agent), Ok(started_at), Ok(ended_at), Ok(exit_code)) =
        (id, agent, started_at, ended_at, exit_code)
    else {
        return Ok(None);
    };
    Ok(Some(Session {
        id,
        started_at,
        ended_at,
        agent,
        working_dir: text("working_dir")?,
        exit_code,
        first_event: u64::try_from(number("first_event")?).ok(),
    }))
}

/// Whole milliseconds, none before the time itself.
fn rounded_up(time: Timestamp) -> i64 {
    let below = time.as_millisecond();
    let exact = Timestamp::from_millisecond(below).is_ok_and(|exact| exact >= time);
    if exact { below } else { below.saturating_add(1) }
}
