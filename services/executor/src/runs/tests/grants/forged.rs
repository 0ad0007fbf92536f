//! Rows that somebody edited, put back or took away.

use aileron_contract::{Reason, Timestamp, executor::GrantState};
use serde_json::json;

use super::{agent, covered, exactly, found, granted, house, parks, request};
use crate::runs::tests::house::{House, call, done, person};

#[tokio::test]
async fn an_edited_row_is_shown_and_nothing_runs_on_it() {
    for forgery in [
        "UPDATE standing_grants SET record = replace(record, '\"x\"', '\"y\"')",
        "UPDATE standing_grants SET record = replace(record, '\"max_uses\":3', '\"max_uses\":9')",
        "UPDATE standing_grants SET pin = X'00'",
    ] {
        let (house, engine, grant) = house().await;
        sqlx::query(forgery).execute(house.database().await.pool()).await.unwrap();
        for title in ["x", "y"] {
            parks(&engine, &agent("s1"), call("gated", json!({"title": title}))).await;
        }
        assert!(found(&engine).await.quarantined, "{forgery}");
        assert_eq!(house.egress.writes(), 0);
        engine.revoke_grant(&person(), grant.id).await.unwrap();
        assert!(engine.grants(&person()).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn the_columns_of_a_row_are_nobodys_word() {
    let (house, engine, _) = house().await;
    for forgery in [
        "UPDATE standing_grants SET caller = 'session:s2'",
        "UPDATE standing_grants SET caller = 'session:s1', action = 'gated2'",
        "UPDATE standing_grants SET action = 'gated', version = 7",
    ] {
        house.action("gated2", &[("create", "")], true);
        sqlx::query(forgery).execute(house.database().await.pool()).await.unwrap();
        parks(&engine, &agent("s2"), covered()).await;
        parks(&engine, &agent("s1"), call("gated2", json!({"title": "x"}))).await;
    }
    // With a version that is not the row's there is no writing a use: the call waits.
    parks(&engine, &agent("s1"), covered()).await;
    assert_eq!(house.egress.writes(), 0);
}

#[tokio::test]
async fn a_row_put_back_gives_no_use_back() {
    let (house, engine, _) = house().await;
    let old = rows(&house).await;
    for _ in 0..2 {
        done(engine.run(&agent("s1"), covered()).await.unwrap());
    }
    put_back(&house, &old).await;
    assert_eq!(found(&engine).await.used, 2);
    done(engine.run(&agent("s1"), covered()).await.unwrap());
    put_back(&house, &old).await;
    parks(&engine, &agent("s1"), covered()).await;
    drop(engine);
    // Nor after a restart, which remembers nothing.
    put_back(&house, &old).await;
    let engine = house.open().await;
    parks(&engine, &agent("s1"), covered()).await;
    assert_eq!(house.egress.writes(), 3);
    assert_eq!(found(&engine).await.state, GrantState::UsedUp);
}

#[tokio::test]
async fn a_revoked_grant_stays_revoked_whatever_row_is_put_back() {
    let (house, engine, grant) = house().await;
    let old = rows(&house).await;
    engine.revoke_grant(&person(), grant.id.clone()).await.unwrap();
    engine.revoke_grant(&person(), grant.id.clone()).await.unwrap();
    parks(&engine, &agent("s1"), covered()).await;
    put_back(&house, &old).await;
    parks(&engine, &agent("s1"), covered()).await;
    drop(engine);
    put_back(&house, &old).await;
    let engine = house.open().await;
    parks(&engine, &agent("s1"), covered()).await;
    assert_eq!(found(&engine).await.state, GrantState::Revoked);
    // A row that was taken away is as good as revoked, too, once a person says so.
    let other = granted(&engine, request(exactly("x"), 1)).await;
    let all = rows(&house).await;
    let gone = "DELETE FROM standing_grants";
    sqlx::query(gone).execute(house.database().await.pool()).await.unwrap();
    let unknown = engine.revoke_grant(&person(), other.id).await.unwrap_err();
    assert_eq!(unknown.reason(), Reason::NotFound);
    put_back(&house, &all).await;
    parks(&engine, &agent("s1"), covered()).await;
    assert_eq!(house.egress.writes(), 0);
}

type Stored = (String, i64, String, Vec<u8>);

async fn rows(house: &House) -> Vec<Stored> {
    sqlx::query_as("SELECT id, version, record, pin FROM standing_grants")
        .fetch_all(house.database().await.pool())
        .await
        .unwrap()
}

/// The rows as they were, with the pins they had.
async fn put_back(house: &House, old: &[Stored]) {
    let database = house.database().await;
    for (id, version, record, pin) in old {
        sqlx::query("DELETE FROM standing_grants WHERE id = $1")
            .bind(id)
            .execute(database.pool())
            .await
            .unwrap();
        sqlx::query(
            "INSERT INTO standing_grants
                (id, version, state, action, caller, created_at, record, pin)
             VALUES ($1, $2, 'live', 'gated', 'session:s1', $3, $4, $5)",
        )
        .bind(id)
        .bind(version)
        .bind(Timestamp::now().as_microsecond())
        .bind(record)
        .bind(pin)
        .execute(database.pool())
        .await
        .unwrap();
    }
}
