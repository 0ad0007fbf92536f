//! Drift, acceptance and synchronisation at the public door: the shapes, and who may.

use serde_json::{Value, json};

use crate::house::{AGENT, Door, PERSON, PROGRAM};

/// What the house accepts.
const SHOWN: &str = "sha256:0707070707070707070707070707070707070707070707070707070707070707";

async fn ask(door: &Door, request: &str, who: &str, body: Option<&Value>) -> (u16, Value) {
    let body = body.map(Value::to_string);
    let reply = door.ask(request, who, body.as_deref()).await;
    (reply.status, serde_json::from_str(&reply.body).unwrap_or_default())
}

#[tokio::test]
async fn drift_is_listed_with_its_difference_and_what_an_acceptance_names() {
    let door = Door::open().await;
    let (status, all) = ask(&door, "GET /v1/drift", PROGRAM, None).await;
    assert_eq!(status, 200);
    assert_eq!(
        all["items"][0],
        json!({
            "kind": "action",
            "name": "notes-list",
            "state": "changed",
            "path": "/home/actions/x",
            "message": "it is not what was accepted",
            "difference": "-a\n+\u{1b}[2Jb\n",
            "digest": SHOWN,
        })
    );
    assert_eq!(all["items"][1]["name"], "github://acme/notes@1.0.0");
    assert!(all["items"][1].get("digest").is_none());
    assert_eq!(
        (&all["items"][2]["kind"], &all["items"][2]["name"]),
        (&json!("lock"), &json!("actions.lock"),)
    );
    let (_, one) = ask(&door, "GET /v1/drift?name=other", PROGRAM, None).await;
    assert_eq!(
        (one["items"].as_array().unwrap().len(), &one["items"][0]["name"]),
        (1, &json!("other"),)
    );
    for bad in ["?name=../x", "?names=x"] {
        let request = format!("GET /v1/drift{bad}");
        assert_eq!(ask(&door, &request, PROGRAM, None).await.0, 400, "{bad}");
    }
    let (_, status) = ask(&door, "GET /v1/status", PROGRAM, None).await;
    assert_eq!(status["drift_count"], 4);
}

#[tokio::test]
async fn only_who_may_install_accepts_and_only_what_was_shown() {
    let door = Door::open().await;
    let body = json!({ "digest": SHOWN });
    let accept = "POST /v1/actions/notes-list/accept";
    for who in [PROGRAM, AGENT] {
        let (status, answer) = ask(&door, accept, who, Some(&body)).await;
        assert_eq!((status, &answer["error"]["code"]), (403, &json!("scope_missing")));
    }
    let (status, answer) = ask(&door, accept, PERSON, Some(&body)).await;
    let missing = json!(["github://acme/notes@1.0.0"]);
    assert_eq!((status, &answer["missing_connectors"]), (200, &missing));
    assert_eq!(answer["already_accepted"], false);
    let other = json!({ "digest": SHOWN.replace('7', "8") });
    let (status, answer) = ask(&door, accept, PERSON, Some(&other)).await;
    assert_eq!((status, &answer["error"]["code"]), (409, &json!("consent_changed")));
    for bad in [json!({}), json!({ "digest": "x" }), json!({ "digest": SHOWN, "force": true })] {
        assert_eq!(ask(&door, accept, PERSON, Some(&bad)).await.0, 400, "{bad}");
    }
    let connector = json!({ "fqn": "github://acme/notes", "version": "1.0.0", "digest": SHOWN });
    assert_eq!(ask(&door, "POST /v1/connectors/accept", PERSON, Some(&connector)).await.0, 200);
    assert_eq!(ask(&door, "POST /v1/lock/accept", PERSON, Some(&body)).await.0, 200);
}

#[tokio::test]
async fn a_synchronisation_answers_in_the_published_shape_with_and_without_a_body() {
    let door = Door::open().await;
    let (status, needs) = ask(&door, "GET /v1/sync", PROGRAM, None).await;
    assert_eq!((status, &needs["actions_seen"]), (200, &json!(2)));
    assert_eq!(needs["missing"][0]["needed_by"], json!(["notes-list"]));
    assert_eq!(needs["installed"], json!([]));
    assert_eq!(
        needs["already_installed"],
        json!([
            { "fqn": "github://acme/tasks", "version": "2.0.0" },
        ])
    );
    assert_eq!(
        needs["unbound"],
        json!([
            { "connector_fqn": "github://acme/tasks", "kind": "api_key", "scope": "your tasks" },
        ])
    );
    assert_eq!(ask(&door, "POST /v1/sync", PROGRAM, None).await.0, 403);
    for body in [None, Some(json!({ "auto_install": true })), Some(json!({ "only": [SHOWN] }))] {
        let (status, done) = ask(&door, "POST /v1/sync", PERSON, body.as_ref()).await;
        assert_eq!(status, 200, "{done}");
        assert_eq!(done["installed"][0]["fqn"], "github://acme/notes");
        assert_eq!(done["install_failures"][0]["error"], "it is not signed by whom you trust");
    }
    let none = json!({ "only": [] });
    let (_, done) = ask(&door, "POST /v1/sync", PERSON, Some(&none)).await;
    assert_eq!(done["installed"], json!([]));
    for bad in [json!({ "only": ["x"] }), json!({ "everything": true })] {
        assert_eq!(ask(&door, "POST /v1/sync", PERSON, Some(&bad)).await.0, 400, "{bad}");
    }
}

#[tokio::test]
async fn an_action_may_be_named_like_any_word_of_an_address() {
    let door = Door::open().await;
    for name in ["install", "preview", "batch", "drift", "accept", "run", "watch"] {
        let at = |method: &str, end: &str| format!("{method} /v1/actions/{name}{end}");
        let (status, answer) = ask(&door, &at("GET", ""), PROGRAM, None).await;
        assert_eq!((status, &answer["error"]["message"]), (404, &json!("there is no such action")));
        let off = json!({ "enabled": false });
        let (status, answer) = ask(&door, &at("PATCH", ""), PERSON, Some(&off)).await;
        assert_eq!((status, &answer["name"]), (200, &json!(name)));
        let (status, _) = ask(&door, &at("PATCH", ""), PROGRAM, Some(&off)).await;
        assert_eq!(status, 403, "{name}");
        let (status, answer) = ask(&door, &at("POST", "/run"), PROGRAM, Some(&json!({}))).await;
        assert!(status < 400, "{name}: {status} {answer}");
        let shown = json!({ "digest": SHOWN });
        let (status, _) = ask(&door, &at("POST", "/accept"), PERSON, Some(&shown)).await;
        assert_eq!(status, 200, "{name}");
    }
}
