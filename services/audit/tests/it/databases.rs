//! The same index on `SQLite` and on `PostgreSQL`.

use std::fs;

use aileron_contract::{
    Reason,
    audit::{Event, Filter},
    names::Sha256Hash,
};
use aileron_store::Location;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    postgres::Server,
    reading::{indexes, queries_match},
    support::{Fixture, context, event},
};

#[tokio::test]
async fn an_index_in_a_file_keeps_its_promises() {
    keeps_its_promises(async || None).await;
}

#[tokio::test]
async fn an_index_on_a_server_keeps_the_same_promises() {
    let server = Server::start();
    keeps_its_promises(async || Some(Location::Url(server.database().await))).await;
}

async fn keeps_its_promises(fresh: impl AsyncFn() -> Option<Location>) {
    queries_match(&log(fresh().await).await).await;
    strange_texts_of_older_lines_are_found(fresh().await).await;
    an_id_is_recorded_once(fresh().await).await;
    a_long_log_is_indexed_whole(fresh().await).await;
    an_index_of_other_lines_is_emptied(fresh().await).await;
}

async fn log(database: Option<Location>) -> Fixture {
    Fixture::on(TempDir::new().unwrap(), database).await.unwrap()
}

/// What imported lines say is theirs: it must neither stop the index nor be lost in it.
async fn strange_texts_of_older_lines_are_found(database: Option<Location>) {
    let long = "long".repeat(15_000);
    let spelled = Sha256Hash::of(&[long.as_bytes()]).to_string();
    let texts = ["nul\0in it", "\u{ffff}\u{10ffff}", "", "' OR 1=1 --", "%_\\", "\u{1f980}", &long];
    // A line may well name a connector and what stands for that name in the index.
    let mut lines = vec![line("k", &json!({ "fqn": long, "connector_fqn": spelled }))];
    lines.extend(texts.map(|text| {
        let short: String = text.chars().take(500).collect();
        line(text, &json!({ "class": short, "fqn": short }))
    }));
    lines.push(line("last", &json!({ "aileron.connector.fqn": "github://a/b" })));
    let home = TempDir::new().unwrap();
    let folder = home.path().join("audit");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("audit-2025-01-01.jsonl"), lines.concat()).unwrap();

    let house = Fixture::on(home, database).await.unwrap();
    for (index, text) in (1..).zip(texts) {
        let kind = Filter { kind: Some(text.to_owned()), ..Filter::default() };
        assert_eq!(indexes(&house, kind).await, [index], "{text:.20?}");
        let id = format!("audit-leaf-{index}").parse().unwrap();
        let record = house.audit().get(&context(), id).await.unwrap();
        assert_eq!(record.kind, text);
    }
    let connector =
        Filter { connector: Some("github://a/b".parse().unwrap()), ..Filter::default() };
    assert_eq!(indexes(&house, connector).await, [8]);
}

/// A line as an older version wrote its messages.
fn line(kind: &str, payload: &Value) -> String {
    let mut line = json!({ "event": kind, "timestamp": "2025-01-01T10:00:00Z" });
    line.as_object_mut().unwrap().extend(payload.as_object().unwrap().clone());
    format!("{line}\n")
}

async fn an_id_is_recorded_once(database: Option<Location>) {
    let log = log(database).await;
    let given = Event { id: Some("audit-given".parse().unwrap()), ..event(1) };
    let first = log.audit().append(&context(), given.clone()).await.unwrap();
    let log = log.reopen().await.unwrap();
    assert_eq!(log.audit().append(&context(), given.clone()).await.unwrap(), first);
    let other = Event { id: given.id, ..event(2) };
    let refused = log.audit().append(&context(), other).await.unwrap_err();
    assert_eq!(refused.reason(), Reason::IdempotencyConflict);
}

/// More than one transaction, and more than one statement in each.
async fn a_long_log_is_indexed_whole(database: Option<Location>) {
    let log = log(database).await;
    log.append(2_100).await;
    let connector = Some("github://acme/notes".parse().unwrap());
    let filter = Filter { connector, limit: Some(1_000), ..Filter::default() };
    let expected: Vec<u64> = (1_100..2_100).rev().collect();
    assert_eq!(indexes(&log, filter.clone()).await, expected);
    let log = log.reopen().await.unwrap();
    assert_eq!(indexes(&log, filter).await, expected);
}

async fn an_index_of_other_lines_is_emptied(database: Option<Location>) {
    let first = log(database.clone()).await;
    first.append(3).await;
    let record = first.audit().query(&context(), Filter::default()).await.unwrap().pop().unwrap();
    drop(first.stop().await);
    let other = log(database).await;
    assert!(indexes(&other, Filter::default()).await.is_empty());
    let unknown = other.audit().get(&context(), record.id).await.unwrap_err();
    assert_eq!(unknown.reason(), Reason::NotFound);
    other.append(1).await;
    assert_eq!(indexes(&other, Filter::default()).await, [0]);
}
