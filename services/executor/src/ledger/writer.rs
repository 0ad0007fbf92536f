//! One task, many callers, one transaction.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use aileron_contract::Result;
use aileron_store::{Database, failed};
use sqlx::{Any, AnyConnection, pool::PoolConnection};
use tokio::sync::{mpsc, oneshot};

use super::{Pinned, PinnedGrant, UseWritten, columns, grants};

/// Writes of one transaction at most: a caller's wait stays short.
const GROUP: usize = 256;

/// The writer keeps its connection that long for the next group: giving it back and taking it
/// again costs as much as a statement.
const LINGER: Duration = Duration::from_secs(1);

pub(super) struct Write {
    pub(super) change: Change,
    /// Told after the transaction is on the disk.
    pub(super) done: oneshot::Sender<Result<UseWritten>>,
}

#[derive(Debug)]
pub(super) enum Change {
    Insert(Pinned),
    Advance(Pinned),
    AddGrant(PinnedGrant),
    MoveGrant(PinnedGrant),
    /// A run, and its grant after that use: both or neither.
    Use(Box<(Pinned, PinnedGrant)>),
}

/// Writes until every ledger is gone. While one transaction is being flushed the next group
/// gathers in the queue.
pub(super) async fn run(
    database: Database,
    mut waiting: mpsc::Receiver<Write>,
    transactions: Arc<AtomicU64>,
) {
    let mut group = Vec::with_capacity(GROUP);
    let mut held: Option<PoolConnection<Any>> = None;
    let closing = database.pool().close_event();
    tokio::pin!(closing);
    loop {
        // Who closes the pool waits for every connection.
        let received = tokio::select! {
            received = waiting.recv_many(&mut group, GROUP) => received,
            () = &mut closing, if held.is_some() => {
                held = None;
                continue;
            }
            () = tokio::time::sleep(LINGER), if held.is_some() => {
                held = None;
                continue;
            }
        };
        if received == 0 {
            break;
        }
        let (changes, callers): (Vec<_>, Vec<_>) =
            group.drain(..).map(|write| (write.change, write.done)).unzip();
        transactions.fetch_add(1, Ordering::Relaxed);
        let outcomes = match write(&database, &mut held, &changes).await {
            Ok(written) => written.into_iter().map(Ok).collect::<Vec<_>>(),
            Err(error) => {
                tracing::error!(?error, writes = changes.len(), "cannot write runs");
                // The pool looks whether it is still good.
                held = None;
                callers.iter().map(|_| Err(error.clone())).collect()
            }
        };
        for (caller, outcome) in callers.into_iter().zip(outcomes) {
            // A caller that left does not need the answer.
            drop(caller.send(outcome));
        }
    }
}

async fn write(
    database: &Database,
    held: &mut Option<PoolConnection<Any>>,
    changes: &[Change],
) -> Result<Vec<UseWritten>> {
    // A statement alone is a transaction by itself, and as durable.
    if let [change] = changes
        && !matches!(change, Change::Use(_))
    {
        let connection = match held.take() {
            Some(connection) => connection,
            None => database.pool().acquire().await.map_err(failed)?,
        };
        let connection = held.insert(connection);
        return Ok(vec![apply(connection, change).await?]);
    }
    let mut transaction = database.begin().await?;
    let mut written = Vec::with_capacity(changes.len());
    for change in changes {
        written.push(apply(&mut transaction, change).await?);
    }
    transaction.commit().await.map_err(failed)?;
    Ok(written)
}

async fn apply(connection: &mut AnyConnection, change: &Change) -> Result<UseWritten> {
    let rows = match change {
        Change::Insert(pinned) => insert(connection, pinned).await?,
        Change::Advance(pinned) => advance(connection, pinned).await?,
        Change::AddGrant(grant) => return grants::add(connection, grant).await,
        Change::MoveGrant(grant) => return grants::advance(connection, grant).await,
        Change::Use(both) => return count(connection, both).await,
    };
    Ok(if rows == 1 { UseWritten::Yes } else { UseWritten::RunTaken })
}

/// Within a transaction: what is not written in whole is taken out again.
async fn count(
    connection: &mut AnyConnection,
    (run, grant): &(Pinned, PinnedGrant),
) -> Result<UseWritten> {
    if insert(connection, run).await? != 1 {
        return Ok(UseWritten::RunTaken);
    }
    let counted = grants::advance(connection, grant).await?;
    if counted != UseWritten::Yes {
        sqlx::query("DELETE FROM runs WHERE id = $1")
            .bind(run.record.id.as_str())
            .execute(connection)
            .await
            .map_err(failed)?;
    }
    Ok(counted)
}

async fn insert(connection: &mut AnyConnection, pinned: &Pinned) -> Result<u64> {
    let columns = columns(&pinned.record);
    let done = sqlx::query(
        "INSERT INTO runs (id, version, state, action, principal, session, requested_at,
            expires_at, repetition, record, pin, origin)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING",
    )
    .bind(pinned.record.id.as_str())
    .bind(columns.version)
    .bind(columns.state)
    .bind(pinned.record.action.as_str())
    .bind(columns.principal)
    .bind(columns.session)
    .bind(columns.requested_at)
    .bind(columns.expires_at)
    .bind(columns.repetition)
    .bind(pinned.text.as_str())
    .bind(pinned.pin.0.to_vec())
    .bind(columns.origin)
    .execute(connection)
    .await
    .map_err(failed)?;
    Ok(done.rows_affected())
}

async fn advance(connection: &mut AnyConnection, pinned: &Pinned) -> Result<u64> {
    let columns = columns(&pinned.record);
    let done = sqlx::query(
        "UPDATE runs SET version = $1, state = $2, record = $3, pin = $4
         WHERE id = $5 AND version = $6",
    )
    .bind(columns.version)
    .bind(columns.state)
    .bind(pinned.text.as_str())
    .bind(pinned.pin.0.to_vec())
    .bind(pinned.record.id.as_str())
    .bind(columns.version.saturating_sub(1))
    .execute(connection)
    .await
    .map_err(failed)?;
    Ok(done.rows_affected())
}
