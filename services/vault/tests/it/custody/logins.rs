use std::sync::atomic::Ordering;

use aileron_contract::{
    Context, Principal, Reason, Scope, Scopes, Timestamp,
    access::MintRequest,
    custody::LoginValue,
    limits,
    names::Login,
    vault::{EntryFilter, EntryScope},
};

use super::{assert_unrecorded, login, shown};
use crate::house::{House, assert_refused, context_of, daemon, program, service};

const CLAUDE: &str = "agents/claude/oauth";

fn named(path: &str) -> Login {
    path.parse().unwrap()
}

#[tokio::test]
async fn a_login_comes_back_byte_for_byte_and_each_step_is_recorded() {
    let house = House::with_vault().await;
    let (custody, person) = (house.service.custody(), house.person().await);
    house.log.take();
    let bytes = b"{\"claudeAiOauth\":{\"accessToken\":\"canary-7d1\"}}\n\0\xff";
    for path in [CLAUDE, "user/github"] {
        custody.put_login(&person, named(path), login(bytes)).await.unwrap();
        let LoginValue { value, kind, environment, labels } =
            custody.export_login(&person, named(path)).await.unwrap();
        assert_eq!(shown(&value), bytes);
        assert_eq!((kind.as_str(), environment.as_str()), ("oauth_refresh_token", ""));
        assert_eq!(labels["team"], "a");
        custody.put_login(&person, named(path), login(b"another")).await.unwrap();
        let read = custody.export_login(&person, named(path)).await.unwrap();
        assert_eq!(shown(&read.value), b"another");
        custody.delete_login(&person, named(path)).await.unwrap();
        assert_refused(custody.delete_login(&person, named(path)).await, Reason::NotFound);
        assert_refused(custody.export_login(&person, named(path)).await, Reason::NotFound);
        assert_unrecorded(&house, "canary-7d1");
        assert_eq!(
            house.log.take(),
            [
                "credential.stored",
                "credential.exported",
                "credential.stored",
                "credential.exported",
                "credential.deleted"
            ]
        );
    }
}

#[tokio::test]
async fn a_login_is_listed_while_locked_and_read_only_unlocked() {
    let house = House::with_vault().await;
    let custody = house.service.custody();
    custody.put_login(&service(), named(CLAUDE), login(b"v")).await.unwrap();
    house.service.vault().lock(&service()).await.unwrap();
    let entries = house.service.vault().entries(&daemon(), EntryFilter::default()).await.unwrap();
    assert_eq!((entries[0].path.as_str(), entries[0].scope), (CLAUDE, EntryScope::Agent));
    // Whether there is one is not told: locked comes first.
    for path in [CLAUDE, "user/nothing"] {
        let exported = custody.export_login(&service(), named(path)).await;
        assert_refused(exported, Reason::VaultLocked);
        let deleted = custody.delete_login(&service(), named(path)).await;
        assert_refused(deleted, Reason::VaultLocked);
    }
    let put = custody.put_login(&service(), named(CLAUDE), login(b"v")).await;
    assert_refused(put, Reason::VaultLocked);
    let bare = House::new().await;
    let put = bare.service.custody().put_login(&service(), named(CLAUDE), login(b"v")).await;
    assert_refused(put, Reason::VaultMissing);
}

#[tokio::test]
async fn plaintext_is_for_the_person_and_for_tokens_minted_for_it_alone() {
    let house = House::with_vault().await;
    let (custody, access) = (house.service.custody(), house.service.access());
    custody.put_login(&service(), named(CLAUDE), login(b"v")).await.unwrap();
    let export = async |context: &Context| custody.export_login(context, named(CLAUDE)).await;
    assert_refused(export(&daemon()).await, Reason::ScopeMissing);
    let everything_else: Vec<_> =
        Scope::ALL.iter().copied().filter(|it| *it != Scope::CredentialsExport).collect();
    assert_refused(export(&program(&everything_else)).await, Reason::ScopeMissing);
    // Not even an agent whose token somebody gave all rights.
    let agent =
        Context { principal: Principal::Agent("s1".into()), scopes: Scopes::all(), ..service() };
    assert_refused(export(&agent).await, Reason::PersonRequired);
    let person = house.person().await;
    export(&person).await.unwrap();
    let request = MintRequest {
        label: "launcher".to_owned(),
        scopes: [Scope::CredentialsExport].into_iter().collect(),
        expires_at: Timestamp::from_second(1_800_000_600).unwrap(),
    };
    assert_refused(access.mint(&daemon(), request.clone()).await, Reason::PersonRequired);
    let minted = access.mint(&person, request).await.unwrap();
    let minted = context_of(access.authenticate(minted.bearer).await.unwrap());
    export(&minted).await.unwrap();
    let put = custody.put_login(&minted, named(CLAUDE), login(b"v")).await;
    assert_refused(put, Reason::ScopeMissing);
    let writer = program(&[Scope::SecretsWrite]);
    custody.put_login(&writer, named(CLAUDE), login(b"v")).await.unwrap();
    assert_refused(export(&writer).await, Reason::ScopeMissing);
    custody.delete_login(&writer, named(CLAUDE)).await.unwrap();
    assert_refused(custody.delete_login(&daemon(), named(CLAUDE)).await, Reason::ScopeMissing);
}

#[tokio::test]
async fn without_a_log_no_login_leaves() {
    let house = House::with_vault().await;
    let custody = house.service.custody();
    custody.put_login(&service(), named(CLAUDE), login(b"v")).await.unwrap();
    house.log.full.store(true, Ordering::SeqCst);
    let exported = custody.export_login(&service(), named(CLAUDE)).await;
    assert_refused(exported, Reason::AuditUnavailable);
}

#[tokio::test]
async fn a_login_has_bytes_and_bounds() {
    let house = House::with_vault().await;
    let custody = house.service.custody();
    let put = async |value| custody.put_login(&service(), named(CLAUDE), value).await;
    assert_refused(put(login(b"")).await, Reason::InvalidRequest);
    assert_refused(put(login(&vec![0; limits::SECRET + 1])).await, Reason::BodyTooLarge);
    let labelled = |length| LoginValue {
        labels: [("k".to_owned(), "v".repeat(length))].into(),
        ..login(b"v")
    };
    assert_refused(put(labelled(limits::LOGIN_LABELS)).await, Reason::BodyTooLarge);
    put(labelled(limits::LOGIN_LABELS / 2)).await.unwrap();
}
