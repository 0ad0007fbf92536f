//! What is kept beside records: the texts that were accepted, so that a difference can be shown,
//! and which records the lockfile has not been told of yet. Both are written together with the
//! rows they are about.

use aileron_contract::Result;
use aileron_store::failed;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sqlx::{Any, Row as _, Transaction};

use super::{Kind, Pins, Row, row::column};

/// A text of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::packages) enum Part {
    /// The file as it was accepted.
    File,
    /// What agents are shown of it.
    Tool,
}

impl Part {
    const fn text(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Tool => "tool",
        }
    }
}

/// Is the lockfile about records of this kind?
const fn is_in_lockfile(kind: Kind) -> bool {
    match kind {
        Kind::Action | Kind::Connector => true,
        Kind::Keyring => false,
    }
}

/// With a row that is staged: its texts, and a note that the lockfile will be behind. `counts` is
/// the row beside it that counts.
pub(super) async fn stage(
    transaction: &mut Transaction<'static, Any>,
    row: &Row,
    counts: Option<&Row>,
) -> Result<()> {
    let digest = column(row);
    let counting = counts.map_or_else(|| digest.clone(), column);
    sqlx::query("DELETE FROM package_texts WHERE kind = $1 AND name = $2 AND digest <> $3")
        .bind(row.kind.text())
        .bind(&row.name)
        .bind(counting)
        .execute(&mut **transaction)
        .await
        .map_err(failed)?;
    for (part, text) in &row.texts {
        sqlx::query(
            "INSERT INTO package_texts (kind, name, digest, part, content) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (kind, name, digest, part) DO UPDATE SET \
             content = excluded.content",
        )
        .bind(row.kind.text())
        .bind(&row.name)
        .bind(&digest)
        .bind(part.text())
        .bind(STANDARD.encode(text))
        .execute(&mut **transaction)
        .await
        .map_err(failed)?;
    }
    if is_in_lockfile(row.kind) {
        sqlx::query(
            "INSERT INTO package_lock_due (kind, name) VALUES ($1, $2) \
             ON CONFLICT (kind, name) DO NOTHING",
        )
        .bind(row.kind.text())
        .bind(&row.name)
        .execute(&mut **transaction)
        .await
        .map_err(failed)?;
    }
    Ok(())
}

/// With a row that is settled: the texts of older ones go.
pub(super) async fn settle(transaction: &mut Transaction<'static, Any>, row: &Row) -> Result<()> {
    sqlx::query("DELETE FROM package_texts WHERE kind = $1 AND name = $2 AND digest <> $3")
        .bind(row.kind.text())
        .bind(&row.name)
        .bind(column(row))
        .execute(&mut **transaction)
        .await
        .map_err(failed)?;
    Ok(())
}

impl Pins {
    /// A text that was kept with a row. Whether it is the one the record means, its hash says.
    pub(in crate::packages) async fn text(&self, row: &Row, part: Part) -> Result<Option<Vec<u8>>> {
        let found = sqlx::query(
            "SELECT content FROM package_texts \
             WHERE kind = $1 AND name = $2 AND digest = $3 AND part = $4",
        )
        .bind(row.kind.text())
        .bind(&row.name)
        .bind(column(row))
        .bind(part.text())
        .fetch_optional(self.database.pool())
        .await
        .map_err(failed)?;
        let Some(found) = found else { return Ok(None) };
        let content: String = found.try_get("content").map_err(failed)?;
        Ok(STANDARD.decode(content).ok())
    }

    /// Records whose changes the lockfile was not told of.
    pub(in crate::packages) async fn untold_to_lockfile(&self) -> Result<Vec<(Kind, String)>> {
        let rows = sqlx::query("SELECT kind, name FROM package_lock_due")
            .fetch_all(self.database.pool())
            .await
            .map_err(failed)?;
        let mut due = Vec::with_capacity(rows.len());
        for row in rows {
            let kind: String = row.try_get("kind").map_err(failed)?;
            let name = row.try_get("name").map_err(failed)?;
            let kind = [Kind::Action, Kind::Connector].into_iter().find(|it| it.text() == kind);
            due.extend(kind.map(|kind| (kind, name)));
        }
        Ok(due)
    }

    /// The lockfile says what the records say.
    pub(in crate::packages) async fn told_to_lockfile(&self) -> Result<()> {
        sqlx::query("DELETE FROM package_lock_due")
            .execute(self.database.pool())
            .await
            .map_err(failed)?;
        Ok(())
    }
}
