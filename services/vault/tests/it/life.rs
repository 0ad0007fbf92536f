use std::{os::unix::fs::MetadataExt as _, sync::atomic::Ordering, time::Duration};

use aileron_contract::{
    Reason, Scope,
    vault::{EntryFilter, PassphraseChange, PinDomain, State},
};

use crate::house::{House, assert_refused, daemon, program, secret, service};

#[tokio::test]
async fn a_vault_is_created_locked_and_unlocked() {
    let house = House::new().await;
    let vault = house.service.vault();
    assert_eq!(vault.status(&daemon()).await.unwrap().state, State::Missing);
    assert_refused(vault.unlock(&daemon(), secret("x")).await, Reason::VaultMissing);
    let status = vault.create(&daemon(), secret("open sesame")).await.unwrap();
    assert_eq!(
        (status.state, status.format, status.generation),
        (State::Unlocked, Some(2), Some(1))
    );
    assert_eq!(std::fs::metadata(house.file()).unwrap().mode() & 0o777, 0o600);
    assert_eq!(std::fs::metadata(&house.home).unwrap().mode() & 0o777, 0o700);
    assert_refused(vault.create(&daemon(), secret("x")).await, Reason::VaultExists);
    assert_refused(
        vault.unlock(&daemon(), secret("open sesame")).await,
        Reason::VaultAlreadyUnlocked,
    );
    assert_eq!(vault.lock(&service()).await.unwrap().state, State::Locked);
    assert_eq!(vault.lock(&service()).await.unwrap().state, State::Locked);
    assert_refused(
        vault.unlock(&daemon(), secret("Open sesame")).await,
        Reason::PassphraseRejected,
    );
    assert_refused(vault.unlock(&daemon(), secret("")).await, Reason::PassphraseInvalid);
    assert_eq!(
        vault.unlock(&daemon(), secret("open sesame")).await.unwrap().state,
        State::Unlocked
    );
    assert_eq!(
        house.log.take(),
        ["vault.created", "vault.locked", "vault.unlock_failed", "vault.unlocked"]
    );
}

#[tokio::test]
async fn a_new_passphrase_has_eight_characters_and_an_old_one_may_be_shorter() {
    let house = House::new().await;
    let vault = house.service.vault();
    // Eight characters, not eight bytes.
    for short in ["", "x", "1234567", "päßwört"] {
        let refused = vault.create(&daemon(), secret(short)).await;
        assert_refused(refused, Reason::PassphraseInvalid);
    }
    vault.create(&daemon(), secret("pässwört")).await.unwrap();
    let change = |new: &str| PassphraseChange {
        current: secret("pässwört"),
        new: secret(new),
        rotate: false,
    };
    let refused = vault.change_passphrase(&service(), change("1234567")).await;
    let error = assert_refused(refused, Reason::PassphraseInvalid);
    assert!(error.public().contains("at least 8 characters"), "{error}");
    let exported = house.service.custody().export(&service(), secret("1234567")).await;
    assert_refused(exported, Reason::PassphraseInvalid);
    house.service.custody().export(&service(), secret("12345678")).await.unwrap();
    vault.lock(&service()).await.unwrap();
    // Short ones are tried like others: somebody may have chosen one before.
    assert_refused(vault.unlock(&daemon(), secret("x")).await, Reason::PassphraseRejected);
}

#[tokio::test]
async fn secrets_are_kept_listed_without_their_values_and_deleted() {
    let house = House::with_vault().await;
    let vault = house.service.vault();
    let name: aileron_contract::names::SecretName = "mail/token".parse().unwrap();
    vault.put_secret(&service(), name.clone(), secret("hunter2")).await.unwrap();
    assert!(!String::from_utf8_lossy(&house.bytes()).contains("hunter2"));
    assert_refused(
        vault.put_secret(&service(), name.clone(), secret("")).await,
        Reason::MissingValue,
    );
    assert_refused(
        vault.put_secret(&service(), name.clone(), secret(&"x".repeat(65 * 1024))).await,
        Reason::BodyTooLarge,
    );
    vault.lock(&service()).await.unwrap();
    let entries = vault.entries(&daemon(), EntryFilter::default()).await.unwrap();
    let paths: Vec<_> = entries.iter().map(|entry| entry.path.as_str()).collect();
    assert_eq!((paths, entries[0].scope.text()), (vec!["secret/mail/token"], "secret"));
    assert_refused(vault.delete_secret(&service(), name.clone()).await, Reason::VaultLocked);
    house.unlock().await;
    vault.delete_secret(&service(), name.clone()).await.unwrap();
    assert_refused(vault.delete_secret(&service(), name).await, Reason::NotFound);
    assert!(vault.entries(&daemon(), EntryFilter::default()).await.unwrap().is_empty());
    assert!(!house.log.shown().contains("hunter2"));
}

#[tokio::test]
async fn programs_may_not_do_what_persons_do() {
    let house = House::with_vault().await;
    let (vault, daemon) = (house.service.vault(), daemon());
    let name: aileron_contract::names::SecretName = "x".parse().unwrap();
    assert_refused(vault.put_secret(&daemon, name, secret("v")).await, Reason::ScopeMissing);
    assert_refused(vault.lock(&daemon).await, Reason::ScopeMissing);
    assert_refused(vault.pin(&daemon, PinDomain::Run, vec![1]).await, Reason::PersonRequired);
    let change = PassphraseChange {
        current: secret("open sesame"),
        new: secret("mine sesame"),
        rotate: false,
    };
    assert_refused(vault.change_passphrase(&daemon, change).await, Reason::PersonRequired);
    assert_refused(vault.status(&program(&[])).await, Reason::ScopeMissing);
    assert_refused(
        vault.entries(&program(&[Scope::StatusRead]), EntryFilter::default()).await,
        Reason::ScopeMissing,
    );
}

#[tokio::test]
async fn the_old_passphrase_and_the_old_file_open_nothing_after_a_change() {
    for rotate in [false, true] {
        let house = House::with_vault().await;
        let vault = house.service.vault();
        vault.put_secret(&service(), "a".parse().unwrap(), secret("v")).await.unwrap();
        let pin = vault.pin(&service(), PinDomain::Run, b"run".to_vec()).await.unwrap();
        let old = house.bytes();
        let wrong = PassphraseChange { current: secret("x"), new: secret("new sesame"), rotate };
        assert_refused(
            vault.change_passphrase(&service(), wrong).await,
            Reason::PassphraseRejected,
        );
        let change =
            PassphraseChange { current: secret("open sesame"), new: secret("new sesame"), rotate };
        let status = vault.change_passphrase(&service(), change).await.unwrap();
        assert_eq!((status.state, status.generation), (State::Unlocked, Some(3)));
        assert!(!house.copy().exists());
        assert!(vault.check_pin(&service(), PinDomain::Run, b"run".to_vec(), pin).await.unwrap());
        vault.delete_secret(&service(), "a".parse().unwrap()).await.unwrap();
        vault.lock(&service()).await.unwrap();
        assert_refused(
            vault.unlock(&daemon(), secret("open sesame")).await,
            Reason::PassphraseRejected,
        );
        vault.unlock(&daemon(), secret("new sesame")).await.unwrap();
        vault.lock(&service()).await.unwrap();
        house.plant(&old);
        assert_refused(
            vault.unlock(&daemon(), secret("open sesame")).await,
            Reason::VaultRolledBack,
        );
        let refused = house.service.access().open_session(&daemon(), secret("open sesame")).await;
        assert_refused(refused, Reason::VaultRolledBack);
    }
}

#[tokio::test]
async fn a_passphrase_changed_while_locked_leaves_the_vault_locked() {
    let house = House::with_vault().await;
    let vault = house.service.vault();
    vault.lock(&service()).await.unwrap();
    let change = PassphraseChange {
        current: secret("open sesame"),
        new: secret("new sesame"),
        rotate: true,
    };
    assert_eq!(vault.change_passphrase(&service(), change).await.unwrap().state, State::Locked);
    vault.unlock(&daemon(), secret("new sesame")).await.unwrap();
}

#[tokio::test]
async fn pins_fit_one_record_of_one_domain_and_need_the_vault() {
    let house = House::with_vault().await;
    let (vault, person) = (house.service.vault(), service());
    let pin = vault.pin(&person, PinDomain::Run, b"one".to_vec()).await.unwrap();
    let check = |domain, record: &str| vault.check_pin(&person, domain, record.into(), pin);
    assert!(check(PinDomain::Run, "one").await.unwrap());
    assert!(!check(PinDomain::Run, "two").await.unwrap());
    assert!(!check(PinDomain::Action, "one").await.unwrap());
    vault.lock(&service()).await.unwrap();
    assert_refused(check(PinDomain::Run, "one").await, Reason::VaultLocked);
    house.unlock().await;
    assert!(check(PinDomain::Run, "one").await.unwrap());
}

#[tokio::test]
async fn without_a_log_nothing_changes() {
    let house = House::with_vault().await;
    let vault = house.service.vault();
    let before = house.bytes();
    house.log.full.store(true, Ordering::SeqCst);
    let put = vault.put_secret(&service(), "a".parse().unwrap(), secret("v")).await;
    assert_refused(put, Reason::AuditUnavailable);
    let change = PassphraseChange {
        current: secret("open sesame"),
        new: secret("new sesame"),
        rotate: true,
    };
    assert_refused(vault.change_passphrase(&service(), change).await, Reason::AuditUnavailable);
    assert_eq!(house.bytes(), before);
    let session = house.service.access().open_session(&daemon(), secret("open sesame")).await;
    assert_refused(session, Reason::AuditUnavailable);
    // Locking is not refused: the keys go, and the caller learns that nothing recorded it.
    assert_refused(vault.lock(&service()).await, Reason::AuditUnavailable);
    assert_eq!(vault.status(&daemon()).await.unwrap().state, State::Locked);
    assert_refused(vault.unlock(&daemon(), secret("open sesame")).await, Reason::AuditUnavailable);
    assert_eq!(vault.status(&daemon()).await.unwrap().state, State::Locked);
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_stop_a_change() {
    let house = House::with_vault().await;
    let vault = house.service.vault();
    let context = service();
    let put = vault.put_secret(&context, "a".parse().unwrap(), secret("v"));
    // Polled once, then dropped.
    assert!(tokio::time::timeout(Duration::ZERO, put).await.is_err());
    house.service.shutdown().await;
    assert!(String::from_utf8_lossy(&house.bytes()).contains("secret/a"));
}

#[tokio::test]
async fn after_the_end_the_keys_are_gone_and_changes_are_refused() {
    let house = House::with_vault().await;
    house.service.shutdown().await;
    let vault = house.service.vault();
    assert_eq!(vault.status(&daemon()).await.unwrap().state, State::Locked);
    assert_refused(vault.unlock(&daemon(), secret("open sesame")).await, Reason::ShuttingDown);
}

#[tokio::test]
async fn two_vaults_do_not_share_a_home() {
    let house = House::with_vault().await;
    let shown = format!("{:?}", house.service);
    assert!(!shown.contains("ald_the"), "{shown}");
    let second = aileron_vault::Service::open(aileron_vault::Options {
        home: house.home.clone(),
        database: house.database.clone(),
        audit: std::sync::Arc::<crate::house::Log>::clone(&house.log),
        daemon_token: None,
        kdf: aileron_vault::Kdf::default(),
        egress: aileron_vault::egress::Options::default(),
        idle_lock: None,
        clock: crate::house::clock,
    });
    assert_refused(second.await, Reason::StateBusy);
}
