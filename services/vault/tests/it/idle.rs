//! A vault that nobody uses locks itself, when it was told to.

use std::time::{Duration, Instant};

use aileron_contract::{Reason, vault::State};

use crate::house::{House, assert_refused, daemon, later, secret, service};

const IDLE: Duration = Duration::from_mins(10);

async fn state(house: &House) -> State {
    house.service.vault().status(&daemon()).await.unwrap().state
}

/// Waits until the vault looked at its clock.
async fn locks(house: &House) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while state(house).await != State::Locked {
        assert!(Instant::now() < deadline, "the vault stayed open");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn an_idle_vault_forgets_its_keys_and_says_so() {
    let house = House::that_locks_after(Duration::from_millis(40)).await;
    let opened =
        house.service.access().open_session(&daemon(), secret("open sesame")).await.unwrap();
    house.log.take();
    later(Duration::from_secs(1));
    locks(&house).await;
    assert!(house.log.shown().contains("idle_lock"), "{}", house.log.shown());
    assert_eq!(house.log.take(), ["person_session.closed", "vault.locked"]);
    let back = house.service.access().authenticate(opened.bearer).await;
    assert_refused(back, Reason::TokenInvalid);
    house.unlock().await;
    assert_eq!(state(&house).await, State::Unlocked);
}

#[tokio::test]
async fn a_vault_that_is_not_told_to_stays_open() {
    let house = House::with_vault().await;
    later(IDLE * 1_000);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(state(&house).await, State::Unlocked);
}

#[tokio::test]
async fn the_end_does_not_wait_for_the_next_look() {
    let house = House::that_locks_after(IDLE).await;
    let begun = Instant::now();
    house.service.shutdown().await;
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    let put = house.service.vault().put_secret(&service(), "a".parse().unwrap(), secret("v")).await;
    assert_refused(put, Reason::ShuttingDown);
}
