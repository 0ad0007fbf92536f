//! The table of grants, beside the table of runs: a use changes both at once.

use aileron_contract::{
    Result, Timestamp,
    executor::{GrantCaller, GrantState},
    limits,
    names::{ActionName, GrantId},
    vault::Pin,
};
use aileron_store::{Migration, failed};
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use super::{Ledger, Pinned, Row, read, writer};
use crate::runs::{GrantRecord, caller_text, micros};

pub(super) const MIGRATION: Migration = Migration {
    id: "executor/grants/1",
    statements: &[
        // Every column but the last two repeats a part of `record`, for conditions and order;
        // what is acted upon is `record`, after its pin was checked.
        "CREATE TABLE standing_grants (
            id TEXT PRIMARY KEY,
            version BIGINT NOT NULL,
            state TEXT NOT NULL,
            action TEXT NOT NULL,
            caller TEXT NOT NULL,
            created_at BIGINT NOT NULL,
            record TEXT NOT NULL,
            pin BYTEA NOT NULL
        )",
        "CREATE INDEX standing_grants_by_caller ON standing_grants (caller, action, state)",
    ],
};

/// A grant with its pin, ready to be written.
#[derive(Debug)]
pub(crate) struct PinnedGrant {
    pub(crate) record: GrantRecord,
    pub(crate) text: String,
    pub(crate) pin: Pin,
}

/// Which grants to read, newest first.
#[derive(Clone, Debug)]
pub(crate) struct GrantQuery {
    /// All of them when empty.
    pub(crate) states: Vec<GrantState>,
    pub(crate) limit: u32,
}

/// What became of a use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UseWritten {
    Yes,
    /// The run's id, or its repetition key, is taken: nothing was written.
    RunTaken,
    /// The grant's row is not the version before this one: nothing was written.
    GrantMoved,
}

impl Ledger {
    /// Adds a grant. False when its id is taken.
    pub(crate) async fn add_grant(&self, grant: PinnedGrant) -> Result<bool> {
        self.write(writer::Change::AddGrant(grant)).await.map(|written| written == UseWritten::Yes)
    }

    /// Replaces the grant's previous version. False when the row is not that version any more.
    pub(crate) async fn move_grant(&self, grant: PinnedGrant) -> Result<bool> {
        self.write(writer::Change::MoveGrant(grant)).await.map(|written| written == UseWritten::Yes)
    }

    /// Adds a run and counts it in its grant, both or neither.
    pub(crate) async fn use_grant(&self, run: Pinned, grant: PinnedGrant) -> Result<UseWritten> {
        self.write(writer::Change::Use(Box::new((run, grant)))).await
    }

    pub(crate) async fn grant(&self, id: &GrantId) -> Result<Option<Row>> {
        let row = sqlx::query("SELECT id, record, pin FROM standing_grants WHERE id = $1")
            .bind(id.as_str())
            .fetch_optional(self.database.pool())
            .await
            .map_err(failed)?;
        row.as_ref().map(read).transpose()
    }

    /// Live grants of a caller for an action, the one that ends first before the others.
    pub(crate) async fn grants_for(
        &self,
        caller: &GrantCaller,
        action: &ActionName,
    ) -> Result<Vec<Row>> {
        let rows = sqlx::query(
            "SELECT id, record, pin FROM standing_grants
             WHERE caller = $1 AND action = $2 AND state = $3 ORDER BY created_at, id LIMIT $4",
        )
        .bind(caller_text(caller))
        .bind(action.as_str())
        .bind(GrantState::Live.text())
        .bind(i64::from(limits::GRANTS_LIVE))
        .fetch_all(self.database.pool())
        .await
        .map_err(failed)?;
        rows.iter().map(read).collect()
    }

    pub(crate) async fn grants(&self, query: &GrantQuery) -> Result<Vec<Row>> {
        let mut sql = "SELECT id, record, pin FROM standing_grants".to_owned();
        let mut separator = " WHERE state IN (";
        for place in 1..=query.states.len() {
            sql.push_str(separator);
            sql.push('$');
            sql.push_str(&place.to_string());
            separator = ", ";
        }
        if !query.states.is_empty() {
            sql.push(')');
        }
        sql.push_str(" ORDER BY created_at DESC, id DESC LIMIT $");
        sql.push_str(&query.states.len().saturating_add(1).to_string());
        // `sql` is ours; what is asked for is only ever a value.
        let mut select = sqlx::query(AssertSqlSafe(sql));
        for state in &query.states {
            select = select.bind(state.text());
        }
        let select = select.bind(i64::from(query.limit));
        let rows = select.fetch_all(self.database.pool()).await.map_err(failed)?;
        rows.iter().map(read).collect()
    }

    /// How many live grants there are.
    pub(crate) async fn live_grants(&self) -> Result<u64> {
        let row = sqlx::query("SELECT COUNT(*) AS n FROM standing_grants WHERE state = $1")
            .bind(GrantState::Live.text())
            .fetch_one(self.database.pool())
            .await
            .map_err(failed)?;
        let count: i64 = row.try_get("n").map_err(failed)?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    /// Takes a row away, whatever it holds.
    pub(crate) async fn remove_grant(&self, id: &GrantId) -> Result<()> {
        sqlx::query("DELETE FROM standing_grants WHERE id = $1")
            .bind(id.as_str())
            .execute(self.database.pool())
            .await
            .map_err(failed)?;
        Ok(())
    }

    /// Removes grants that were made before a moment and are over.
    pub(crate) async fn remove_old_grants(&self, before: Timestamp) -> Result<()> {
        sqlx::query("DELETE FROM standing_grants WHERE created_at < $1 AND state <> $2")
            .bind(micros(before))
            .bind(GrantState::Live.text())
            .execute(self.database.pool())
            .await
            .map_err(failed)?;
        Ok(())
    }
}

pub(super) async fn add(connection: &mut AnyConnection, grant: &PinnedGrant) -> Result<UseWritten> {
    let record = &grant.record;
    let done = sqlx::query(
        "INSERT INTO standing_grants (id, version, state, action, caller, created_at, record, pin)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
    )
    .bind(record.id.as_str())
    .bind(i64::from(record.version))
    .bind(record.state().text())
    .bind(record.terms.action.as_str())
    .bind(caller_text(&record.terms.caller))
    .bind(micros(record.created_at))
    .bind(grant.text.as_str())
    .bind(grant.pin.0.to_vec())
    .execute(connection)
    .await
    .map_err(failed)?;
    Ok(if done.rows_affected() == 1 { UseWritten::Yes } else { UseWritten::RunTaken })
}

pub(super) async fn advance(
    connection: &mut AnyConnection,
    grant: &PinnedGrant,
) -> Result<UseWritten> {
    let record = &grant.record;
    let done = sqlx::query(
        "UPDATE standing_grants SET version = $1, state = $2, record = $3, pin = $4
         WHERE id = $5 AND version = $6",
    )
    .bind(i64::from(record.version))
    .bind(record.state().text())
    .bind(grant.text.as_str())
    .bind(grant.pin.0.to_vec())
    .bind(record.id.as_str())
    .bind(i64::from(record.version).saturating_sub(1))
    .execute(connection)
    .await
    .map_err(failed)?;
    Ok(if done.rows_affected() == 1 { UseWritten::Yes } else { UseWritten::GrantMoved })
}
