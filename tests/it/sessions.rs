//! Agent sessions at the public door: what their tokens may do, and for how long.

use std::pin::pin;

use aileron_api::{
    actions::RunAction,
    bindings::BindingFilter,
    client::{Client, RunOutcome},
    runs::RunFilter,
    sessions::{BeginSession, EndSession, SessionFilter},
};
use aileron_contract::limits;
use aileron_node::demo::Servers;
use futures::StreamExt as _;

use crate::{
    house::House,
    household::{Household, begins},
    main_job::ask,
};

async fn begin(program: &Client, agent: &str) -> (String, Client) {
    let (id, token) = begins(program, agent).await;
    (id, program.with_token(&token).unwrap())
}

fn status<T: std::fmt::Debug>(answer: aileron_api::client::Result<T>) -> u16 {
    answer.unwrap_err().api().unwrap().status
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sessions_token_lists_runs_and_polls_its_own_and_nothing_else() {
    let Household { house: _house, servers: _servers, program, person } = Household::new().await;
    let (first, one) = begin(&program, "claude").await;
    let (_, other) = begin(&program, "codex").await;

    assert!(!one.actions().await.unwrap().value.items.is_empty());
    let read = one.run_action("notes-list", &RunAction::default(), None).await.unwrap().value;
    assert!(matches!(read, RunOutcome::Done(_)));
    let asked = ask(&one, "Bread", None).await;
    let waiting = person.approvals().await.unwrap().value.items;
    assert_eq!(waiting[0].session_id.as_ref(), Some(&first));
    one.approval_result(&asked.approval_id).await.unwrap();
    assert_eq!(status(other.approval_result(&asked.approval_id).await), 404);
    assert_eq!(one.approvals().await.unwrap().value.items.len(), 1);
    assert!(other.approvals().await.unwrap().value.items.is_empty());

    for refused in [
        status(one.status().await),
        status(one.bindings(&BindingFilter::default()).await),
        status(one.agent_sessions(&SessionFilter::default()).await),
        status(one.end_session(&first, &EndSession::default()).await),
        status(one.tokens().await),
        status(one.runs(&RunFilter::default()).await),
        status(one.audit_checkpoint().await),
        status(one.begin_session(&BeginSession { agent: "x".into(), working_dir: None }).await),
    ] {
        assert_eq!(refused, 403);
    }

    let ended = program.end_session(&first, &EndSession { exit_code: Some(3) }).await.unwrap();
    assert_eq!((ended.value.state.as_str(), ended.value.exit_code), ("ended", Some(3)));
    assert_eq!(status(one.actions().await), 401);
    assert!(other.actions().await.is_ok());
    let active = SessionFilter { active_only: true, ..SessionFilter::default() };
    let active = program.agent_sessions(&active).await.unwrap().value.items;
    assert_eq!(active.iter().map(|it| it.agent.as_str()).collect::<Vec<_>>(), ["codex"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_a_program_begins_leave_room_for_the_persons() {
    let Household { house: _house, servers: _servers, program, person } = Household::new().await;
    let body = BeginSession { agent: "claude".into(), working_dir: None };
    let mut refused = None;
    for _ in 0..=limits::AGENT_SESSIONS {
        refused = program.begin_session(&body).await.err();
        if refused.is_some() {
            break;
        }
    }
    let refused = refused.unwrap();
    assert_eq!(refused.code(), Some("busy"));
    assert!(refused.to_string().contains("aileron sessions end ID"), "{refused}");
    person.begin_session(&body).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_orphans_what_ran_and_its_token_is_worth_nothing() {
    let servers = Servers::start().await.unwrap();
    let mut house = House::new(&servers);
    let pid = house.spawn(&["daemon", "run"]);
    let program = house.client().await;
    let (id, token) = begins(&program, "claude").await;
    house.kill(pid);
    let program = house.start().await;
    let session = program.agent_session(&id).await.unwrap().value;
    assert_eq!((session.state.as_str(), session.exit_code), ("orphaned", None));
    let agent = program.with_token(&token).unwrap();
    assert_eq!(status(agent.actions().await), 401);
    // Whoever launched it is still there, and tells how it ended.
    let told = EndSession { exit_code: Some(0) };
    let session = program.end_session(&session.id, &told).await.unwrap().value;
    assert_eq!(session.state, "ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_watched_from_its_beginning_to_its_end() {
    let Household { house: _house, servers: _servers, program, .. } = Household::new().await;
    let (id, agent) = begin(&program, "claude").await;
    let (other, _) = begin(&program, "codex").await;

    let mut watched = pin!(program.watch_session(&id, true));
    assert_eq!(watched.next().await.unwrap().unwrap().event_type, "session.started");
    agent.run_action("notes-list", &RunAction::default(), None).await.unwrap();
    assert_eq!(watched.next().await.unwrap().unwrap().event_type, "execution.started");

    let now = program.watch_session(&id, false).collect::<Vec<_>>().await;
    assert!(now.len() >= 2 && now.iter().all(Result::is_ok), "{now:?}");

    program.end_session(&other, &EndSession { exit_code: Some(0) }).await.unwrap();
    program.end_session(&id, &EndSession { exit_code: Some(0) }).await.unwrap();
    let rest = watched.map(|it| it.unwrap().event_type).collect::<Vec<_>>().await;
    assert_eq!(rest.last().map(String::as_str), Some("session.ended"));
    assert_eq!(rest.iter().filter(|kind| *kind == "session.ended").count(), 1, "its own only");
    // From the beginning once more, now that it is over.
    let all = program.watch_session(&id, true).map(|it| it.unwrap().event_type);
    let all = all.collect::<Vec<_>>().await;
    assert_eq!(all.first().map(String::as_str), Some("session.started"));
    assert_eq!(all.last().map(String::as_str), Some("session.ended"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_ends_a_session_whose_agent_still_runs() {
    let Household { house, servers: _servers, program, .. } = Household::new().await;
    let (id, agent) = begin(&program, "claude").await;
    assert!(agent.actions().await.is_ok());
    let ended = house.run(&["sessions", "end", &id]);
    assert!(ended.status.success(), "{ended:?}");
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(said.contains(&format!("aileron approval deny --session {id}")), "{said}");
    assert_eq!(status(agent.actions().await), 401);
    let session = program.agent_session(&id).await.unwrap().value;
    assert_eq!(session.state, "orphaned", "nobody knows yet how its process ended");
}
