//! The published interface, rule by rule.

use aileron_contract::failure::Class;
use aileron_wasmhost::{GuestRequest, GuestResponse, Limits, LogLine};
use serde_json::{Value, json};

use crate::support::{Canned, House, TEXT, denied, guest, guest_with, print, request};

const REQUEST: &str = r#"{"method":"POST","url":"https://a.example/x","headers":{"B":"2","a":"1"},
    "body":"h\u00e9","credential":"api_key","unknown":[]}"#;

fn output(report: &aileron_wasmhost::Report) -> Value {
    Value::Object(report.outcome.clone().ok().flatten().unwrap_or_default())
}

#[tokio::test]
async fn standard_input_is_the_call_and_then_the_end() {
    let house = House::new();
    let prefix = r#"{"output":}"#;
    let body = format!(
        "(local $n i32)
         (local.set $n (call $stdin (i32.const 4096) (i32.const 4096)))
         (call $expect (call $stdin (i32.const 9000) (i32.const 16)) (i32.const 0))
         (call $write (i32.const 1) (i32.const {TEXT}) (i32.const 10))
         (call $write (i32.const 1) (i32.const 4096) (local.get $n))
         (call $write (i32.const 1) (i32.const {}) (i32.const 1))",
        TEXT + 10
    );
    let report = house.run(&guest(prefix, &body)).await;
    assert_eq!(output(&report), json!({"op": "list", "args": {"k": "v"}}));
}

#[tokio::test]
async fn there_are_no_arguments_no_variables_and_no_folders() {
    let body = "
        (i32.store (i32.const 16) (i32.const 9)) (i32.store (i32.const 20) (i32.const 9))
        (call $expect (call $args (i32.const 16) (i32.const 20)) (i32.const 0))
        (call $expect (i32.load (i32.const 16)) (i32.const 0))
        (i32.store (i32.const 16) (i32.const 9))
        (call $expect (call $environ (i32.const 16) (i32.const 20)) (i32.const 0))
        (call $expect (i32.load (i32.const 16)) (i32.const 0))
        (call $expect (call $prestat (i32.const 3) (i32.const 16)) (i32.const 8))";
    assert_eq!(House::new().run(&guest("", body)).await.outcome, Ok(None));
}

#[tokio::test]
async fn the_clock_sleep_and_the_random_numbers_are_real() {
    // After September 2026; 20 ms of sleep pass; two draws of 8 bytes differ.
    let body = "
        (local $before i64)
        (call $expect (call $clock (i32.const 0) (i64.const 1) (i32.const 200)) (i32.const 0))
        (if (i64.lt_u (i64.load (i32.const 200)) (i64.const 1788000000000000000))
          (then unreachable))
        (call $expect (call $clock (i32.const 1) (i64.const 1) (i32.const 200)) (i32.const 0))
        (local.set $before (i64.load (i32.const 200)))
        (call $sleep (i64.const 20000000))
        (call $expect (call $clock (i32.const 1) (i64.const 1) (i32.const 200)) (i32.const 0))
        (if (i64.lt_u (i64.sub (i64.load (i32.const 200)) (local.get $before))
                      (i64.const 20000000))
          (then unreachable))
        (call $expect (call $random (i32.const 300) (i32.const 8)) (i32.const 0))
        (call $expect (call $random (i32.const 308) (i32.const 8)) (i32.const 0))
        (if (i64.eq (i64.load (i32.const 300)) (i64.load (i32.const 308))) (then unreachable))";
    assert_eq!(House::new().run(&guest("", body)).await.outcome, Ok(None));
}

#[tokio::test]
async fn a_request_reaches_the_network_and_its_answer_the_guest() {
    let network = Canned::answering(201, r#"{"output":{"n":1}}"#);
    // A short read takes the first bytes; the next one starts from the first byte again.
    let body = format!(
        "{}
         (call $expect (call $status) (i32.const 201))
         (call $expect (call $size) (i32.const 18))
         (call $expect (call $read (i32.const 8000) (i32.const 3)) (i32.const 3))
         (call $expect (call $read (i32.const 4096) (i32.const 9999)) (i32.const 18))
         (call $write (i32.const 1) (i32.const 4096) (i32.const 18))",
        request(REQUEST, 0)
    );
    let guest = guest(REQUEST, &body);
    let report = House::new().run_with(&guest, Limits::default(), network.handle()).await;
    assert_eq!(output(&report), json!({"n": 1}));
    let expected = GuestRequest {
        method: "POST".to_owned(),
        url: "https://a.example/x".to_owned(),
        headers: vec![("B".to_owned(), "2".to_owned()), ("a".to_owned(), "1".to_owned())],
        body: "hé".into(),
        credential: Some("api_key".to_owned()),
    };
    assert_eq!(network.seen(), [expected]);
}

#[tokio::test]
async fn a_malformed_request_answers_minus_two_and_is_forgiven() {
    let network = Canned::answering(200, "");
    for text in ["{", "[]", r#"{"url":""}"#, r#"{"method":"GET"}"#] {
        let guest = guest(text, &request(text, -2));
        let report = House::new().run_with(&guest, Limits::default(), network.handle()).await;
        assert_eq!(report.outcome, Ok(None), "{text}");
    }
    let ranges = "
        (call $expect (call $http (i32.const 1024) (i32.const 0)) (i32.const -2))
        (call $expect (call $http (i32.const 131072) (i32.const 1)) (i32.const -2))
        (call $expect (call $http (i32.const -1) (i32.const -1)) (i32.const -2))";
    let guest = guest("", ranges);
    let report = House::new().run_with(&guest, Limits::default(), network.handle()).await;
    assert_eq!(report.outcome, Ok(None));
    assert_eq!(network.seen(), []);
}

#[tokio::test]
async fn before_any_request_there_is_no_response() {
    let body = "
        (call $expect (call $size) (i32.const -1))
        (call $expect (call $status) (i32.const -1))
        (call $expect (call $read (i32.const 0) (i32.const 8)) (i32.const -1))";
    assert_eq!(House::new().run(&guest("", body)).await.outcome, Ok(None));
}

#[tokio::test]
async fn an_empty_response_reads_as_zero_and_a_bad_range_as_minus_one() {
    let text = r#"{"url":"https://a"}"#;
    let empty = format!(
        "{} (call $expect (call $size) (i32.const 0))
            (call $expect (call $read (i32.const 0) (i32.const 8)) (i32.const 0))",
        request(text, 0)
    );
    assert_eq!(House::new().run(&guest(text, &empty)).await.outcome, Ok(None));

    let bad = format!(
        "{} (call $expect (call $read (i32.const 131071) (i32.const 8)) (i32.const -1))
            (call $expect (call $read (i32.const -4) (i32.const 8)) (i32.const -1))
            (call $expect (call $read (i32.const 131070) (i32.const 8)) (i32.const 2))",
        request(text, 0)
    );
    let network = Canned::answering(200, "ab");
    let report = House::new().run_with(&guest(text, &bad), Limits::default(), network).await;
    assert_eq!(report.outcome, Ok(None));
}

#[tokio::test]
async fn a_failed_request_ends_the_call_whatever_the_guest_writes() {
    let text = r#"{"url":"https://evil","output":{"ok":true}}"#;
    let body = format!(
        "{} (call $expect (call $size) (i32.const -1))
            (call $expect (call $status) (i32.const -1))
            (call $expect (call $read (i32.const 0) (i32.const 8)) (i32.const -1)) {}",
        request(text, -1),
        print(text)
    );
    let network = Canned::turns(vec![Err(denied())]);
    let report = House::new().run_with(&guest(text, &body), Limits::default(), network).await;
    assert_eq!(report.outcome, Err(denied()));
}

#[tokio::test]
async fn a_later_success_forgives_a_failed_request() {
    let text = r#"{"url":"https://a"}"#;
    let body = format!(
        "{} {} (call $expect (call $status) (i32.const 200))",
        request(text, -1),
        request(text, 0)
    );
    let answered = GuestResponse { status: 200, body: "".into() };
    let network = Canned::turns(vec![Err(denied()), Ok(answered)]);
    let report = House::new().run_with(&guest(text, &body), Limits::default(), network).await;
    assert_eq!(report.outcome, Ok(None));
}

#[tokio::test]
async fn after_a_failure_the_previous_response_is_gone() {
    let text = r#"{"url":"https://a"}"#;
    let body = format!(
        "{} (call $expect (call $size) (i32.const 3))
         {} (call $expect (call $size) (i32.const -1))",
        request(text, 0),
        request(text, -1)
    );
    let answered = GuestResponse { status: 200, body: "abc".into() };
    let network = Canned::turns(vec![Ok(answered), Err(denied())]);
    let report = House::new().run_with(&guest(text, &body), Limits::default(), network).await;
    assert_eq!(report.outcome, Err(denied()));
}

#[tokio::test]
async fn programs_cannot_be_started() {
    let body = "
        (call $expect (call $spawn (i32.const 0) (i32.const 2)) (i32.const -3))
        (call $expect (call $spawn_op (i32.const 0) (i32.const 2) (i32.const 0) (i32.const 0))
          (i32.const -3))
        (call $expect (call $spawn_status) (i32.const -2))
        (call $expect (call $spawn_output_size (i32.const 0)) (i32.const -1))
        (call $expect (call $spawn_output_read (i32.const 0) (i32.const 0) (i32.const 9))
          (i32.const -1))";
    assert_eq!(House::new().run(&guest("", body)).await.outcome, Ok(None));
}

#[tokio::test]
async fn log_lines_are_kept_and_a_bad_range_is_an_empty_text() {
    let body = format!(
        "(call $log (i32.const {TEXT}) (i32.const 5) (i32.const {}) (i32.const 5))
         (call $log (i32.const -1) (i32.const 7) (i32.const {TEXT}) (i32.const 5))
         (call $log (i32.const {TEXT}) (i32.const 0) (i32.const 131000) (i32.const 9999))",
        TEXT + 5
    );
    let report = House::new().run(&guest("errorhello", &body)).await;
    let line =
        |level: &str, message: &str| LogLine { level: level.into(), message: message.into() };
    assert_eq!(report.logs, [line("error", "hello"), line("", "error"), line("", "")]);
    assert_eq!(report.outcome, Ok(None));
}

#[tokio::test]
async fn no_call_sees_what_another_left_behind() {
    let house = House::new();
    let body = "(call $expect (i32.load (i32.const 4096)) (i32.const 0))
                (i32.store (i32.const 4096) (i32.const 7))";
    for _ in 0..4 {
        assert_eq!(house.run(&guest("", body)).await.outcome, Ok(None));
    }
}

#[tokio::test]
async fn any_exit_code_is_told_with_the_end_of_stderr() {
    for code in [1, 125, 126, 255] {
        let body = format!(
            "(call $write (i32.const 2) (i32.const {TEXT}) (i32.const 4)) (call $exit (i32.const {code}))"
        );
        let report = House::new().run(&guest("boom", &body)).await;
        assert_eq!(report.stderr, "boom");
        let failure = report.outcome.unwrap_err();
        assert_eq!(failure.class, Class::ConnectorRuntimeError);
        assert_eq!(failure.message, format!("connector exited {code}; stderr: boom"));
    }
    let zero = guest("", "(call $exit (i32.const 0)) unreachable");
    assert_eq!(House::new().run(&zero).await.outcome, Ok(None));
}

#[tokio::test]
async fn a_guests_error_is_heard_with_a_failing_exit() {
    let text = r#"{"error":{"class":"graphql_error","message":"no team"}}"#;
    let body = format!("{} (call $exit (i32.const 1))", print(text));
    let failure = House::new().run(&guest(text, &body)).await.outcome.unwrap_err();
    assert_eq!(
        (failure.class, failure.message.as_str()),
        (Class::ConnectorRuntimeError, "no team")
    );
    assert_eq!(failure.details.unwrap().get("reported_class"), Some(&json!("graphql_error")));
}

#[tokio::test]
async fn a_guest_without_an_exported_memory_gets_codes_instead_of_a_trap() {
    let wat = r#"(module
        (import "aileron_host" "log" (func $log (param i32 i32 i32 i32)))
        (import "aileron_host" "http_request" (func $http (param i32 i32) (result i32)))
        (func (export "_start")
          (call $log (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 1))
          (if (i32.ne (call $http (i32.const 0) (i32.const 4)) (i32.const -2))
            (then unreachable))))"#;
    assert_eq!(House::new().run(wat).await.outcome, Ok(None));
}

#[tokio::test]
async fn the_whole_of_preview_one_can_be_imported() {
    let names = "args_get args_sizes_get environ_get environ_sizes_get clock_res_get \
        clock_time_get fd_advise fd_allocate fd_close fd_datasync fd_fdstat_get \
        fd_fdstat_set_flags fd_fdstat_set_rights fd_filestat_get fd_filestat_set_size \
        fd_filestat_set_times fd_pread fd_prestat_get fd_prestat_dir_name fd_pwrite fd_read \
        fd_readdir fd_renumber fd_seek fd_sync fd_tell fd_write path_create_directory \
        path_filestat_get path_filestat_set_times path_link path_open path_readlink \
        path_remove_directory path_rename path_symlink path_unlink_file poll_oneoff proc_exit \
        proc_raise sched_yield random_get sock_accept sock_recv sock_send sock_shutdown";
    let house = House::new();
    for name in names.split_whitespace() {
        // With a wrong signature the complaint is about the type; a missing one is unknown.
        let wat = format!(
            r#"(module (import "wasi_snapshot_preview1" "{name}" (func (param f64 f64))))"#
        );
        let failure = house.run(&wat).await.outcome.unwrap_err();
        assert!(failure.message.contains("incompatible import type"), "{name}: {failure}");
    }
}

#[tokio::test]
async fn a_table_of_its_own_and_a_start_function_are_ordinary() {
    let extra = "(table 100 funcref) (global $g (mut i32) (i32.const 0))
        (func $init (global.set $g (i32.const 5))) (start $init)";
    let body = "(call $expect (global.get $g) (i32.const 5))";
    assert_eq!(House::new().run(&guest_with(extra, "", body)).await.outcome, Ok(None));
}
