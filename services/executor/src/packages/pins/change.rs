//! The way of a change: staged beside what counts, named by the log, settled; or abandoned.

use aileron_contract::{Context, Result, audit::Event};
use aileron_store::failed;

use super::{
    Kind, Pins, Row, is_named, kept,
    row::{column, read},
};
use crate::packages::history::Change;

/// A row and the event that makes it count.
#[derive(Debug)]
pub(in crate::packages) struct Move {
    pub(in crate::packages) row: Row,
    pub(in crate::packages) event: Event,
    pub(in crate::packages) enabled: Option<bool>,
}

impl Pins {
    /// Writes rows beside those that count, all or none. What earlier changes left that never
    /// came about goes. Nothing counts that did not before.
    pub(in crate::packages) async fn stage(&self, rows: &[Row]) -> Result<()> {
        let mut counting = Vec::with_capacity(rows.len());
        for row in rows {
            counting.push(self.find(row.kind, &row.name).await?.row);
        }
        let mut transaction = self.database.begin().await?;
        for (row, counts) in rows.iter().zip(counting) {
            let (digest, kept) = (row.digest().hex(), counts.as_ref().map(column));
            sqlx::query("DELETE FROM package_pins WHERE kind = $1 AND name = $2 AND digest <> $3")
                .bind(row.kind.text())
                .bind(&row.name)
                .bind(kept.unwrap_or_else(|| digest.clone()))
                .execute(&mut *transaction)
                .await
                .map_err(failed)?;
            sqlx::query(
                "INSERT INTO package_pins (kind, name, digest, record, pin, staged) \
                 VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (kind, name, digest) DO UPDATE SET \
                 record = excluded.record, pin = excluded.pin, staged = excluded.staged",
            )
            .bind(row.kind.text())
            .bind(&row.name)
            .bind(digest)
            .bind(&row.record)
            .bind(hex::encode(row.pin.0))
            .bind(row.staged.as_deref())
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
            kept::stage(&mut transaction, row, counts.as_ref()).await?;
        }
        transaction.commit().await.map_err(failed)
    }

    /// Tells the log. From here on the staged row counts, and no other of its name.
    pub(in crate::packages) async fn name(&self, context: &Context, change: &Move) -> Result<()> {
        let Move { row, event, enabled } = change;
        let change = Change { digest: Some(row.digest()), enabled: *enabled };
        self.history.append(context, (row.kind, &row.name), event.clone(), change).await
    }

    /// Tells the log that an action was switched on or off.
    pub(in crate::packages) async fn switch(
        &self,
        context: &Context,
        name: &str,
        event: Event,
        enabled: bool,
    ) -> Result<()> {
        let change = Change { digest: None, enabled: Some(enabled) };
        self.history.append(context, (Kind::Action, name), event, change).await
    }

    /// The rows' files are in their places: nothing is staged any more, and older rows go.
    pub(in crate::packages) async fn settle(&self, rows: &[Row]) -> Result<()> {
        let mut transaction = self.database.begin().await?;
        for row in rows {
            for statement in [
                "DELETE FROM package_pins WHERE kind = $1 AND name = $2 AND digest <> $3",
                "UPDATE package_pins SET staged = NULL \
                 WHERE kind = $1 AND name = $2 AND digest = $3",
            ] {
                sqlx::query(statement)
                    .bind(row.kind.text())
                    .bind(&row.name)
                    .bind(column(row))
                    .execute(&mut *transaction)
                    .await
                    .map_err(failed)?;
            }
            kept::settle(&mut transaction, row).await?;
        }
        transaction.commit().await.map_err(failed)
    }

    /// Rows of changes that were cut off before the log named them, what they stand for begun.
    pub(in crate::packages) async fn abandoned(&self, kind: Kind) -> Result<Vec<Row>> {
        let rows = sqlx::query(
            "SELECT name, digest, record, pin, staged FROM package_pins \
             WHERE kind = $1 AND staged IS NOT NULL",
        )
        .bind(kind.text())
        .fetch_all(self.database.pool())
        .await
        .map_err(failed)?;
        let mut abandoned = Vec::new();
        for row in &rows {
            let row = read(kind, row)?;
            let newest = self.history.newest(kind, &row.name).await?;
            if !is_named(&row, &newest) {
                abandoned.push(row);
            }
        }
        Ok(abandoned)
    }

    /// Lets go of a row that was abandoned.
    pub(in crate::packages) async fn forget(&self, row: &Row) -> Result<()> {
        sqlx::query(
            "DELETE FROM package_pins \
             WHERE kind = $1 AND name = $2 AND digest = $3 AND staged IS NOT NULL",
        )
        .bind(row.kind.text())
        .bind(&row.name)
        .bind(column(row))
        .execute(self.database.pool())
        .await
        .map_err(failed)?;
        Ok(())
    }
}
