use serde_json::json;

use crate::house::{AGENT, Door, Outcome, PERSON, PROGRAM};

const RUN: &str = "POST /v1/actions/notes-list/run";

#[tokio::test]
async fn a_run_that_is_done_answers_with_its_output_and_provenance() {
    let door = Door::open().await;
    let reply = door.ask(RUN, AGENT, Some(r#"{"args":{"z":1,"a":[true,null]},"later":1}"#)).await;
    assert_eq!(reply.status, 200);
    let expected = json!({
        "audit_id": "audit-1",
        "result": "{\"action\":\"notes-list\"}",
        "run_id": "act-20300101T000000-00000000deadbeef",
        "connector_fqn": "github://acme/notes",
        "connector_version": "1.0.0",
        "connector_hash": format!("sha256:{}", "02".repeat(32)),
        "identity_label": "default",
        "credential_binding": "api_key/notes/default",
        "consent_decision": "unattended",
    });
    assert_eq!(reply.json(), expected);
    let call = door.world.runs.lock().unwrap()[0].clone();
    assert_eq!(call.action.as_str(), "notes-list");
    assert_eq!(serde_json::to_string(&call.arguments).unwrap(), r#"{"z":1,"a":[true,null]}"#);
}

#[tokio::test]
async fn a_parked_run_tells_the_person_which_command_decides() {
    let door = Door::open().await;
    door.world.answer(Outcome::Pending);
    let reply = door.ask(RUN, AGENT, Some("{}")).await;
    let body = reply.json();
    assert_eq!((reply.status, &body["status"]), (202, &json!("pending_approval")));
    let id = body["approval_id"].as_str().unwrap();
    let review = format!("http://127.0.0.1:{}/approvals?focus={id}", door.address.port());
    assert_eq!(body["review_url"], review);
    assert!(body["message"].as_str().unwrap().contains(&format!("aileron approval approve {id}")));
}

#[tokio::test]
async fn whose_account_is_used_reaches_the_run_or_is_refused() {
    let door = Door::open().await;
    let ask = async |body: &str| door.ask(RUN, AGENT, Some(body)).await;
    for body in [r#"{"args":{}}"#, r#"{"identity":null}"#, r#"{"identity":"work","args":{}}"#] {
        assert_eq!(ask(body).await.status, 200, "{body}");
    }
    for identity in ["notes/work", "../work", "", "Work", "api_key/notes/work", "w\\u0000"] {
        let body = format!(r#"{{"args":{{}},"identity":"{identity}"}}"#);
        let reply = ask(&body).await;
        assert_eq!((reply.status, reply.code().as_str()), (400, "invalid_identity"), "{identity}");
    }
    for body in
        [r#"{"identity":5}"#, r#"{"identity":["work"]}"#, r#"{"identity":"a","identity":"b"}"#]
    {
        let reply = ask(body).await;
        assert_eq!((reply.status, reply.code().as_str()), (400, "invalid_body"), "{body}");
    }
    let calls = door.world.runs.lock().unwrap();
    let identities: Vec<_> = calls.iter().map(|call| call.identity.clone()).collect();
    assert_eq!(identities, [None, None, "work".parse().ok()]);
}

#[tokio::test]
async fn an_idempotency_key_reaches_the_run() {
    let door = Door::open().await;
    let ask = async |keys: &str| {
        let headers = format!(
            "Authorization: Bearer {AGENT}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n{keys}"
        );
        door.raw(RUN, &headers, "{}").await.status
    };
    assert_eq!(ask("Idempotency-Key: try-1\r\n").await, 200);
    assert_eq!(ask("Idempotency-Key: a b\r\n").await, 400);
    assert_eq!(ask("Idempotency-Key: a\r\nIdempotency-Key: b\r\n").await, 400);
    let contexts = door.world.called("run");
    assert_eq!(contexts.len(), 1);
    let key = contexts[0].idempotency_key.as_ref();
    assert_eq!(key.map(aileron_contract::IdempotencyKey::as_str), Some("try-1"));
}

#[tokio::test]
async fn a_lost_answer_is_a_failure_that_says_what_is_not_known() {
    let door = Door::open().await;
    let reply = door.ask("GET /v1/action-approvals/act-1/result", AGENT, None).await;
    let body = reply.json();
    assert_eq!((&body["status"], &body["state"]), (&json!("failed"), &json!("ambiguous")));
    assert!(body["reason"].as_str().unwrap().contains("may have been carried out"));
    let run = door.ask("GET /v1/action-runs/act-1", PROGRAM, None).await.json();
    assert_eq!(run["requested_by"], json!({"type": "agent", "id": "own-session"}));
}

#[tokio::test]
async fn an_agent_reads_each_end_in_the_published_words() {
    let door = Door::open().await;
    for (state, status, reason) in [
        ("parked", "pending_approval", None),
        ("approved", "running", None),
        ("awaiting_vault", "awaiting_vault", None),
        ("running", "running", None),
        ("done", "completed", None),
        ("denied", "denied", None),
        ("expired", "denied", Some("nobody decided before the approval expired")),
        ("failed", "failed", None),
    ] {
        let call = format!("GET /v1/action-approvals/act-{state}/result");
        let body = door.ask(&call, AGENT, None).await.json();
        assert_eq!((&body["status"], &body["state"]), (&json!(status), &json!(state)));
        assert_eq!(body["reason"].as_str(), reason, "{state}");
    }
}

#[tokio::test]
async fn a_desktop_is_told_of_in_the_status() {
    use aileron_api::status::{NotificationState, Notifications, QuietHours};

    let door = Door::with(|options| {
        options.notifications = Some(aileron_gateway::Notifying::new(|| Notifications {
            state: NotificationState::Quiet,
            reason: None,
            quiet_hours: Some(QuietHours {
                start: "22:00".to_owned(),
                end: "07:30".to_owned(),
                timezone: None,
            }),
        }));
    })
    .await;
    let expected = json!({"state": "quiet", "quiet_hours": {"start": "22:00", "end": "07:30"}});
    let status = door.ask("GET /v1/status", PROGRAM, None).await.json();
    assert_eq!(status["notifications"], expected);
}

#[tokio::test]
async fn status_counts_also_for_whom_names_are_hidden() {
    let door = Door::open().await;
    let expected = json!({
        "version": "1.2.3", "vault_state": "locked", "action_count": 2, "connector_count": 1,
        "binding_count": 1, "stale_binding_count": 0, "refreshing_binding_count": 0,
        "pending_approval_count": 3, "drift_count": 4, "listen_addr": door.address.to_string(),
        "gateway_url": format!("http://{}", door.address),
    });
    assert_eq!(door.ask("GET /v1/status", PROGRAM, None).await.json(), expected);
    assert_eq!(door.ask("GET /v1/status", AGENT, None).await.code(), "scope_missing");
    let limits = door.ask("GET /v1/limits", PERSON, None).await.json();
    let listed = limits["items"].as_array().unwrap().len();
    assert_eq!(listed, aileron_contract::limits::ALL.len());
}
