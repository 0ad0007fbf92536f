//! Which statements made the tables, recorded so that a database of another age is recognised.

use std::collections::{BTreeMap, BTreeSet};

use aileron_contract::{Error, Reason, Result, names::Sha256Hash};
use sqlx::Row as _;

use crate::{Database, database::failed};

/// One step of a room's schema. Once released it never changes: later steps follow.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// `room/number`, such as `executor/1`.
    pub id: &'static str,
    /// One statement each, portable.
    pub statements: &'static [&'static str],
}

impl Migration {
    fn room(&self) -> &'static str {
        room(self.id)
    }

    fn checksum(&self) -> String {
        let parts: Vec<&[u8]> =
            self.statements.iter().flat_map(|text| [text.as_bytes(), b"\0"]).collect();
        Sha256Hash::of(&parts).hex()
    }
}

pub(crate) async fn apply(database: &Database, migrations: &[Migration]) -> Result<()> {
    // Two processes may open one database at once: whoever comes second waits here.
    let mut transaction = database.begin().await?;
    sqlx::query(
        "CREATE TABLE IF NOT EXISTS migrations (id TEXT PRIMARY KEY, checksum TEXT NOT NULL)",
    )
    .execute(&mut *transaction)
    .await
    .map_err(failed)?;
    let rows = sqlx::query("SELECT id, checksum FROM migrations")
        .fetch_all(&mut *transaction)
        .await
        .map_err(failed)?;
    let mut applied = BTreeMap::new();
    for row in rows {
        let id: String = row.try_get("id").map_err(failed)?;
        let checksum: String = row.try_get("checksum").map_err(failed)?;
        applied.insert(id, checksum);
    }
    for migration in missing(&applied, migrations)? {
        for statement in migration.statements {
            sqlx::query(*statement).execute(&mut *transaction).await.map_err(failed)?;
        }
        sqlx::query("INSERT INTO migrations (id, checksum) VALUES ($1, $2)")
            .bind(migration.id)
            .bind(migration.checksum())
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
    }
    transaction.commit().await.map_err(failed)
}

/// What is still to be applied, in order; refuses a database this list did not make.
fn missing<'a>(
    applied: &BTreeMap<String, String>,
    known: &'a [Migration],
) -> Result<Vec<&'a Migration>> {
    let rooms: BTreeSet<_> = known.iter().map(Migration::room).collect();
    let unknown = applied
        .keys()
        .find(|id| rooms.contains(room(id)) && !known.iter().any(|migration| migration.id == **id));
    if let Some(id) = unknown {
        return Err(refused(format!(
            "the state database was written by a newer version (it has {id}): start that version"
        )));
    }
    let mut missing = Vec::new();
    for migration in known {
        match applied.get(migration.id) {
            None => missing.push(migration),
            Some(checksum) if *checksum == migration.checksum() => {}
            Some(_) => {
                return Err(refused(format!(
                    "the state database was made by other statements under the id {}: it is not \
                     one of this program",
                    migration.id
                )));
            }
        }
    }
    Ok(missing)
}

fn room(id: &str) -> &str {
    id.split_once('/').map_or(id, |(room, _)| room)
}

fn refused(public: String) -> Error {
    Error::new(Reason::DatabaseUnavailable, public)
}
