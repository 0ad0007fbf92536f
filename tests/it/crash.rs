//! The daemon dies between sending and hearing the answer: never twice, never lost, never silent.

mod grants;
mod installs;
mod points;
mod roles;

use aileron_api::runs::{Run, RunFilter, RunState};
use aileron_node::demo::Servers;

use crate::{
    house::{person, unlock_vault, until},
    household::Household,
    main_job::{approve, ask, list, settled},
    relay::Relay,
};

async fn servers_behind_a_relay() -> (Servers, Relay) {
    let (listener, host) = Relay::listen().await;
    let servers = Servers::start_behind(&host).await.unwrap();
    let relay = Relay::start(listener, servers.notes_address.to_string());
    (servers, relay)
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_send_and_answer_a_write_ends_ambiguous_and_is_not_repeated() {
    let (servers, relay) = servers_behind_a_relay().await;
    let home = Household::among(servers).await;
    let pid = home.daemon();
    let Household { mut house, servers, program, person: owner } = home;
    let pending = ask(&program, "Once", None).await;
    list(&program).await;

    relay.hold_answers(true);
    approve(&owner, &pending.approval_id).await;
    until("the note arrives", async || (servers.titles().len() == 2).then_some(())).await;
    house.kill(pid);
    relay.hold_answers(false);

    house.spawn(&["daemon", "run"]);
    let program = house.client().await;
    let run = program.run(&pending.approval_id).await.unwrap().value;
    assert_eq!(run.state, RunState::Ambiguous, "{run:?}");
    let result = settled(&program, &pending.approval_id).await;
    assert_eq!(result.state, Some(RunState::Ambiguous));
    // Unlocking resumes what waits, and only that.
    person(&program).await;
    unlock_vault(&program).await;
    list(&program).await;
    assert_eq!(servers.titles(), ["Welcome", "Once"], "the write happened once");
}

#[tokio::test(flavor = "multi_thread")]
async fn approved_while_the_daemon_was_killed_the_run_waits_for_the_vault_and_runs_once() {
    let (servers, _relay) = servers_behind_a_relay().await;
    let home = Household::among(servers).await;
    let pid = home.daemon();
    let Household { mut house, servers, program, .. } = home;
    let pending = ask(&program, "Later", None).await;
    house.kill(pid);

    house.spawn(&["daemon", "run"]);
    let program = house.client().await;
    let runs = program.runs(&RunFilter::default()).await.unwrap().value.items;
    let parked: Vec<&Run> = runs.iter().filter(|run| run.state == RunState::Parked).collect();
    assert_eq!(parked.len(), 1, "the parked run is still there: {runs:?}");
    unlock_vault(&program).await;
    approve(&person(&program).await, &pending.approval_id).await;
    settled(&program, &pending.approval_id).await;
    assert_eq!(servers.titles(), ["Welcome", "Later"]);
}
