//! What a crash leaves behind, step by step, and in earnest.

use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
    time::Duration,
};

use aileron_contract::{
    Reason,
    bindings::BindingFilter,
    vault::{EntryFilter, PassphraseChange},
};

use crate::{
    file::{PUBLISHED, published},
    house::{House, assert_refused, daemon, secret, service},
};

const PASSPHRASE: &str = "correct horse battery staple";

async fn holds_the_binding(house: &House) {
    let all = house.service.bindings().list(&daemon(), BindingFilter::default()).await.unwrap();
    assert_eq!(all[0].name.as_str(), "api_key/linear/team");
}

async fn migrate(house: &House) {
    let vault = house.service.vault();
    vault.unlock(&daemon(), secret(PASSPHRASE)).await.unwrap();
    vault.put_secret(&service(), "a".parse().unwrap(), secret("v")).await.unwrap();
}

#[tokio::test]
async fn a_crash_before_the_migrated_file_was_there_leaves_version_1() {
    let house = published().await;
    house.service.vault().unlock(&daemon(), secret(PASSPHRASE)).await.unwrap();
    // The copy was made, the new file half-written beside it.
    std::fs::write(house.copy(), PUBLISHED).unwrap();
    std::fs::write(house.home.join(".secrets.json.01.tmp"), b"{\"version\": 2").unwrap();
    let house = house.crashed().await;
    holds_the_binding(&house).await;
    migrate(&house).await;
    assert!(!house.copy().exists());
    let left = std::fs::read_dir(&house.home).unwrap();
    assert!(
        !left
            .into_iter()
            .any(|entry| { entry.unwrap().file_name().to_string_lossy().ends_with(".tmp") })
    );
}

#[tokio::test]
async fn a_crash_before_the_copy_was_removed_leaves_version_2_and_the_copy_goes_later() {
    let house = published().await;
    migrate(&house).await;
    std::fs::write(house.copy(), PUBLISHED).unwrap();
    let house = house.crashed().await;
    let vault = house.service.vault();
    assert_refused(vault.unlock(&daemon(), secret("x")).await, Reason::PassphraseRejected);
    assert!(house.copy().exists(), "nothing was proven yet");
    vault.unlock(&daemon(), secret(PASSPHRASE)).await.unwrap();
    assert!(!house.copy().exists());
    holds_the_binding(&house).await;
    assert_eq!(vault.entries(&daemon(), EntryFilter::default()).await.unwrap().len(), 2);
}

#[tokio::test]
pub(crate) async fn a_crash_before_the_new_vault_was_remembered_is_not_taken_for_a_foreign_file() {
    let house = published().await;
    house.service.vault().unlock(&daemon(), secret(PASSPHRASE)).await.unwrap();
    let before: (String, i64, String) =
        sqlx::query_as("SELECT vault, generation, seal FROM vault_mark")
            .fetch_one(house.database.pool())
            .await
            .unwrap();
    house.service.vault().put_secret(&service(), "a".parse().unwrap(), secret("v")).await.unwrap();
    let (now,): (String,) = sqlx::query_as("SELECT vault FROM vault_mark")
        .fetch_one(house.database.pool())
        .await
        .unwrap();
    assert_ne!(now, before.0);
    // As `announce` left it: the old vault, and the one about to take its place.
    sqlx::query("UPDATE vault_mark SET vault = $1, generation = $2, seal = $3, next_vault = $4")
        .bind(before.0)
        .bind(before.1)
        .bind(before.2)
        .bind(now)
        .execute(house.database.pool())
        .await
        .unwrap();
    let house = house.crashed().await;
    house.service.vault().unlock(&daemon(), secret(PASSPHRASE)).await.unwrap();
    holds_the_binding(&house).await;
    house.service.vault().lock(&service()).await.unwrap();
    house.plant(PUBLISHED.as_bytes());
    let older = house.service.vault().unlock(&daemon(), secret(PASSPHRASE)).await;
    assert_refused(older, Reason::VaultRolledBack);
}

#[tokio::test]
pub(crate) async fn a_crash_before_the_generation_was_remembered_is_not_taken_for_a_rollback() {
    let house = House::with_vault().await;
    let vault = house.service.vault();
    for name in ["a", "b", "c"] {
        vault.put_secret(&service(), name.parse().unwrap(), secret("v")).await.unwrap();
    }
    sqlx::query("UPDATE vault_mark SET generation = 3, seal = 'of three'")
        .execute(house.database.pool())
        .await
        .unwrap();
    drop(vault);
    let house = house.crashed().await;
    house.unlock().await;
    let (generation,): (i64,) = sqlx::query_as("SELECT generation FROM vault_mark")
        .fetch_one(house.database.pool())
        .await
        .unwrap();
    assert_eq!(generation, 4);
}

#[tokio::test]
async fn a_copy_without_its_file_stops_a_new_vault() {
    let house = published().await;
    std::fs::rename(house.file(), house.copy()).unwrap();
    let refused = house.service.vault().create(&daemon(), secret("x")).await;
    let error = assert_refused(refused, Reason::VaultExists);
    assert!(error.public().contains("secrets.json.before"), "{error}");
    assert!(house.copy().exists() && !house.file().exists());
}

/// Killed in the middle of writes, passphrase changes and rotations, a vault has everything that
/// was acknowledged, and opens with the passphrase that counts.
#[tokio::test]
async fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let house = House::with_vault().await;
    let mut house = house.restarted().await;
    let mut expected = 0;
    for round in 0..6_u64 {
        let (home, folder) = house.left().await;
        let mut writer = Command::new(std::env::current_exe().unwrap())
            .args(["crash::write_until_killed", "--exact", "--ignored", "--nocapture"])
            .env("VAULT_HOME_OF_TEST", &home)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(writer.stdout.take().unwrap()).lines();
        let wanted = expected + 3 + usize::try_from(round).unwrap();
        while expected < wanted {
            let line = lines.next().expect("the writer ended by itself").unwrap();
            if let Some((_, count)) = line.split_once("acknowledged ") {
                expected = count.parse().unwrap();
            }
        }
        tokio::time::sleep(Duration::from_millis(round * 7)).await;
        writer.kill().unwrap();
        writer.wait().unwrap();
        house = House::at(home, folder).await;
        house.unlock().await;
        assert!(!house.copy().exists());
        let kept = house.service.vault().entries(&daemon(), EntryFilter::default()).await.unwrap();
        assert!(kept.len() >= expected, "{} of {expected}", kept.len());
        expected = kept.len();
    }
}

#[ignore = "the process that the test above kills"]
#[tokio::test]
async fn write_until_killed() {
    #[expect(clippy::disallowed_methods, reason = "how the test above tells where to write")]
    let home = std::env::var("VAULT_HOME_OF_TEST").expect("only run by the test above");
    let home = std::path::PathBuf::from(home);
    let house = House::at(home, None).await;
    house.unlock().await;
    let vault = house.service.vault();
    for count in 0.. {
        let kept = vault.entries(&daemon(), EntryFilter::default()).await.unwrap().len();
        let name = format!("n{}", kept + 1).parse().unwrap();
        vault.put_secret(&service(), name, secret("v")).await.unwrap();
        println!("acknowledged {}", kept + 1);
        let change = PassphraseChange {
            current: secret("open sesame"),
            new: secret("open sesame"),
            rotate: count % 2 == 0,
        };
        vault.change_passphrase(&service(), change).await.unwrap();
    }
}
