//! A backup of the vault's file that was put back.

use aileron_contract::{
    Reason,
    vault::{Acceptance, EntryFilter, PassphraseChange, State},
};

use crate::house::{House, assert_refused, clock, daemon, secret, service};

/// A house whose vault went on after its file was copied, and the copy.
async fn backed_up() -> (House, Vec<u8>) {
    let house = House::with_vault().await;
    let vault = house.service.vault();
    vault.put_secret(&service(), "first".parse().unwrap(), secret("v")).await.unwrap();
    let backup = house.bytes();
    vault.put_secret(&service(), "second".parse().unwrap(), secret("v")).await.unwrap();
    house.log.take();
    (house, backup)
}

fn acceptance(passphrase: &str, generation: u64) -> Acceptance {
    Acceptance { passphrase: secret(passphrase), generation }
}

async fn names(house: &House) -> Vec<String> {
    let entries = house.service.vault().entries(&daemon(), EntryFilter::default()).await.unwrap();
    entries.into_iter().map(|entry| entry.path.to_string()).collect()
}

#[tokio::test]
async fn a_backup_is_shown_beside_the_file_it_replaces_and_accepted_by_its_passphrase() {
    let (house, backup) = backed_up().await;
    let vault = house.service.vault();
    vault.lock(&service()).await.unwrap();
    assert_eq!(vault.older(&daemon()).await.unwrap(), None);
    let nothing = vault.accept_older(&daemon(), acceptance("open sesame", 3)).await;
    assert_refused(nothing, Reason::NotFound);

    house.plant(&backup);
    let refused = vault.unlock(&daemon(), secret("open sesame")).await;
    assert_refused(refused, Reason::VaultRolledBack);
    let older = vault.older(&daemon()).await.unwrap().unwrap();
    assert_eq!((older.present.generation, older.last.generation), (2, 3));
    assert_eq!((older.last.at, older.same_vault), (Some(clock()), true));
    assert!(older.present.at.is_some());
    house.log.take();

    let another = vault.accept_older(&daemon(), acceptance("open sesame", 1)).await;
    assert_refused(another, Reason::ConsentChanged);
    let wrong = vault.accept_older(&daemon(), acceptance("close sesame", 2)).await;
    assert_refused(wrong, Reason::PassphraseRejected);
    let still = vault.unlock(&daemon(), secret("open sesame")).await;
    assert_refused(still, Reason::VaultRolledBack);
    let status = vault.accept_older(&daemon(), acceptance("open sesame", 2)).await.unwrap();
    assert_eq!((status.state, status.generation), (State::Unlocked, Some(2)));
    assert_eq!(names(&house).await, ["secret/first"]);
    assert_eq!(house.log.take(), ["vault.unlock_failed", "vault.older_accepted"]);

    vault.put_secret(&service(), "third".parse().unwrap(), secret("v")).await.unwrap();
    vault.lock(&service()).await.unwrap();
    house.unlock().await;
    assert_eq!(names(&house).await, ["secret/first", "secret/third"]);
}

#[tokio::test]
async fn a_backup_put_back_under_an_open_vault_is_accepted_and_ends_the_sessions() {
    let (house, backup) = backed_up().await;
    let vault = house.service.vault();
    let person = house.person().await;
    house.plant(&backup);
    let put = vault.put_secret(&person, "a".parse().unwrap(), secret("v")).await;
    assert_refused(put, Reason::VaultRolledBack);
    vault.accept_older(&daemon(), acceptance("open sesame", 2)).await.unwrap();
    assert_eq!(names(&house).await, ["secret/first"]);
    assert!(house.service.access().sessions(&service()).await.unwrap().is_empty());
    vault.put_secret(&service(), "a".parse().unwrap(), secret("v")).await.unwrap();
}

#[tokio::test]
async fn a_backup_has_the_passphrase_of_its_time() {
    let (house, backup) = backed_up().await;
    let vault = house.service.vault();
    let (current, new) = (secret("open sesame"), secret("another sesame"));
    let change = PassphraseChange { current, new, rotate: true };
    vault.change_passphrase(&service(), change).await.unwrap();
    vault.lock(&service()).await.unwrap();
    house.plant(&backup);
    let wrong = vault.accept_older(&daemon(), acceptance("another sesame", 2)).await;
    assert_refused(wrong, Reason::PassphraseRejected);
    vault.accept_older(&daemon(), acceptance("open sesame", 2)).await.unwrap();
}

#[tokio::test]
async fn what_does_not_open_whole_is_not_accepted_and_neither_is_what_nobody_logs() {
    let (house, backup) = backed_up().await;
    let vault = house.service.vault();
    vault.lock(&service()).await.unwrap();
    let edited = String::from_utf8(backup.clone()).unwrap().replace("secret/first", "secret/fist");
    house.plant(edited.as_bytes());
    let tampered = vault.accept_older(&daemon(), acceptance("open sesame", 2)).await;
    assert_refused(tampered, Reason::VaultUnreadable);

    house.plant(&backup);
    house.log.full.store(true, std::sync::atomic::Ordering::SeqCst);
    let unlogged = vault.accept_older(&daemon(), acceptance("open sesame", 2)).await;
    assert_refused(unlogged, Reason::AuditUnavailable);
    house.log.full.store(false, std::sync::atomic::Ordering::SeqCst);
    let still = vault.unlock(&daemon(), secret("open sesame")).await;
    assert_refused(still, Reason::VaultRolledBack);
}
