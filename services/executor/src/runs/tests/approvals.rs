//! Calls that a person decides.

use std::sync::{Arc, atomic::Ordering};

use aileron_contract::{
    Context, Principal, Reason, Timestamp,
    executor::{Decision, RunState},
    failure::Class,
    limits,
    names::{RunId, Sha256Hash},
};
use jiff::ToSpan as _;
use serde_json::json;

use super::house::{House, agent, approve, binding, call, ended, pending, person};
use crate::{
    ledger::{Pinned, Query},
    runs::{Engine, Record, record::Verdict},
};

#[tokio::test]
async fn an_approved_call_runs_once_and_the_log_tells_the_story() {
    let house = House::new();
    let engine = house.open().await;
    let waiting =
        pending(engine.run(&agent(), call("gated", json!({"title": "x"}))).await.unwrap());
    assert_eq!(house.egress.writes(), 0);
    let cards = engine.approvals(&person()).await.unwrap();
    assert_eq!(cards[0].id, waiting.id);
    let decision = Decision { digest: Some(cards[0].digest), ..approve() };
    engine.decide(&person(), waiting.id.clone(), decision).await.unwrap();
    let run = ended(&engine, &waiting.id).await;
    assert_eq!(run.state, RunState::Done);
    assert_eq!(run.decided_by, Some(Principal::Person("p1".into())));
    assert_eq!(house.egress.writes(), 1);
    let again = engine.decide(&person(), waiting.id, approve()).await.unwrap_err();
    assert_eq!(again.reason(), Reason::ApprovalDecided);
    assert_eq!(
        house.audit.kinds(),
        ["approval.requested", "approval.approved", "execution.started", "execution.succeeded"]
    );
}

#[tokio::test]
async fn a_program_cannot_decide_whatever_scopes_it_holds() {
    let house = House::new();
    let engine = house.open().await;
    let waiting = pending(engine.run(&agent(), call("gated", json!({}))).await.unwrap()).id;
    let program =
        Context { principal: Principal::Program("daemon".into()), ..Context::service("test") };
    for caller in [program, agent(), Context::service("gateway")] {
        let refused = engine.decide(&caller, waiting.clone(), approve()).await.unwrap_err();
        assert_eq!(refused.reason(), Reason::PersonRequired);
    }
    let scopeless = Context { scopes: [].into_iter().collect(), ..person() };
    assert!(engine.decide(&scopeless, waiting.clone(), approve()).await.is_err());
    assert_eq!(engine.approvals(&person()).await.unwrap().len(), 1);
    let kinds = house.audit.kinds();
    assert_eq!(kinds.iter().filter(|kind| *kind == "approval.refused").count(), 4);
    assert_eq!(house.egress.writes(), 0);
}

#[tokio::test]
async fn a_denied_call_never_runs_and_keeps_its_reason() {
    let house = House::new();
    let engine = house.open().await;
    let waiting = pending(engine.run(&agent(), call("gated", json!({}))).await.unwrap()).id;
    let decision = Decision { approved: false, reason: Some("not now".into()), digest: None };
    engine.decide(&person(), waiting.clone(), decision).await.unwrap();
    let run = ended(&engine, &waiting).await;
    assert_eq!((run.state, run.reason.as_deref()), (RunState::Denied, Some("not now")));
    assert!(engine.decide(&person(), waiting, approve()).await.is_err());
    assert_eq!(house.egress.writes(), 0);
}

#[tokio::test]
async fn deciders_at_once_get_one_decision() {
    let house = House::new();
    let engine = house.open().await;
    let waiting = pending(engine.run(&agent(), call("gated", json!({}))).await.unwrap()).id;
    let mut deciders = tokio::task::JoinSet::new();
    for place in 0..16 {
        let (engine, id) = (Arc::clone(&engine), waiting.clone());
        let decision = Decision { approved: place % 2 == 0, reason: None, digest: None };
        deciders.spawn(async move { engine.decide(&person(), id, decision).await.is_ok() });
    }
    let taken = deciders.join_all().await.into_iter().filter(|taken| *taken).count();
    assert_eq!(taken, 1);
    let run = ended(&engine, &waiting).await;
    assert_eq!(house.egress.writes(), usize::from(run.state == RunState::Done));
}

#[tokio::test]
async fn a_decision_on_something_else_than_what_was_seen_is_refused() {
    let house = House::new();
    let engine = house.open().await;
    let waiting = pending(engine.run(&agent(), call("gated", json!({}))).await.unwrap()).id;
    let decision = Decision { digest: Some(Sha256Hash::new([9; 32])), ..approve() };
    let refused = engine.decide(&person(), waiting, decision).await.unwrap_err();
    assert_eq!(refused.reason(), Reason::HashMismatch);
    assert_eq!(engine.approvals(&person()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_changed_after_the_call_was_parked_does_not_run() {
    type Change = fn(&House);
    let changes: [(&str, Change); 5] = [
        ("action", |house| house.action("gated", &[("create", "idempotent = true")], true)),
        ("action", |house| drop(house.library.actions.lock().unwrap().remove("gated"))),
        ("connector", |house| house.library.connectors.lock().unwrap().clear()),
        ("binding", |house| house.vault.bindings.listed.lock().unwrap().push(binding("other"))),
        ("binding", |house| *house.vault.bindings.listed.lock().unwrap() = vec![binding("other")]),
    ];
    for (what, change) in changes {
        let house = House::new();
        let engine = house.open().await;
        let waiting = pending(engine.run(&agent(), call("gated", json!({}))).await.unwrap()).id;
        change(&house);
        engine.decide(&person(), waiting.clone(), approve()).await.unwrap();
        let run = ended(&engine, &waiting).await;
        assert_eq!(run.state, RunState::Failed);
        let failure = run.failure.unwrap();
        assert_eq!(failure.details.unwrap()["changed"], what, "{}", failure.message);
        assert_eq!(failure.class, Class::HashMismatch);
        assert_eq!(house.egress.writes(), 0);
    }
}

#[tokio::test]
async fn of_several_bindings_the_default_is_approved_and_used() {
    let house = House::new();
    *house.vault.bindings.listed.lock().unwrap() = vec![binding("other"), binding("default")];
    let engine = house.open().await;
    let waiting = pending(engine.run(&agent(), call("gated", json!({}))).await.unwrap()).id;
    // A third one changes nothing about that.
    house.vault.bindings.listed.lock().unwrap().push(binding("third"));
    engine.decide(&person(), waiting.clone(), approve()).await.unwrap();
    assert_eq!(ended(&engine, &waiting).await.state, RunState::Done);
}

#[tokio::test]
async fn an_approval_outlives_a_restart_and_a_locked_vault() {
    let house = House::new();
    let engine = house.open().await;
    let waiting = pending(engine.run(&agent(), call("gated", json!({}))).await.unwrap()).id;
    engine.shutdown().await;
    drop(engine);

    house.vault.locked.store(true, Ordering::SeqCst);
    let engine = house.open().await;
    assert_eq!(engine.approvals(&person()).await.unwrap().len(), 1);
    let locked = engine.decide(&person(), waiting.clone(), approve()).await.unwrap_err();
    assert_eq!(locked.reason(), Reason::VaultLocked);
    house.vault.locked.store(false, Ordering::SeqCst);

    // Approved, but stopped before it began: it waits for the vault after the next start.
    engine.stop.cancel();
    let next = approved(&engine, &waiting).await;
    engine.advance(next).await.unwrap();
    drop(engine);
    house.vault.locked.store(true, Ordering::SeqCst);
    let engine = house.open().await;
    let run = engine.run_by_id(&person(), &waiting).await.unwrap();
    assert_eq!(run.state, RunState::AwaitingVault);
    engine.wake().await.unwrap();
    assert_eq!(house.egress.writes(), 0);
    house.vault.locked.store(false, Ordering::SeqCst);
    engine.wake().await.unwrap();
    engine.wake().await.unwrap();
    assert_eq!(ended(&engine, &waiting).await.state, RunState::Done);
    assert_eq!(house.egress.writes(), 1);
}

#[tokio::test]
async fn nobody_decides_after_the_end_of_an_approval() {
    let mut house = House::new();
    let engine = house.open().await;
    let waiting = pending(engine.run(&agent(), call("gated", json!({}))).await.unwrap()).id;
    drop(engine);
    house.clock = || Timestamp::now() + 2.hours();
    house.vault.locked.store(true, Ordering::SeqCst);
    let engine = house.open().await;
    assert_eq!(engine.run_by_id(&person(), &waiting).await.unwrap().state, RunState::Expired);
    assert!(engine.approvals(&person()).await.unwrap().is_empty());
    house.vault.locked.store(false, Ordering::SeqCst);
    let late = engine.decide(&person(), waiting.clone(), approve()).await.unwrap_err();
    assert_eq!(late.reason(), Reason::ApprovalExpired);
    engine.wake().await.unwrap();
    assert_eq!(engine.run_by_id(&person(), &waiting).await.unwrap().state, RunState::Expired);
    assert_eq!(house.audit.kinds(), ["approval.requested", "approval.expired"]);
    assert_eq!(house.egress.writes(), 0);
}

#[tokio::test]
async fn a_forged_row_is_shown_and_never_runs() {
    let forgeries: [&'static str; 3] = [
        "UPDATE runs SET record = replace(record, '\"parked\"', '\"approved\"'), state = 'approved'",
        "UPDATE runs SET record = replace(record, 'harmless', 'harmful')",
        "UPDATE runs SET pin = X'00'",
    ];
    for forgery in forgeries {
        let house = House::new();
        let engine = house.open().await;
        let arguments = json!({"title": "harmless"});
        let waiting = pending(engine.run(&agent(), call("gated", arguments)).await.unwrap()).id;
        sqlx::query(forgery).execute(house.database().await.pool()).await.unwrap();
        engine.wake().await.unwrap();
        let run = engine.run_by_id(&person(), &waiting).await.unwrap();
        assert!(run.quarantined, "{forgery}");
        let refused = engine.decide(&person(), waiting, approve()).await.unwrap_err();
        assert_eq!(refused.reason(), Reason::Quarantined);
        assert!(engine.approvals(&person()).await.unwrap().is_empty());
        assert_eq!(house.egress.writes(), 0);
    }
}

#[tokio::test]
async fn a_row_copied_under_another_id_is_forged() {
    let house = House::new();
    let engine = house.open().await;
    let waiting = pending(engine.run(&agent(), call("gated", json!({}))).await.unwrap()).id;
    engine.decide(&person(), waiting.clone(), approve()).await.unwrap();
    ended(&engine, &waiting).await;
    sqlx::query(
        "INSERT INTO runs SELECT 'act-copy', version, state, action, principal, session,
            requested_at, expires_at, NULL, record, pin, origin FROM runs",
    )
    .execute(house.database().await.pool())
    .await
    .unwrap();
    let copy = engine.run_by_id(&person(), &"act-copy".parse().unwrap()).await.unwrap();
    assert!(copy.quarantined);
}

#[tokio::test]
async fn an_old_approved_row_put_back_does_not_run_again() {
    let house = House::new();
    let engine = house.open().await;
    let waiting = pending(engine.run(&agent(), call("gated", json!({}))).await.unwrap()).id;
    let old = engine.pins.seal(approved(&engine, &waiting).await).await.unwrap();
    engine.decide(&person(), waiting.clone(), approve()).await.unwrap();
    ended(&engine, &waiting).await;
    put_back(&house, old).await;
    engine.wake().await.unwrap();
    assert_eq!(ended(&engine, &waiting).await.state, RunState::Failed);
    assert_eq!(house.egress.writes(), 1);
}

#[tokio::test]
async fn an_approval_that_ended_without_running_cannot_be_put_back_when_things_fit_again() {
    let house = House::new();
    let engine = house.open().await;
    let waiting = pending(engine.run(&agent(), call("gated", json!({}))).await.unwrap()).id;
    let old = engine.pins.seal(approved(&engine, &waiting).await).await.unwrap();
    let before = std::mem::replace(
        &mut *house.vault.bindings.listed.lock().unwrap(),
        vec![binding("other")],
    );
    engine.decide(&person(), waiting.clone(), approve()).await.unwrap();
    assert_eq!(ended(&engine, &waiting).await.state, RunState::Failed);
    *house.vault.bindings.listed.lock().unwrap() = before;
    put_back(&house, old).await;
    engine.wake().await.unwrap();
    assert_eq!(ended(&engine, &waiting).await.state, RunState::Failed);
    assert_eq!(house.egress.writes(), 0);
}

#[tokio::test]
async fn an_approved_call_held_back_beyond_its_end_expires_and_cannot_be_put_back() {
    let mut house = House::new();
    let engine = house.open().await;
    let waiting = pending(engine.run(&agent(), call("gated", json!({}))).await.unwrap()).id;
    engine.stop.cancel();
    let next = approved(&engine, &waiting).await;
    let old = engine.pins.seal(next.clone()).await.unwrap();
    engine.advance(next).await.unwrap();
    drop(engine);
    house.vault.locked.store(true, Ordering::SeqCst);
    house.clock = || Timestamp::now() + 2.hours();
    let engine = house.open().await;
    assert_eq!(engine.run_by_id(&person(), &waiting).await.unwrap().state, RunState::Expired);
    house.vault.locked.store(false, Ordering::SeqCst);
    engine.wake().await.unwrap();
    while engine.is_live(&waiting) {
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    let row = engine.read(&waiting).await.unwrap().unwrap();
    assert_eq!(row.state(), RunState::Expired);
    assert!(house.audit.kinds().contains(&"approval.expired".to_owned()));
    drop(engine);

    // Nor does it run when the row is put back and the clock as well.
    put_back(&house, old).await;
    house.clock = Timestamp::now;
    let engine = house.open().await;
    assert_eq!(ended(&engine, &waiting).await.state, RunState::Failed);
    assert_eq!(house.egress.writes(), 0);
}

#[tokio::test]
async fn runs_that_ended_long_ago_go_and_those_that_wait_stay() {
    let mut house = House::new();
    let engine = house.open().await;
    let done = super::house::done(engine.run(&agent(), call("list", json!({}))).await.unwrap()).run;
    let used = pending(engine.run(&agent(), call("gated", json!({}))).await.unwrap()).id;
    let old = engine.pins.seal(approved(&engine, &used).await).await.unwrap();
    engine.decide(&person(), used.clone(), approve()).await.unwrap();
    ended(&engine, &used).await;
    let waiting = pending(engine.run(&agent(), call("gated", json!({}))).await.unwrap()).id;
    engine.prune().await.unwrap();
    assert_eq!(engine.ledger.count(&Query::default()).await.unwrap(), 3);
    drop(engine);

    // The vault is locked: what waits cannot be closed yet.
    house.vault.locked.store(true, Ordering::SeqCst);
    house.clock = || Timestamp::now() + limits::RUN_KEPT + 1.hours();
    let engine = house.open().await;
    engine.prune().await.unwrap();
    for gone in [&done, &used] {
        let unknown = engine.run_by_id(&person(), gone).await.unwrap_err();
        assert_eq!(unknown.reason(), Reason::NotFound);
    }
    engine.run_by_id(&person(), &waiting).await.unwrap();
    house.vault.locked.store(false, Ordering::SeqCst);

    // A pruned row that is put back is recognised all the same.
    assert!(engine.ledger.insert(old).await.unwrap());
    engine.wake().await.unwrap();
    // Told by the log: a row that old may be pruned again at any moment.
    while !house.audit.kinds().contains(&"execution.failed".to_owned()) {
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    assert_eq!(house.egress.writes(), 1);
}

/// A run as it is right after its approval.
pub(super) async fn approved(engine: &Arc<Engine>, id: &RunId) -> Record {
    let record = engine.read(id).await.unwrap().unwrap();
    let by = Principal::Person("p1".into());
    let verdict = Verdict { approved: true, by, at: engine.now(), reason: None };
    record.decide(verdict).unwrap()
}

/// The row of an approved run, with the pin it had, where another stands now.
pub(super) async fn put_back(house: &House, old: Pinned) {
    sqlx::query(
        "UPDATE runs SET record = $1, pin = $2, state = 'approved', version = 1 WHERE id = $3",
    )
    .bind(old.text)
    .bind(old.pin.0.to_vec())
    .bind(old.record.id.as_str())
    .execute(house.database().await.pool())
    .await
    .unwrap();
}

#[tokio::test]
async fn cards_show_what_hides_itself() {
    let house = House::new();
    let engine = house.open().await;
    let arguments = json!({"title": "pay \u{202e}evil"});
    engine.run(&agent(), call("gated", arguments)).await.unwrap();
    let cards = engine.approvals(&person()).await.unwrap();
    assert_eq!(cards[0].input_fields[0].value.as_deref(), Some("pay \\u{202e}evil"));
}

#[tokio::test]
async fn an_agent_cannot_bury_the_person() {
    let house = House::new();
    let engine = house.open().await;
    let mut refusals = 0;
    for _ in 0..10_000 {
        match engine.run(&agent(), call("gated", json!({}))).await {
            Ok(started) => drop(pending(started)),
            Err(refused) => {
                assert_eq!(refused.reason(), Reason::TooManyApprovals);
                refusals += 1;
            }
        }
    }
    assert_eq!(refusals, 10_000 - limits::APPROVALS_PENDING_CALLER);
    // What the person has to look through is no longer than that.
    let cards = u32::try_from(engine.approvals(&person()).await.unwrap().len()).unwrap();
    assert_eq!(cards, limits::APPROVALS_PENDING_CALLER);
    // Another one may still ask, whatever session a program claims to be.
    let other = Context { principal: Principal::Agent("codex".into()), ..agent() };
    pending(engine.run(&other, call("gated", json!({}))).await.unwrap());
}

#[tokio::test]
async fn what_waits_is_bounded_in_length_as_well() {
    let house = House::new();
    let engine = house.open().await;
    let long = json!({ "title": "x".repeat(limits::ARGUMENTS - 100) });
    let mut parked = 0;
    let refused = loop {
        match engine.run(&agent(), call("gated", long.clone())).await {
            Ok(started) => drop(pending(started)),
            Err(refused) => break refused,
        }
        parked += 1;
    };
    assert_eq!(refused.reason(), Reason::TooManyApprovals);
    assert_eq!(parked, 8);
}

#[tokio::test]
async fn a_listing_looks_for_each_action_once_however_many_cards_name_it() {
    let house = House::new();
    let input = "[[inputs]]\nname = \"note\"\ntype = \"string\"\nrequired = false\n\
                 description = \"d\"\nlabel = \"What to note\"\n";
    for name in ["kept", "gone"] {
        house.action_with(name, &[("create", "")], true, input);
    }
    let engine = house.open().await;
    let mut asked = Vec::new();
    for name in ["kept", "gone", "kept", "kept", "gone"] {
        let called = engine.run(&agent(), call(name, json!({"note": "a"}))).await.unwrap();
        asked.push((pending(called).id, name));
    }
    drop(house.library.actions.lock().unwrap().remove("gone"));
    for listing in 1..=2 {
        house.library.looks.store(0, Ordering::SeqCst);
        let cards = engine.approvals(&person()).await.unwrap();
        assert_eq!(house.library.looks.load(Ordering::SeqCst), 2, "{listing}");
        assert_eq!(cards.len(), asked.len());
        for (card, (id, name)) in cards.iter().zip(&asked) {
            // Of an action that is gone, the arguments have their own names alone.
            let label = if *name == "kept" { "What to note" } else { "note" };
            assert_eq!((&card.id, &*card.input_fields[0].label), (id, label));
        }
    }
}
