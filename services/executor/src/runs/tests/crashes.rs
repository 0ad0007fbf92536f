//! The process dies at every point of a run, one after the other. Whatever the point: the effect
//! happens at most once, a run that sent is never lost, and doubt is shown.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use aileron_contract::executor::{GrantRule, Run, RunFilter, RunState, Started};
use serde_json::json;
use tokio::runtime::{Builder, Runtime};

use super::{
    grants::{self, granted, request},
    house::{House, agent, approve, call, ended, pending, person},
};

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Runs `action` until the `point`th point and dies there. False when it came to its end before.
fn dies_at(house: &Arc<House>, point: u32, action: &'static str) -> bool {
    let life = runtime();
    let work = {
        let house = Arc::clone(house);
        async move {
            let engine = house.open().await;
            let (caller, name) = match action {
                "granted" => {
                    granted(&engine, request(GrantRule::Any, 1)).await;
                    (grants::agent("s1"), "gated")
                }
                name => (agent(), name),
            };
            house.fuse.arm(point);
            let started = engine.run(&caller, call(name, json!({"title": "x"}))).await.unwrap();
            if action == "gated" {
                let id = pending(started).id;
                engine.decide(&person(), id.clone(), approve()).await.unwrap();
                ended(&engine, &id).await;
            }
            engine.shutdown().await;
        }
    };
    let died = life.block_on(async {
        let working = life.spawn(work);
        tokio::select! {
            () = house.fuse.blown.notified() => true,
            ended = working => { ended.unwrap(); false }
        }
    });
    // Nothing gets to settle anything.
    life.shutdown_timeout(Duration::from_millis(50));
    house.fuse.arm(0);
    died
}

/// The next life: first with the vault locked, as after any restart, then unlocked.
fn next_life(house: &House) -> Vec<Run> {
    runtime().block_on(async {
        house.vault.locked.store(true, Ordering::SeqCst);
        let engine = house.open().await;
        let locked = engine.runs(&person(), RunFilter::default()).await.unwrap();
        for run in &locked {
            assert!(run.state != RunState::Running, "nothing runs in a locked house");
        }
        house.vault.locked.store(false, Ordering::SeqCst);
        engine.wake().await.unwrap();
        let waits = |run: &Run| matches!(run.state, RunState::Running | RunState::Approved);
        loop {
            let runs = engine.runs(&person(), RunFilter::default()).await.unwrap();
            if !runs.iter().any(waits) {
                engine.look_for_untold().await;
                engine.shutdown().await;
                return runs;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
}

fn dies_everywhere(action: &'static str, check: impl Fn(&House, u32, &[Run])) -> u32 {
    for point in 1.. {
        let house = Arc::new(House::new());
        if action == "two" {
            house.action("two", &[("create", ""), ("create", "")], false);
        }
        let died = dies_at(&house, point, action);
        let runs = next_life(&house);
        check(&house, point, &runs);
        log_and_records_agree(&house, point, &runs);
        let sent = house.egress.acted.lock().unwrap().len();
        let again = next_life(&house);
        assert_eq!(runs, again, "point {point}: a further restart changes nothing");
        assert_eq!(sent, house.egress.acted.lock().unwrap().len(), "point {point}");
        if !died {
            return point;
        }
    }
    unreachable!("every run ends")
}

/// Every beginning in the log has one end, and every end of a record is in the log.
fn log_and_records_agree(house: &House, point: u32, runs: &[Run]) {
    let records = house.audit.records.lock().unwrap();
    let of = |kinds: &[&str]| -> Vec<_> {
        let some = records.iter().filter(|record| kinds.contains(&&*record.kind));
        some.map(|record| record.payload["aileron.run.id"].clone()).collect()
    };
    let (begun, ended) =
        (of(&["execution.started"]), of(&["execution.succeeded", "execution.failed"]));
    for run in begun {
        assert_eq!(ended.iter().filter(|end| **end == run).count(), 1, "point {point}: {run}");
    }
    for run in runs {
        let failure = run.failure.as_ref().and_then(|failure| failure.audit_id.as_ref());
        let told = run.result.as_ref().map(|result| &result.audit_id).or(failure);
        if let Some(told) = told {
            assert!(records.iter().any(|record| record.id == *told), "point {point}: {run:?}");
        }
    }
}

#[test]
fn a_write_happens_once_at_most_and_is_never_lost() {
    let points = dies_everywhere("create", |house, point, runs| {
        let sent = house.egress.writes();
        let state = runs.first().map(|run| run.state);
        match state {
            None => assert_eq!(sent, 0, "point {point}: a send without a record"),
            Some(RunState::Failed) => assert_eq!(sent, 0, "point {point}: sent, called failed"),
            Some(RunState::Done) => assert_eq!(sent, 1, "point {point}"),
            Some(RunState::Ambiguous) => assert!(sent <= 1, "point {point}"),
            other => panic!("point {point}: {other:?}"),
        }
    });
    assert!(points > 8, "the test must pass through the whole run, not {points} points");
}

#[test]
fn an_approved_write_happens_once_at_most_and_is_never_lost() {
    let points = dies_everywhere("gated", |house, point, runs| {
        let sent = house.egress.writes();
        match runs.first().map(|run| run.state) {
            None | Some(RunState::Parked | RunState::Failed) => {
                assert_eq!(sent, 0, "point {point}");
            }
            Some(RunState::Done) => assert_eq!(sent, 1, "point {point}"),
            Some(RunState::Ambiguous) => assert!(sent <= 1, "point {point}"),
            other => panic!("point {point}: {other:?}"),
        }
        let kinds = house.audit.kinds();
        if sent > 0 {
            assert!(kinds.contains(&"approval.approved".to_owned()), "point {point}");
            assert!(kinds.contains(&"execution.started".to_owned()), "point {point}");
        }
    });
    assert!(points > 14, "the test must pass through the whole run, not {points} points");
}

#[test]
fn a_granted_write_uses_its_grant_once_at_most_wherever_it_dies() {
    let points = dies_everywhere("granted", |house, point, runs| {
        let sent = house.egress.writes();
        match runs.first().map(|run| run.state) {
            None | Some(RunState::Failed) => assert_eq!(sent, 0, "point {point}"),
            Some(RunState::Done) => assert_eq!(sent, 1, "point {point}"),
            Some(RunState::Ambiguous) => assert!(sent <= 1, "point {point}"),
            other => panic!("point {point}: {other:?}"),
        }
        assert!(runs.len() <= uses_logged(house), "point {point}: {runs:?}");
    });
    assert!(points > 10, "the test must pass through the whole run, not {points} points");
    // A use may be lost, and none is won.
    for point in 1..=points {
        let house = Arc::new(House::new());
        dies_at(&house, point, "granted");
        let (sent, logged) = (house.egress.writes(), uses_logged(&house));
        assert!(logged <= 1, "point {point}");
        let writes = runtime().block_on(async {
            let engine = house.open().await;
            let again = call("gated", json!({"title": "x"}));
            let started = engine.run(&grants::agent("s1"), again).await.unwrap();
            assert_eq!(matches!(started, Started::Done(_)), logged == 0, "point {point}");
            engine.shutdown().await;
            house.egress.writes()
        });
        assert_eq!(writes, if logged == 0 { 1 } else { sent }, "point {point}");
    }
}

fn uses_logged(house: &House) -> usize {
    house.audit.kinds().iter().filter(|kind| *kind == "grant.used").count()
}

#[test]
fn each_of_two_writes_happens_once_at_most() {
    dies_everywhere("two", |house, point, runs| {
        let sent = house.egress.writes();
        match runs.first() {
            None => assert_eq!(sent, 0, "point {point}"),
            Some(run) if run.state == RunState::Failed => {
                let done = run.failure.as_ref().unwrap().details.as_ref().unwrap();
                let done = done.get("steps_done").map_or(0, |done| done.as_array().unwrap().len());
                assert_eq!(sent, done, "point {point}");
            }
            Some(run) if run.state == RunState::Done => assert_eq!(sent, 2, "point {point}"),
            Some(run) => {
                assert_eq!(run.state, RunState::Ambiguous, "point {point}");
                assert!(sent <= 2, "point {point}");
            }
        }
    });
}

#[test]
fn an_interrupted_read_is_a_plain_failure() {
    dies_everywhere("list", |_, point, runs| {
        for run in runs {
            let succeeded = run
                .failure
                .as_ref()
                .and_then(|failure| failure.details.as_ref()?.get("succeeded").cloned());
            match run.state {
                RunState::Done | RunState::Failed => {}
                // Done, with its output lost.
                RunState::Ambiguous => assert_eq!(succeeded, Some(true.into()), "point {point}"),
                other => panic!("point {point}: {other:?}"),
            }
        }
    });
}
