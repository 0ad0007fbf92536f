//! The stream of approvals.

use std::sync::Arc;

use aileron_contract::{
    Context, Principal, Reason, Scope,
    executor::{ApprovalChange, ApprovalEvent, Decision, Position},
    limits,
    names::RunId,
};
use futures::StreamExt as _;
use serde_json::json;

use super::house::{House, agent, approve, call, pending, person};
use crate::runs::{Engine, feed::resolution};

async fn ask(engine: &Arc<Engine>, caller: &Context) -> RunId {
    pending(engine.run(caller, call("gated", json!({}))).await.unwrap()).id
}

fn other() -> Context {
    Context {
        principal: Principal::Agent("codex".into()),
        session: Some("s2".parse().unwrap()),
        ..Context::service("test")
    }
}

/// What an event tells, in short.
fn told(event: &ApprovalEvent) -> (&'static str, Vec<RunId>) {
    match &event.change {
        ApprovalChange::Snapshot(cards) => {
            ("snapshot", cards.iter().map(|card| card.id.clone()).collect())
        }
        ApprovalChange::Pending(card) => ("pending", vec![card.id.clone()]),
        ApprovalChange::Resolved(resolution) => {
            (if resolution.approved { "approved" } else { "refused" }, vec![resolution.id.clone()])
        }
    }
}

#[tokio::test]
async fn a_watcher_sees_what_waits_then_every_change_in_order_and_may_come_back() {
    let house = House::new();
    let engine = house.open().await;
    let first = ask(&engine, &agent()).await;
    let mut watch = engine.watch_approvals(&person(), None).await.unwrap();
    assert_eq!(told(&watch.next().await.unwrap().unwrap()), ("snapshot", vec![first.clone()]));
    let second = ask(&engine, &other()).await;
    let seen = watch.next().await.unwrap().unwrap();
    assert_eq!(told(&seen), ("pending", vec![second.clone()]));
    drop(watch);

    engine.decide(&person(), first.clone(), approve()).await.unwrap();
    let no = Decision { approved: false, reason: Some("not now".into()), digest: None };
    engine.decide(&person(), second.clone(), no).await.unwrap();
    let mut back = engine.watch_approvals(&person(), Some(seen.position)).await.unwrap();
    assert_eq!(told(&back.next().await.unwrap().unwrap()), ("approved", vec![first]));
    let last = back.next().await.unwrap().unwrap();
    assert_eq!(told(&last), ("refused", vec![second]));
    let ApprovalChange::Resolved(resolution) = last.change else { panic!("told otherwise") };
    assert_eq!(resolution.reason.as_deref(), Some("not now"));

    // Of another start of the runtime, or not yet told: begin anew.
    let number = last.position.number;
    for odd in [
        Position { epoch: last.position.epoch ^ 1, number },
        Position { number: number + 1, ..last.position },
    ] {
        let mut anew = engine.watch_approvals(&person(), Some(odd)).await.unwrap();
        assert_eq!(told(&anew.next().await.unwrap().unwrap()), ("snapshot", Vec::new()));
    }
}

#[tokio::test]
async fn an_agent_is_told_of_its_own_approvals_alone() {
    let house = House::new();
    let engine = house.open().await;
    let mut watch = engine.watch_approvals(&agent(), None).await.unwrap();
    assert_eq!(told(&watch.next().await.unwrap().unwrap()).1, []);
    ask(&engine, &other()).await;
    let own = ask(&engine, &agent()).await;
    assert_eq!(told(&watch.next().await.unwrap().unwrap()), ("pending", vec![own]));
    let blind = Context { scopes: [Scope::ActionsRun].into_iter().collect(), ..agent() };
    assert!(engine.watch_approvals(&blind, None).await.is_err());
}

#[tokio::test]
async fn who_falls_behind_is_told_so_and_nothing_is_dropped_silently() {
    let house = House::new();
    let engine = house.open().await;
    let id = ask(&engine, &agent()).await;
    let record = engine.read(&id).await.unwrap().unwrap();
    let mut slow = engine.watch_approvals(&person(), None).await.unwrap();
    let start = slow.next().await.unwrap().unwrap().position;
    for _ in 0..limits::APPROVAL_EVENTS {
        engine.feed.resolved(&record, resolution(&record, true, None, engine.now()));
    }
    let mut all = engine.watch_approvals(&person(), Some(start)).await.unwrap();
    for place in 1..=limits::APPROVAL_EVENTS {
        let event = all.next().await.unwrap().unwrap();
        assert_eq!(event.position.number, start.number + u64::try_from(place).unwrap());
    }
    engine.feed.resolved(&record, resolution(&record, true, None, engine.now()));
    let behind = slow.next().await.unwrap().unwrap_err();
    assert_eq!(behind.reason(), Reason::Busy);
    assert!(slow.next().await.is_none());
    // Too long ago to be continued: all that waits is told anew.
    let mut anew = engine.watch_approvals(&person(), Some(start)).await.unwrap();
    assert_eq!(told(&anew.next().await.unwrap().unwrap()), ("snapshot", vec![id]));
}

#[tokio::test]
async fn two_hundred_watchers_see_the_same_and_end_when_the_runtime_stops() {
    let house = House::new();
    let engine = house.open().await;
    let mut watchers = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let mut watch = engine.watch_approvals(&person(), None).await.unwrap();
        watchers.spawn(async move {
            let mut seen = Vec::new();
            loop {
                match watch.next().await.unwrap() {
                    Ok(event) => seen.push(told(&event)),
                    Err(error) => return (seen, error.reason(), watch.next().await.is_none()),
                }
            }
        });
    }
    let id = ask(&engine, &agent()).await;
    engine.decide(&person(), id.clone(), approve()).await.unwrap();
    engine.shutdown().await;
    let ids = || vec![id.clone()];
    let expected = vec![("snapshot", Vec::new()), ("pending", ids()), ("approved", ids())];
    while let Some(watcher) = watchers.join_next().await {
        assert_eq!(watcher.unwrap(), (expected.clone(), Reason::ShuttingDown, true));
    }
}
