//! Somebody guesses passphrases, and the person wants to get in all the same.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use aileron_contract::{Context, Principal, Reason, Scope, limits};
use tokio::task::JoinSet;

use crate::house::{House, assert_refused, daemon, program, secret, service};

fn page() -> Context {
    Context { principal: Principal::Service(Principal::GATEWAY.into()), ..daemon() }
}

#[tokio::test]
async fn guesses_at_unlocking_and_at_person_sessions_are_paced_together_and_nobody_is_refused() {
    let house = House::with_vault().await;
    let (vault, access) = (house.service.vault(), house.service.access());
    vault.lock(&service()).await.unwrap();
    let began = Instant::now();
    for _ in 0..3 {
        assert_refused(vault.unlock(&daemon(), secret("x")).await, Reason::PassphraseRejected);
    }
    for _ in 0..2 {
        let refused = access.open_session(&daemon(), secret("x")).await;
        assert_refused(refused, Reason::PassphraseRejected);
    }
    // The right one waits for its turn and gets in.
    house.unlock().await;
    assert!(began.elapsed() >= limits::UNLOCK_PACE);
    // And makes up for those before it.
    vault.lock(&service()).await.unwrap();
    for _ in 0..4 {
        assert_refused(vault.unlock(&daemon(), secret("x")).await, Reason::PassphraseRejected);
    }
    house.unlock().await;
}

#[tokio::test]
async fn a_program_that_guesses_without_a_pause_on_many_connections_keeps_nobody_out() {
    const CONNECTIONS: usize = 5;
    let house = House::with_vault().await;
    let checked = Arc::new(AtomicUsize::new(0));
    let mut guessing = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (access, checked) = (house.service.access(), Arc::clone(&checked));
        guessing.spawn(async move {
            loop {
                let refused = access.open_session(&daemon(), secret("x")).await;
                assert_refused(refused, Reason::PassphraseRejected);
                checked.fetch_add(1, Ordering::SeqCst);
            }
        });
    }
    // Until their line is paced and all of them wait in it.
    while checked.load(Ordering::SeqCst) < CONNECTIONS + 1 {
        tokio::task::yield_now().await;
    }
    // Behind those who wait already, which takes seconds. Who comes later is not counted: a right
    // passphrase makes up for wrong ones, so that some of them have their turn at once.
    let (access, context) = (house.service.access(), daemon());
    let open = access.open_session(&context, secret("open sesame"));
    tokio::time::timeout(Duration::from_mins(1), open).await.expect("a turn").unwrap();
    guessing.shutdown().await;
}

#[tokio::test]
async fn guessing_in_one_line_costs_the_others_nothing() {
    let house = House::with_vault().await;
    let access = house.service.access();
    let token = program(&[Scope::StatusRead]);
    let mut guessing = JoinSet::new();
    for context in [page(), token] {
        for _ in 0..limits::UNLOCK_ATTEMPTS {
            let refused = access.open_session(&context, secret("x")).await;
            assert_refused(refused, Reason::PassphraseRejected);
        }
        // From here on one in ten seconds: as many as there is room for wait, and no more.
        for _ in 0..limits::UNLOCK_QUEUE_OTHERS {
            let (access, context) = (house.service.access(), context.clone());
            guessing.spawn(async move { access.open_session(&context, secret("x")).await });
        }
        tokio::task::yield_now().await;
        let full = access.open_session(&context, secret("open sesame")).await;
        let full = assert_refused(full, Reason::UnlockBackoff);
        assert_eq!(full.details().unwrap()["retry_after_seconds"], 10);
    }
    access.open_session(&daemon(), secret("open sesame")).await.unwrap();
    assert!(guessing.try_join_next().is_none(), "those others still wait");
    guessing.shutdown().await;
}

#[tokio::test]
async fn who_hangs_up_has_left_the_line() {
    let house = House::with_vault().await;
    let mut waiting = JoinSet::new();
    for _ in 0..limits::UNLOCK_ATTEMPTS {
        let refused = house.service.access().open_session(&daemon(), secret("x")).await;
        assert_refused(refused, Reason::PassphraseRejected);
    }
    for _ in 0..limits::UNLOCK_QUEUE + 20 {
        let access = house.service.access();
        waiting.spawn(async move { access.open_session(&daemon(), secret("x")).await });
    }
    // More than there is room for: who finds the line full is told so at once.
    while let Some(told) = waiting.join_next().await {
        let refused = told.unwrap().unwrap_err();
        if refused.reason() == Reason::UnlockBackoff {
            assert_eq!(refused.details().unwrap()["retry_after_seconds"], 1);
            break;
        }
        assert_eq!(refused.reason(), Reason::PassphraseRejected);
    }
    assert!(waiting.len() > limits::UNLOCK_QUEUE / 2, "the others wait");
    waiting.shutdown().await;
    house.person().await;
}

#[tokio::test]
async fn who_waits_is_told_when_the_runtime_stops() {
    let house = House::with_vault().await;
    for _ in 0..limits::UNLOCK_ATTEMPTS {
        let refused = house.service.access().open_session(&page(), secret("x")).await;
        assert_refused(refused, Reason::PassphraseRejected);
    }
    let access = house.service.access();
    let waiting = async { access.open_session(&page(), secret("open sesame")).await };
    let (waited, ()) = tokio::join!(waiting, house.service.shutdown());
    assert_refused(waited, Reason::ShuttingDown);
}
