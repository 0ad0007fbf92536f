use std::time::Duration;

use aileron_contract::{
    Context, Principal, Reason, Scope, Scopes,
    access::{MintRequest, Minted},
    limits,
    vault::PassphraseChange,
};

use crate::house::{
    House, assert_refused, clock, context_of, daemon, later, program, secret, service,
};

fn request(scopes: &[Scope]) -> MintRequest {
    MintRequest {
        label: "nightly export".to_owned(),
        scopes: scopes.iter().copied().collect(),
        expires_at: clock().checked_add(Duration::from_hours(24)).unwrap(),
    }
}

async fn minted(house: &House, person: &Context) -> Minted {
    let request = request(&[Scope::ActionsList, Scope::ActionsRun]);
    house.service.access().mint(person, request).await.unwrap()
}

#[tokio::test]
async fn the_daemons_token_is_a_program_and_others_are_nobody() {
    let house = House::with_vault().await;
    let access = house.service.access();
    let caller = access.authenticate(secret("ald_the token of daemon.json")).await.unwrap();
    assert_eq!(caller.principal, Principal::Program("daemon".into()));
    assert_eq!(caller.scopes, Scopes::of_daemon_token());
    for bearer in ["ald_the token of daemon.jso", "alp_x", "alt_x", "x", &"x".repeat(10_000)] {
        assert_refused(access.authenticate(secret(bearer)).await, Reason::TokenInvalid);
    }
    assert_refused(access.authenticate(secret("")).await, Reason::TokenMissing);
}

#[tokio::test]
async fn a_person_session_is_the_person_until_it_ends() {
    let house = House::with_vault().await;
    let access = house.service.access();
    let opened = access.open_session(&daemon(), secret("open sesame")).await.unwrap();
    assert!(!format!("{opened:?}").contains("alp_"));
    let caller = access.authenticate(opened.bearer.duplicate()).await.unwrap();
    assert_eq!(caller.principal, Principal::Person(opened.session.id.clone().into()));
    assert!(caller.scopes.contains(Scope::ApprovalsDecide));
    later(limits::PERSON_SESSION_WALL.checked_sub(Duration::from_secs(1)).unwrap());
    access.authenticate(opened.bearer.duplicate()).await.unwrap();
    later(Duration::from_secs(1));
    assert_refused(access.authenticate(opened.bearer).await, Reason::TokenExpired);
    assert!(access.sessions(&service()).await.unwrap().is_empty());
}

#[tokio::test]
async fn sessions_are_few_listed_and_ended() {
    let house = House::with_vault().await;
    let access = house.service.access();
    let first = access.open_session(&daemon(), secret("open sesame")).await.unwrap();
    for _ in 1..limits::PERSON_SESSIONS {
        access.open_session(&daemon(), secret("open sesame")).await.unwrap();
    }
    // What was left behind by somebody who gave up keeps nobody out.
    let abandoned = first;
    house.log.take();
    let first = access.open_session(&daemon(), secret("open sesame")).await.unwrap();
    assert_eq!(house.log.take(), ["person_session.opened", "person_session.closed"]);
    assert_refused(access.authenticate(abandoned.bearer).await, Reason::TokenInvalid);
    assert_refused(access.sessions(&daemon()).await, Reason::PersonRequired);
    let person = context_of(access.authenticate(first.bearer.duplicate()).await.unwrap());
    let listed = access.sessions(&person).await.unwrap();
    assert_eq!(listed.len(), limits::PERSON_SESSIONS);
    assert_eq!(listed[0].id, first.session.id);
    access.close_sessions(&person, Some(first.session.id.clone())).await.unwrap();
    access.close_sessions(&person, Some(first.session.id)).await.unwrap();
    assert_refused(access.authenticate(first.bearer).await, Reason::TokenInvalid);
    assert_eq!(access.sessions(&person).await.unwrap().len(), limits::PERSON_SESSIONS - 1);
    access.close_sessions(&person, None).await.unwrap();
    assert!(access.sessions(&person).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_session_needs_no_unlocked_vault_and_does_not_unlock_it() {
    let house = House::with_vault().await;
    let (vault, access) = (house.service.vault(), house.service.access());
    let before = access.open_session(&daemon(), secret("open sesame")).await.unwrap();
    vault.lock(&service()).await.unwrap();
    // Who locks wants nobody to go on.
    assert_refused(access.authenticate(before.bearer).await, Reason::TokenInvalid);
    house.person().await;
    assert_eq!(vault.status(&daemon()).await.unwrap().state.text(), "locked");
}

#[tokio::test]
async fn a_new_passphrase_ends_the_other_sessions() {
    let house = House::with_vault().await;
    let access = house.service.access();
    let (own, other) = (
        access.open_session(&daemon(), secret("open sesame")).await.unwrap(),
        access.open_session(&daemon(), secret("open sesame")).await.unwrap(),
    );
    let person = context_of(access.authenticate(own.bearer.duplicate()).await.unwrap());
    let change = PassphraseChange {
        current: secret("open sesame"),
        new: secret("new sesame"),
        rotate: false,
    };
    house.service.vault().change_passphrase(&person, change).await.unwrap();
    access.authenticate(own.bearer).await.unwrap();
    assert_refused(access.authenticate(other.bearer).await, Reason::TokenInvalid);
}

#[tokio::test]
pub(crate) async fn a_minted_token_has_its_scopes_until_its_end_or_its_revocation() {
    let house = House::with_vault().await;
    let (access, person) = (house.service.access(), house.person().await);
    let Minted { token, bearer } = minted(&house, &person).await;
    let caller = access.authenticate(bearer.duplicate()).await.unwrap();
    assert_eq!(caller.principal, Principal::Program(token.id.clone().into()));
    assert_eq!(caller.scopes, token.scopes);
    assert_eq!(access.tokens(&person).await.unwrap(), std::slice::from_ref(&token));

    let house = house.restarted().await;
    let access = house.service.access();
    assert_refused(access.authenticate(bearer.duplicate()).await, Reason::VaultLocked);
    assert_refused(access.authenticate(secret("alt_unknown")).await, Reason::TokenInvalid);
    house.unlock().await;
    access.authenticate(bearer.duplicate()).await.unwrap();
    later(Duration::from_hours(24));
    assert_refused(access.authenticate(bearer.duplicate()).await, Reason::TokenExpired);

    let person = house.person().await;
    let Minted { token, bearer } = minted(&house, &person).await;
    access.revoke(&person, token.id.clone()).await.unwrap();
    access.revoke(&person, token.id.clone()).await.unwrap();
    assert_refused(access.authenticate(bearer).await, Reason::TokenInvalid);
    assert_refused(access.revoke(&person, "tok-none".to_owned()).await, Reason::NotFound);
    assert!(access.tokens(&person).await.unwrap()[0].revoked_at.is_some());
    let events = house.log.take();
    assert_eq!(events.iter().filter(|kind| **kind == "token.revoked").count(), 1, "{events:?}");
}

#[tokio::test]
pub(crate) async fn only_persons_mint_and_only_what_may_be_given() {
    let house = House::with_vault().await;
    let (access, person) = (house.service.access(), house.person().await);
    let list = request(&[Scope::ActionsList]);
    assert_refused(access.mint(&daemon(), list.clone()).await, Reason::PersonRequired);
    let program = program(&[Scope::TokensMint]);
    assert_refused(access.mint(&program, list.clone()).await, Reason::PersonRequired);
    for scopes in [&[][..], &[Scope::ApprovalsDecide], &[Scope::ActionsList, Scope::TokensMint]] {
        assert_refused(access.mint(&person, request(scopes)).await, Reason::InvalidRequest);
    }
    for expires_at in [
        clock(),
        clock().checked_sub(Duration::from_secs(1)).unwrap(),
        clock().checked_add(limits::TOKEN_WALL + Duration::from_secs(1)).unwrap(),
    ] {
        let request = MintRequest { expires_at, ..list.clone() };
        assert_refused(access.mint(&person, request).await, Reason::InvalidRequest);
    }
    for label in ["", " ", "two\nlines", &"x".repeat(201)] {
        let request = MintRequest { label: label.to_owned(), ..list.clone() };
        assert_refused(access.mint(&person, request).await, Reason::InvalidRequest);
    }
    house.service.vault().lock(&service()).await.unwrap();
    assert_refused(access.mint(&person, list).await, Reason::VaultLocked);
}

#[tokio::test]
pub(crate) async fn a_forged_or_edited_row_is_worth_nothing() {
    let house = House::with_vault().await;
    let (access, person) = (house.service.access(), house.person().await);
    let Minted { token, bearer } = minted(&house, &person).await;
    let pool = house.database.pool();
    let hash = bearer.expose(|bytes| aileron_contract::names::Sha256Hash::of(&[bytes])).hex();
    for (edit, undo) in [
        ("scopes = 'vault:lock'", format!("scopes = '{}'", "actions:list actions:run")),
        ("expires_ms = expires_ms + 1", "expires_ms = expires_ms - 1".to_owned()),
        ("label = 'other'", format!("label = '{}'", token.label)),
        ("scopes = 'approvals:decide'", format!("scopes = '{}'", "actions:list actions:run")),
    ] {
        let text = format!("UPDATE tokens SET {edit}");
        sqlx::query(sqlx::AssertSqlSafe(text)).execute(pool).await.unwrap();
        assert_refused(access.authenticate(bearer.duplicate()).await, Reason::TokenInvalid);
        assert!(access.tokens(&person).await.unwrap().is_empty());
        let text = format!("UPDATE tokens SET {undo}");
        sqlx::query(sqlx::AssertSqlSafe(text)).execute(pool).await.unwrap();
        access.authenticate(bearer.duplicate()).await.unwrap();
    }
    // A row of somebody else's making, with the pin of a good one.
    let forged = secret("alt_forged");
    let other = forged.expose(|bytes| aileron_contract::names::Sha256Hash::of(&[bytes])).hex();
    let text = format!(
        "INSERT INTO tokens SELECT 'tok-2', '{other}', label, scopes, created_ms, expires_ms, 0, pin
         FROM tokens WHERE hash = '{hash}'"
    );
    sqlx::query(sqlx::AssertSqlSafe(text)).execute(pool).await.unwrap();
    assert_refused(access.authenticate(forged).await, Reason::TokenInvalid);
    let rows: Vec<(String,)> =
        sqlx::query_as("SELECT id || hash || label || scopes || pin FROM tokens")
            .fetch_all(pool)
            .await
            .unwrap();
    assert_eq!(rows.len(), 2);
    bearer.expose(|bearer| {
        let bearer = std::str::from_utf8(bearer).unwrap();
        assert!(!rows.iter().any(|(row,)| row.contains(bearer)));
    });
}

#[tokio::test]
pub(crate) async fn tokens_are_few_and_ended_ones_make_room() {
    let house = House::with_vault().await;
    let (access, person) = (house.service.access(), house.person().await);
    for _ in 0..limits::TOKENS {
        minted(&house, &person).await;
    }
    let one_more = request(&[Scope::ActionsList]);
    assert_refused(access.mint(&person, one_more).await, Reason::Busy);
    later(Duration::from_hours(25));
    access.mint(&person, request(&[Scope::ActionsList])).await.unwrap();
    assert_eq!(access.tokens(&person).await.unwrap().len(), 1);
}
