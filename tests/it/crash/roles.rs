//! One role of a split house dies while a write is out.

use std::time::{Duration, Instant};

use aileron_api::{client::Client, runs::RunState};
use aileron_node::demo::Servers;

use super::{servers_behind_a_relay, until};
use crate::{
    house::{PASSPHRASE, create_vault, person},
    main_job::{approve, ask, install, list, settled},
    relay::Relay,
    split::{Four, role},
};

/// Four processes, and a write whose answer is held back.
async fn a_write_under_way() -> (Servers, Relay, Four, Client, String) {
    let (servers, relay) = servers_behind_a_relay().await;
    let mut four = Four::start(&servers);
    let program = four.program().await;
    create_vault(&program).await;
    let owner = person(&program).await;
    install(&owner, &servers).await;
    let pending = ask(&program, "Once", None).await;
    list(&program).await;
    relay.hold_answers(true);
    approve(&owner, &pending.approval_id).await;
    until("the note arrives", || servers.titles().len() == 2).await;
    (servers, relay, four, program, pending.approval_id)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_executor_killed_while_a_write_is_out_tells_that_nobody_knows() {
    let (servers, relay, mut four, program, id) = a_write_under_way().await;
    four.house.kill(four.executor);
    relay.hold_answers(false);
    four.executor = role(&mut four.house, "executor");
    let deadline = Instant::now() + Duration::from_secs(30);
    let run = loop {
        match program.run(&id).await {
            Ok(run) => break run.value,
            Err(error) => assert_eq!(error.code(), Some("service_unavailable"), "{error}"),
        }
        assert!(Instant::now() < deadline, "the executor does not come back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(run.state, RunState::Ambiguous, "{run:?}");
    let told = settled(&program, &id).await;
    assert!(told.audit_id.is_some() || told.failure.is_some(), "{told:?}");
    list(&program).await;
    assert_eq!(servers.titles(), ["Welcome", "Once"], "the write happened once");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_vault_killed_while_a_write_is_out_leaves_it_ambiguous_and_unrepeated() {
    let (servers, relay, mut four, program, id) = a_write_under_way().await;
    four.house.kill(four.vault);
    relay.hold_answers(false);
    four.vault = role(&mut four.house, "vault");
    let passphrase = aileron_api::Sensitive::new(PASSPHRASE.to_owned());
    let unlock = aileron_api::vault::UnlockVault { passphrase };
    let deadline = Instant::now() + Duration::from_secs(30);
    while let Err(error) = program.unlock_vault(&unlock).await {
        assert_eq!(error.code(), Some("service_unavailable"), "{error}");
        assert!(Instant::now() < deadline, "the vault does not come back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let told = settled(&program, &id).await;
    assert_eq!(told.state, Some(RunState::Ambiguous), "{told:?}");
    list(&program).await;
    assert_eq!(servers.titles(), ["Welcome", "Once"], "the write happened once");

    // The end was written, not only remembered: it outlives the executor.
    four.house.kill(four.executor);
    four.executor = role(&mut four.house, "executor");
    let deadline = Instant::now() + Duration::from_secs(30);
    while let Err(error) = program.run(&id).await {
        assert!(Instant::now() < deadline, "{error}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let run = program.run(&id).await.unwrap().value;
    assert_eq!(run.state, RunState::Ambiguous, "{run:?}");
    assert!(!run.quarantined && run.failure.is_some(), "{run:?}");
}
