//! The daemon is killed while a person makes a grant and while a call uses one: what was agreed to
//! is there or is not, and no use is given twice.

use std::time::Duration;

use aileron_api::{
    Object,
    access::MintedToken,
    actions::RunAction,
    audit::AuditFilter,
    client::{Client, RunOutcome},
    grants::{Grant, GrantRequest},
    runs::{RunFilter, RunState},
};

use tokio::task::JoinSet;

use super::servers_behind_a_relay;
use crate::{
    house::{person, unlock_vault, until},
    household::{Household, mints},
    main_job::list,
};

const ACTION: &str = "notes-create";

async fn nightly(owner: &Client) -> MintedToken {
    mints(owner, "nightly", &["actions:list", "actions:run", "runs:read"]).await
}

fn request(token: &MintedToken) -> GrantRequest {
    GrantRequest {
        action_name: ACTION.to_owned(),
        token_id: Some(token.id.clone()),
        any: vec!["title".to_owned(), "text".to_owned()],
        max_uses: 1,
        expires_at: token.expires_at.clone(),
        ..GrantRequest::default()
    }
}

/// The request that a person has looked at.
async fn looked_at(owner: &Client, token: &MintedToken) -> GrantRequest {
    let mut request = request(token);
    request.digest = Some(owner.propose_grant(&request).await.unwrap().value.digest);
    request
}

fn call(title: &str) -> RunAction {
    let args = [("title", title), ("text", "x")];
    let args = args.map(|(key, value)| (key.to_owned(), value.into()));
    RunAction { args: Object::from_iter(args), ..RunAction::default() }
}

async fn grants(client: &Client) -> Vec<Grant> {
    client.grants().await.unwrap().value.items
}

async fn logged(client: &Client, kind: &str) -> usize {
    let event_type = Some(kind.to_owned());
    let filter = AuditFilter { event_type, limit: Some(1_000), ..AuditFilter::default() };
    client.audit_events(&filter).await.unwrap().value.events.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_a_granted_call_is_under_way_its_use_is_taken_and_the_call_is_not_repeated() {
    let (servers, relay) = servers_behind_a_relay().await;
    let home = Household::among(servers).await;
    let pid = home.daemon();
    let Household { mut house, servers, program, person: owner } = home;
    let minted = nightly(&owner).await;
    owner.grant(&looked_at(&owner, &minted).await).await.unwrap();
    // TLS is spoken already when the answers stop.
    list(&program).await;
    relay.hold_answers(true);
    let token = program.with_token(minted.token.expose()).unwrap();
    let mut under_way = JoinSet::new();
    under_way.spawn(async move { token.run_action(ACTION, &call("Once"), None).await });
    until("the note arrives", async || (servers.titles().len() == 2).then_some(())).await;
    house.kill(pid);
    relay.hold_answers(false);
    let answer = under_way.join_next().await.unwrap().unwrap();
    assert!(answer.is_err(), "nobody was there to answer");

    house.spawn(&["daemon", "run"]);
    let program = house.client().await;
    unlock_vault(&program).await;
    let token = program.with_token(minted.token.expose()).unwrap();
    let again = token.run_action(ACTION, &call("Once"), None).await.unwrap().value;
    assert!(matches!(again, RunOutcome::Pending(_)), "{again:?}");
    let listed = grants(&program).await;
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].state.as_str(), listed[0].used), ("used_up", 1));
    assert!(!listed[0].quarantined);
    assert_eq!(logged(&program, "grant.used").await, 1);
    let ambiguous = RunFilter { state: Some(RunState::Ambiguous), ..RunFilter::default() };
    assert_eq!(program.runs(&ambiguous).await.unwrap().value.items.len(), 1);
    assert_eq!(servers.titles(), ["Welcome", "Once"], "the write happened once");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_around_the_making_of_a_grant_it_is_whole_or_not_there_and_gives_its_uses_once() {
    let home = Household::new().await;
    let mut pid = home.daemon();
    let Household { mut house, servers, mut program, person: mut owner } = home;
    let minted = nightly(&owner).await;
    for (round, wait) in [0, 1, 3, 8, 20].into_iter().enumerate() {
        let before = grants(&program).await.len();
        let request = looked_at(&owner, &minted).await;
        let mut asking = JoinSet::new();
        asking.spawn(async move { owner.grant(&request).await });
        tokio::time::sleep(Duration::from_millis(wait)).await;
        house.kill(pid);
        let answer = asking.join_next().await.unwrap().unwrap();
        pid = house.spawn(&["daemon", "run"]);
        program = house.client().await;
        unlock_vault(&program).await;
        owner = person(&program).await;

        let listed = grants(&program).await;
        let more = listed.len() - before;
        assert!(more <= 1, "{listed:?}");
        assert!(listed.iter().all(|it| !it.quarantined && it.void.is_none()), "{listed:?}");
        assert!(logged(&program, "grant.issued").await >= listed.len(), "none is unlogged");
        if let Ok(granted) = answer {
            let found = listed.iter().find(|it| it.id == granted.value.id);
            assert_eq!(found.map(|it| (it.state.as_str(), it.used)), Some(("live", 0)));
        }
        // As many calls run as grants are there, whatever was answered.
        let token = program.with_token(minted.token.expose()).unwrap();
        let title = format!("Round {round}");
        let mut ran = 0;
        for _ in 0..2 {
            match token.run_action(ACTION, &call(&title), None).await.unwrap().value {
                RunOutcome::Done(done) => {
                    assert_eq!(done.consent_decision.as_deref(), Some("granted"));
                    ran += 1;
                }
                RunOutcome::Pending(_) => {}
            }
        }
        assert_eq!(ran, more);
        let written = servers.titles().iter().filter(|it| **it == title).count();
        assert_eq!(written, more);
    }
}
