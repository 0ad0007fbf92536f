//! What a person is shown before a decision: fetched by the runtime, shown to nobody else, and
//! looked at again before the call runs.

use std::sync::{Arc, atomic::Ordering};

use aileron_contract::{
    Context, Principal, Reason, Scope, Scopes,
    executor::{Approval, Decision, LineChange, Pending, Preview, RunState},
    limits,
    names::RunId,
};
use serde_json::json;

use super::{
    approvals::{approved, put_back},
    fakes::Upstream,
    house::{House, agent, approve, call, ended, pending, person},
};
use crate::runs::{Engine, announce};

const PREVIEW: &str = "[approval.preview]\nop = \"list\"\nargs = { about = \"${args.title}\" }\n\
                       [approval.preview.render]\n\"Status now\" = \"status\"\nAbout = \
                       \"args.about\"\nOwner = \"owner\"\n";

async fn open(preview: &str) -> (House, Arc<Engine>) {
    let house = House::new();
    house.action_with("gated", &[("create", "")], true, preview);
    let engine = house.open().await;
    (house, engine)
}

async fn ask(engine: &Arc<Engine>) -> Pending {
    pending(engine.run(&agent(), call("gated", json!({"title": "x"}))).await.unwrap())
}

async fn card(engine: &Engine) -> Approval {
    let mut cards = engine.approvals(&person()).await.unwrap();
    assert_eq!(cards.len(), 1);
    cards.remove(0)
}

fn lines(card: &Approval) -> Vec<(String, Option<String>)> {
    match card.preview.clone().unwrap() {
        Preview::Fields(fields) => fields.into_iter().map(|it| (it.label, it.value)).collect(),
        Preview::Unavailable(why) => panic!("{why}"),
    }
}

fn why_not(card: &Approval) -> String {
    match card.preview.clone().unwrap() {
        Preview::Unavailable(why) => why,
        Preview::Fields(fields) => panic!("{fields:?}"),
    }
}

/// Waits until the run waits for a person again.
async fn asked_again(engine: &Engine, id: &RunId) -> Approval {
    for _ in 0..30_000 {
        let run = engine.run_by_id(&person(), id).await.unwrap();
        if run.state == RunState::Parked && !engine.is_live(id) {
            return card(engine).await;
        }
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    panic!("nobody is asked again");
}

#[tokio::test]
async fn the_person_sees_what_the_call_would_act_upon_and_nobody_else_does() {
    let (house, engine) = open(PREVIEW).await;
    ask(&engine).await;
    let shown = card(&engine).await;
    let expected = [("Status now", Some("200")), ("About", Some("x")), ("Owner", None)]
        .map(|(label, value)| (label.to_owned(), value.map(str::to_owned)));
    assert_eq!(lines(&shown), expected);
    {
        let acted = house.egress.acted.lock().unwrap();
        let asked: Vec<_> = acted.iter().map(|request| request.method.as_str()).collect();
        assert_eq!(asked, ["GET"]);
        let credential = acted[0].credential.as_ref().unwrap();
        assert_eq!(credential.binding, Some("api_key/notes/me".parse().unwrap()));
    }
    let daemon = Context {
        principal: Principal::Program("daemon".into()),
        scopes: Scopes::of_daemon_token(),
        ..Context::service("test")
    };
    let agent = Context { scopes: Scopes::of_daemon_token(), ..agent() };
    for caller in [daemon, agent] {
        assert!(!caller.scopes.contains(Scope::ApprovalsDecide));
        let cards = engine.approvals(&caller).await.unwrap();
        assert_eq!(why_not(&cards[0]), "shown to the person who decides");
    }
    let requested = house.audit.records.lock().unwrap()[0].payload.clone();
    assert_eq!(requested["aileron.approval.preview"], json!("shown"));
    assert!(!serde_json::to_string(&requested).unwrap().contains("Status now"));
}

#[tokio::test]
async fn without_a_preview_the_approval_can_be_decided_all_the_same() {
    let (house, engine) = open(PREVIEW).await;
    house.egress.will(&[Upstream::NotReached, Upstream::NotReached]);
    let waiting = ask(&engine).await.id;
    assert_eq!(why_not(&card(&engine).await), "no answer");
    engine.decide(&person(), waiting.clone(), approve()).await.unwrap();
    assert_eq!(ended(&engine, &waiting).await.state, RunState::Done);
    assert_eq!(house.egress.writes(), 1);
}

#[tokio::test]
async fn an_operation_that_the_action_does_not_declare_is_not_called_for_a_preview() {
    let (house, engine) = open(&PREVIEW.replace("\"list\"", "\"export_everything\"")).await;
    ask(&engine).await;
    assert!(why_not(&card(&engine).await).contains("does not declare"));
    assert!(house.egress.acted.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_preview_that_takes_too_long_is_none() {
    let (house, engine) = open(PREVIEW).await;
    house.connector("[capabilities.limits]\nwall_seconds = 1\n");
    *house.egress.gate.lock().unwrap() = Some(Arc::default());
    ask(&engine).await;
    assert_eq!(why_not(&card(&engine).await), "timeout");
}

#[tokio::test]
async fn what_changed_after_the_approval_asks_again_and_the_old_decision_does_not_count() {
    let (house, engine) = open(PREVIEW).await;
    house.egress.will(&[Upstream::Answers(200), Upstream::Answers(201), Upstream::Answers(201)]);
    let waiting = ask(&engine).await.id;
    let before = card(&engine).await;
    let decision = |card: &Approval| Decision { digest: Some(card.digest), ..approve() };
    engine.decide(&person(), waiting.clone(), decision(&before)).await.unwrap();

    let now = asked_again(&engine, &waiting).await;
    assert_eq!(lines(&now)[0].1.as_deref(), Some("201"));
    assert_ne!(now.digest, before.digest);
    assert_eq!(now.expires_at, before.expires_at, "asking again gives no more time");
    let before_it = now.asked_before.clone().unwrap();
    assert_eq!((before_it.times, before_it.digest), (1, before.digest));
    let told: Vec<_> = before_it.changes.iter().map(|it| (it.change, it.text.as_str())).collect();
    let expected = [
        (LineChange::Removed, "Status now: 200"),
        (LineChange::Added, "Status now: 201"),
        (LineChange::Kept, "About: x"),
        (LineChange::Kept, "Owner: (missing)"),
    ];
    assert_eq!(told, expected);
    // Who asked learns that it is asked again, and not what changed.
    let program = Context { scopes: Scopes::of_daemon_token(), ..agent() };
    let seen = engine.approvals(&program).await.unwrap().remove(0).asked_before.unwrap();
    assert_eq!((seen.times, seen.changes), (1, Vec::new()));
    let run = engine.run_by_id(&agent(), &waiting).await.unwrap();
    assert_eq!((run.state, run.decided_at), (RunState::Parked, None));
    assert_eq!(house.egress.writes(), 0);

    let stale = engine.decide(&person(), waiting.clone(), decision(&before)).await.unwrap_err();
    assert_eq!(stale.reason(), Reason::HashMismatch);
    engine.decide(&person(), waiting.clone(), decision(&now)).await.unwrap();
    assert_eq!(ended(&engine, &waiting).await.state, RunState::Done);
    assert_eq!(house.egress.writes(), 1);
    assert_eq!(
        house.audit.kinds(),
        [
            "approval.requested",
            "approval.approved",
            "approval.reopened",
            "approval.approved",
            "execution.started",
            "execution.succeeded",
        ]
    );
}

#[tokio::test]
async fn an_approval_that_was_taken_back_cannot_be_put_back() {
    let (house, engine) = open(PREVIEW).await;
    house.egress.will(&[Upstream::Answers(200), Upstream::Answers(201)]);
    let waiting = ask(&engine).await.id;
    let old = engine.pins.seal(approved(&engine, &waiting).await).await.unwrap();
    engine.decide(&person(), waiting.clone(), approve()).await.unwrap();
    asked_again(&engine, &waiting).await;
    // Everything is as it was when the person agreed: the decision was taken back all the same.
    put_back(&house, old).await;
    engine.wake().await.unwrap();
    asked_again(&engine, &waiting).await;
    assert_eq!(house.egress.writes(), 0);
}

#[tokio::test]
async fn a_crash_between_the_log_and_the_record_asks_again() {
    let (house, engine) = open(PREVIEW).await;
    let waiting = ask(&engine).await.id;
    engine.stop.cancel();
    let next = approved(&engine, &waiting).await;
    engine.announce(announce::reopened(&next).unwrap()).await.unwrap();
    engine.advance(next).await.unwrap();
    drop(engine);
    let engine = house.open().await;
    asked_again(&engine, &waiting).await;
    assert_eq!(house.egress.writes(), 0);
    assert_eq!(house.audit.kinds().iter().filter(|it| *it == "approval.reopened").count(), 1);
}

#[tokio::test]
async fn a_preview_does_not_run_while_the_vault_is_locked() {
    let (house, engine) = open(PREVIEW).await;
    let waiting = ask(&engine).await.id;
    engine.stop.cancel();
    engine.advance(approved(&engine, &waiting).await).await.unwrap();
    drop(engine);
    house.vault.locked.store(true, Ordering::SeqCst);
    let engine = house.open().await;
    engine.wake().await.unwrap();
    assert_eq!(house.egress.acted.lock().unwrap().len(), 1);
    house.vault.locked.store(false, Ordering::SeqCst);
    engine.wake().await.unwrap();
    assert_eq!(ended(&engine, &waiting).await.state, RunState::Done);
}

#[tokio::test]
async fn previews_do_not_burn_the_quota_of_a_service() {
    let (house, engine) = open(PREVIEW).await;
    let most = usize::try_from(limits::PREVIEWS_CALLER).unwrap();
    for _ in 0..most + 3 {
        ask(&engine).await;
    }
    assert_eq!(house.egress.acted.lock().unwrap().len(), most);
    let cards = engine.approvals(&person()).await.unwrap();
    assert!(why_not(cards.last().unwrap()).contains("within a minute"));
}
