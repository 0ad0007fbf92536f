//! Every bound of a call, passed.

use std::{sync::Arc, time::Duration};

use aileron_contract::{failure::Class, limits};
use aileron_wasmhost::{GuestResponse, Limits};
use tokio::time::timeout;

use crate::support::{
    Canned, House, Silent, TEXT, call, guest, guest_with, limit_of, module, print, request,
};

const SHORT: Limits = Limits { memory: limits::GUEST_MEMORY, wall: Duration::from_millis(200) };
const SPIN: &str = "(loop $again (br $again))";

fn passed(limit: &str, configured: &str) -> (String, String) {
    (limit.to_owned(), configured.to_owned())
}

async fn run_short(wat: &str) -> aileron_wasmhost::Report {
    House::new().run_with(wat, SHORT, Arc::new(Silent)).await
}

#[tokio::test]
async fn a_guest_that_spins_ends_at_its_wall_time() {
    let report = run_short(&guest("", SPIN)).await;
    assert_eq!(limit_of(&report), passed("wall_time", "200ms"));
    assert!(report.elapsed >= SHORT.wall);
}

#[tokio::test]
async fn a_start_function_that_spins_ends_at_its_wall_time() {
    let report = run_short(&guest_with(&format!("(func $s {SPIN}) (start $s)"), "", "")).await;
    assert_eq!(limit_of(&report), passed("wall_time", "200ms"));
}

#[tokio::test]
async fn a_guest_that_sleeps_ends_at_its_wall_time() {
    let report = run_short(&guest("", "(call $sleep (i64.const 60000000000))")).await;
    assert_eq!(limit_of(&report), passed("wall_time", "200ms"));
}

#[tokio::test]
async fn a_network_that_never_answers_counts_as_wall_time() {
    let text = r#"{"url":"https://a"}"#;
    let report = run_short(&guest(text, &request(text, 0))).await;
    assert_eq!(limit_of(&report), passed("wall_time", "200ms"));
}

#[tokio::test]
async fn what_was_logged_before_the_wall_time_is_in_the_report() {
    let body = format!(
        "(call $log (i32.const {TEXT}) (i32.const 2) (i32.const {TEXT}) (i32.const 2))
         (call $write (i32.const 2) (i32.const {TEXT}) (i32.const 2)) {SPIN}"
    );
    let report = run_short(&guest("hi", &body)).await;
    assert_eq!((report.logs.len(), report.stderr.as_str()), (1, "hi"));
}

#[tokio::test]
async fn a_guest_that_takes_memory_until_it_dies_passed_the_limit() {
    let body = "(loop $more
        (if (i32.eq (memory.grow (i32.const 16)) (i32.const -1)) (then unreachable))
        (br $more))";
    let report = House::new().run(&guest("", body)).await;
    assert_eq!(limit_of(&report), passed("memory", "64MiB"));
}

#[tokio::test]
async fn a_guest_that_copes_with_less_memory_succeeds() {
    // 2 pages are there, 1022 more are allowed, one more is not.
    let body = "(call $expect (memory.grow (i32.const 1022)) (i32.const 2))
                (call $expect (memory.grow (i32.const 1)) (i32.const -1))";
    assert_eq!(House::new().run(&guest("", body)).await.outcome, Ok(None));
}

#[tokio::test]
async fn a_large_connector_gets_what_its_manifest_asked_for() {
    let house = House::new();
    // 256 MiB from the start, and the last byte of it.
    let wat = r#"(module (memory (export "memory") 4096)
        (func (export "_start") (i32.store8 (i32.const 268435455) (i32.const 1))))"#;
    let network = Canned::answering(200, "");
    let report = house.run(wat).await;
    assert_eq!(limit_of(&report), passed("memory", "64MiB"));
    let raised = Limits { memory: 256 << 20, ..Limits::default() };
    assert_eq!(house.run_with(wat, raised, network.handle()).await.outcome, Ok(None));

    let body = "(call $expect (memory.grow (i32.const 16382)) (i32.const 2))
                (call $expect (memory.grow (i32.const 1)) (i32.const -1))
                (i32.store8 (i32.const 0x3fffffff) (i32.const 1))";
    let beyond = Limits { memory: u64::MAX, ..Limits::default() };
    assert_eq!(house.run_with(&guest("", body), beyond, network).await.outcome, Ok(None));
}

#[tokio::test]
async fn recursion_ends_at_the_stack() {
    let extra = "(func $deeper (param i32) (result i32)
        (i32.add (call $deeper (local.get 0)) (i32.const 1)))";
    let wat = guest_with(extra, "", "(drop (call $deeper (i32.const 1)))");
    assert_eq!(limit_of(&House::new().run(&wat).await), passed("stack", "1MiB"));
}

#[tokio::test]
async fn a_table_cannot_grow_without_bound() {
    let extra = "(table $t 1 funcref)";
    let body = "(call $expect (table.grow $t (ref.null func) (i32.const 1000000)) (i32.const -1))";
    assert_eq!(House::new().run(&guest_with(extra, "", body)).await.outcome, Ok(None));
}

#[tokio::test]
async fn a_flood_of_output_is_refused() {
    let body = "(loop $more
        (call $write (i32.const 1) (i32.const 1024) (i32.const 65536)) (br $more))";
    let report = House::new().run(&guest("x", body)).await;
    assert_eq!(limit_of(&report), passed("stdout", "4MiB"));
    let once = "(drop (memory.grow (i32.const 100)))
        (call $write (i32.const 1) (i32.const 1024) (i32.const 5000000))";
    let report = House::new().run(&guest("x", once)).await;
    assert_eq!(limit_of(&report), passed("stdout", "4MiB"));
}

#[tokio::test]
async fn output_up_to_the_limit_passes() {
    let blanks = " ".repeat(65_536);
    let body = "(local $n i32) (loop $more
        (call $write (i32.const 1) (i32.const 1024) (i32.const 65536))
        (local.set $n (i32.add (local.get $n) (i32.const 1)))
        (br_if $more (i32.lt_u (local.get $n) (i32.const 64))))";
    assert_eq!(House::new().run(&guest(&blanks, body)).await.outcome, Ok(None));
}

#[tokio::test]
async fn a_flood_on_stderr_is_cut_with_a_mark() {
    let body = "(local $n i32) (loop $more
        (call $write (i32.const 2) (i32.const 4096) (i32.const 65536))
        (local.set $n (i32.add (local.get $n) (i32.const 1)))
        (br_if $more (i32.lt_u (local.get $n) (i32.const 10))))";
    let report = House::new().run(&guest("x", body)).await;
    assert_eq!(report.outcome, Ok(None));
    assert!(report.stderr.ends_with("\n[aileron: 589824 bytes dropped]\n"));
    assert!(report.stderr.len() < limits::GUEST_STDERR + 64);
}

#[tokio::test]
async fn log_lines_past_the_limit_are_counted_and_long_ones_cut() {
    let body = format!(
        "(local $n i32)
         (call $log (i32.const {TEXT}) (i32.const 60) (i32.const {TEXT}) (i32.const 10000))
         (loop $more
           (call $log (i32.const {TEXT}) (i32.const 1) (i32.const {TEXT}) (i32.const 1))
           (local.set $n (i32.add (local.get $n) (i32.const 1)))
           (br_if $more (i32.lt_u (local.get $n) (i32.const 2000))))"
    );
    let report = House::new().run(&guest(&"y".repeat(10_000), &body)).await;
    assert_eq!((report.logs.len(), report.logs_dropped), (1000, 1001));
    let line = &report.logs[0];
    assert!(line.message.ends_with("[aileron: 1808 bytes cut]"));
    assert!(line.level.starts_with("yyy") && line.level.len() < 64);
}

#[tokio::test]
async fn a_trap_is_the_connectors_failure() {
    let failure = House::new().run(&guest("", "unreachable")).await.outcome.unwrap_err();
    assert_eq!(failure.class, Class::ConnectorRuntimeError);
    assert!(failure.details.unwrap()["trap"].as_str().unwrap().contains("unreachable"));
}

#[tokio::test]
async fn a_request_longer_than_the_limit_is_not_copied() {
    let body = format!(
        "(call $expect (memory.grow (i32.const 200)) (i32.const 2))
         (call $expect (call $http (i32.const {TEXT}) (i32.const {})) (i32.const -1))",
        limits::GUEST_REQUEST + 1
    );
    let network = Canned::answering(200, "");
    let wat = guest("{", &body);
    let report = House::new().run_with(&wat, Limits::default(), network.handle()).await;
    assert_eq!(limit_of(&report), passed("request", "8MiB"));
    assert_eq!(network.seen(), []);
}

#[tokio::test]
async fn a_response_longer_than_the_limit_is_refused() {
    let text = r#"{"url":"https://a"}"#;
    let body = format!("{} (call $expect (call $size) (i32.const -1))", request(text, -1));
    let long = vec![b'x'; usize::try_from(limits::GUEST_RESPONSE).unwrap() + 1];
    let network = Canned::turns(vec![Ok(GuestResponse { status: 200, body: long.into() })]);
    let report = House::new().run_with(&guest(text, &body), Limits::default(), network).await;
    assert_eq!(limit_of(&report), passed("response", "8MiB"));
}

#[tokio::test]
async fn a_loop_of_requests_ends_at_their_number() {
    let text = r#"{"url":"https://a"}"#;
    let again = format!("(call $http (i32.const {TEXT}) (i32.const {}))", text.len());
    let body = format!("(loop $more (br_if $more (i32.eqz {again}))) {}", request(text, -1));
    let network = Canned::answering(200, "");
    let wat = guest(text, &body);
    let report = House::new().run_with(&wat, Limits::default(), network.handle()).await;
    assert_eq!(limit_of(&report), passed("requests", "1000"));
    assert_eq!(network.seen().len(), 1000);
}

#[tokio::test]
async fn random_numbers_are_bounded_and_system_calls_copy_a_bounded_amount() {
    let body = "(drop (memory.grow (i32.const 900)))
        (drop (call $random (i32.const 1024) (i32.const 50000000)))";
    let failure = House::new().run(&guest("", body)).await.outcome.unwrap_err();
    assert_eq!(failure.class, Class::ConnectorRuntimeError);
    let body = "(drop (memory.grow (i32.const 900)))
        (i32.store (i32.const 0) (i32.const 1024)) (i32.store (i32.const 4) (i32.const 40000000))
        (call $expect (call $fd_write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8))
          (i32.const 48))";
    assert_eq!(House::new().run(&guest("", body)).await.outcome, Ok(None));
}

#[tokio::test]
async fn a_call_that_is_given_up_ends_its_guest() {
    let house = House::new();
    let spin = house.host.prepare(module(&guest("", SPIN))).await.unwrap();
    let long = call(Limits { wall: limits::GUEST_WALL_MAX, ..Limits::default() });
    let running = house.host.run(&spin, long, Arc::new(Silent));
    assert!(timeout(Duration::from_millis(100), running).await.is_err());
    // Returns only when no guest is left on a thread.
    house.host.shutdown().await;
}

#[tokio::test]
async fn a_shutdown_ends_calls_and_says_so() {
    let house = House::new();
    let spin = house.host.prepare(module(&guest("", SPIN))).await.unwrap();
    let run = || house.host.run(&spin, call(Limits::default()), Arc::new(Silent));
    let (report, ()) = tokio::join!(run(), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        house.host.shutdown().await;
    });
    let failure = report.outcome.unwrap_err();
    assert!(failure.message.contains("shutting down"), "{failure}");
    assert!(run().await.outcome.unwrap_err().retriable);
}

#[tokio::test]
async fn print_and_exit_codes_do_not_hide_a_flood() {
    let text = r#"{"output":{}}"#;
    let body = format!("{} (loop $m {} (br $m))", print(text), print(text));
    assert_eq!(limit_of(&House::new().run(&guest(text, &body)).await), passed("stdout", "4MiB"));
}
