//! One role of a split house dies while a write is out.

use aileron_api::{client::Client, runs::RunState};
use aileron_node::demo::Servers;

use super::servers_behind_a_relay;
use crate::{
    house::{unlock_vault, until},
    main_job::{approve, ask, list, moves_in, settled},
    relay::Relay,
    split::{Split, found},
};

/// A process for each role, and a write whose answer is held back.
async fn a_write_under_way() -> (Servers, Relay, Split, Client, String) {
    let (servers, relay) = servers_behind_a_relay().await;
    let mut split = Split::start(&servers);
    let program = split.program().await;
    let owner = moves_in(&program, &servers).await;
    let pending = ask(&program, "Once", None).await;
    list(&program).await;
    relay.hold_answers(true);
    approve(&owner, &pending.approval_id).await;
    until("the note arrives", async || (servers.titles().len() == 2).then_some(())).await;
    (servers, relay, split, program, pending.approval_id)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_executor_killed_while_a_write_is_out_tells_that_nobody_knows() {
    let (servers, relay, mut split, program, id) = a_write_under_way().await;
    split.kill("executor");
    relay.hold_answers(false);
    split.restart("executor");
    let run = until("the executor comes back", async || found(program.run(&id).await)).await.value;
    assert_eq!(run.state, RunState::Ambiguous, "{run:?}");
    let told = settled(&program, &id).await;
    assert!(told.audit_id.is_some() || told.failure.is_some(), "{told:?}");
    list(&program).await;
    assert_eq!(servers.titles(), ["Welcome", "Once"], "the write happened once");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_vault_killed_while_a_write_is_out_leaves_it_ambiguous_and_unrepeated() {
    let (servers, relay, mut split, program, id) = a_write_under_way().await;
    split.kill("vault");
    relay.hold_answers(false);
    split.restart("vault");
    unlock_vault(&program).await;
    let told = settled(&program, &id).await;
    assert_eq!(told.state, Some(RunState::Ambiguous), "{told:?}");
    list(&program).await;
    assert_eq!(servers.titles(), ["Welcome", "Once"], "the write happened once");

    // The end was written, not only remembered: it outlives the executor.
    split.kill("executor");
    split.restart("executor");
    let run = until("the executor comes back", async || found(program.run(&id).await)).await.value;
    assert_eq!(run.state, RunState::Ambiguous, "{run:?}");
    assert!(!run.quarantined && run.failure.is_some(), "{run:?}");
}
