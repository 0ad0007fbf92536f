//! Calls that a person let run in advance, and everybody who would like to be let in as well.

use std::sync::{Arc, atomic::Ordering};

use aileron_contract::{
    Context, Principal, Reason, Scope, Timestamp,
    executor::{
        Call, ConsentDecision, Grant, GrantCaller, GrantRequest, GrantRule, GrantState, Started,
    },
};
use jiff::ToSpan as _;
use serde_json::json;

use super::house::{House, call, done, pending, person};
use crate::runs::Engine;

mod arguments;
mod asked;
mod forged;
mod over;

/// An agent by its own session's token.
pub(super) fn agent(session: &str) -> Context {
    Context {
        principal: Principal::Agent(session.into()),
        session: Some(session.parse().unwrap()),
        ..Context::service("test")
    }
}

fn token(id: &str) -> Context {
    Context { principal: Principal::Program(id.into()), ..Context::service("test") }
}

const TOKEN: &str = "tok-0123456789abcdef";

pub(super) fn request(title: GrantRule, max_uses: u32) -> GrantRequest {
    GrantRequest {
        action: "gated".parse().unwrap(),
        identity: None,
        caller: GrantCaller::Session("s1".parse().unwrap()),
        arguments: vec![("title".to_owned(), title)],
        max_uses,
        expires_at: Timestamp::now() + 1.hours(),
    }
}

fn exactly(value: &str) -> GrantRule {
    GrantRule::Exactly(value.into())
}

/// Looks over what would be granted, and grants that.
pub(super) async fn granted(engine: &Arc<Engine>, request: GrantRequest) -> Grant {
    let terms = engine.propose_grant(&person(), request.clone()).await.unwrap();
    engine.grant(&person(), request, terms.digest).await.unwrap()
}

async fn house() -> (House, Arc<Engine>, Grant) {
    let house = House::new();
    let engine = house.open().await;
    let grant = granted(&engine, request(exactly("x"), 3)).await;
    (house, engine, grant)
}

fn covered() -> Call {
    call("gated", json!({"title": "x"}))
}

async fn found(engine: &Arc<Engine>) -> Grant {
    let mut grants = engine.grants(&person()).await.unwrap();
    assert_eq!(grants.len(), 1);
    grants.remove(0)
}

/// The call waits for a person, as if there were no grant.
async fn parks(engine: &Arc<Engine>, context: &Context, call: Call) {
    pending(engine.run(context, call).await.unwrap());
}

#[tokio::test]
async fn a_granted_call_runs_without_waiting_as_often_as_was_agreed_and_the_log_tells_of_each() {
    let (house, engine, grant) = house().await;
    for _ in 0..3 {
        let result = done(engine.run(&agent("s1"), covered()).await.unwrap());
        assert_eq!(result.consent, ConsentDecision::Granted);
        let run = engine.run_by_id(&person(), &result.run).await.unwrap();
        assert_eq!((run.gated, run.grant.as_ref()), (false, Some(&grant.id)));
    }
    assert_eq!(house.egress.writes(), 3);
    let used = found(&engine).await;
    assert_eq!((used.state, used.used), (GrantState::UsedUp, 3));
    parks(&engine, &agent("s1"), covered()).await;
    assert_eq!(house.egress.writes(), 3);
    let once = ["grant.used", "execution.started", "execution.succeeded"];
    let kinds = house.audit.kinds();
    assert_eq!(kinds[0], "grant.issued");
    assert_eq!(kinds[1..10], [once, once, once].concat());
    let records = house.audit.records.lock().unwrap();
    let started = records.iter().find(|record| record.kind == "execution.started").unwrap();
    assert_eq!(started.payload["aileron.consent.decision"], "granted");
    assert_eq!(started.payload["aileron.grant.id"], grant.id.as_str());
    assert_eq!(started.payload["aileron.grant.use"], 1);
    // What is pinned is not the log's.
    assert!(records.iter().all(|record| !format!("{:?}", record.payload).contains("\"x\"")));
}

#[tokio::test]
async fn a_grant_is_for_its_caller_and_for_nobody_who_names_it() {
    let (house, engine, _) = house().await;
    let naming = |principal| Context { principal, ..agent("s1") };
    for other in [
        agent("s2"),
        naming(Principal::Program("daemon".into())),
        naming(Principal::Program(TOKEN.into())),
        naming(Principal::Agent("s2".into())),
        naming(Principal::Person("p1".into())),
        naming(Principal::Service("gateway".into())),
        Context { session: None, ..agent("s1") },
        Context { session: Some("s2".parse().unwrap()), ..agent("s1") },
    ] {
        parks(&engine, &other, covered()).await;
    }
    assert_eq!(house.egress.writes(), 0);
    let of_token = GrantRequest {
        caller: GrantCaller::Token(TOKEN.parse().unwrap()),
        ..request(exactly("x"), 1)
    };
    granted(&engine, of_token).await;
    parks(&engine, &token("tok-0123456789abcdee"), covered()).await;
    done(engine.run(&token(TOKEN), covered()).await.unwrap());
    assert_eq!(house.egress.writes(), 1);
}

#[tokio::test]
async fn callers_at_once_get_no_more_uses_than_there_are() {
    let house = House::new();
    let engine = house.open().await;
    granted(&engine, request(exactly("x"), 10)).await;
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let engine = Arc::clone(&engine);
        callers.spawn(async move { engine.run(&agent("s1"), covered()).await.unwrap() });
    }
    let started = callers.join_all().await;
    let ran = started.iter().filter(|started| matches!(started, Started::Done(_))).count();
    let waits = started.iter().filter(|started| matches!(started, Started::Pending(_))).count();
    assert_eq!((ran, waits), (10, 54));
    assert_eq!(house.egress.writes(), 10);
    assert_eq!(found(&engine).await.used, 10);
}

#[tokio::test]
async fn while_the_vault_is_locked_no_grant_counts() {
    let (house, engine, _) = house().await;
    house.vault.locked.store(true, Ordering::SeqCst);
    let started = engine.run(&agent("s1"), covered()).await.unwrap();
    assert!(matches!(started, Started::Failed(_)), "{started:?}");
    assert_eq!(found(&engine).await.state, GrantState::Live);
    let locked = engine.propose_grant(&person(), request(exactly("x"), 1)).await.unwrap_err();
    assert_eq!(locked.reason(), Reason::VaultLocked);
    house.vault.locked.store(false, Ordering::SeqCst);
    done(engine.run(&agent("s1"), covered()).await.unwrap());
    assert_eq!(house.egress.writes(), 1);
}

#[tokio::test]
async fn without_the_log_nothing_is_used() {
    let (house, engine, _) = house().await;
    house.audit.broken.store(true, Ordering::SeqCst);
    assert!(engine.run(&agent("s1"), covered()).await.is_err());
    assert_eq!(house.egress.writes(), 0);
    house.audit.broken.store(false, Ordering::SeqCst);
    assert_eq!(found(&engine).await.used, 0);
}

#[tokio::test]
async fn an_agent_sees_the_grants_of_its_own_session_alone() {
    let (_house, engine, grant) = house().await;
    let seen = engine.grants(&agent("s1")).await.unwrap();
    assert_eq!(seen.into_iter().map(|grant| grant.id).collect::<Vec<_>>(), [grant.id]);
    assert!(engine.grants(&agent("s2")).await.unwrap().is_empty());
    // Nor does a token that may only ask what became of its own calls see those of others.
    let poller = Context { scopes: [Scope::ApprovalsPoll].into_iter().collect(), ..token(TOKEN) };
    assert!(engine.grants(&poller).await.unwrap().is_empty());
    assert_eq!(engine.grants(&token(TOKEN)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_repeated_call_uses_a_grant_once() {
    let (house, engine, _) = house().await;
    let keyed = Context { idempotency_key: Some("k".parse().unwrap()), ..agent("s1") };
    let first = done(engine.run(&keyed, covered()).await.unwrap());
    let again = done(engine.run(&keyed, covered()).await.unwrap());
    assert_eq!(first.run, again.run);
    assert_eq!((house.egress.writes(), found(&engine).await.used), (1, 1));
}
