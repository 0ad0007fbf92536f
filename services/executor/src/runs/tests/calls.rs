//! Calls that need no person.

use std::{
    collections::HashSet,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use aileron_contract::{
    Context, IdempotencyKey, Reason,
    executor::{ConsentDecision, RunFilter, RunState, Started},
    failure::{Boundary, Class},
};
use serde_json::json;
use tokio::sync::Notify;

use super::{
    fakes::Upstream,
    house::{House, agent, call, done, ended, failed, pending, person},
};

fn with_key(context: Context, key: &str) -> Context {
    Context { idempotency_key: Some(key.parse::<IdempotencyKey>().unwrap()), ..context }
}

#[tokio::test]
async fn a_run_is_recorded_logged_and_answered_in_the_published_form() {
    let house = House::new();
    let engine = house.open().await;
    let result = done(engine.run(&agent(), call("list", json!({"title": "x"}))).await.unwrap());
    assert_eq!(
        result.output,
        r#"{"action":"list","output":{"status":200,"args":{"title":"x"}},"steps":{"s0":{"status":200,"args":{"title":"x"}}}}"#
    );
    assert_eq!(result.consent, ConsentDecision::Unattended);
    assert_eq!(result.binding.as_ref().unwrap().as_str(), "api_key/notes/me");
    assert_eq!(house.audit.kinds(), ["execution.started", "execution.succeeded"]);
    let logged = house.audit.records.lock().unwrap().last().unwrap().clone();
    assert_eq!(logged.id, result.audit_id);
    assert_eq!(logged.payload["aileron.run.id"], result.run.as_str());
    assert_eq!(logged.payload["aileron.disposition"], "succeeded");
    let run = engine.run_by_id(&agent(), &result.run).await.unwrap();
    assert_eq!((run.state, run.quarantined), (RunState::Done, false));
    assert_eq!(run.result, Some(result.clone()));
    let (name, random) = result.run.as_str().rsplit_once('-').unwrap();
    assert!(name.starts_with("act-2") && random.len() == 16, "{}", result.run);
}

#[tokio::test]
async fn what_does_not_fit_is_refused_before_anything_is_sent_and_logged() {
    let house = House::new();
    let engine = house.open().await;
    let refused = failed(engine.run(&agent(), call("create", json!({"titel": 1}))).await.unwrap());
    assert_eq!((refused.class, refused.boundary), (Class::ValidationError, Boundary::Action));
    assert!(refused.audit_id.is_some());
    assert_eq!(house.egress.acted.lock().unwrap().len(), 0);
    let unknown = engine.run(&agent(), call("nope", json!({}))).await.unwrap_err();
    assert_eq!(unknown.reason(), Reason::NotFound);
}

#[tokio::test]
async fn a_locked_vault_is_told_before_the_run() {
    let house = House::new();
    let engine = house.open().await;
    house.vault.locked.store(true, Ordering::SeqCst);
    for action in ["list", "gated"] {
        let refused = failed(engine.run(&agent(), call(action, json!({}))).await.unwrap());
        assert_eq!(refused.class, Class::BindingRequired);
        assert_eq!(refused.details.unwrap()["required"], "vault.passphrase");
    }
}

#[tokio::test]
async fn why_the_vault_cannot_be_used_is_told_when_it_is_not_the_lock() {
    let house = House::new();
    let engine = house.open().await;
    house.vault.rolled_back.store(true, Ordering::SeqCst);
    let refused = failed(engine.run(&agent(), call("list", json!({}))).await.unwrap());
    assert_eq!(refused.class, Class::BindingRequired);
    assert!(refused.message.contains("the vault's file is an older one"), "{}", refused.message);
    assert_eq!(refused.details.unwrap()["reason"], "vault_rolled_back");
}

#[tokio::test]
async fn an_operation_the_action_does_not_declare_is_denied() {
    let house = House::new();
    house.action("odd", &[("delete_all", "")], false);
    let engine = house.open().await;
    let denied = failed(engine.run(&agent(), call("odd", json!({}))).await.unwrap());
    assert_eq!((denied.class, denied.boundary), (Class::CapabilityDenied, Boundary::Action));
    let details = denied.details.unwrap();
    assert_eq!(details["requested"], "delete_all");
    assert!(details["declared_subset"].as_array().unwrap().contains(&json!("list")));
}

#[tokio::test]
async fn a_credential_of_another_kind_is_denied() {
    let house = House::new();
    house.action("odd", &[("wrong_kind", "")], false);
    let engine = house.open().await;
    let denied = failed(engine.run(&agent(), call("odd", json!({}))).await.unwrap());
    let details = denied.details.unwrap();
    assert_eq!(denied.class, Class::CapabilityDenied);
    assert_eq!(details["requested"], "credential:oauth2");
    assert_eq!(details["declared"], "api_key");
}

#[tokio::test]
async fn reads_are_tried_again_and_writes_are_not() {
    let house = House::new();
    let engine = house.open().await;
    house.egress.will(&[Upstream::Lost, Upstream::Answers(503), Upstream::Answers(200)]);
    done(engine.run(&agent(), call("list", json!({}))).await.unwrap());
    assert_eq!(house.egress.acted.lock().unwrap().len(), 3);
    house.egress.will(&[Upstream::Answers(503), Upstream::Answers(200)]);
    let refused = failed(engine.run(&agent(), call("create", json!({}))).await.unwrap());
    assert_eq!((refused.class, refused.retriable), (Class::ExternalApiError, true));
    assert_eq!(house.egress.writes(), 1);
}

#[tokio::test]
async fn retries_end_and_say_how_many_there_were() {
    let house = House::new();
    let engine = house.open().await;
    house.egress.will(&[Upstream::NotReached; 9]);
    let refused = failed(engine.run(&agent(), call("list", json!({}))).await.unwrap());
    assert_eq!(refused.class, Class::NetworkError);
    assert_eq!(refused.details.unwrap()["retried"], 3);
    // A refusal by the upstream will not change.
    house.egress.will(&[Upstream::Answers(404)]);
    let refused = failed(engine.run(&agent(), call("list", json!({}))).await.unwrap());
    assert!(!refused.details.unwrap().contains_key("retried"));
}

#[tokio::test]
async fn the_step_says_whether_it_is_idempotent_then_the_manifest() {
    let house = House::new();
    house.action("sure", &[("create", "idempotent = true")], false);
    house.action("unsure", &[("list", "idempotent = false")], false);
    let engine = house.open().await;
    house.egress.will(&[Upstream::Lost, Upstream::Answers(200)]);
    done(engine.run(&agent(), call("sure", json!({}))).await.unwrap());
    assert_eq!(house.egress.writes(), 2);
    house.egress.will(&[Upstream::Answers(503), Upstream::Answers(200)]);
    failed(engine.run(&agent(), call("unsure", json!({}))).await.unwrap());
    house.connector("[connector.idempotency]\ndefault = \"idempotent\"\n");
    house.egress.will(&[Upstream::Lost, Upstream::Answers(200)]);
    done(engine.run(&agent(), call("create", json!({}))).await.unwrap());
    house.connector("[connector.idempotency]\ndefault = \"not_idempotent\"\n");
    house.egress.will(&[Upstream::Answers(503), Upstream::Answers(200)]);
    failed(engine.run(&agent(), call("list", json!({}))).await.unwrap());
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_ambiguous_and_never_repeated() {
    for lost in [Upstream::Lost, Upstream::SenderGone] {
        let house = House::new();
        house.action("stubborn", &[("stubborn", "")], false);
        let engine = house.open().await;
        for action in ["create", "stubborn"] {
            house.egress.will(&[lost, Upstream::Answers(200)]);
            let before = house.egress.writes();
            let unsure = failed(engine.run(&agent(), call(action, json!({}))).await.unwrap());
            assert!(!unsure.retriable);
            assert_eq!(unsure.details.unwrap()["ambiguous"], true);
            assert_eq!(house.egress.writes(), before + 1, "{action}");
        }
        let filter = RunFilter { state: Some(RunState::Ambiguous), ..RunFilter::default() };
        assert_eq!(engine.runs(&person(), filter).await.unwrap().len(), 2);
        let logged = house.audit.records.lock().unwrap().last().unwrap().clone();
        assert_eq!(logged.payload["aileron.disposition"], "ambiguous");
    }
}

#[tokio::test]
async fn a_write_that_was_not_sent_is_a_plain_failure() {
    let house = House::new();
    let engine = house.open().await;
    house.egress.will(&[Upstream::NotReached]);
    let refused = failed(engine.run(&agent(), call("create", json!({}))).await.unwrap());
    assert_eq!(refused.class, Class::NetworkError);
    assert_eq!(house.egress.writes(), 0);
    let filter = RunFilter { state: Some(RunState::Failed), ..RunFilter::default() };
    assert_eq!(engine.runs(&person(), filter).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_guest_stopped_while_a_write_was_out_is_ambiguous() {
    let house = House::new();
    house.connector("[capabilities.limits]\nwall_seconds = 1\n");
    let engine = house.open().await;
    *house.egress.gate.lock().unwrap() = Some(Arc::new(Notify::new()));
    let unsure = failed(engine.run(&agent(), call("create", json!({}))).await.unwrap());
    assert_eq!(unsure.class, Class::ResourceLimitExceeded);
    assert_eq!(unsure.details.unwrap()["ambiguous"], true);
}

#[tokio::test]
async fn a_refused_credential_is_told_as_such() {
    let house = House::new();
    let engine = house.open().await;
    house.egress.will(&[Upstream::Answers(401)]);
    let refused = failed(engine.run(&agent(), call("list", json!({}))).await.unwrap());
    assert_eq!(refused.class, Class::BindingFailed);
}

#[tokio::test]
async fn nothing_is_sent_when_the_log_cannot_be_written() {
    let house = House::new();
    let engine = house.open().await;
    house.audit.broken.store(true, Ordering::SeqCst);
    let refused = failed(engine.run(&agent(), call("create", json!({}))).await.unwrap());
    assert!(refused.message.contains("nothing was sent"), "{}", refused.message);
    assert_eq!(house.egress.acted.lock().unwrap().len(), 0);
    assert!(engine.run(&agent(), call("gated", json!({}))).await.is_err());
    assert!(engine.approvals(&person()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_later_step_that_fails_tells_what_was_done_before_it() {
    let house = House::new();
    house.action("two", &[("create", ""), ("list", "")], false);
    let engine = house.open().await;
    house.egress.will(&[Upstream::Answers(200), Upstream::Answers(404)]);
    let refused = failed(engine.run(&agent(), call("two", json!({}))).await.unwrap());
    let details = refused.details.unwrap();
    assert_eq!(details["step"], "s1");
    assert_eq!(details["steps_done"], json!(["s0"]));
}

#[tokio::test]
async fn a_dropped_caller_does_not_stop_the_run() {
    let house = House::new();
    let engine = house.open().await;
    let gate = Arc::new(Notify::new());
    *house.egress.gate.lock().unwrap() = Some(Arc::clone(&gate));
    let context = agent();
    let caller = engine.run(&context, call("create", json!({})));
    tokio::select! {
        _ = caller => panic!("the upstream holds its answer"),
        () = house.egress.reached.notified() => {}
    }
    gate.notify_one();
    let running = engine.runs(&person(), RunFilter::default()).await.unwrap();
    let run = ended(&engine, &running[0].id).await;
    assert_eq!(run.state, RunState::Done);
    assert_eq!(house.audit.kinds().last().unwrap(), "execution.succeeded");
}

#[tokio::test]
async fn a_repeated_key_gives_the_first_outcome_also_after_a_restart() {
    let house = House::new();
    let key = with_key(agent(), "k1");
    let first = {
        let engine = house.open().await;
        let first = engine.run(&key, call("create", json!({"title": "a"}))).await.unwrap();
        let again = engine.run(&key, call("create", json!({"title": "a"}))).await.unwrap();
        assert_eq!(first, again);
        engine.shutdown().await;
        first
    };
    let engine = house.open().await;
    assert_eq!(engine.run(&key, call("create", json!({"title": "a"}))).await.unwrap(), first);
    let other = engine.run(&key, call("create", json!({"title": "b"}))).await.unwrap_err();
    assert_eq!(other.reason(), Reason::IdempotencyConflict);
    assert_eq!(house.egress.writes(), 1);
    // Another caller's key is another key.
    done(engine.run(&with_key(person(), "k1"), call("create", json!({}))).await.unwrap());
}

#[tokio::test]
async fn callers_with_the_same_key_at_once_cause_one_effect() {
    let house = House::new();
    let engine = house.open().await;
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let engine = Arc::clone(&engine);
        callers.spawn(async move {
            engine.run(&with_key(agent(), "same"), call("create", json!({}))).await.unwrap()
        });
    }
    let runs: HashSet<_> =
        callers.join_all().await.into_iter().map(|started| done(started).run).collect();
    assert_eq!((runs.len(), house.egress.writes()), (1, 1));
    let gated = with_key(agent(), "gated");
    let first = pending(engine.run(&gated, call("gated", json!({}))).await.unwrap());
    let again = pending(engine.run(&gated, call("gated", json!({}))).await.unwrap());
    assert_eq!(first, again);
}

#[tokio::test]
async fn thirty_two_callers_share_their_transactions() {
    let house = House::new();
    let engine = house.open().await;
    // Everybody waits at the upstream, then settles at once.
    let gate = Arc::new(Notify::new());
    *house.egress.gate.lock().unwrap() = Some(Arc::clone(&gate));
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..32 {
        let engine = Arc::clone(&engine);
        callers.spawn(async move { engine.run(&agent(), call("list", json!({}))).await.unwrap() });
    }
    while house.egress.waiting.load(Ordering::SeqCst) < 32 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let before = engine.ledger.transactions.load(Ordering::SeqCst);
    // Nobody writes until all of them have come to their ends: how fast the disk is says nothing.
    let database = house.database().await;
    let alone = database.begin().await.unwrap();
    *house.egress.gate.lock().unwrap() = None;
    gate.notify_waiters();
    let over = || house.audit.kinds().iter().filter(|kind| *kind == "execution.succeeded").count();
    while over() < 32 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    alone.rollback().await.unwrap();
    for started in callers.join_all().await {
        done(started);
    }
    let used = engine.ledger.transactions.load(Ordering::SeqCst) - before;
    assert!(used <= 16, "32 ends took {used} transactions");
}

#[tokio::test]
async fn a_host_that_panics_ends_the_call_with_an_error_and_harms_nobody_else() {
    let house = House::new();
    house.action("panics", &[("panics", "")], false);
    let engine = house.open().await;
    let error = engine.run(&agent(), call("panics", json!({}))).await.unwrap_err();
    assert_eq!(error.reason(), Reason::InternalError);
    done(engine.run(&agent(), call("list", json!({}))).await.unwrap());
}

#[tokio::test]
async fn a_stopping_executor_finishes_what_runs_and_takes_nothing_more() {
    let house = House::new();
    let engine = house.open().await;
    let gate = Arc::new(Notify::new());
    *house.egress.gate.lock().unwrap() = Some(Arc::clone(&gate));
    let context = agent();
    let running = engine.run(&context, call("create", json!({})));
    let meanwhile = async {
        house.egress.reached.notified().await;
        let late = async {
            while !engine.stop.is_cancelled() {
                tokio::task::yield_now().await;
            }
            let refused = engine.run(&agent(), call("list", json!({}))).await.unwrap_err();
            assert_eq!(refused.reason(), Reason::ShuttingDown);
            gate.notify_one();
        };
        tokio::join!(engine.shutdown(), late);
    };
    let (started, ()) = tokio::join!(running, meanwhile);
    assert!(matches!(started.unwrap(), Started::Done(_)));
}

#[tokio::test]
async fn a_session_sees_only_its_own_runs() {
    let house = House::new();
    let engine = house.open().await;
    let other = Context { session: Some("s2".parse().unwrap()), ..agent() };
    let mine = done(engine.run(&agent(), call("list", json!({}))).await.unwrap()).run;
    let waiting = pending(engine.run(&agent(), call("gated", json!({}))).await.unwrap()).id;
    for id in [&mine, &waiting] {
        assert_eq!(engine.run_by_id(&other, id).await.unwrap_err().reason(), Reason::NotFound);
        assert!(engine.run_by_id(&agent(), id).await.is_ok());
    }
    assert!(engine.runs(&other, RunFilter::default()).await.unwrap().is_empty());
    assert!(engine.approvals(&other).await.unwrap().is_empty());
    assert_eq!(engine.runs(&agent(), RunFilter::default()).await.unwrap().len(), 2);
}

#[tokio::test]
async fn lists_are_filtered_newest_first_and_limited() {
    let house = House::new();
    let engine = house.open().await;
    for _ in 0..3 {
        done(engine.run(&agent(), call("list", json!({}))).await.unwrap());
    }
    let newest = done(engine.run(&agent(), call("create", json!({}))).await.unwrap()).run;
    let all = engine.runs(&person(), RunFilter::default()).await.unwrap();
    assert_eq!((all.len(), &all[0].id), (4, &newest));
    let filter = RunFilter { limit: Some(2), ..RunFilter::default() };
    assert_eq!(engine.runs(&person(), filter).await.unwrap().len(), 2);
    let filter = RunFilter { action: Some("create".parse().unwrap()), ..RunFilter::default() };
    assert_eq!(engine.runs(&person(), filter).await.unwrap().len(), 1);
}
