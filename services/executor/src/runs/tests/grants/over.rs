//! What ends a grant: something it is bound to changed, its caller is gone, its time is over.

use std::sync::Arc;

use aileron_contract::{
    Context, Reason, Timestamp,
    audit::{Actor, Audit as _, Event, EventKind},
    bindings::BindingStatus,
    executor::{GrantCaller, GrantRequest, GrantState, GrantVoid, Started},
    sessions,
};
use jiff::ToSpan as _;

use super::{TOKEN, agent, covered, exactly, found, granted, house, parks, request, token};
use crate::runs::tests::house::{House, binding, person};

#[tokio::test]
async fn what_drifted_makes_a_grant_void_for_good() {
    type Change = fn(&House);
    let bound = |house: &House| house.vault.bindings.listed.lock().unwrap().clone();
    let changes: [(GrantVoid, Change); 9] = [
        (GrantVoid::ActionChanged, |house| {
            house.action("gated", &[("create", "idempotent = true")], true);
        }),
        (GrantVoid::ActionGone, |house| {
            drop(house.library.actions.lock().unwrap().remove("gated"));
        }),
        (GrantVoid::ActionDisabled, |house| {
            let mut actions = house.library.actions.lock().unwrap();
            let mut action = (**actions.get("gated").unwrap()).clone();
            action.enabled = false;
            actions.insert("gated".to_owned(), Arc::new(action));
        }),
        (GrantVoid::ConnectorChanged, |house| {
            house.library.connectors.lock().unwrap().clear();
        }),
        (GrantVoid::BindingChanged, |house| {
            *house.vault.bindings.listed.lock().unwrap() = vec![binding("other")];
        }),
        (GrantVoid::BindingChanged, |house| house.vault.bindings.listed.lock().unwrap().clear()),
        // Bound anew under the same name, for the same hosts.
        (GrantVoid::BindingChanged, |house| {
            house.vault.bindings.listed.lock().unwrap()[0].agreed_at = Timestamp::now();
        }),
        (GrantVoid::BindingChanged, |house| {
            house.vault.bindings.listed.lock().unwrap()[0].status = BindingStatus::Stale;
        }),
        (GrantVoid::BindingChanged, |house| {
            house.vault.bindings.listed.lock().unwrap()[0].hosts =
                Some(vec!["evil.example:443".parse().unwrap()]);
        }),
    ];
    for (why, change) in changes {
        let (house, engine, _) = house().await;
        let (actions, connectors, bindings) = (
            house.library.actions.lock().unwrap().clone(),
            house.library.connectors.lock().unwrap().clone(),
            bound(&house),
        );
        change(&house);
        let called = engine.run(&agent("s1"), covered()).await;
        assert!(!matches!(called, Ok(Started::Done(_))), "{why}: {called:?}");
        let void = found(&engine).await;
        assert_eq!((void.state, void.void), (GrantState::Void, Some(why)));
        // And stays so when everything is as it was.
        *house.library.actions.lock().unwrap() = actions;
        *house.library.connectors.lock().unwrap() = connectors;
        *house.vault.bindings.listed.lock().unwrap() = bindings;
        parks(&engine, &agent("s1"), covered()).await;
        assert_eq!(house.egress.writes(), 0, "{why}");
        assert_eq!(house.audit.kinds().iter().filter(|kind| *kind == "grant.voided").count(), 1);
    }
}

#[tokio::test]
async fn what_a_refused_call_met_ends_its_grant_even_when_it_is_put_back_unseen() {
    let (house, engine, _) = house().await;
    let good = house.library.actions.lock().unwrap().clone();
    let mut edited = (*good["gated"]).clone();
    edited.pinned = Some(false);
    house.library.actions.lock().unwrap().insert("gated".to_owned(), Arc::new(edited));
    // Another caller's refusal says nothing of this grant, nor is it looked after by it.
    let stranger = engine.run(&agent("s2"), covered()).await.unwrap_err();
    assert_eq!(stranger.reason(), Reason::Quarantined);
    assert!(!house.audit.kinds().contains(&"grant.voided".to_owned()));
    let refused = engine.run(&agent("s1"), covered()).await.unwrap_err();
    assert_eq!(refused.reason(), Reason::Quarantined);
    *house.library.actions.lock().unwrap() = good;
    parks(&engine, &agent("s1"), covered()).await;
    assert_eq!(house.egress.writes(), 0);
    assert_eq!(found(&engine).await.void, Some(GrantVoid::ActionChanged));
}

#[tokio::test]
async fn a_grant_ends_with_its_session_and_with_its_token() {
    let (house, engine, _) = house().await;
    let of_token = GrantRequest {
        caller: GrantCaller::Token(TOKEN.parse().unwrap()),
        ..request(exactly("x"), 1)
    };
    granted(&engine, of_token.clone()).await;
    let ended = |id, kind| {
        let mut event = Event::new(kind, Actor::of(&Context::service("test")));
        event.id = Some(id);
        event
    };
    let over = sessions::end_event(&"s1".parse().unwrap(), sessions::State::Orphaned).unwrap();
    let revoked = aileron_contract::access::revocation_event(TOKEN).unwrap();
    let own = Context::service("test");
    house.audit.append(&own, ended(over, EventKind::SessionEnded)).await.unwrap();
    house.audit.append(&own, ended(revoked, EventKind::TokenRevoked)).await.unwrap();
    parks(&engine, &agent("s1"), covered()).await;
    parks(&engine, &token(TOKEN), covered()).await;
    let why: Vec<_> =
        engine.grants(&person()).await.unwrap().into_iter().map(|grant| grant.void).collect();
    assert_eq!(why, [Some(GrantVoid::TokenRevoked), Some(GrantVoid::SessionEnded)]);
    let refused = engine.propose_grant(&person(), of_token).await.unwrap_err();
    assert_eq!(refused.reason(), Reason::InvalidRequest);
    assert_eq!(house.egress.writes(), 0);
}

#[tokio::test]
async fn a_grants_time_is_over_once_and_no_clock_brings_it_back() {
    let (mut house, engine, _) = house().await;
    drop(engine);
    // Before it was made: the clock is wrong, and the call waits.
    house.clock = || Timestamp::now() - 1.hours();
    let engine = house.open().await;
    parks(&engine, &agent("s1"), covered()).await;
    assert_eq!(found(&engine).await.state, GrantState::Live);
    drop(engine);
    house.clock = || Timestamp::now() + 2.hours();
    let engine = house.open().await;
    parks(&engine, &agent("s1"), covered()).await;
    assert_eq!(found(&engine).await.state, GrantState::Expired);
    drop(engine);
    house.clock = Timestamp::now;
    let engine = house.open().await;
    parks(&engine, &agent("s1"), covered()).await;
    assert_eq!(house.egress.writes(), 0);
}
