//! What the machine does to the daemon: full disks, signals, hung-up callers, removed folders.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use aileron_api::{
    actions::RunAction,
    approvals::Decide,
    runs::{RunFilter, RunState},
};
use aileron_node::demo::Servers;

use crate::{
    house::{House, PATIENCE, create_vault, until},
    household::Household,
    main_job::{approve, ask, list, settled},
    relay::Relay,
};

#[tokio::test(flavor = "multi_thread")]
async fn with_a_full_disk_nothing_is_sent_and_all_is_well_when_there_is_room_again() {
    let home = Household::new().await;
    let pid = home.daemon();
    let Household { house, servers, program, person: owner } = home;
    list(&program).await;
    let pending = ask(&program, "Kept", None).await;
    let waiting = owner.approvals().await.unwrap().value.items;
    let digest = waiting.into_iter().find(|it| it.id == pending.approval_id).unwrap().digest;
    let decision = Decide { approved: true, digest, ..Decide::default() };

    limit_files(pid, "1");
    let refused = program.run_action("notes-list", &RunAction::default(), None).await.unwrap_err();
    let code = refused.code().unwrap_or_default();
    assert!(["audit_unavailable", "database_unavailable"].contains(&code), "{refused}");
    owner.decide(&pending.approval_id, &decision).await.unwrap_err();
    assert_eq!(servers.titles(), ["Welcome"], "something was sent without a record of it");

    limit_files(pid, "unlimited");
    let deadline = Instant::now() + PATIENCE;
    while let Err(error) = program.run_action("notes-list", &RunAction::default(), None).await {
        assert!(Instant::now() < deadline, "{error}\n{}", house.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    while let Err(error) = owner.decide(&pending.approval_id, &decision).await {
        assert!(Instant::now() < deadline, "{error}\n{}", house.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    settled(&program, &pending.approval_id).await;
    assert_eq!(servers.titles(), ["Welcome", "Kept"], "{}", house.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_caller_hung_up_comes_to_its_end() {
    let (servers, relay) = behind_a_relay().await;
    let Household { house: _house, servers: _servers, program, .. } =
        Household::among(servers).await;
    list(&program).await;

    relay.hold_answers(true);
    let call = RunAction::default();
    // The connection is closed with the future.
    tokio::select! {
        answered = program.run_action("notes-list", &call, None) => {
            panic!("the answer was held back: {answered:?}")
        }
        () = relay.holds() => {}
    }
    relay.hold_answers(false);
    let done = RunFilter { state: Some(RunState::Done), ..RunFilter::default() };
    until("both runs are done", async || {
        (program.runs(&done).await.unwrap().value.items.len() == 2).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn asked_to_stop_the_daemon_lets_a_run_finish_and_records_it() {
    let (servers, relay) = behind_a_relay().await;
    let home = Household::among(servers).await;
    let pid = home.daemon();
    let Household { mut house, servers, program, person: owner } = home;
    list(&program).await;
    let pending = ask(&program, "Last", None).await;

    relay.hold_answers(true);
    approve(&owner, &pending.approval_id).await;
    until("the note arrives", async || (servers.titles().len() > 1).then_some(())).await;
    house.terminate(pid);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(house.running(pid), "it did not wait:\n{}", house.log());
    relay.hold_answers(false);
    house.ended(pid).await;

    let program = house.start().await;
    let run = program.run(&pending.approval_id).await.unwrap().value;
    assert_eq!(run.state, RunState::Done, "{run:?}");
    assert_eq!(servers.titles(), ["Welcome", "Last"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_daemon_on_the_same_home_is_told_why_it_cannot_be() {
    let servers = Servers::start().await.unwrap();
    let mut house = House::new(&servers);
    let program = house.start().await;
    let second = house.run(&["daemon", "run"]);
    assert!(!second.status.success());
    let text = String::from_utf8_lossy(&second.stderr);
    assert!(text.contains("another process uses") && text.contains("AILERON_HOME"), "{text}");
    program.health().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_whose_state_folder_was_removed_stops() {
    let servers = Servers::start().await.unwrap();
    let mut house = House::new(&servers);
    let pid = house.spawn(&["daemon", "run"]);
    house.client().await;
    std::fs::remove_dir_all(house.path()).unwrap();
    house.ended(pid).await;
    assert!(!house.path().join("state.db").exists(), "the folder came back");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_stop_leaves_each_database_in_one_file() {
    let servers = Servers::start().await.unwrap();
    let mut house = House::new(&servers);
    let program = house.start().await;
    create_vault(&program).await;
    program.audit_events(&aileron_api::audit::AuditFilter::default()).await.unwrap();
    let beside = |folder: &str, name: &str| {
        let entries = std::fs::read_dir(house.path().join(folder)).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|found| found.starts_with(name)).count()
    };
    assert!(beside("", "state.db") > 1 && beside("audit", "index.db") > 1, "nothing is written");
    let output = house.run(&["stop"]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!((beside("", "state.db"), beside("audit", "index.db")), (1, 1));
}

async fn behind_a_relay() -> (Servers, Relay) {
    let (listener, host) = Relay::listen().await;
    let servers = Servers::start_behind(&host).await.unwrap();
    let relay = Relay::start(listener, servers.notes_address.to_string());
    (servers, relay)
}

/// The soft limit alone, so that it can be lifted again.
fn limit_files(pid: u32, bytes: &str) {
    let limit = format!("--fsize={bytes}:unlimited");
    let done = Command::new("prlimit").args(["--pid", &pid.to_string(), &limit]).status().unwrap();
    assert!(done.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_says_what_is_wrong_with_the_vaults_file_and_all_the_rest() {
    let Household { house, servers: _servers, .. } = Household::new().await;
    let path = house.path().join("secrets.json");
    let written = std::fs::read_to_string(&path).unwrap();
    let edited = written.replacen("\"generation\": ", "\"generation\": 9", 1);
    assert_ne!(edited, written);
    std::fs::write(&path, edited).unwrap();
    let told = house.run(&["status"]);
    let (out, talk) =
        (String::from_utf8(told.stdout).unwrap(), String::from_utf8_lossy(&told.stderr));
    assert!(told.status.success(), "{talk}");
    assert!(out.contains("listening on:"), "{out}");
    assert!(talk.contains("secrets.json cannot be used"), "{talk}");
    let listed = house.run(&["action", "list"]);
    assert!(listed.status.success(), "{listed:?}");
    assert!(String::from_utf8_lossy(&listed.stdout).contains("notes-create"), "{listed:?}");
    std::fs::write(&path, written).unwrap();
    let told = house.run(&["status"]);
    assert!(!String::from_utf8_lossy(&told.stderr).contains("secrets.json"), "{told:?}");
}
