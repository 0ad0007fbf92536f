//! Agent sessions, kept by a process of their own: their rights are the vault's to check, their
//! story is the log's to tell, and each of these may be gone for a while.

use std::pin::pin;

use aileron_api::{
    audit::AuditFilter,
    client::Client,
    sessions::{BeginSession, EndSession, SessionFilter},
};
use aileron_node::demo::Servers;
use futures::StreamExt as _;

use super::{Split, found};
use crate::{
    house::until,
    household::begins,
    main_job::{approve, ask, list, moves_in, settled},
};

fn refused<T: std::fmt::Debug>(answer: aileron_api::client::Result<T>) -> u16 {
    answer.unwrap_err().api().unwrap().status
}

/// In which states the log says that the session ended.
async fn ends(program: &Client, id: &str) -> Vec<String> {
    let filter =
        AuditFilter { event_type: Some("session.ended".to_owned()), ..AuditFilter::default() };
    let events = program.audit_events(&filter).await.unwrap().value.events;
    let of_it = events.iter().filter(|event| event.payload["aileron.session.id"] == id);
    let state = |key: &serde_json::Value| key.as_str().unwrap().to_owned();
    of_it.map(|event| state(&event.payload["aileron.session.state"])).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_begins_acts_is_watched_and_ends_across_the_roles() {
    let servers = Servers::start().await.unwrap();
    let mut split = Split::start(&servers);
    let program = split.program().await;
    let person = moves_in(&program, &servers).await;
    let (id, token) = begins(&program, "claude").await;
    let agent = program.with_token(&token).unwrap();

    let mut watched = pin!(program.watch_session(&id, true));
    assert_eq!(watched.next().await.unwrap().unwrap().event_type, "session.started");
    list(&agent).await;
    assert_eq!(watched.next().await.unwrap().unwrap().event_type, "execution.started");
    let asked = ask(&agent, "Bread", None).await.approval_id;
    let waiting = person.approvals().await.unwrap().value.items;
    assert_eq!(waiting[0].session_id.as_ref(), Some(&id));
    approve(&person, &asked).await;
    settled(&agent, &asked).await;
    assert_eq!(servers.titles(), ["Welcome", "Bread"]);
    let running = program.agent_session(&id).await.unwrap().value;
    assert_eq!((running.state.as_str(), running.agent.as_str()), ("running", "claude"));
    let shown = split.house.run(&["sessions", "get", &id]);
    assert!(shown.status.success(), "{shown:?}");

    let ended = program.end_session(&id, &EndSession { exit_code: Some(3) }).await.unwrap().value;
    assert_eq!((ended.state.as_str(), ended.exit_code), ("ended", Some(3)));
    assert_eq!(refused(agent.actions().await), 401);
    let rest: Vec<_> = watched.map(|it| it.unwrap().event_type).collect().await;
    assert!(rest.iter().any(|kind| kind == "approval.approved"), "{rest:?}");
    assert_eq!(rest.last().map(String::as_str), Some("session.ended"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_launcher_killed_and_started_again_orphans_what_ran_and_begins_anew() {
    let servers = Servers::start().await.unwrap();
    let mut split = Split::start(&servers);
    let program = split.program().await;
    moves_in(&program, &servers).await;
    let (first, token) = begins(&program, "claude").await;
    let orphan = program.with_token(&token).unwrap();

    split.kill("launcher");
    // Nobody has said that this session is over.
    list(&orphan).await;
    let body = BeginSession { agent: "codex".to_owned(), working_dir: None };
    let lost = program.begin_session(&body).await.unwrap_err();
    assert_eq!(lost.code(), Some("service_unavailable"), "{lost}");
    split.restart("launcher");
    let known =
        until("the launcher comes back", async || found(program.agent_session(&first).await)).await;
    assert_eq!((known.value.state.as_str(), known.value.exit_code), ("orphaned", None));
    assert_eq!(refused(orphan.actions().await), 401, "an orphan's token is worth nothing");
    assert_eq!(ends(&program, &first).await, ["orphaned"]);
    // Whoever launched it is still there, and tells how it ended.
    let told = EndSession { exit_code: Some(7) };
    let told = program.end_session(&first, &told).await.unwrap().value;
    assert_eq!((told.state.as_str(), told.exit_code), ("ended", Some(7)));
    let mut states = ends(&program, &first).await;
    states.sort();
    assert_eq!(states, ["ended", "orphaned"]);

    // The next one's token outlives the roles that only look at it.
    let (second, token) = begins(&program, "codex").await;
    list(&program.with_token(&token).unwrap()).await;
    split.kill("executor");
    split.restart("executor");
    split.kill("gateway");
    split.restart("gateway");
    let program = split.program().await;
    let agent = program.with_token(&token).unwrap();
    list(&agent).await;
    let active = SessionFilter { active_only: true, ..SessionFilter::default() };
    let active = program.agent_sessions(&active).await.unwrap().value.items;
    assert_eq!(active.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), [second.as_str()]);
}
