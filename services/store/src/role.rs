//! One holder per role and database. A lock file guards a state folder; when the tables are on a
//! server, two state folders could share them, and each would settle the other's runs.

use std::time::Duration;

use aileron_contract::{Error, Reason, Result, limits, names::Sha256Hash};
use sqlx::{AnyConnection, Connection as _, Row as _, any::AnyConnectOptions};
use tokio::time::{Instant, sleep, timeout};

use crate::{Database, database::failed};

/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(100);

/// How often the connection is looked at, and how long its answer may take.
const PULSE: Duration = Duration::from_secs(2);

/// Locks of this kind among all advisory locks of the database; means nothing else.
const CLASS: i32 = 702_016;

/// Holds a role until dropped, or until the process or its connection dies.
#[derive(Debug)]
pub struct RoleLock(Option<Held>);

#[derive(Debug)]
struct Held {
    /// Of its own: a pool would give it away, and the lock with it.
    connection: AnyConnection,
    options: AnyConnectOptions,
    role: &'static str,
}

impl Database {
    /// Holds `role` on this database: `state_busy` while another process does. On `SQLite`, whose
    /// file lies in a locked state folder, there is nothing to hold.
    pub async fn hold(&self, role: &'static str) -> Result<RoleLock> {
        let Some(options) = self.server() else { return Ok(RoleLock(None)) };
        let end = Instant::now() + limits::ROLE_WALL;
        loop {
            if let Some(connection) = take(options, role).await.map_err(failed)? {
                let options = options.clone();
                return Ok(RoleLock(Some(Held { connection, options, role })));
            }
            if Instant::now() >= end {
                return Err(Error::new(
                    Reason::StateBusy,
                    format!(
                        "another process holds the role {role} on this database: stop it first, \
                         or set another database_url"
                    ),
                ));
            }
            sleep(PAUSE).await;
        }
    }
}

impl RoleLock {
    /// Returns when another process has the role. A connection that broke is made again and the
    /// role taken again: while the server is away nobody else can have it.
    pub async fn lost(&mut self) {
        let Some(held) = &mut self.0 else { return std::future::pending().await };
        loop {
            sleep(PULSE).await;
            if matches!(timeout(PULSE, held.connection.ping()).await, Ok(Ok(()))) {
                continue;
            }
            tracing::warn!(role = held.role, "the connection that holds the role broke");
            match take(&held.options, held.role).await {
                Ok(Some(connection)) => held.connection = connection,
                Ok(None) => return,
                Err(error) => tracing::warn!(%error, "the database cannot be reached"),
            }
        }
    }
}

/// None while another holds it.
async fn take(
    options: &AnyConnectOptions,
    role: &'static str,
) -> sqlx::Result<Option<AnyConnection>> {
    let mut connection = AnyConnection::connect_with(options).await?;
    let row =
        sqlx::query("SELECT CASE WHEN pg_try_advisory_lock($1, $2) THEN 1 ELSE 0 END AS held")
            .bind(CLASS)
            .bind(number(role))
            .fetch_one(&mut connection)
            .await?;
    let held: i32 = row.try_get("held")?;
    Ok((held == 1).then_some(connection))
}

/// The role's number among the locks of our class.
fn number(role: &str) -> i32 {
    let hash = Sha256Hash::of(&[b"aileron role\0", role.as_bytes()]).hex();
    hash.bytes().take(7).fold(0, |number, digit| {
        number * 16
            + char::from(digit).to_digit(16).and_then(|d| i32::try_from(d).ok()).unwrap_or(0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_has_a_number_of_its_own() {
        let mut numbers: Vec<_> = ["vault", "executor", "audit"].map(number).to_vec();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), 3);
    }
}
