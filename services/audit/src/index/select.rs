//! Finding rows.

use aileron_contract::{
    Error, Result, Timestamp,
    audit::{Filter, Record},
    names::Sha256Hash,
};
use aileron_store::{Database, failed};
use sqlx::{AssertSqlSafe, Row as _, any::AnyRow};

use super::{Located, page};
use crate::{event, files::Place};

/// Does a record meet all conditions? As the index tells, for a record found without it.
pub(crate) fn matches(filter: &Filter, record: &Record) -> bool {
    let Filter { since, until, id, connector, class, kind, session, limit: _ } = filter;
    let names = event::connectors(&record.payload);
    since.is_none_or(|since| since <= record.timestamp)
        && until.is_none_or(|until| record.timestamp < until)
        && id.as_ref().is_none_or(|id| *id == record.id)
        && connector.as_ref().is_none_or(|connector| names.contains(connector.to_string().as_str()))
        && class.is_none_or(|class| event::class(&record.payload) == Some(class.text()))
        && kind.as_ref().is_none_or(|kind| *kind == record.kind)
        && session
            .as_ref()
            .is_none_or(|session| event::session(&record.payload) == Some(session.as_str()))
}

/// Rows for which all conditions hold, newest first; none when one is not as rows are. Who asks
/// for an id asks the lines.
pub(super) async fn matching(database: &Database, filter: &Filter) -> Result<Option<Vec<Located>>> {
    let Filter { since, until, id: _, connector, class, kind, session, limit } = filter;
    let limit = i64::try_from(page(*limit)?).map_err(Error::internal)?;
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
        ("c.fqn = $", connector.as_ref().map(ToString::to_string)),
        ("r.class = $", class.map(|class| class.text().to_owned())),
        ("r.kind = $", kind.clone()),
        ("r.session = $", session.as_ref().map(ToString::to_string)),
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
    let rows = query.bind(limit).fetch_all(database.pool()).await.map_err(failed)?;
    Ok(rows.iter().map(located).collect())
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

/// None for a row that the index does not write.
fn located(row: &AnyRow) -> Option<Located> {
    let number = |column| u64::try_from(row.try_get::<i64, _>(column).ok()?).ok();
    let length = usize::try_from(number("length")?).ok()?;
    Some(Located {
        index: number("place")?,
        id: row.try_get("id").ok()?,
        place: Place { file: row.try_get("file").ok()?, offset: number("start")? },
        length: (length <= aileron_receipt::line::LEAF_MAX).then_some(length)?,
    })
}
