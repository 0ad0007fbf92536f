use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;

use super::*;

const LIMITS: Limits = Limits { memory: 64 << 20, wall: Duration::from_secs(30) };

fn finished(end: End) -> Finished {
    Finished { end, sticky: None, status: None, starved: false }
}

fn of(end: End, stdout: &str) -> Result<Option<Map<String, Value>>, Failure> {
    outcome(finished(end), (stdout.into(), 0), "", &LIMITS)
}

#[test]
fn an_empty_stdout_is_success_without_output() {
    assert_eq!(of(End::Exited(0), " \n"), Ok(None));
    assert_eq!(of(End::Exited(0), r#"{"output":null}"#), Ok(None));
}

#[test]
fn an_output_that_is_no_object_is_a_broken_envelope() {
    for stdout in ["[]", "1", r#"{"output":1}"#, r#"{"output":{}} x"#, r#"{"error":"x"}"#] {
        let failure = of(End::Exited(0), stdout).unwrap_err();
        assert_eq!(failure.class, Class::ConnectorRuntimeError, "{stdout}");
        assert!(failure.message.starts_with("connector stdout is not a valid JSON envelope"));
    }
}

#[test]
fn a_guests_error_is_heard_whatever_its_exit_code() {
    for code in [0, 1, 255] {
        let stdout = r#"{"error":{"class":"unknown_op","message":"no such op"}}"#;
        let failure = of(End::Exited(code), stdout).unwrap_err();
        assert_eq!(failure.class, Class::ConnectorRuntimeError);
        assert_eq!(failure.message, "no such op");
        assert_eq!(failure.details.unwrap().get(REPORTED_CLASS), Some(&json!("unknown_op")));
    }
}

#[test]
fn a_guest_may_blame_its_upstream_and_the_host_adds_the_status() {
    for (status, retriable) in [(429, true), (503, true), (404, false)] {
        let finished = Finished { status: Some(status), ..finished(End::Exited(1)) };
        let stdout = br#"{"error":{"class":"external_api_error","message":"m"}}"#.to_vec();
        let failure = outcome(finished, (stdout, 0), "", &LIMITS).unwrap_err();
        assert_eq!(
            (failure.class, failure.boundary),
            (Class::ExternalApiError, Boundary::External)
        );
        assert_eq!(failure.retriable, retriable);
        assert_eq!(failure.details.unwrap().get("status"), Some(&json!(status)));
    }
}

#[test]
fn a_guest_cannot_claim_what_only_the_host_can_know() {
    for class in ["capability_denied", "binding_required", "approval_denied", "hash_mismatch"] {
        let stdout = format!(r#"{{"error":{{"class":"{class}","message":"m"}}}}"#);
        let failure = of(End::Exited(0), &stdout).unwrap_err();
        assert_eq!(failure.class, Class::ConnectorRuntimeError);
        assert_eq!(failure.details.unwrap().get(REPORTED_CLASS), Some(&json!(class)));
    }
}

#[test]
fn a_failed_request_wins_over_what_the_guest_wrote() {
    let denied = Failure::new(Class::CapabilityDenied, Boundary::Sandbox, "no");
    for end in [End::Exited(0), End::Exited(1), End::Trapped(Trap::UnreachableCodeReached)] {
        let finished = Finished { sticky: Some(denied.clone()), ..finished(end) };
        let stdout = br#"{"output":{"ok":true}}"#.to_vec();
        assert_eq!(outcome(finished, (stdout, 0), "", &LIMITS), Err(denied.clone()));
    }
}

#[test]
fn an_exit_without_an_error_quotes_the_end_of_stderr() {
    let short = outcome(finished(End::Exited(3)), (vec![], 0), "boom", &LIMITS).unwrap_err();
    assert_eq!(short.message, "connector exited 3; stderr: boom");
    let stderr = format!("{}ß{}", "a".repeat(9), "b".repeat(255));
    let long = outcome(finished(End::Exited(3)), (vec![], 0), &stderr, &LIMITS).unwrap_err();
    assert_eq!(long.message, format!("connector exited 3; stderr: ...{}", "b".repeat(255)));
}

#[test]
fn a_guest_that_coped_without_the_memory_it_asked_for_succeeds() {
    let coped = Finished { starved: true, ..finished(End::Exited(0)) };
    assert_eq!(outcome(coped, (vec![], 0), "", &LIMITS), Ok(None));
    let died = Finished { starved: true, ..finished(End::Trapped(Trap::UnreachableCodeReached)) };
    let failure = outcome(died, (vec![], 0), "", &LIMITS).unwrap_err();
    assert_eq!(failure.class, Class::ResourceLimitExceeded);
    assert_eq!(
        Value::Object(failure.details.unwrap()),
        json!({"limit": "memory", "configured": "64MiB"})
    );
}

#[test]
fn the_wall_limit_is_written_as_published() {
    let failure = wall_time(&LIMITS);
    assert_eq!(
        Value::Object(failure.details.unwrap()),
        json!({"limit": "wall_time", "configured": "30s"})
    );
}

proptest! {
    #[test]
    fn no_answer_of_a_guest_breaks_the_reader(stdout in proptest::collection::vec(any::<u8>(), 0..200), code in 0..3u32) {
        let outcome = outcome(finished(End::Exited(code)), (stdout, 0), "", &LIMITS);
        prop_assert!(code == 0 || outcome.is_err());
    }

    #[test]
    fn a_message_is_never_longer_than_its_limit(message in "\\PC{0,3000}") {
        prop_assert!(cut(&message).len() <= limits::GUEST_MESSAGE + 3);
    }
}
