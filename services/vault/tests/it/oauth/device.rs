//! Setups at another machine.

use std::time::Duration;

use aileron_contract::{
    Reason, Secret,
    bindings::{BeginDevice, DeviceBegun, DevicePoll, Purpose},
    limits,
};

use super::{NAME, agreed, browser::Browser, client, get, provider::Provider};
use crate::house::{House, assert_refused, daemon, later, secret, service};

fn beginning(provider: &Provider) -> BeginDevice {
    BeginDevice { consent: agreed(provider), client: client(provider), purpose: Purpose::Setup }
}

async fn begun(house: &House, provider: &Provider) -> DeviceBegun {
    house.service.bindings().begin_device(&service(), beginning(provider)).await.unwrap()
}

async fn poll(house: &House, session: &Secret) -> DevicePoll {
    later(Duration::from_secs(5));
    house.service.bindings().poll_device(&service(), session.duplicate()).await.unwrap()
}

#[tokio::test]
async fn a_person_consents_on_another_machine() {
    let provider = Provider::start();
    let house = House::with_vault().await;
    let begun = begun(&house, &provider).await;
    assert_eq!(begun.verification_uri, provider.url("/device"));
    assert_eq!(begun.interval, Duration::from_secs(5));
    let pending = DevicePoll::Pending { interval: begun.interval };
    assert_eq!(poll(&house, &begun.session).await, pending);
    let complete = begun.verification_uri_complete.unwrap();
    assert!(complete.contains(&begun.user_code));
    let page = Browser::default().answers_device(&complete, true).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let done = poll(&house, &begun.session).await;
    let DevicePoll::Done(binding) = &done else { panic!("{done:?}") };
    assert_eq!(binding.name.as_str(), NAME);
    assert_eq!(poll(&house, &begun.session).await, done, "it stays done");
    assert_eq!(get(&house, &provider).await, Ok(200));
}

#[tokio::test]
async fn a_person_who_declines_is_heard() {
    let provider = Provider::start();
    let house = House::with_vault().await;
    let begun = begun(&house, &provider).await;
    let complete = begun.verification_uri_complete.unwrap();
    Browser::default().answers_device(&complete, false).await;
    assert_eq!(poll(&house, &begun.session).await, DevicePoll::Denied);
    assert_eq!(poll(&house, &begun.session).await, DevicePoll::Denied);
}

#[tokio::test]
async fn a_provider_is_asked_for_no_setup_that_has_no_room() {
    let mut provider = Provider::start();
    let house = House::with_vault().await;
    for _ in 0..limits::OAUTH_SETUPS {
        begun(&house, &provider).await;
    }
    // Whoever asked it now would be told that it does not answer.
    provider.stop();
    let refused = house.service.bindings().begin_device(&service(), beginning(&provider)).await;
    assert_refused(refused, Reason::Busy);
}

#[tokio::test]
async fn a_device_is_asked_about_at_the_providers_pace_and_not_for_ever() {
    let provider = Provider::start();
    let house = House::with_vault().await;
    let begun = begun(&house, &provider).await;
    let bindings = house.service.bindings();
    assert_refused(
        bindings.poll_device(&daemon(), begun.session.duplicate()).await,
        Reason::ScopeMissing,
    );
    assert_refused(bindings.poll_device(&service(), secret("x")).await, Reason::SessionNotFound);
    for _ in 0..50 {
        let early = bindings.poll_device(&service(), begun.session.duplicate()).await.unwrap();
        assert_eq!(early, DevicePoll::Pending { interval: begun.interval });
    }
    later(Duration::from_mins(10));
    assert_eq!(poll(&house, &begun.session).await, DevicePoll::Expired);
}

#[tokio::test]
async fn a_device_is_not_asked_about_after_the_vault_was_locked() {
    let provider = Provider::start();
    let house = House::with_vault().await;
    let begun = begun(&house, &provider).await;
    let bindings = house.service.bindings();
    house.service.vault().lock(&service()).await.unwrap();
    let locked = bindings.poll_device(&service(), begun.session.duplicate()).await;
    assert_refused(locked, Reason::VaultLocked);
    house.unlock().await;
    let gone = bindings.poll_device(&service(), begun.session.duplicate()).await;
    assert_refused(gone, Reason::SessionNotFound);
}

#[tokio::test]
async fn a_provider_without_devices_says_so() {
    let provider = Provider::start();
    let house = House::with_vault().await;
    let mut begin = beginning(&provider);
    begin.client.device_authorization_url = None;
    let refused = house.service.bindings().begin_device(&service(), begin).await;
    assert_refused(refused, Reason::DeviceUnsupported);
}
