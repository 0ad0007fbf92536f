//! Finding rows.

use aileron_contract::{
    Error, Reason, Result, Timestamp,
    audit::Filter,
    names::{AuditId, Sha256Hash},
};
use aileron_store::{Database, failed};
use sqlx::{Any, AnyPool, AssertSqlSafe, Row as _, any::AnyRow, query::Query};

use super::{Located, fill::number, page};
use crate::files::Place;

/// The first record with this id.
pub(super) async fn by_id(database: &Database, id: &AuditId) -> Result<Option<Located>> {
    let query = sqlx::query(
        "SELECT place, id, file, start, length FROM audit_record WHERE id = $1 ORDER BY place \
         LIMIT 1",
    );
    Ok(fetch(query.bind(id.as_str().to_owned()), database.pool()).await?.pop())
}

/// Records from a place on, oldest first.
pub(super) async fn from(database: &Database, from: u64, limit: u32) -> Result<Vec<Located>> {
    let query = sqlx::query(
        "SELECT place, id, file, start, length FROM audit_record WHERE place >= $1 ORDER BY place \
         LIMIT $2",
    );
    fetch(query.bind(number(from)).bind(i64::from(limit)), database.pool()).await
}

/// Records for which all conditions hold, newest first.
pub(super) async fn matching(database: &Database, filter: &Filter) -> Result<Vec<Located>> {
    let Filter { since, until, id, connector, class, kind, limit } = filter;
    let limit = page(*limit)?;
    // Times follow places but for a clock that was set back: where the times in question begin
    // and end bounds the places to look at, and the times themselves decide. (Adding 0 makes
    // SQLite search the index of times rather than walk all places.)
    let numbers = [
        (
            "r.place >= (SELECT MIN(place + 0) FROM audit_record WHERE at >= $) AND r.at >= $",
            *since,
        ),
        ("r.place <= (SELECT MAX(place + 0) FROM audit_record WHERE at < $) AND r.at < $", *until),
    ];
    let texts = [
        ("r.id = $", id.as_ref().map(ToString::to_string)),
        ("c.fqn = $", connector.as_ref().map(ToString::to_string)),
        ("r.class = $", class.map(|class| class.text().to_owned())),
        ("r.kind = $", kind.clone()),
    ];
    let mut sql = "SELECT r.place, r.id, r.file, r.start, r.length FROM audit_record r".to_owned();
    if connector.is_some() {
        sql.push_str(" JOIN audit_connector c ON c.place = r.place");
    }
    let given =
        numbers.iter().filter(|(_, value)| value.is_some()).map(|(condition, _)| *condition).chain(
            texts.iter().filter(|(_, value)| value.is_some()).map(|(condition, _)| *condition),
        );
    let mut count = 0;
    for condition in given {
        sql.push_str(if count == 0 { " WHERE " } else { " AND " });
        count += 1;
        sql.push_str(&condition.replace('$', &format!("${count}")));
    }
    let order = if connector.is_some() { "c.place" } else { "r.place" };
    sql.extend([" ORDER BY ", order, " DESC LIMIT $", &(count + 1).to_string()]);
    // Only conditions written above are part of the text; what callers give is bound.
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for value in numbers.into_iter().filter_map(|(_, value)| value) {
        query = query.bind(nanoseconds(value));
    }
    for value in texts.into_iter().filter_map(|(_, value)| value) {
        query = query.bind(spelled(&value));
    }
    fetch(query.bind(limit), database.pool()).await
}

/// A text as the index holds it. Lines that were imported say what they like: `PostgreSQL` refuses
/// a NUL in a text and a long text in an index, so that one such line would stop all of it.
pub(super) fn spelled(text: &str) -> String {
    if text.len() <= SPELLED && !text.contains('\0') {
        return text.to_owned();
    }
    Sha256Hash::of(&[text.as_bytes()]).to_string()
}

/// Longer than any name of ours, shorter than what an index refuses.
const SPELLED: usize = 1_024;

/// Nanoseconds since 1970; what 64 bits do not hold is as far away as they reach.
pub(super) fn nanoseconds(at: Timestamp) -> i64 {
    let value = at.as_nanosecond();
    i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
}

async fn fetch(
    query: Query<'_, Any, sqlx::any::AnyArguments>,
    pool: &AnyPool,
) -> Result<Vec<Located>> {
    query.fetch_all(pool).await.map_err(failed)?.iter().map(located).collect()
}

fn located(row: &AnyRow) -> Result<Located> {
    let numbers = |column| -> Result<u64> {
        let value: i64 = row.try_get(column).map_err(failed)?;
        u64::try_from(value).map_err(|_| strange())
    };
    Ok(Located {
        index: numbers("place")?,
        id: row.try_get("id").map_err(failed)?,
        place: Place { file: row.try_get("file").map_err(failed)?, offset: numbers("start")? },
        length: usize::try_from(numbers("length")?)
            .ok()
            .filter(|length| *length <= aileron_receipt::line::LEAF_MAX)
            .ok_or_else(strange)?,
    })
}

fn strange() -> Error {
    Error::new(
        Reason::AuditDamaged,
        "the index of the log holds what it cannot: remove audit/index.db and start again, it is \
         then built anew",
    )
}
