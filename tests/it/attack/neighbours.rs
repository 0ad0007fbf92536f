//! Guests at their worst, started like any other, beside callers who only want their answer.

use aileron_api::audit::AuditFilter;
use tokio::task::JoinSet;

use crate::{
    hostile::{Connector, Deed, failed},
    household::Household,
    main_job::list,
};

const SPINS: &str = "(loop $again (br $again))";
const TAKES_AND_FILLS: &str = "(loop $more (drop (memory.grow (i32.const 64)))
    (memory.fill (i32.const 0) (i32.const 1) (i32.mul (memory.size) (i32.const 65536)))
    (br $more))";
const FLOODS_STDERR: &str =
    "(loop $more (call $write (i32.const 2) (i32.const 0) (i32.const 65536)) (br $more))";
const FLOODS_THE_LOG: &str = "(loop $more
    (call $log (i32.const 0) (i32.const 9) (i32.const 0) (i32.const 9000)) (br $more))";
const RECURSES: &str = "(drop (call $deeper (i32.const 1)))";
const FLOODS_STDOUT: &str =
    "(loop $more (call $write (i32.const 1) (i32.const 0) (i32.const 65536)) (br $more))";
const STARVES: &str = "(loop $more
    (if (i32.eq (memory.grow (i32.const 64)) (i32.const -1)) (then unreachable)) (br $more))";
const TRAPS: &str = "unreachable";

/// Each with how it must end.
const WORST: [(&str, &str); 8] = [
    (SPINS, "resource_limit_exceeded"),
    (TAKES_AND_FILLS, "resource_limit_exceeded"),
    (FLOODS_STDERR, "resource_limit_exceeded"),
    (FLOODS_THE_LOG, "resource_limit_exceeded"),
    (RECURSES, "resource_limit_exceeded"),
    (FLOODS_STDOUT, "resource_limit_exceeded"),
    (STARVES, "resource_limit_exceeded"),
    (TRAPS, "connector_runtime_error"),
];

#[tokio::test(flavor = "multi_thread")]
async fn sixteen_guests_at_their_worst_keep_nobody_from_an_answer() {
    let Household { house: _house, servers, program, person: owner } = Household::new().await;
    let connector = Connector {
        repo: "worst",
        hosts: &["localhost:9"],
        credential: None,
        wall_seconds: 5,
        gated: false,
        deeds: WORST.iter().map(|(statements, _)| Deed::Does(statements)).collect(),
    };
    connector.install(&owner, &servers).await;
    list(&program).await;

    let connector = std::sync::Arc::new(connector);
    let mut bad = JoinSet::new();
    for place in 0..2 * WORST.len() {
        let (connector, program) = (std::sync::Arc::clone(&connector), program.clone());
        let deed = place % WORST.len();
        bad.spawn(async move { (deed, connector.run(&program, deed).await) });
    }
    let mut answered = 0;
    while answered < 20 || !bad.is_empty() {
        let good = (0..4).map(|_| list(&program));
        for answer in futures::future::join_all(good).await {
            assert!(answer.result.unwrap().contains("Welcome"));
            answered += 1;
        }
        while let Some(ended) = bad.try_join_next() {
            let (deed, outcome) = ended.unwrap();
            let (class, told) = failed(outcome);
            assert_eq!(class, WORST[deed].1, "{told}");
        }
    }
    let filter = AuditFilter { limit: Some(1_000), ..AuditFilter::default() };
    let events = program.audit_events(&filter).await.unwrap().value.events;
    let ends = |kind: &str| events.iter().filter(|event| event.event_type == kind).count();
    assert_eq!(ends("execution.failed"), 2 * WORST.len(), "each end is in the log");
    assert_eq!(ends("execution.started"), ends("execution.failed") + ends("execution.succeeded"));
}
