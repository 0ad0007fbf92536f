//! Killed in the middle of a refresh: the file says that one was under way.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use aileron_contract::bindings::{BindingStatus, StaleReason};

use super::{binding, bound, called, get, label, provider::Provider, request_at};
use crate::house::{House, later};

const LATE: Duration = Duration::from_secs(3700);

/// A house whose process was killed while the provider, behaving like this, was being asked.
async fn killed(provider: &Provider, mode: &str) -> House {
    let house = bound(provider).await.restarted().await;
    let (home, folder) = house.left().await;
    provider.behaves(mode).await;
    let mut process = Command::new(std::env::current_exe().unwrap())
        .args(["oauth::crash::refresh_until_killed", "--exact", "--ignored", "--nocapture"])
        .env("VAULT_HOME_OF_TEST", &home)
        .env("PROVIDER_OF_TEST", provider.host())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while provider.refreshes().await == "0" {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    while mode != "held" && !provider.control("last").await.contains("200") {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    process.kill().unwrap();
    process.wait().unwrap();
    provider.behaves("plain").await;
    let house = House::at(home, folder).await;
    assert!(label(&house, "refreshing").await.is_some());
    house.unlock().await;
    later(LATE);
    house
}

#[tokio::test]
async fn killed_after_the_provider_replaced_the_token_the_binding_is_stale_and_says_why() {
    let provider = Provider::start();
    let house = killed(&provider, "silent").await;
    let failure = get(&house, &provider).await.unwrap_err();
    assert_eq!(failure.details.unwrap()["stale_reason"], "refresh_lost");
    let binding = binding(&house).await;
    assert_eq!(binding.status, BindingStatus::Stale);
    assert_eq!(binding.stale_reason, Some(StaleReason::RefreshLost));
}

#[tokio::test]
async fn killed_before_the_provider_replaced_the_token_the_binding_lives_on() {
    let provider = Provider::start();
    let house = killed(&provider, "held").await;
    assert_eq!(get(&house, &provider).await, Ok(200));
    assert_eq!(binding(&house).await.status, BindingStatus::Active);
    assert_eq!(label(&house, "refreshing").await, None);
}

#[ignore = "the process that the tests above kill"]
#[tokio::test]
async fn refresh_until_killed() {
    let home = std::env::var_os("VAULT_HOME_OF_TEST").expect("only run by the tests above");
    let host = std::env::var_os("PROVIDER_OF_TEST").unwrap().into_string().unwrap();
    let house = House::at(home.into(), None).await;
    house.unlock().await;
    later(LATE);
    drop(called(&house, request_at(&host, "GET", "/api")).await);
}
