//! Who edits the index while the log is stopped: it must not make the log forget an event, nor
//! say one that no line says.

use std::{fs, path::Path};

use aileron_contract::{
    Reason,
    audit::{Event, Filter, Record},
};
use aileron_receipt::Receipt;
use aileron_store::{Database, Location};
use sqlx::AssertSqlSafe;
use tempfile::TempDir;

use crate::support::{Fixture, context, event, log_files};

/// Events whose ids the caller gave, as runs, packages and revocations give them.
async fn given(log: &Fixture, range: std::ops::Range<usize>) -> Vec<Record> {
    let mut records = Vec::new();
    for at in range {
        let id = Some(format!("audit-given-{at}").parse().unwrap());
        let event = Event { id, ..event(at) };
        records.push(log.audit().append(&context(), event).await.unwrap());
    }
    records
}

/// A stopped log whose index holds all of its records.
async fn stopped() -> (TempDir, Vec<Record>) {
    let log = Fixture::new().await;
    let mut records = given(&log, 0..5).await;
    log.append(200).await;
    records.extend(given(&log, 5..8).await);
    log.audit().query(&context(), Filter::default()).await.unwrap();
    (log.stop().await, records)
}

async fn edit(home: &Path, statements: &[&str]) {
    let location = Location::File(home.join("audit/index.db"));
    let database = Database::open(location, &[]).await.unwrap();
    for statement in statements {
        sqlx::query(AssertSqlSafe((*statement).to_owned())).execute(database.pool()).await.unwrap();
    }
    database.close().await;
}

/// Every record is there under its id, cannot be recorded again and has a receipt.
async fn remembers(home: TempDir, records: &[Record], how: &str) -> Fixture {
    let log = Fixture::of(home).await.unwrap();
    for record in records {
        let found = log.audit().get(&context(), record.id.clone()).await;
        assert_eq!(found.as_ref().ok(), Some(record), "{how}: {found:?}");
        let again = Event {
            id: Some(record.id.clone()),
            kind: aileron_contract::audit::EventKind::ExecutionSucceeded,
            actor: record.actor.clone(),
            payload: record.payload.clone(),
            trace_id: None,
        };
        assert_eq!(log.audit().append(&context(), again).await.unwrap(), *record, "{how}");
        let by_id = Filter { id: Some(record.id.clone()), ..Filter::default() };
        let found = log.audit().query(&context(), by_id).await.unwrap();
        assert_eq!(found, std::slice::from_ref(record), "{how}");
        let text = log.audit().receipt(&context(), record.id.clone()).await.unwrap();
        let proven = Receipt::parse(&text).unwrap().verify(&log.key()).unwrap();
        assert_eq!(proven.index, record.index, "{how}");
    }
    log
}

/// All of the log's records, as a list shows them.
async fn listed(log: &Fixture) -> Vec<u64> {
    crate::reading::indexes(log, Filter { limit: Some(1_000), ..Filter::default() }).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edited_index_neither_hides_an_event_nor_invents_one() {
    let edits: [(&str, &[&str]); 8] = [
        ("a row deleted", &["DELETE FROM audit_record WHERE id = 'audit-given-2'"]),
        (
            "a row under another id",
            &["UPDATE audit_record SET id = 'audit-other' WHERE id = 'audit-given-2'"],
        ),
        (
            "a row that points to another line",
            &["UPDATE audit_record SET start = (SELECT start FROM audit_record WHERE place = 9), \
               length = (SELECT length FROM audit_record WHERE place = 9), \
               file = (SELECT file FROM audit_record WHERE place = 9) \
               WHERE id = 'audit-given-2'"],
        ),
        (
            "a row that claims another place",
            &[
                "DELETE FROM audit_record WHERE place = 100",
                "UPDATE audit_record SET place = 100 WHERE id = 'audit-given-2'",
            ],
        ),
        (
            "two ids swapped",
            &[
                "UPDATE audit_record SET id = 'swap' WHERE id = 'audit-given-2'",
                "UPDATE audit_record SET id = 'audit-given-2' WHERE id = 'audit-given-3'",
                "UPDATE audit_record SET id = 'audit-given-3' WHERE id = 'swap'",
            ],
        ),
        (
            "rows that are no numbers",
            &["UPDATE audit_record SET start = -1, length = 1 << 40 WHERE place < 4"],
        ),
        (
            "a file outside of the log",
            &["UPDATE audit_record SET file = '../../../etc/hostname', start = 0 WHERE place < 4"],
        ),
        ("all rows deleted", &["DELETE FROM audit_record"]),
    ];
    for (how, statements) in edits {
        let (home, records) = stopped().await;
        edit(home.path(), statements).await;
        let log = remembers(home, &records, how).await;
        assert_eq!(listed(&log).await, (0..208).rev().collect::<Vec<u64>>(), "{how}");
        for id in ["audit-other", "swap", "audit-given-8"] {
            let unknown = log.audit().get(&context(), id.parse().unwrap()).await.unwrap_err();
            assert_eq!(unknown.reason(), Reason::NotFound, "{how}: {id}");
        }
        drop(log.stop().await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_that_was_cut_short_hides_nothing() {
    let (_, whole) = {
        let (home, _) = stopped().await;
        let whole = fs::read(home.path().join("audit/index.db")).unwrap();
        (home, whole)
    };
    for length in [0, 1, 100, 4_096, 8_192, 4 * 4_096, whole.len() / 2, whole.len() - 1] {
        let (home, records) = stopped().await;
        let index = home.path().join("audit/index.db");
        fs::OpenOptions::new()
            .write(true)
            .open(&index)
            .unwrap()
            .set_len(u64::try_from(length).unwrap())
            .unwrap();
        let log = remembers(home, &records, &format!("cut to {length} bytes")).await;
        assert_eq!(listed(&log).await.len(), 208, "cut to {length} bytes");
        drop(log.stop().await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_copy_of_the_index_hides_nothing() {
    let (home, mut records) = stopped().await;
    let index = home.path().join("audit/index.db");
    let older = fs::read(&index).unwrap();
    let log = Fixture::of(home).await.unwrap();
    records.extend(given(&log, 8..12).await);
    log.audit().query(&context(), Filter::default()).await.unwrap();
    let home = log.stop().await;
    fs::write(&index, older).unwrap();
    for suffix in ["-wal", "-shm"] {
        fs::remove_file(home.path().join(format!("audit/index.db{suffix}"))).ok();
    }
    let log = remembers(home, &records, "an older copy").await;
    assert_eq!(listed(&log).await.len(), 212);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_is_edited_while_the_log_runs_is_never_shown() {
    let log = Fixture::new().await;
    let records = given(&log, 0..70).await;
    let context = context();
    log.audit().query(&context, Filter::default()).await.unwrap();
    let file = log_files(&log.folder()).pop().unwrap();
    let text = fs::read_to_string(&file).unwrap();
    // Of the same length, and still a record under its id.
    fs::write(&file, text.replace("\"notes-3\"", "\"notes-X\"")).unwrap();
    for asked in [
        log.audit().get(&context, records[3].id.clone()).await.map(drop),
        log.audit().receipt(&context, records[3].id.clone()).await.map(drop),
        log.audit().query(&context, Filter::default()).await.map(drop),
    ] {
        assert_eq!(asked.unwrap_err().reason(), Reason::AuditDamaged);
    }
    // Nor does its id become free.
    let again = Event { id: Some(records[3].id.clone()), ..event(3) };
    let refused = log.audit().append(&context, again).await.unwrap_err();
    assert_eq!(refused.reason(), Reason::AuditDamaged);
    assert_eq!(log.audit().get(&context, records[69].id.clone()).await.unwrap(), records[69]);
}

#[tokio::test]
async fn an_index_that_knew_no_sessions_is_built_again_with_them() {
    let log = Fixture::new().await;
    log.append(3).await;
    let own = event(3).with("aileron.session.id", "01A");
    log.audit().append(&context(), own).await.unwrap();
    assert_eq!(listed(&log).await, [3, 2, 1, 0]);
    let home = log.stop().await;
    // As the first version left it.
    edit(
        home.path(),
        &[
            "DROP INDEX audit_record_session",
            "ALTER TABLE audit_record DROP COLUMN session",
            "DELETE FROM migrations WHERE id = 'audit/2'",
        ],
    )
    .await;
    let log = Fixture::of(home).await.unwrap();
    let session = Filter { session: Some("01A".parse().unwrap()), ..Filter::default() };
    assert_eq!(crate::reading::indexes(&log, session).await, [3]);
    assert_eq!(listed(&log).await, [3, 2, 1, 0]);
}
