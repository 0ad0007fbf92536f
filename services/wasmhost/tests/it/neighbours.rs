//! Guests at their worst, beside callers who only want their answer.

use std::{sync::Arc, time::Duration};

use aileron_contract::failure::Class;
use aileron_wasmhost::{Limits, Report};
use futures::{StreamExt, future::join_all, stream::FuturesUnordered};
use serde_json::{Map, json};

use crate::support::{Canned, House, Silent, call, guest, guest_with, module, print};

/// What a bad guest does, and whether it ends by itself.
fn bad(kind: usize) -> String {
    match kind % 4 {
        0 => guest("", "(loop $again (br $again))"),
        1 => guest(
            "",
            "(loop $more (drop (memory.grow (i32.const 64)))
               (memory.fill (i32.const 0) (i32.const 1)
                 (i32.mul (memory.size) (i32.const 65536))) (br $more))",
        ),
        2 => guest(
            "",
            "(loop $m (call $write (i32.const 2) (i32.const 0) (i32.const 65536)) (br $m))",
        ),
        _ => guest(
            "",
            "(loop $m (call $log (i32.const 0) (i32.const 9) (i32.const 0) (i32.const 9000)) (br $m))",
        ),
    }
}

fn ends_by_itself() -> Vec<String> {
    let recurse = "(func $deeper (param i32) (result i32)
        (i32.add (call $deeper (local.get 0)) (i32.const 1)))";
    vec![
        guest_with(recurse, "", "(drop (call $deeper (i32.const 1)))"),
        guest("", "(loop $m (call $write (i32.const 1) (i32.const 0) (i32.const 65536)) (br $m))"),
        guest("", "unreachable"),
        guest(
            "",
            "(loop $m (if (i32.eq (memory.grow (i32.const 64)) (i32.const -1))
            (then unreachable)) (br $m))",
        ),
    ]
}

async fn sixteen_beside_good_callers() {
    let house = House::new();
    let forever = Limits { wall: Duration::from_mins(4), ..Limits::default() };
    let mut bad_calls: FuturesUnordered<_> = (0..16)
        .map(|kind| {
            let host = house.host.clone();
            // Each is a task of its own, as callers are.
            tokio::task::spawn_local(async move {
                host.call(module(&bad(kind)), call(forever), Arc::new(Silent)).await
            })
        })
        .collect();
    let text = r#"{"output":{"fine":true}}"#;
    let good = guest(text, &print(text));
    let good_calls = (0..4).map(|_| async {
        for _ in 0..20 {
            let report = house.run_with(&good, Limits::default(), Canned::answering(200, "")).await;
            let fine = Map::from_iter([("fine".to_owned(), json!(true))]);
            assert_eq!(report.outcome, Ok(Some(fine)));
        }
        for wat in ends_by_itself() {
            assert_ended_badly(&house.run(&wat).await);
        }
    });
    tokio::select! {
        _ = join_all(good_calls) => {}
        _ = bad_calls.next() => panic!("a bad guest ended before the good callers had their turn"),
    }
    house.host.shutdown().await;
    while let Some(report) = bad_calls.next().await {
        assert!(report.is_ok_and(|report| report.outcome.is_err()));
    }
}

fn assert_ended_badly(report: &Report) {
    let class = report.outcome.as_ref().err().map(|failure| failure.class);
    assert!(
        matches!(class, Some(Class::ResourceLimitExceeded | Class::ConnectorRuntimeError)),
        "{class:?}"
    );
}

/// One thread for all callers: a single guest that does not let go would stop everybody.
#[tokio::test]
async fn sixteen_bad_guests_harm_nobody_on_one_thread() {
    tokio::task::LocalSet::new().run_until(sixteen_beside_good_callers()).await;
}

#[tokio::test]
async fn more_calls_than_places_wait_for_their_turn() {
    let house = House::new();
    let text = r#"{"output":{}}"#;
    let body = format!("(call $sleep (i64.const 5000000)) {}", print(text));
    let wat = guest(text, &body);
    let calls = (0..200).map(|_| house.run(&wat));
    for report in join_all(calls).await {
        assert_eq!(report.outcome, Ok(Some(Map::new())));
    }
}

#[tokio::test]
async fn waiting_for_a_place_counts_as_wall_time() {
    let house = House::new();
    let sleeper = guest("", "(call $sleep (i64.const 60000000000))");
    let long = (0..64).map(|_| house.run_with(&sleeper, Limits::default(), Arc::new(Silent)));
    let short = Limits { wall: Duration::from_millis(100), ..Limits::default() };
    let late = async {
        house.host.prepare(module(&sleeper)).await.unwrap();
        // The others were polled first and hold every place by now.
        tokio::task::yield_now().await;
        house.run_with(&guest("", ""), short, Arc::new(Silent)).await
    };
    tokio::select! {
        biased;
        _ = join_all(long) => panic!("they sleep longer than this test"),
        report = late => {
            let failure = report.outcome.unwrap_err();
            assert_eq!(failure.class, Class::ResourceLimitExceeded, "{failure}");
        }
    }
}
