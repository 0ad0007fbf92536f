//! The daemon is killed at each point of a gated write: never twice, never lost, never silent.

use std::{collections::BTreeSet, time::Duration};

use aileron_api::{
    approvals::{ApprovalResult, ApprovalStatus},
    audit::AuditFilter,
    client::{Client, RunOutcome},
    runs::{RunFilter, RunState},
};
use aileron_node::demo::Servers;
use serde_json::json;
use tokio::task::JoinSet;

use crate::{
    hostile::{Connector, Deed, call},
    house::{House, person, unlock_vault, until},
    household::Household,
    main_job::{approve, ask, list, settled},
    upstream::{Upstream, answer},
};

/// A connector that writes, and a house whose person installed it.
struct Scene {
    house: House,
    daemon: u32,
    program: Client,
    upstream: Upstream,
    servers: Servers,
}

impl Scene {
    async fn start(gated: bool) -> Self {
        let upstream = Upstream::start(|_| answer("200 OK", "", br#"{"output":{"done":1}}"#)).await;
        let home = Household::new().await;
        let daemon = home.daemon();
        let Household { house, servers, program, person: owner } = home;
        let envelope = json!({
            "method": "POST", "url": format!("http://{}/", upstream.host), "body": "x",
        });
        let connector = Connector {
            repo: "writer",
            hosts: &[upstream.host.as_str()],
            credential: None,
            wall_seconds: 300,
            gated,
            deeds: vec![Deed::Sends(envelope.to_string())],
        };
        connector.install(&owner, &servers).await;
        Self { house, daemon, program, upstream, servers }
    }

    /// Asks for the write; returns the run that waits.
    async fn ask(&self) -> String {
        match self.program.run_action("writer-do", &call(0), None).await.unwrap().value {
            RunOutcome::Pending(pending) => pending.approval_id,
            RunOutcome::Done(done) => panic!("a write ran by itself: {done:?}"),
        }
    }

    async fn kill_and_restart(&mut self) {
        self.house.kill(self.daemon);
        self.daemon = self.house.spawn(&["daemon", "run"]);
        self.program = self.house.client().await;
    }

    async fn state(&self, id: &str) -> RunState {
        self.program.run(id).await.unwrap().value.state
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_the_answer_trickles_in_a_write_ends_ambiguous_and_is_not_repeated() {
    let mut scene = Scene::start(true).await;
    let id = scene.ask().await;
    scene.upstream.hold(true);
    approve(&person(&scene.program).await, &id).await;
    until("the request arrives", async || (scene.upstream.seen().len() == 1).then_some(())).await;
    // The head of the answer is on its way; its body is not.
    tokio::time::sleep(Duration::from_millis(100)).await;
    scene.kill_and_restart().await;
    scene.upstream.hold(false);

    assert_eq!(scene.state(&id).await, RunState::Ambiguous);
    unlock_vault(&scene.program).await;
    let told = settled(&scene.program, &id).await;
    assert_eq!(told.state, Some(RunState::Ambiguous), "{told:?}");
    assert!(told.failure.unwrap().error.message.contains("nobody knows"));
    list(&scene.program).await;
    assert_eq!(scene.upstream.seen().len(), 1, "the write was sent once");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_the_result_a_write_stays_done_and_its_result_readable() {
    let mut scene = Scene::start(true).await;
    let id = scene.ask().await;
    approve(&person(&scene.program).await, &id).await;
    let before = settled(&scene.program, &id).await;
    assert!(before.result.is_some(), "{before:?}");
    scene.kill_and_restart().await;

    assert_eq!(scene.state(&id).await, RunState::Done);
    let after: ApprovalResult = scene.program.approval_result(&id).await.unwrap().value;
    assert_eq!(after, before);
    unlock_vault(&scene.program).await;
    list(&scene.program).await;
    let decision = aileron_api::approvals::Decide { approved: true, ..Default::default() };
    let owner = person(&scene.program).await;
    assert_eq!(owner.decide(&id, &decision).await.unwrap_err().api().unwrap().status, 404);
    assert_eq!(scene.upstream.seen().len(), 1, "the write was sent once");
}

#[tokio::test(flavor = "multi_thread")]
async fn approved_and_killed_before_its_start_a_write_waits_for_the_vault_and_is_sent_once() {
    // Every place for a run is taken by one whose answer does not come.
    let mut scene = Scene::start(false).await;
    let pending = ask(&scene.program, "Later", None).await;
    scene.upstream.hold(true);
    let mut busy = JoinSet::new();
    for _ in 0..256 {
        let program = scene.program.clone();
        busy.spawn(async move { program.run_action("writer-do", &call(0), None).await });
    }
    let running = RunFilter { state: Some(RunState::Running), ..RunFilter::default() };
    until("every place is taken", async || {
        (scene.program.runs(&running).await.unwrap().value.items.len() > 255).then_some(())
    })
    .await;
    approve(&person(&scene.program).await, &pending.approval_id).await;
    assert_eq!(scene.state(&pending.approval_id).await, RunState::Approved);
    scene.kill_and_restart().await;
    busy.shutdown().await;
    scene.upstream.hold(false);

    assert_eq!(scene.state(&pending.approval_id).await, RunState::AwaitingVault);
    assert_eq!(scene.servers.titles(), ["Welcome"], "nothing is sent while the vault is locked");
    unlock_vault(&scene.program).await;
    let told = settled(&scene.program, &pending.approval_id).await;
    assert_eq!(told.status, ApprovalStatus::Completed, "{told:?}");
    assert_eq!(scene.servers.titles(), ["Welcome", "Later"]);
    let left = scene.program.runs(&running).await.unwrap().value.items;
    assert!(left.is_empty(), "the others have their ends, too: {left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_a_few_milliseconds_after_the_approval_a_write_is_sent_at_most_once() {
    let mut scene = Scene::start(true).await;
    let mut sent = 0;
    for wait in [0, 3, 8, 20] {
        let id = scene.ask().await;
        approve(&person(&scene.program).await, &id).await;
        tokio::time::sleep(Duration::from_millis(wait)).await;
        scene.kill_and_restart().await;
        unlock_vault(&scene.program).await;
        let told = settled(&scene.program, &id).await;
        let more = scene.upstream.seen().len() - sent;
        sent += more;
        match told.state.unwrap() {
            RunState::Done => assert_eq!(more, 1, "{told:?}"),
            RunState::Ambiguous => assert!(more <= 1, "{told:?}"),
            RunState::Failed => assert_eq!(more, 0, "{told:?}"),
            other => panic!("{other} is no end: {told:?}"),
        }
    }
}

/// The runs that the log tells such an event of. One run twice is a failure.
async fn logged(client: &Client, kind: &str) -> BTreeSet<String> {
    let event_type = Some(kind.to_owned());
    let filter = AuditFilter { event_type, limit: Some(1_000), ..AuditFilter::default() };
    let events = client.audit_events(&filter).await.unwrap().value.events;
    let count = events.len();
    let runs = events.iter().filter_map(|event| event.payload.get("aileron.run.id"));
    let runs: BTreeSet<String> = runs.map(|id| id.as_str().unwrap().to_owned()).collect();
    assert_eq!(runs.len(), count, "{kind} of one run once");
    runs
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_anywhere_among_runs_the_log_tells_one_end_of_each_that_began() {
    let mut scene = Scene::start(false).await;
    // However slow the machine is, one run comes to its end.
    scene.program.run_action("writer-do", &call(0), None).await.unwrap();
    for wait in [20, 23, 27, 34] {
        let mut calls = JoinSet::new();
        for _ in 0..3 {
            let program = scene.program.clone();
            calls.spawn(async move {
                while program.run_action("writer-do", &call(0), None).await.is_ok() {}
            });
        }
        tokio::time::sleep(Duration::from_millis(wait)).await;
        scene.kill_and_restart().await;
        calls.shutdown().await;
        unlock_vault(&scene.program).await;
    }
    until("each beginning has one end", async || {
        let begun = logged(&scene.program, "execution.started").await;
        let done = logged(&scene.program, "execution.succeeded").await;
        let failed = logged(&scene.program, "execution.failed").await;
        assert!(done.is_disjoint(&failed), "{done:?} {failed:?}");
        assert!(!begun.is_empty());
        // An end without a beginning is of a run that was recorded and began nothing.
        let ended: BTreeSet<String> = done.union(&failed).cloned().collect();
        begun.is_subset(&ended).then_some(())
    })
    .await;
    let runs = scene.program.runs(&RunFilter::default()).await.unwrap().value.items;
    assert!(runs.iter().all(|run| run.state != RunState::Running), "{runs:?}");
}
