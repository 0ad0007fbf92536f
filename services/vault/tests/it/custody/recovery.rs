use aileron_contract::{
    Reason, Result, Scope, Secret,
    custody::Recovery,
    vault::{PassphraseChange, PinDomain, State, Status},
};
use aileron_vault::Service;

use super::{assert_unrecorded, shown};
use crate::{
    file::published,
    house::{House, assert_refused, consent, daemon, program, secret, service},
};

async fn made(house: &House) -> String {
    let key = house.service.custody().add_recovery_key(&service()).await.unwrap();
    String::from_utf8(shown(&key)).unwrap()
}

async fn recover(service: &Service, key: &str, new: &str) -> Result<Status> {
    let recovery = Recovery { key: secret(key), new: secret(new) };
    service.custody().recover(&daemon(), recovery).await
}

#[tokio::test]
async fn a_recovery_key_opens_what_the_passphrase_no_longer_does() {
    let house = House::with_vault().await;
    let vault = house.service.vault();
    assert!(!vault.status(&daemon()).await.unwrap().recovery_key);
    vault.put_secret(&service(), "a".parse().unwrap(), secret("v")).await.unwrap();
    let pin = vault.pin(&service(), PinDomain::Run, b"run".to_vec()).await.unwrap();
    house.log.take();
    let key = made(&house).await;
    assert_eq!(key.split('-').count(), 14);
    assert_eq!(house.log.take(), ["vault.recovery_key_added"]);
    assert!(vault.status(&daemon()).await.unwrap().recovery_key, "it is told while locked, too");
    assert!(!String::from_utf8(house.bytes()).unwrap().contains(&key));
    let house = house.restarted().await;
    house.log.take();
    let vault = house.service.vault();
    assert_eq!(vault.status(&daemon()).await.unwrap().state, State::Locked);
    let typed = key.to_lowercase().replace('-', " ");
    let status = recover(&house.service, &typed, "new sesame").await.unwrap();
    assert_eq!((status.state, status.recovery_key), (State::Unlocked, true));
    assert_eq!(house.log.take(), ["vault.recovered"]);
    assert_unrecorded(&house, &key);
    assert!(vault.check_pin(&service(), PinDomain::Run, b"run".to_vec(), pin).await.unwrap());
    vault.delete_secret(&service(), "a".parse().unwrap()).await.unwrap();
    vault.lock(&service()).await.unwrap();
    assert_refused(
        vault.unlock(&daemon(), secret("open sesame")).await,
        Reason::PassphraseRejected,
    );
    vault.unlock(&daemon(), secret("new sesame")).await.unwrap();
    // It stays good for the next time.
    recover(&house.service, &key, "newer sesame").await.unwrap();
}

#[tokio::test]
async fn recovering_ends_every_person_session() {
    let house = House::with_vault().await;
    let key = made(&house).await;
    let access = house.service.access();
    let opened = access.open_session(&daemon(), secret("open sesame")).await.unwrap();
    recover(&house.service, &key, "new sesame").await.unwrap();
    assert_refused(access.authenticate(opened.bearer).await, Reason::TokenInvalid);
}

#[tokio::test]
async fn a_wrong_key_is_counted_and_a_mistyped_one_is_told_at_once() {
    let house = House::with_vault().await;
    let other = House::with_vault().await;
    let (key, foreign) = (made(&house).await, made(&other).await);
    house.service.vault().lock(&service()).await.unwrap();
    house.log.take();
    let mistyped = key.replacen(&key[..1], if key.starts_with('0') { "7" } else { "0" }, 1);
    for _ in 0..9 {
        let refused = recover(&house.service, &mistyped, "new sesame").await;
        assert_refused(refused, Reason::PassphraseInvalid);
    }
    for _ in 0..5 {
        let refused = recover(&house.service, &foreign, "new sesame").await;
        assert_refused(refused, Reason::PassphraseRejected);
    }
    assert_eq!(house.log.take(), ["vault.unlock_failed"; 5]);
    // Together with passphrases: they are checked at a pace now, and the right one is not refused.
    let began = std::time::Instant::now();
    assert_refused(
        house.service.vault().unlock(&daemon(), secret("x")).await,
        Reason::PassphraseRejected,
    );
    recover(&house.service, &key, "new sesame").await.unwrap();
    assert!(began.elapsed() >= aileron_contract::limits::UNLOCK_PACE);
}

#[tokio::test]
async fn a_key_that_was_removed_or_replaced_opens_nothing() {
    let house = House::with_vault().await;
    let custody = house.service.custody();
    assert_refused(custody.remove_recovery_key(&service()).await, Reason::NotFound);
    let without = House::with_vault().await;
    let first = made(&house).await;
    let refused = recover(&without.service, &first, "new sesame").await;
    assert_refused(refused, Reason::PassphraseRejected);
    let second = made(&house).await;
    assert_refused(recover(&house.service, &first, "new sesame").await, Reason::PassphraseRejected);
    house.log.take();
    let status = custody.remove_recovery_key(&service()).await.unwrap();
    assert!(!status.recovery_key);
    assert_eq!(house.log.take(), ["vault.recovery_key_removed"]);
    assert_refused(
        recover(&house.service, &second, "new sesame").await,
        Reason::PassphraseRejected,
    );
}

#[tokio::test]
async fn a_new_passphrase_keeps_the_recovery_key_and_a_new_vault_key_drops_it() {
    let house = House::with_vault().await;
    let vault = house.service.vault();
    let key = made(&house).await;
    let change = |current: &str, new: &str, rotate| PassphraseChange {
        current: secret(current),
        new: secret(new),
        rotate,
    };
    let kept = vault
        .change_passphrase(&service(), change("open sesame", "two sesame", false))
        .await
        .unwrap();
    assert!(kept.recovery_key);
    recover(&house.service, &key, "three sesame").await.unwrap();
    let dropped = vault
        .change_passphrase(&service(), change("three sesame", "four sesame", true))
        .await
        .unwrap();
    assert!(!dropped.recovery_key);
    assert_refused(recover(&house.service, &key, "five sesame").await, Reason::PassphraseRejected);
}

#[tokio::test]
async fn a_copied_or_edited_member_opens_nothing() {
    let (house, other) = (House::with_vault().await, House::with_vault().await);
    let (key, foreign) = (made(&house).await, made(&other).await);
    house.service.vault().lock(&service()).await.unwrap();
    let read =
        |house: &House| -> serde_json::Value { serde_json::from_slice(&house.bytes()).unwrap() };
    let mut planted = read(&house);
    planted["members"][1] = read(&other)["members"][1].clone();
    house.plant(&serde_json::to_vec(&planted).unwrap());
    for key in [&foreign, &key] {
        let refused = recover(&house.service, key, "new sesame").await;
        assert_refused(refused, Reason::PassphraseRejected);
    }
    // The passphrase notices as well.
    let unlocked = house.service.vault().unlock(&daemon(), secret("open sesame")).await;
    assert_refused(unlocked, Reason::VaultUnreadable);
}

#[tokio::test]
async fn a_person_makes_recovery_keys_and_a_program_does_not() {
    let house = House::with_vault().await;
    let custody = house.service.custody();
    let most: Vec<_> = Scope::ALL.iter().copied().filter(|scope| scope.mintable()).collect();
    for context in [daemon(), program(&most)] {
        let added = custody.add_recovery_key(&context).await;
        assert_refused(added, Reason::PersonRequired);
        let removed = custody.remove_recovery_key(&context).await;
        assert_refused(removed, Reason::PersonRequired);
    }
    house.service.vault().lock(&service()).await.unwrap();
    assert_refused(custody.add_recovery_key(&service()).await, Reason::VaultLocked);
}

#[tokio::test]
async fn a_version_1_file_gets_its_recovery_key_with_its_new_format() {
    let house = published().await;
    let passphrase: Secret = secret("correct horse battery staple");
    house.service.vault().unlock(&daemon(), passphrase).await.unwrap();
    let key = made(&house).await;
    assert_eq!(house.service.vault().status(&daemon()).await.unwrap().format, Some(2));
    recover(&house.service, &key, "new sesame").await.unwrap();
    let notes = consent("github://acme/notes", "me", &["notes.example:443"]);
    house.service.bindings().bind(&service(), notes, secret("key")).await.unwrap();
}

#[tokio::test]
async fn an_older_copy_is_not_opened_by_the_recovery_key_either() {
    let house = House::with_vault().await;
    let key = made(&house).await;
    let older = house.bytes();
    let vault = house.service.vault();
    vault.put_secret(&service(), "a".parse().unwrap(), secret("v")).await.unwrap();
    let newer = house.bytes();
    // Under our feet, and while nobody is there.
    house.plant(&older);
    assert_refused(recover(&house.service, &key, "new sesame").await, Reason::VaultRolledBack);
    let added = house.service.custody().add_recovery_key(&service()).await;
    assert_refused(added, Reason::VaultRolledBack);
    vault.lock(&service()).await.unwrap();
    house.plant(&older);
    assert_refused(recover(&house.service, &key, "new sesame").await, Reason::VaultRolledBack);
    assert_eq!(house.bytes(), older, "it was not overwritten");
    house.plant(&newer);
    recover(&house.service, &key, "new sesame").await.unwrap();
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_stop_a_recovery_half_way() {
    let house = House::with_vault().await;
    let key = made(&house).await;
    house.service.vault().lock(&service()).await.unwrap();
    let recovering = recover(&house.service, &key, "new sesame");
    // Polled once, then dropped.
    assert!(tokio::time::timeout(std::time::Duration::ZERO, recovering).await.is_err());
    let house = house.restarted().await;
    house.service.vault().unlock(&daemon(), secret("new sesame")).await.unwrap();
}
