use aileron_api::vault::UnlockVault;
use aileron_contract::{
    Error, Reason,
    failure::{Boundary, Class, Failure},
};
use serde_json::json;

use crate::house::{AGENT, Door, Outcome, PERSON, PROGRAM};

const RUN: &str = "POST /v1/actions/notes-list/run";

#[tokio::test]
async fn every_reason_reaches_the_caller_under_its_own_code_and_the_request_s_id() {
    let door = Door::open().await;
    for reason in Reason::ALL {
        door.world.fail(Error::new(*reason, "what happened"));
        let headers = format!("Authorization: Bearer {PERSON}\r\nX-Request-ID: my-request.1\r\n");
        let reply = door.raw("GET /v1/actions", &headers, "").await;
        let error = &reply.json()["error"];
        assert_eq!(error["code"], reason.code());
        assert_eq!(error["message"], "what happened");
        assert_eq!(error["request_id"], "my-request.1");
        assert!(reply.status >= 400, "{reason}");
        assert_eq!(reply.header("content-type"), "application/json");
    }
}

#[tokio::test]
async fn details_are_a_list_and_causes_stay_inside() {
    let door = Door::open().await;
    let missing = json!([{"name": "github://a/b", "version": "1.0.0"}]);
    door.world.fail(Error::new(Reason::ConnectorsMissing, "m").with_details(missing.clone()));
    let reply = door.ask("GET /v1/actions", PERSON, None).await;
    assert_eq!((reply.status, &reply.json()["error"]["details"]), (422, &missing));

    let one = json!({"expected": "a", "computed": "b"});
    door.world.fail(Error::new(Reason::HashMismatch, "m").with_details(one.clone()));
    let reply = door.ask("GET /v1/actions", PERSON, None).await;
    assert_eq!(reply.json()["error"]["details"], json!([one]));

    door.world.fail(Error::internal("canary in /home/someone"));
    let reply = door.ask("GET /v1/actions", PERSON, None).await;
    assert_eq!((reply.status, reply.code().as_str()), (500, "internal_error"));
    assert!(!reply.body.contains("canary"));
}

#[tokio::test]
async fn a_failed_run_has_the_published_envelope_and_status() {
    let door = Door::open().await;
    for (class, status) in [
        (Class::CapabilityDenied, 403),
        (Class::BindingRequired, 412),
        (Class::BindingFailed, 412),
        (Class::ResourceLimitExceeded, 507),
        (Class::ConnectorRuntimeError, 500),
        (Class::NetworkError, 502),
        (Class::ExternalApiError, 502),
        (Class::HashMismatch, 422),
        (Class::SignatureFailure, 422),
        (Class::ValidationError, 422),
        (Class::ParseError, 422),
        (Class::ApprovalDenied, 403),
        (Class::ApprovalTimeout, 403),
    ] {
        let mut failure = Failure::new(class, Boundary::External, "m").detail("status", 503);
        failure.audit_id = Some("audit-9".parse().unwrap());
        door.world.answer(Outcome::Failed(failure.retriable(true)));
        let reply = door.ask(RUN, AGENT, Some("{}")).await;
        assert_eq!(reply.status, status, "{class}");
        let mut error = reply.json()["error"].clone();
        let id = error.as_object_mut().unwrap().remove("request_id").unwrap();
        assert_eq!(id, reply.header("x-request-id"));
        let expected = json!({
            "class": class.text(), "message": "m", "retriable": true, "boundary": "external",
            "audit_id": "audit-9", "details": {"status": 503}, "code": class.text(),
            "documentation": format!("/docs/failures/{class}"),
        });
        assert_eq!(error, expected);
    }
}

#[tokio::test]
async fn a_locked_vault_is_412_for_a_run_and_423_elsewhere() {
    let door = Door::open().await;
    door.world.fail(Error::new(Reason::VaultLocked, "the vault is locked"));
    let run = door.ask(RUN, AGENT, Some("{}")).await;
    let error = &run.json()["error"];
    assert_eq!(run.status, 412);
    assert_eq!(error["class"], "binding_required");
    assert_eq!(error["code"], "vault_locked");
    assert_eq!(error["documentation"], "/docs/errors/vault_locked");
    assert_eq!(error["boundary"], "runtime");
    assert_eq!(error["details"]["required"], "vault.passphrase");
    let put = door.ask("PUT /v1/secrets/x", PERSON, Some(r#"{"value":"eA=="}"#)).await;
    assert_eq!((put.status, put.code().as_str()), (423, "vault_locked"));
}

#[tokio::test]
async fn a_run_s_other_errors_are_plain() {
    let door = Door::open().await;
    for (reason, status) in
        [(Reason::NotFound, 404), (Reason::ActionDisabled, 409), (Reason::IdempotencyConflict, 409)]
    {
        door.world.fail(Error::new(reason, "m"));
        let reply = door.ask(RUN, AGENT, Some("{}")).await;
        assert_eq!((reply.status, reply.code().as_str()), (status, reason.code()));
        assert!(reply.json()["error"].get("class").is_none());
    }
}

#[tokio::test]
async fn unlocking_twice_answers_409_with_the_state() {
    let door = Door::open().await;
    let unlock = async |passphrase: &str| {
        let body = json!({"passphrase": passphrase}).to_string();
        door.ask("POST /v1/vault/unlock", PROGRAM, Some(&body)).await
    };
    assert_eq!(unlock("bad").await.code(), "passphrase_rejected");
    assert_eq!(door.world.called("wake").len(), 0);
    let first = unlock("good").await;
    assert_eq!((first.status, &first.json()["state"]), (200, &json!("unlocked")));
    assert_eq!(door.world.called("wake").len(), 1, "what waited for the vault is resumed");
    let second = unlock("good").await;
    assert_eq!(second.status, 409);
    assert_eq!(second.json()["locked"], false);
    assert_eq!(door.world.called("wake").len(), 1);
}

#[tokio::test]
async fn a_409_of_an_unlock_that_is_an_error_is_read_as_one() {
    let door = Door::open().await;
    let body = UnlockVault { passphrase: "older".to_owned().into() };
    let refused = door.client(PROGRAM).unlock_vault(&body).await.unwrap_err();
    assert_eq!(refused.code(), Some("vault_rolled_back"), "{refused}");
    assert_eq!(refused.to_string(), "it is an older file");
}

#[tokio::test]
async fn every_answer_is_named_and_kept_out_of_caches() {
    let door = Door::open().await;
    for (line, token) in [
        ("GET /v1/health", PERSON),
        ("GET /v1/status", PERSON),
        ("GET /v1/status", "nobody"),
        ("GET /nowhere", PERSON),
        ("DELETE /v1/status", PERSON),
    ] {
        let reply = door.ask(line, token, None).await;
        let id = reply.header("x-request-id");
        assert!(id.len() == 16 && id.bytes().all(|c| c.is_ascii_hexdigit()), "{line}: {id}");
        assert_eq!(reply.header("cache-control"), "no-store", "{line}");
        assert_eq!(reply.header("x-content-type-options"), "nosniff", "{line}");
    }
}

#[tokio::test]
async fn a_request_id_is_echoed_only_when_it_is_harmless() {
    let door = Door::open().await;
    let long = "x".repeat(129);
    for (sent, echoed) in [("abc-1.2_3", true), ("a b", false), ("<b>", false), (&long, false)] {
        let reply = door.raw("GET /v1/health", &format!("X-Request-ID: {sent}\r\n"), "").await;
        assert_eq!(reply.header("x-request-id") == sent, echoed, "{sent}");
    }
}

#[tokio::test]
async fn unknown_addresses_and_methods_have_the_envelope_too() {
    let door = Door::open().await;
    let nowhere = door.ask("GET /v1/nowhere", PERSON, None).await;
    assert_eq!((nowhere.status, nowhere.code().as_str()), (404, "not_found"));
    let method = door.ask("DELETE /v1/status", PERSON, None).await;
    assert_eq!((method.status, method.code().as_str()), (405, "invalid_request"));
    assert!(method.header("allow").contains("GET"));
}

#[tokio::test]
async fn a_bug_in_a_service_is_a_500_and_the_next_call_works() {
    let door = Door::open().await;
    door.world.answer(Outcome::Panic);
    let reply = door.ask(RUN, AGENT, Some("{}")).await;
    assert_eq!((reply.status, reply.code().as_str()), (500, "internal_error"));
    assert!(reply.header("x-request-id").len() == 16 && !reply.body.contains("bug"));
    door.world.answer(Outcome::Done);
    assert_eq!(door.ask("GET /v1/status", AGENT, None).await.status, 403);
}
