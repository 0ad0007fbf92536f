//! Somebody asks for more than a person can look at, or tries to decide again and again: others
//! still get their turn, and the person gets rid of it at once.

use std::collections::BTreeSet;

use aileron_contract::{
    Context, Principal, Reason, Result,
    executor::{GrantCaller, Started},
    limits,
    names::RunId,
};
use serde_json::json;

use super::house::{House, agent, approve, call, pending, person};
use crate::runs::{Engine, principal_text};

/// An agent in a session that this principal began.
fn begun_by(principal: &Principal, session: &str) -> Context {
    Context {
        principal: Principal::Agent(session.into()),
        begun_by: Some(principal.clone()),
        session: Some(session.parse().unwrap()),
        ..Context::service("test")
    }
}

fn program(id: &str) -> Principal {
    Principal::Program(id.into())
}

async fn asks(engine: &std::sync::Arc<Engine>, context: &Context) -> Result<Started> {
    engine.run(context, call("gated", json!({}))).await
}

/// Asks in session after session until a session gets nothing any more; how many wait then.
async fn floods(engine: &std::sync::Arc<Engine>, by: &Principal) -> u32 {
    let mut waiting = 0;
    for number in 0.. {
        let session = begun_by(by, &format!("{}-{number}", principal_text(by).replace(':', "-")));
        let mut here = 0;
        let refused = loop {
            match asks(engine, &session).await {
                Ok(started) => drop(pending(started)),
                Err(refused) => break refused,
            }
            here += 1;
        };
        assert_eq!(refused.reason(), Reason::TooManyApprovals);
        waiting += here;
        if here == 0 {
            break;
        }
    }
    waiting
}

#[tokio::test]
async fn beginning_more_sessions_makes_no_more_room_and_what_the_person_began_has_its_own() {
    let house = House::new();
    let engine = house.open().await;
    let daemon = program(Principal::DAEMON);
    assert_eq!(floods(&engine, &daemon).await, limits::APPROVALS_PENDING_ORIGIN);
    // Its own calls are counted with those of its sessions.
    let itself = Context { principal: daemon, session: None, ..agent() };
    assert_eq!(asks(&engine, &itself).await.unwrap_err().reason(), Reason::TooManyApprovals);
    // Another token's may still ask, as long as there is room for programs.
    let rest =
        limits::APPROVALS_PENDING - limits::APPROVALS_RESERVED - limits::APPROVALS_PENDING_ORIGIN;
    assert_eq!(floods(&engine, &program("tok-1")).await, rest);
    assert_eq!(floods(&engine, &program("tok-2")).await, 0);
    // The person's agents ask all the same, and the person.
    let own = begun_by(&Principal::Person("p1".into()), "mine");
    pending(asks(&engine, &own).await.unwrap());
    let later = begun_by(&Principal::Person("p2".into()), "mine-too");
    pending(asks(&engine, &later).await.unwrap());
    pending(asks(&engine, &person()).await.unwrap());
}

#[tokio::test]
async fn a_person_denies_all_of_one_session_and_nothing_else() {
    let house = House::new();
    let engine = house.open().await;
    let by = program(Principal::DAEMON);
    let (noisy, other) = (begun_by(&by, "noisy"), begun_by(&by, "other"));
    let mut expected = BTreeSet::new();
    for _ in 0..30 {
        expected.insert(pending(asks(&engine, &noisy).await.unwrap()).id);
    }
    let kept = pending(asks(&engine, &other).await.unwrap()).id;
    let noisy_one = GrantCaller::Session(noisy.session.clone().unwrap());

    for nobody in [&noisy, &other, &Context { principal: by, ..agent() }] {
        let refused = engine.deny_all(nobody, noisy_one.clone(), None).await.unwrap_err();
        assert_eq!(refused.reason(), Reason::PersonRequired);
    }
    assert_eq!(engine.approvals(&person()).await.unwrap().len(), 31);

    let reason = Some("not like this".to_owned());
    let denied = engine.deny_all(&person(), noisy_one.clone(), reason.clone()).await.unwrap();
    assert_eq!(BTreeSet::from_iter(denied), expected);
    let left: Vec<RunId> =
        engine.approvals(&person()).await.unwrap().into_iter().map(|it| it.id).collect();
    assert_eq!(left, [kept]);
    let told = engine.run_by_id(&noisy, expected.first().unwrap()).await.unwrap();
    assert_eq!(told.reason, reason);
    // Each is a decision of its own, and each refusal is there.
    let kinds = house.audit.kinds();
    assert_eq!(kinds.iter().filter(|kind| *kind == "approval.denied").count(), 30);
    assert_eq!(kinds.iter().filter(|kind| *kind == "approval.refused").count(), 3);
    assert!(engine.deny_all(&person(), noisy_one, None).await.unwrap().is_empty());
    assert_eq!(house.egress.writes(), 0);
}

#[tokio::test]
async fn a_person_denies_all_that_one_token_asked_for_and_nothing_else() {
    let house = House::new();
    let engine = house.open().await;
    let [gone, kept] = ["tok-0123456789abcdef", "tok-fedcba9876543210"].map(|id| Context {
        principal: program(id),
        session: None,
        ..agent()
    });
    let denied = [(); 2].map(|()| asks(&engine, &gone));
    let denied: BTreeSet<_> = futures::future::join_all(denied)
        .await
        .into_iter()
        .map(|it| pending(it.unwrap()).id)
        .collect();
    let kept_one = pending(asks(&engine, &kept).await.unwrap()).id;
    let of = GrantCaller::Token("tok-0123456789abcdef".parse().unwrap());
    let refused = engine.deny_all(&gone, of.clone(), None).await.unwrap_err();
    assert_eq!(refused.reason(), Reason::PersonRequired);
    let found = engine.deny_all(&person(), of, None).await.unwrap();
    assert_eq!(BTreeSet::from_iter(found), denied);
    let left: Vec<_> =
        engine.approvals(&person()).await.unwrap().into_iter().map(|it| it.id).collect();
    assert_eq!(left, [kept_one]);
}

#[tokio::test]
async fn a_session_that_a_program_only_names_is_not_shown_as_the_one_that_asks() {
    let house = House::new();
    let engine = house.open().await;
    let named = Context { principal: program(Principal::DAEMON), ..agent() };
    let nowhere = Context { session: None, ..named.clone() };
    for (context, only_named) in [(&agent(), false), (&named, true), (&nowhere, false)] {
        let id = pending(asks(&engine, context).await.unwrap()).id;
        let cards = engine.approvals(&person()).await.unwrap();
        let card = cards.iter().find(|card| card.id == id).unwrap();
        assert_eq!((&card.session, card.session_named), (&context.session, only_named));
    }
}

#[tokio::test]
async fn who_tries_to_decide_again_and_again_fills_no_log_and_is_counted() {
    let house = House::new();
    let engine = house.open().await;
    let waiting = pending(asks(&engine, &agent()).await.unwrap()).id;
    for _ in 0..500 {
        let refused = engine.decide(&agent(), waiting.clone(), approve()).await.unwrap_err();
        assert_eq!(refused.reason(), Reason::PersonRequired);
    }
    let refusals = || {
        let kinds = house.audit.kinds();
        u32::try_from(kinds.iter().filter(|kind| *kind == "approval.refused").count()).unwrap()
    };
    assert_eq!(refusals(), limits::REFUSALS_TOLD);
    engine.shutdown().await;
    assert_eq!(refusals(), limits::REFUSALS_TOLD + 1);
    let last = house.audit.records.lock().unwrap().last().unwrap().clone();
    assert_eq!(last.payload["aileron.refusals.more"], 500 - limits::REFUSALS_TOLD);
    assert_eq!(last.actor.id, "claude");
}
