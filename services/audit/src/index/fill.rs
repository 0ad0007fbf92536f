//! Adding rows.

use std::{collections::BTreeSet, io, path::Path, sync::atomic::Ordering};

use aileron_contract::{Error, Reason, Result, audit::Record};
use aileron_receipt::Hash;
use aileron_store::{Database, failed};
use sqlx::{Any, AssertSqlSafe, Connection as _, Executor as _, Transaction};
use tokio::sync::watch;

use super::{Index, select};
use crate::{event, files, files::Place, writer::Head};

/// How far the index reaches.
#[derive(Clone, Debug)]
pub(crate) struct Position {
    pub(crate) size: u64,
    pub(crate) place: Place,
}

impl Position {
    pub(crate) fn start() -> Self {
        Self { size: 0, place: Place::start() }
    }
}

/// Lines of one transaction.
const CHUNK: usize = 2_000;

/// Rows of one statement: with 9 columns each, well below what databases allow.
const ROWS: usize = 200;

struct Row {
    record: Record,
    place: Place,
    length: u64,
}

impl Index {
    /// Adds all that is durable now.
    pub(super) async fn catch_up(
        &self,
        position: &mut Position,
        head: &mut watch::Receiver<Head>,
    ) -> Result<()> {
        if self.distrusted.load(Ordering::Relaxed) {
            empty(&self.database).await?;
            *position = Position::start();
            self.distrusted.store(false, Ordering::Relaxed);
        }
        let (size, root) = {
            let head = head.borrow_and_update();
            (head.tree.size(), head.tree.root())
        };
        while position.size < size {
            let (folder, from) = (self.reader.folder().to_owned(), position.clone());
            let read = tokio::task::spawn_blocking(move || read_chunk(&folder, from, size));
            let (rows, reached) = read.await.map_err(Error::internal)?.map_err(unreadable)?;
            // Within the log no root is known: should this be the last chunk, it is done again.
            let root = (reached.size == size).then_some(root);
            self.add(&rows, reached.size, root).await?;
            *position = reached;
            self.indexed.send_if_modified(|indexed| {
                let trusted = !self.distrusted.load(Ordering::Relaxed);
                if trusted {
                    *indexed = position.size;
                }
                trusted
            });
        }
        Ok(())
    }

    async fn add(&self, rows: &[Row], size: u64, root: Option<Hash>) -> Result<()> {
        let mut connection = self.database.pool().acquire().await.map_err(failed)?;
        if self.local {
            // All of this can be read again from the lines: no fsync of its own.
            connection.execute("PRAGMA synchronous = OFF").await.map_err(failed)?;
        }
        let begin = if self.local { "BEGIN IMMEDIATE" } else { "BEGIN" };
        let mut transaction = connection.begin_with(begin).await.map_err(failed)?;
        for rows in rows.chunks(ROWS) {
            insert_records(&mut transaction, rows).await?;
            insert_connectors(&mut transaction, rows).await?;
        }
        sqlx::query(
            "INSERT INTO audit_indexed (slot, size, root) VALUES (1, $1, $2) ON CONFLICT (slot) \
             DO UPDATE SET size = excluded.size, root = excluded.root",
        )
        .bind(number(size))
        .bind(root.map(|root| root.to_string()).unwrap_or_default())
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
        transaction.commit().await.map_err(failed)
    }
}

/// Forgets all rows.
pub(super) async fn empty(database: &Database) -> Result<()> {
    let mut transaction = database.begin().await?;
    for statement in
        ["DELETE FROM audit_record", "DELETE FROM audit_connector", "DELETE FROM audit_indexed"]
    {
        sqlx::query(statement).execute(&mut *transaction).await.map_err(failed)?;
    }
    transaction.commit().await.map_err(failed)
}

async fn insert_records(transaction: &mut Transaction<'_, Any>, rows: &[Row]) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = insert(
        "INSERT INTO audit_record (place, id, kind, at, class, session, file, start, length) VALUES ",
        rows.len(),
        9,
    );
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for Row { record, place, length } in rows {
        query = query
            .bind(number(record.index))
            .bind(record.id.as_str())
            .bind(select::spelled(record.kind.as_str()))
            .bind(select::nanoseconds(record.timestamp))
            .bind(event::class(&record.payload).map(select::spelled))
            .bind(event::session(&record.payload).map(select::spelled))
            .bind(place.file.as_str())
            .bind(number(place.offset))
            .bind(number(*length));
    }
    query.execute(&mut **transaction).await.map_err(failed)?;
    Ok(())
}

async fn insert_connectors(transaction: &mut Transaction<'_, Any>, rows: &[Row]) -> Result<()> {
    // As the index holds them, two names of one line may be the same.
    let named: BTreeSet<(String, u64)> = rows
        .iter()
        .flat_map(|row| {
            let names = event::connectors(&row.record.payload);
            names.into_iter().map(|fqn| (select::spelled(fqn), row.record.index))
        })
        .collect();
    let named: Vec<_> = named.into_iter().collect();
    for named in named.chunks(ROWS) {
        let sql = insert("INSERT INTO audit_connector (fqn, place) VALUES ", named.len(), 2);
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for (fqn, index) in named {
            query = query.bind(fqn.as_str()).bind(number(*index));
        }
        query.execute(&mut **transaction).await.map_err(failed)?;
    }
    Ok(())
}

/// A statement with placeholders for so many rows.
fn insert(head: &str, rows: usize, columns: usize) -> String {
    let mut sql = head.to_owned();
    for row in 0..rows {
        sql.push_str(if row == 0 { "(" } else { ", (" });
        for column in 1..=columns {
            let comma = if column == 1 { "" } else { ", " };
            sql.extend([comma, "$", &(row * columns + column).to_string()]);
        }
        sql.push(')');
    }
    sql
}

/// Reads lines up to leaf `until`; those that are records become rows.
fn read_chunk(folder: &Path, from: Position, until: u64) -> io::Result<(Vec<Row>, Position)> {
    let mut rows = Vec::new();
    let mut position = from;
    let end = until.min(position.size.saturating_add(u64::try_from(CHUNK).unwrap_or(u64::MAX)));
    while position.size < end {
        if !position.place.file.is_empty() {
            read_file(folder, &mut position, end, &mut rows)?;
        }
        if position.size < end {
            position.place = Place { file: files::next(folder, &position.place.file)?, offset: 0 };
        }
    }
    Ok((rows, position))
}

fn read_file(
    folder: &Path,
    position: &mut Position,
    end: u64,
    rows: &mut Vec<Row>,
) -> io::Result<()> {
    let mut lines = files::lines_from(folder, &position.place.file, position.place.offset)?;
    while position.size < end
        && let Some(line) = lines.next_line()?
    {
        let record = line.whole.then(|| event::read(position.size, line.leaf)).flatten();
        if let Some(record) = record {
            rows.push(Row { record, place: position.place.clone(), length: line.length });
        }
        position.place.offset += line.length + 1;
        position.size += 1;
    }
    Ok(())
}

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn unreadable(cause: io::Error) -> Error {
    Error::new(Reason::AuditUnavailable, "the log's files cannot be read").caused_by(cause)
}
