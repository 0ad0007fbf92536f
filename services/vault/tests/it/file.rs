//! What other programs do to the file.

use aileron_contract::{
    Reason,
    bindings::BindingFilter,
    vault::{Acceptance, EntryFilter, PassphraseChange, State},
};

use crate::house::{House, assert_refused, consent, daemon, hosts_of, secret, service};

const PASSPHRASE: &str = "correct horse battery staple";

/// The published vector, as a binding of a connector.
pub(crate) const PUBLISHED: &str = r#"{
  "version": 1,
  "salt": "AAECAwQFBgcICQoLDA0ODw==",
  "verification": "EBAQEBAQEBAQEBAQBI01gO50G97gNhiHb3vfnLV6NN8SqMZ7Yxm5ha/8NQA=",
  "secrets": {
    "api_key/linear/team": {
      "value": "ICAgICAgICAgICAgWwkEg+YTswMX2piSswRwA7o8QksP8vNJoxADZA==",
      "metadata": {
        "Type": "api_key",
        "Environment": "",
        "Labels": {"service": "linear", "identity": "team", "status": "active",
          "connector_fqn": "github://acme/linear", "created_at": "1700000000"}
      }
    }
  }
}"#;

pub(crate) async fn published() -> House {
    let house = House::new().await;
    house.plant(PUBLISHED.as_bytes());
    house
}

#[tokio::test]
async fn a_version_1_file_opens_lists_and_is_left_as_it_is() {
    let house = published().await;
    let vault = house.service.vault();
    let status = vault.status(&daemon()).await.unwrap();
    assert_eq!((status.state, status.format, status.generation), (State::Locked, Some(1), None));
    assert_eq!(
        house.service.bindings().list(&daemon(), BindingFilter::default()).await.unwrap()[0].hosts,
        None
    );
    assert_refused(vault.create(&daemon(), secret("x")).await, Reason::VaultExists);
    vault.unlock(&daemon(), secret(PASSPHRASE)).await.unwrap();
    vault.lock(&service()).await.unwrap();
    assert_eq!(house.bytes(), PUBLISHED.as_bytes());
}

#[tokio::test]
async fn the_first_write_migrates_and_leaves_no_copy_behind() {
    let house = published().await;
    let vault = house.service.vault();
    vault.unlock(&daemon(), secret(PASSPHRASE)).await.unwrap();
    house.log.take();
    let connector = "github://acme/linear".parse().unwrap();
    let hosts = hosts_of(&["api.linear.app:443"]);
    assert!(
        house
            .service
            .bindings()
            .declare_hosts(&service(), connector, hosts.clone())
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(house.log.take(), ["vault.migrated", "binding.hosts_adopted"]);
    assert_eq!(vault.status(&daemon()).await.unwrap().format, Some(2));
    assert!(!house.copy().exists());
    // Once: a later declaration cannot widen what was taken.
    let wider = hosts_of(&["api.linear.app:443", "evil.example:443"]);
    let connector = "github://acme/linear".parse().unwrap();
    assert_eq!(
        house.service.bindings().declare_hosts(&service(), connector, wider).await.unwrap().len(),
        1
    );
    vault.lock(&service()).await.unwrap();
    vault.unlock(&daemon(), secret(PASSPHRASE)).await.unwrap();
    let binding =
        house.service.bindings().list(&daemon(), BindingFilter::default()).await.unwrap().remove(0);
    assert_eq!(binding.hosts, Some(hosts));
    // The file of before is not taken back.
    vault.lock(&service()).await.unwrap();
    house.plant(PUBLISHED.as_bytes());
    assert_refused(vault.unlock(&daemon(), secret(PASSPHRASE)).await, Reason::VaultRolledBack);
}

#[tokio::test]
async fn an_older_empty_file_takes_the_first_passphrase_and_keeps_it() {
    let house = House::new().await;
    house.plant(br#"{"salt": "AAECAwQFBgcICQoLDA0ODw==", "secrets": {}}"#);
    let (vault, access) = (house.service.vault(), house.service.access());
    assert_refused(access.open_session(&daemon(), secret("any")).await, Reason::VaultLocked);
    let status = vault.unlock(&daemon(), secret("mine")).await.unwrap();
    assert_eq!((status.state, status.format), (State::Unlocked, Some(2)));
    vault.lock(&service()).await.unwrap();
    assert_refused(
        vault.unlock(&daemon(), secret("other sesame")).await,
        Reason::PassphraseRejected,
    );
    vault.unlock(&daemon(), secret("mine")).await.unwrap();
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_never_replaced() {
    let house = House::new().await;
    let vault = house.service.vault();
    for text in ["", "{", "[]", "null", r#"{"version": 7}"#, r#"{"version": 2}"#] {
        house.plant(text.as_bytes());
        assert_eq!(vault.status(&daemon()).await.unwrap().state, State::Locked, "{text}");
        assert_refused(vault.create(&daemon(), secret("x")).await, Reason::VaultExists);
        assert_refused(vault.unlock(&daemon(), secret("x")).await, Reason::VaultUnreadable);
        let listed = vault.entries(&daemon(), EntryFilter::default()).await;
        assert_refused(listed, Reason::VaultUnreadable);
        assert_eq!(house.bytes(), text.as_bytes());
    }
    std::fs::remove_file(house.file()).unwrap();
    std::fs::create_dir(house.file()).unwrap();
    assert_refused(vault.unlock(&daemon(), secret("x")).await, Reason::VaultUnreadable);
}

#[tokio::test]
pub(crate) async fn an_edit_while_unlocked_is_noticed_and_not_overwritten() {
    let house = House::with_vault().await;
    let vault = house.service.vault();
    let consent = consent("github://acme/notes", "me", &["notes.example:443"]);
    house.service.bindings().bind(&service(), consent, secret("key")).await.unwrap();
    let good = house.bytes();
    let edited = String::from_utf8(good.clone()).unwrap().replace("notes.example", "evil.example");
    house.plant(edited.as_bytes());
    let put = vault.put_secret(&service(), "a".parse().unwrap(), secret("v")).await;
    assert_refused(put, Reason::VaultUnreadable);
    let listed = house.service.bindings().list(&daemon(), BindingFilter::default()).await;
    assert_refused(listed, Reason::VaultUnreadable);
    assert_eq!(house.bytes(), edited.as_bytes());
    // Put back, everything goes on.
    house.plant(&good);
    vault.put_secret(&service(), "a".parse().unwrap(), secret("v")).await.unwrap();
    // An older one, authentic though it is, is not taken.
    house.plant(&good);
    let put = vault.put_secret(&service(), "b".parse().unwrap(), secret("v")).await;
    assert_refused(put, Reason::VaultRolledBack);
    assert_eq!(house.bytes(), good);
}

#[tokio::test]
async fn a_file_removed_while_unlocked_is_not_replaced_by_an_empty_one() {
    let house = House::with_vault().await;
    let vault = house.service.vault();
    let good = house.bytes();
    std::fs::remove_file(house.file()).unwrap();
    assert_eq!(vault.status(&daemon()).await.unwrap().state, State::Missing);
    let put = vault.put_secret(&service(), "a".parse().unwrap(), secret("v")).await;
    assert_refused(put, Reason::VaultMissing);
    assert!(!house.file().exists());
    house.plant(&good);
    vault.put_secret(&service(), "a".parse().unwrap(), secret("v")).await.unwrap();
}

#[tokio::test]
pub(crate) async fn somebody_elses_vault_is_not_taken_for_the_persons() {
    let house = House::with_vault().await;
    house.service.vault().lock(&service()).await.unwrap();
    let other = House::new().await;
    other.service.vault().create(&daemon(), secret("evil sesame")).await.unwrap();
    house.plant(&other.bytes());
    let unlocked = house.service.vault().unlock(&daemon(), secret("evil sesame")).await;
    let error = assert_refused(unlocked, Reason::VaultRolledBack);
    assert!(error.public().contains("vault accept-older"), "says what to do: {error}");
    let session = house.service.access().open_session(&daemon(), secret("evil sesame")).await;
    assert_refused(session, Reason::VaultRolledBack);
    house.plant(PUBLISHED.as_bytes());
    let unlocked = house.service.vault().unlock(&daemon(), secret(PASSPHRASE)).await;
    assert_refused(unlocked, Reason::VaultRolledBack);
    // The deliberate way back, as the error says it.
    let older = house.service.vault().older(&daemon()).await.unwrap().unwrap();
    assert_eq!((older.present.generation, older.same_vault), (0, false));
    let acceptance = Acceptance { passphrase: secret(PASSPHRASE), generation: 0 };
    let status = house.service.vault().accept_older(&daemon(), acceptance).await.unwrap();
    assert_eq!(status.state, State::Unlocked);
}

/// The published file after its own program stored one more secret.
fn longer() -> String {
    let entry = r#"{
    "secret/theirs": {
      "value": "ICAgICAgICAgICAgWwkEg+YTswMX2piSswRwA7o8QksP8vNJoxADZA==",
      "metadata": {"Type": "secret", "Environment": "", "Labels": null}
    },"#;
    PUBLISHED.replacen("\"secrets\": {", &format!("\"secrets\": {entry}"), 1)
}

/// Something that checks a passphrase, while the published program writes the file.
async fn meanwhile<T>(house: &House, checking: impl Future<Output = T>) -> T {
    let vault = house.service.vault();
    vault.status(&daemon()).await.unwrap();
    let writing = async {
        // The key is being derived by now, which takes longer than all of this.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        house.plant(longer().as_bytes());
        vault.status(&daemon()).await.unwrap();
    };
    tokio::join!(checking, writing).0
}

async fn paths(house: &House) -> Vec<String> {
    let entries = house.service.vault().entries(&daemon(), EntryFilter::default()).await.unwrap();
    entries.into_iter().map(|entry| entry.path.to_string()).collect()
}

#[tokio::test]
async fn what_another_program_writes_while_the_vault_is_unlocked_is_not_written_over() {
    let house = published().await;
    let vault = house.service.vault();
    let unlocked = meanwhile(&house, vault.unlock(&daemon(), secret(PASSPHRASE))).await;
    if let Err(error) = unlocked {
        assert_eq!(error.reason(), Reason::Busy, "{error:?}");
        vault.unlock(&daemon(), secret(PASSPHRASE)).await.unwrap();
    }
    vault.put_secret(&service(), "mine".parse().unwrap(), secret("v")).await.unwrap();
    assert_eq!(paths(&house).await, ["api_key/linear/team", "secret/mine", "secret/theirs"]);
}

#[tokio::test]
async fn what_another_program_writes_while_the_passphrase_is_changed_is_not_written_over() {
    let house = published().await;
    let vault = house.service.vault();
    let change = || PassphraseChange {
        current: secret(PASSPHRASE),
        new: secret("another sesame"),
        rotate: false,
    };
    let changed = meanwhile(&house, vault.change_passphrase(&service(), change())).await;
    assert_refused(changed, Reason::Busy);
    vault.change_passphrase(&service(), change()).await.unwrap();
    assert_eq!(paths(&house).await, ["api_key/linear/team", "secret/theirs"]);
}
