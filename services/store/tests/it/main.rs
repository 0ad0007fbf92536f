//! The promises of the database, on `SQLite` and on `PostgreSQL`.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene fails")]

mod postgres;

use std::os::unix::fs::MetadataExt as _;

use aileron_contract::Reason;
use aileron_store::{Database, Location, Migration};
use sqlx::Row as _;

const FIRST: Migration = Migration {
    id: "room/1",
    statements: &[
        "CREATE TABLE things (id TEXT PRIMARY KEY, amount BIGINT NOT NULL, body BYTEA)",
        "CREATE INDEX things_by_amount ON things (amount)",
    ],
};
const SECOND: Migration =
    Migration { id: "room/2", statements: &["ALTER TABLE things ADD COLUMN note TEXT"] };

#[tokio::test]
async fn sqlite_keeps_what_it_promises() {
    let folder = tempfile::tempdir().unwrap();
    let number = std::cell::Cell::new(0);
    keeps_its_promises(async || {
        number.set(number.get() + 1);
        Location::File(folder.path().join(format!("odd % name? {}/state.db", number.get())))
    })
    .await;
}

#[tokio::test]
async fn postgresql_keeps_the_same_promises() {
    let server = postgres::Server::start();
    keeps_its_promises(async || Location::Url(server.database().await)).await;
}

async fn keeps_its_promises(fresh: impl AsyncFn() -> Location) {
    values_come_back_as_they_went_in(fresh().await).await;
    migrations_are_applied_once_and_in_order(fresh().await).await;
    a_failed_migration_leaves_nothing(fresh().await).await;
    a_newer_database_is_refused(fresh().await).await;
    changed_statements_are_refused(fresh().await).await;
    rooms_share_a_database(fresh().await).await;
    for _ in 0..10 {
        openers_at_once_migrate_once(fresh().await).await;
    }
    a_dropped_transaction_changes_nothing(fresh().await).await;
    writers_at_once_lose_nothing(fresh().await).await;
    failures_keep_their_cause_inside(fresh().await).await;
}

async fn values_come_back_as_they_went_in(location: Location) {
    let database = Database::open(location, &[FIRST]).await.unwrap();
    for (id, amount, body) in [("a", i64::MIN, Some(vec![0_u8, 255])), ("b", i64::MAX, None)] {
        sqlx::query(
            "INSERT INTO things (id, amount, body) VALUES ($1, $2, $3)
             ON CONFLICT (id) DO UPDATE SET amount = excluded.amount, body = excluded.body",
        )
        .bind(id)
        .bind(amount)
        .bind(body.clone())
        .execute(database.pool())
        .await
        .unwrap();
        let row = sqlx::query("SELECT amount, body FROM things WHERE id = $1")
            .bind(id)
            .fetch_one(database.pool())
            .await
            .unwrap();
        assert_eq!(row.get::<i64, _>("amount"), amount);
        assert_eq!(row.get::<Option<Vec<u8>>, _>("body"), body);
    }
}

async fn migrations_are_applied_once_and_in_order(location: Location) {
    let database = Database::open(location.clone(), &[FIRST]).await.unwrap();
    insert(&database, "kept").await;
    database.close().await;
    for _ in 0..2 {
        let database = Database::open(location.clone(), &[FIRST, SECOND]).await.unwrap();
        let row = sqlx::query("SELECT id, note FROM things").fetch_one(database.pool()).await;
        assert_eq!(row.unwrap().get::<String, _>("id"), "kept");
        database.close().await;
    }
}

async fn a_failed_migration_leaves_nothing(location: Location) {
    const BROKEN: Migration =
        Migration { id: "room/2", statements: &["CREATE TABLE more (id TEXT)", "NOT SQL"] };
    let refused = Database::open(location.clone(), &[FIRST, BROKEN]).await.unwrap_err();
    assert_eq!(refused.reason(), Reason::DatabaseUnavailable);
    let database = Database::open(location, &[]).await.unwrap();
    assert_eq!(count(&database, "SELECT COUNT(*) AS n FROM migrations").await, 0);
    database.migrate(&[FIRST, SECOND]).await.unwrap();
    insert(&database, "a").await;
}

async fn a_newer_database_is_refused(location: Location) {
    Database::open(location.clone(), &[FIRST, SECOND]).await.unwrap().close().await;
    let refused = Database::open(location, &[FIRST]).await.unwrap_err();
    assert_eq!(refused.reason(), Reason::DatabaseUnavailable);
    assert!(refused.public().contains("newer version"), "{refused}");
}

async fn changed_statements_are_refused(location: Location) {
    const OTHER: Migration =
        Migration { id: "room/1", statements: &["CREATE TABLE things (id TEXT)"] };
    Database::open(location.clone(), &[FIRST]).await.unwrap().close().await;
    assert!(Database::open(location, &[OTHER]).await.is_err());
}

async fn rooms_share_a_database(location: Location) {
    const NEIGHBOUR: Migration =
        Migration { id: "neighbour/1", statements: &["CREATE TABLE others (id TEXT)"] };
    let database = Database::open(location.clone(), &[FIRST]).await.unwrap();
    database.migrate(&[NEIGHBOUR]).await.unwrap();
    let again = Database::open(location, &[FIRST]).await.unwrap();
    assert_eq!(count(&again, "SELECT COUNT(*) AS n FROM others").await, 0);
}

async fn openers_at_once_migrate_once(location: Location) {
    let open = || Database::open(location.clone(), &[FIRST, SECOND]);
    let (a, b, c) = tokio::join!(open(), open(), open());
    for database in [a, b, c] {
        insert(&database.unwrap(), "same").await;
    }
}

async fn a_dropped_transaction_changes_nothing(location: Location) {
    let database = Database::open(location, &[FIRST]).await.unwrap();
    let mut transaction = database.begin().await.unwrap();
    sqlx::query("INSERT INTO things (id, amount) VALUES ('lost', 1)")
        .execute(&mut *transaction)
        .await
        .unwrap();
    drop(transaction);
    assert_eq!(count(&database, "SELECT COUNT(*) AS n FROM things").await, 0);
}

async fn writers_at_once_lose_nothing(location: Location) {
    let database = Database::open(location, &[FIRST]).await.unwrap();
    sqlx::query("INSERT INTO things (id, amount) VALUES ('sum', 0)")
        .execute(database.pool())
        .await
        .unwrap();
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let database = database.clone();
        writers.spawn(async move {
            let mut transaction = database.begin().await.unwrap();
            // What was read is still true at the write.
            let row = sqlx::query("SELECT amount FROM things WHERE id = 'sum'")
                .fetch_one(&mut *transaction)
                .await
                .unwrap();
            sqlx::query("UPDATE things SET amount = $1 WHERE id = 'sum'")
                .bind(row.get::<i64, _>("amount") + 1)
                .execute(&mut *transaction)
                .await
                .unwrap();
            transaction.commit().await.unwrap();
        });
    }
    writers.join_all().await;
    assert_eq!(count(&database, "SELECT amount AS n FROM things").await, 20);
}

async fn failures_keep_their_cause_inside(location: Location) {
    let database = Database::open(location, &[FIRST]).await.unwrap();
    let cause =
        sqlx::query("SELECT secret_column FROM things").fetch_all(database.pool()).await.err();
    let error = aileron_store::failed(cause.unwrap());
    assert_eq!(error.reason(), Reason::DatabaseUnavailable);
    assert!(!error.public().contains("secret_column"));
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("secret_column"), "{source}");
}

#[tokio::test]
async fn a_role_is_held_once_on_a_server_and_free_again_when_its_holder_goes() {
    let server = postgres::Server::start();
    let url = server.database().await;
    let first = Database::open(Location::Url(url.clone()), &[]).await.unwrap();
    let second = Database::open(Location::Url(url), &[]).await.unwrap();
    let mut held = first.hold("executor").await.unwrap();
    second.hold("vault").await.unwrap();
    let refused = second.hold("executor").await.unwrap_err();
    assert_eq!(refused.reason(), Reason::StateBusy);
    assert!(refused.public().contains("executor"), "{refused}");
    let elsewhere = Location::Url(server.database().await);
    Database::open(elsewhere, &[]).await.unwrap().hold("executor").await.unwrap();

    // The server ends the connection that holds it, and another is faster.
    sqlx::query(
        "SELECT CASE WHEN pg_terminate_backend(pid) THEN 1 ELSE 0 END FROM pg_locks
         WHERE locktype = 'advisory' AND classid = 702016 AND granted",
    )
    .fetch_all(second.pool())
    .await
    .unwrap();
    let taken = second.hold("executor").await.unwrap();
    held.lost().await;
    assert_eq!(first.hold("executor").await.unwrap_err().reason(), Reason::StateBusy);
    drop(taken);
    first.hold("executor").await.unwrap();
}

#[tokio::test]
async fn a_sqlite_file_is_durable_and_private() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("home/state.db");
    let database = Database::open(Location::File(path.clone()), &[FIRST]).await.unwrap();
    insert(&database, "a").await;
    for (pragma, value) in [("synchronous", 2), ("foreign_keys", 1)] {
        let statement = sqlx::AssertSqlSafe(format!("PRAGMA {pragma}"));
        let row = sqlx::query(statement).fetch_one(database.pool()).await.unwrap();
        assert_eq!(row.get::<i64, _>(0), value, "{pragma}");
    }
    let mode = sqlx::query("PRAGMA journal_mode").fetch_one(database.pool()).await.unwrap();
    assert_eq!(mode.get::<String, _>(0), "wal");
    for entry in std::fs::read_dir(path.parent().unwrap()).unwrap() {
        let found = entry.unwrap();
        assert_eq!(found.metadata().unwrap().mode() & 0o777, 0o600, "{:?}", found.file_name());
    }
    assert_eq!(std::fs::metadata(path.parent().unwrap()).unwrap().mode() & 0o777, 0o700);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    std::fs::write(&path, b"my diary, not a database, long enough to look at").unwrap();
    let refused = Database::open(Location::File(path.clone()), &[FIRST]).await.unwrap_err();
    assert_eq!(refused.reason(), Reason::DatabaseUnavailable);
    assert!(std::fs::read(&path).unwrap().starts_with(b"my diary"));
}

#[tokio::test]
async fn a_url_is_never_shown() {
    let url = "postgres://user:hunter2@127.0.0.1:1/x".to_owned();
    let location = Location::Url(url);
    assert!(!format!("{location:?}").contains("hunter2"));
    let refused = Database::open(Location::Url("mysql://hunter2@h/x".to_owned()), &[]).await;
    assert!(!format!("{:?}", refused.unwrap_err()).contains("hunter2"));
}

async fn insert(database: &Database, id: &str) {
    sqlx::query("INSERT INTO things (id, amount) VALUES ($1, 1) ON CONFLICT (id) DO NOTHING")
        .bind(id)
        .execute(database.pool())
        .await
        .unwrap();
}

async fn count(database: &Database, statement: &'static str) -> i64 {
    sqlx::query(statement).fetch_one(database.pool()).await.unwrap().get("n")
}
