//! How far the vault's writes got, remembered outside the file: an older file, or another one,
//! is noticed at the next unlock.
//!
//! A person who restored a backup says so (`accept_older`). The table can be emptied by whoever owns
//! the state database: it notices; it cannot stop somebody who rolls back both.

use aileron_contract::{Error, Result, Timestamp};
use aileron_store::{Database, Migration, failed};
use sqlx::Row as _;

use crate::file::Seen;

pub(crate) const MIGRATION: Migration = Migration {
    id: "vault/1",
    statements: &["CREATE TABLE vault_mark (
        slot BIGINT PRIMARY KEY,
        vault TEXT NOT NULL,
        generation BIGINT NOT NULL,
        seal TEXT NOT NULL,
        next_vault TEXT NOT NULL
    )"],
};

pub(crate) const DATED: Migration =
    Migration { id: "vault/3", statements: &["ALTER TABLE vault_mark ADD COLUMN seen_at BIGINT"] };

/// The last state seen, and the vault that is about to take its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) seen: Seen,
    /// Unknown to databases of older versions.
    pub(crate) at: Option<Timestamp>,
    next: String,
}

impl Mark {
    pub(crate) fn of(seen: Seen) -> Self {
        Self { seen, at: None, next: String::new() }
    }

    /// Is this the state last seen, or a later one of the same vault, or the vault announced?
    pub(crate) fn admits(&self, seen: &Seen) -> bool {
        if seen.vault == self.seen.vault {
            return seen.generation > self.seen.generation || *seen == self.seen;
        }
        !self.next.is_empty() && seen.vault == self.next
    }
}

/// None before the first unlock with this database.
pub(crate) async fn read(database: &Database) -> Result<Option<Mark>> {
    let row = sqlx::query(
        "SELECT vault, generation, seal, next_vault, seen_at FROM vault_mark WHERE slot = 1",
    )
    .fetch_optional(database.pool())
    .await
    .map_err(failed)?;
    let Some(row) = row else { return Ok(None) };
    let generation: i64 = row.try_get("generation").map_err(failed)?;
    let seen = Seen {
        vault: row.try_get("vault").map_err(failed)?,
        generation: generation.try_into().map_err(Error::internal)?,
        seal: row.try_get("seal").map_err(failed)?,
    };
    let at: Option<i64> = row.try_get("seen_at").map_err(failed)?;
    let at = at.and_then(|at| Timestamp::from_millisecond(at).ok());
    Ok(Some(Mark { seen, at, next: row.try_get("next_vault").map_err(failed)? }))
}

/// Before a file of another identity is written: from now on it is admitted as well, so that a
/// crash between the file and [`settle`] does not look like a foreign file.
pub(crate) async fn announce(database: &Database, next: &Seen) -> Result<()> {
    sqlx::query("UPDATE vault_mark SET next_vault = $1 WHERE slot = 1")
        .bind(next.vault.as_str())
        .execute(database.pool())
        .await
        .map_err(failed)?;
    Ok(())
}

/// After a file was written, or opened: nothing older is admitted any more.
pub(crate) async fn settle(database: &Database, seen: &Seen, now: Timestamp) -> Result<()> {
    let Seen { vault, generation, seal } = seen;
    let generation = i64::try_from(*generation).map_err(Error::internal)?;
    sqlx::query(
        "INSERT INTO vault_mark (slot, vault, generation, seal, next_vault, seen_at)
         VALUES (1, $1, $2, $3, '', $4)
         ON CONFLICT (slot) DO UPDATE SET vault = excluded.vault,
             generation = excluded.generation, seal = excluded.seal, next_vault = '',
             seen_at = excluded.seen_at",
    )
    .bind(vault.as_str())
    .bind(generation)
    .bind(seal.as_str())
    .bind(now.as_millisecond())
    .execute(database.pool())
    .await
    .map_err(failed)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(vault: &str, generation: u64, seal: &str) -> Seen {
        Seen { vault: vault.to_owned(), generation, seal: seal.to_owned() }
    }

    #[test]
    fn an_older_a_forked_and_a_foreign_state_are_not_admitted() {
        let mark = Mark::of(seen("a", 5, "s5"));
        assert!(mark.admits(&seen("a", 5, "s5")));
        assert!(mark.admits(&seen("a", 6, "s6")));
        assert!(!mark.admits(&seen("a", 4, "s4")));
        assert!(!mark.admits(&seen("a", 5, "other")));
        assert!(!mark.admits(&seen("b", 9, "s9")));
    }

    #[tokio::test]
    async fn a_mark_is_remembered_and_a_successor_announced() {
        let folder = tempfile::tempdir().unwrap();
        let location = aileron_store::Location::File(folder.path().join("state.db"));
        let database = Database::open(location, &[MIGRATION, DATED]).await.unwrap();
        let now = Timestamp::from_second(1_000).unwrap();
        assert_eq!(read(&database).await.unwrap(), None);
        settle(&database, &seen("a", 1, "s1"), now).await.unwrap();
        announce(&database, &seen("b", 1, "t1")).await.unwrap();
        let mark = read(&database).await.unwrap().unwrap();
        assert_eq!(mark.at, Some(now));
        assert!(mark.admits(&seen("a", 2, "s2")) && mark.admits(&seen("b", 1, "t1")));
        settle(&database, &seen("b", 1, "t1"), now).await.unwrap();
        let mark = read(&database).await.unwrap().unwrap();
        assert!(!mark.admits(&seen("a", 2, "s2")) && mark.admits(&seen("b", 1, "t1")));
    }
}
