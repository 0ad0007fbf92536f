//! Whoever may write the state database puts back the row of a revoked token, as it was.

use std::{sync::atomic::Ordering, time::Duration};

use aileron_contract::{
    Context, Reason, Scope,
    access::{MintRequest, Minted},
};

use crate::house::{House, assert_refused, clock};

const COLUMNS: &str = "id, hash, label, scopes, created_ms, expires_ms, revoked_ms, pin";

async fn minted(house: &House, person: &Context) -> Minted {
    let request = MintRequest {
        label: "nightly export".to_owned(),
        scopes: [Scope::ActionsList].into_iter().collect(),
        expires_at: clock().checked_add(Duration::from_hours(24)).unwrap(),
    };
    house.service.access().mint(person, request).await.unwrap()
}

async fn run(house: &House, statement: &str) {
    let statement = sqlx::AssertSqlSafe(statement.to_owned());
    sqlx::query(statement).execute(house.database.pool()).await.unwrap();
}

/// Keeps the rows as they are now, for [`put_back`].
async fn copy(house: &House) {
    run(house, &format!("CREATE TABLE kept AS SELECT {COLUMNS} FROM tokens")).await;
}

async fn put_back(house: &House) {
    run(house, "DELETE FROM tokens").await;
    run(house, &format!("INSERT INTO tokens SELECT {COLUMNS} FROM kept")).await;
}

#[tokio::test]
async fn a_revoked_token_stays_revoked_when_its_row_is_put_back() {
    let house = House::with_vault().await;
    let (access, person) = (house.service.access(), house.person().await);
    let Minted { token, bearer } = minted(&house, &person).await;
    let other = minted(&house, &person).await.bearer;
    copy(&house).await;
    // The log's answer is remembered by now.
    access.authenticate(bearer.duplicate()).await.unwrap();
    access.revoke(&person, token.id.clone()).await.unwrap();
    put_back(&house).await;
    assert_refused(access.authenticate(bearer.duplicate()).await, Reason::TokenInvalid);
    let listed = access.tokens(&person).await.unwrap();
    let listed = listed.iter().find(|listed| listed.id == token.id).unwrap();
    assert!(listed.revoked_at.is_some(), "the list says so too");

    let house = house.restarted().await;
    house.unlock().await;
    let access = house.service.access();
    assert_refused(access.authenticate(bearer).await, Reason::TokenInvalid);
    access.authenticate(other).await.unwrap();
}

#[tokio::test]
async fn a_revocation_the_log_could_not_take_counts_here_and_is_told_at_the_next_start() {
    let house = House::with_vault().await;
    let (access, person) = (house.service.access(), house.person().await);
    let Minted { token, bearer } = minted(&house, &person).await;
    copy(&house).await;
    house.log.full.store(true, Ordering::SeqCst);
    let refused = access.revoke(&person, token.id.clone()).await;
    assert_refused(refused, Reason::AuditUnavailable);
    put_back(&house).await;
    assert_refused(access.authenticate(bearer.duplicate()).await, Reason::TokenInvalid);

    // Revoked again: the row is wiped again. The crash comes before the log has room.
    assert_refused(access.revoke(&person, token.id).await, Reason::AuditUnavailable);
    let house = house.restarted().await;
    house.log.full.store(false, Ordering::SeqCst);
    let house = house.restarted().await;
    put_back(&house).await;
    house.unlock().await;
    assert_refused(house.service.access().authenticate(bearer).await, Reason::TokenInvalid);
}

#[tokio::test]
async fn a_token_whose_row_was_hidden_while_it_was_revoked_does_not_come_back() {
    let house = House::with_vault().await;
    let (access, person) = (house.service.access(), house.person().await);
    let Minted { token, bearer } = minted(&house, &person).await;
    copy(&house).await;
    run(&house, "DELETE FROM tokens").await;
    assert_refused(access.revoke(&person, token.id).await, Reason::NotFound);
    put_back(&house).await;
    assert_refused(access.authenticate(bearer).await, Reason::TokenInvalid);
}

#[tokio::test]
async fn while_the_log_cannot_tell_only_tokens_it_has_told_of_are_known() {
    let house = House::with_vault().await;
    let (access, person) = (house.service.access(), house.person().await);
    let (known, fresh) = (minted(&house, &person).await, minted(&house, &person).await);
    access.authenticate(known.bearer.duplicate()).await.unwrap();
    house.log.away.store(true, Ordering::SeqCst);
    access.authenticate(known.bearer).await.unwrap();
    assert_refused(access.authenticate(fresh.bearer).await, Reason::AuditUnavailable);
    // Whoever wants to revoke sees what there is.
    assert_eq!(access.tokens(&person).await.unwrap().len(), 2);
}
