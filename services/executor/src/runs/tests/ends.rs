//! The record of a run and what the log says of it come together again, whichever of the two was
//! lost.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use aileron_contract::{
    executor::{RunFilter, Started},
    names::AuditId,
};
use serde_json::json;
use tokio::sync::Notify;

use super::{
    fakes::Upstream,
    house::{House, agent, call, person},
};
use crate::runs::Engine;

/// A run that came to its end in an earlier life; its end in the log.
async fn ended(house: &House, upstream: Upstream) -> AuditId {
    let engine = house.open().await;
    house.egress.will(&[upstream]);
    let started = engine.run(&agent(), call("create", json!({}))).await.unwrap();
    engine.shutdown().await;
    match started {
        Started::Done(done) => done.audit_id,
        Started::Failed(failure) => failure.audit_id.unwrap(),
        Started::Pending(_) => panic!("nobody is asked"),
    }
}

/// What the log says of one id, as type and disposition.
fn told(house: &House, id: &AuditId) -> Option<(String, String)> {
    let records = house.audit.records.lock().unwrap();
    let record = records.iter().find(|record| record.id == *id)?;
    Some((record.kind.clone(), record.payload["aileron.disposition"].as_str().unwrap().to_owned()))
}

fn forget(house: &House, id: &AuditId) {
    house.audit.records.lock().unwrap().retain(|record| record.id != *id);
}

/// The newest end of a run in the log, and how many there are.
fn ends(house: &House) -> (usize, Option<AuditId>) {
    let records = house.audit.records.lock().unwrap();
    let ends: Vec<_> = records
        .iter()
        .filter(|it| matches!(&*it.kind, "execution.succeeded" | "execution.failed"))
        .collect();
    (ends.len(), ends.last().map(|end| end.id.clone()))
}

async fn restarted(house: &House) -> Arc<Engine> {
    house.vault.locked.store(true, Ordering::SeqCst);
    let engine = house.open().await;
    house.vault.locked.store(false, Ordering::SeqCst);
    wake(&engine).await;
    engine
}

async fn wake(engine: &Arc<Engine>) {
    engine.wake().await.unwrap();
    // Nobody waits for the look but this test.
    engine.look_for_untold().await;
}

#[tokio::test]
async fn an_end_that_the_log_could_not_take_is_told_later_under_the_id_the_record_names() {
    let house = House::new();
    let engine = house.open().await;
    let gate = Arc::new(Notify::new());
    *house.egress.gate.lock().unwrap() = Some(Arc::clone(&gate));
    let (caller, run) = (agent(), call("create", json!({})));
    let started = tokio::join!(engine.run(&caller, run), async {
        house.egress.reached.notified().await;
        house.audit.broken.store(true, Ordering::SeqCst);
        gate.notify_one();
    });
    let Started::Done(done) = started.0.unwrap() else { panic!("the action was carried out") };
    assert_eq!(told(&house, &done.audit_id), None);
    wake(&engine).await;
    assert_eq!(told(&house, &done.audit_id), None, "the log is still broken");
    house.audit.broken.store(false, Ordering::SeqCst);
    wake(&engine).await;
    let (kind, disposition) = told(&house, &done.audit_id).unwrap();
    assert_eq!((&*kind, &*disposition), ("execution.succeeded", "succeeded"));
    wake(&engine).await;
    assert_eq!(ends(&house).0, 1);
}

#[tokio::test]
async fn an_end_that_was_written_and_not_told_is_told_by_the_next_life_once_the_vault_is_open() {
    let cases = [
        (Upstream::Answers(200), "execution.succeeded", "succeeded"),
        (Upstream::Answers(404), "execution.failed", "failed"),
        (Upstream::Lost, "execution.failed", "ambiguous"),
    ];
    for (upstream, kind, disposition) in cases {
        let house = House::new();
        let end = ended(&house, upstream).await;
        forget(&house, &end);
        house.vault.locked.store(true, Ordering::SeqCst);
        let engine = house.open().await;
        engine.look_for_untold().await;
        assert_eq!(told(&house, &end), None, "nobody can tell yet whose record it is");
        house.vault.locked.store(false, Ordering::SeqCst);
        wake(&engine).await;
        assert_eq!(told(&house, &end), Some((kind.to_owned(), disposition.to_owned())));
        engine.shutdown().await;
        restarted(&house).await.shutdown().await;
        assert_eq!(ends(&house), (1, Some(end)));
    }
}

#[tokio::test]
async fn a_beginning_without_a_record_gets_one_end_that_calls_it_doubtful() {
    let house = House::new();
    let end = ended(&house, Upstream::Answers(200)).await;
    forget(&house, &end);
    sqlx::query("DELETE FROM runs").execute(house.database().await.pool()).await.unwrap();
    for _ in 0..2 {
        let engine = restarted(&house).await;
        assert!(engine.runs(&person(), RunFilter::default()).await.unwrap().is_empty());
        engine.shutdown().await;
        let (count, end) = ends(&house);
        assert_eq!(count, 1);
        let told = told(&house, &end.unwrap()).unwrap();
        assert_eq!(told, ("execution.failed".to_owned(), "ambiguous".to_owned()));
    }
    let records = house.audit.records.lock().unwrap();
    let (first, last) = (records.first().unwrap(), records.last().unwrap());
    for key in ["aileron.run.id", "aileron.action.hash", "aileron.session.id"] {
        assert_eq!(first.payload[key], last.payload[key], "{key}");
    }
    assert_eq!(first.actor, last.actor);
}

#[tokio::test]
async fn a_record_that_somebody_else_wrote_tells_the_log_no_end() {
    let house = House::new();
    let end = ended(&house, Upstream::Answers(404)).await;
    forget(&house, &end);
    sqlx::query("UPDATE runs SET record = replace(record, '404', '405')")
        .execute(house.database().await.pool())
        .await
        .unwrap();
    restarted(&house).await.shutdown().await;
    assert_eq!(ends(&house), (0, None));
    assert!(house.audit.kinds().contains(&"run.quarantined".to_owned()));
}

#[tokio::test]
async fn a_run_that_could_not_be_written_is_not_sent_and_the_log_knows_its_end() {
    let house = House::new();
    let engine = house.open().await;
    sqlx::query("ALTER TABLE runs RENAME TO elsewhere")
        .execute(house.database().await.pool())
        .await
        .unwrap();
    engine.run(&agent(), call("create", json!({}))).await.unwrap_err();
    assert_eq!(house.egress.acted.lock().unwrap().len(), 0);
    assert_eq!(house.audit.kinds(), ["execution.started", "execution.failed"]);
}

#[tokio::test]
async fn a_log_that_cannot_be_asked_keeps_nobody_from_starting() {
    let house = House::new();
    let end = ended(&house, Upstream::Answers(200)).await;
    forget(&house, &end);
    house.audit.broken.store(true, Ordering::SeqCst);
    let engine = house.open().await;
    engine.look_for_untold().await;
    assert_eq!(ends(&house).0, 0);
    house.audit.broken.store(false, Ordering::SeqCst);
    wake(&engine).await;
    assert_eq!(ends(&house), (1, Some(end)));
    // What runs in this life tells its own end.
    engine.run(&agent(), call("create", json!({}))).await.unwrap();
    assert_eq!(ends(&house).0, 2);
}

#[tokio::test]
async fn a_start_looks_by_itself() {
    let house = House::new();
    let end = ended(&house, Upstream::Answers(200)).await;
    forget(&house, &end);
    let engine = house.open().await;
    while told(&house, &end).is_none() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    engine.shutdown().await;
}
