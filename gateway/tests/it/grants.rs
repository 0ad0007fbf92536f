use serde_json::json;

use crate::house::{AGENT, Door, PERSON, PROGRAM, grants::GRANT};

const PROPOSE: &str = "POST /v1/approval-grants/proposal";
const MAKE: &str = "POST /v1/approval-grants";

fn body() -> serde_json::Value {
    json!({
        "action_name": "notes-create",
        "session_id": "01A",
        "args": {"title": "one", "count": 1},
        "any": ["text"],
        "left_out": ["tag"],
        "max_uses": 3,
        "expires_at": "2031-01-01T00:00:00Z",
    })
}

#[tokio::test]
async fn what_was_seen_is_granted_and_nothing_else() {
    let door = Door::open().await;
    let reply = door.ask(PROPOSE, PERSON, Some(&body().to_string())).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let terms = reply.json();
    assert_eq!(terms["session_id"], "01A");
    let rules: Vec<_> = terms["arguments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["name"].as_str().unwrap(), it["rule"].as_str().unwrap()))
        .collect();
    assert_eq!(
        rules,
        [("title", "exactly"), ("count", "exactly"), ("text", "any"), ("tag", "left_out")]
    );
    // Not without its digest, and not with another.
    let reply = door.ask(MAKE, PERSON, Some(&body().to_string())).await;
    assert_eq!((reply.status, reply.code().as_str()), (400, "invalid_request"));
    let with = |digest: &serde_json::Value| {
        let mut body = body();
        body["digest"] = digest.clone();
        body.to_string()
    };
    let other = json!(format!("sha256:{}", "09".repeat(32)));
    let reply = door.ask(MAKE, PERSON, Some(&with(&other))).await;
    assert_eq!((reply.status, reply.code().as_str()), (422, "hash_mismatch"));
    let reply = door.ask(MAKE, PERSON, Some(&with(&terms["digest"]))).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    let grant = reply.json();
    assert_eq!(
        (&grant["id"], &grant["state"], &grant["terms"]),
        (&json!(GRANT), &json!("live"), &terms)
    );
}

#[tokio::test]
async fn only_a_person_makes_and_revokes_and_others_read() {
    let door = Door::open().await;
    let revoke = format!("DELETE /v1/approval-grants/{GRANT}");
    for token in [AGENT, PROGRAM] {
        let mut made = body();
        made["digest"] = json!(format!("sha256:{}", "04".repeat(32)));
        for (line, body) in [
            (PROPOSE, Some(body().to_string())),
            (MAKE, Some(made.to_string())),
            (revoke.as_str(), None),
        ] {
            let reply = door.ask(line, token, body.as_deref()).await;
            assert_eq!((reply.status, reply.code().as_str()), (403, "person_required"), "{line}");
        }
        let reply = door.ask("GET /v1/approval-grants", token, None).await;
        assert_eq!(reply.status, 200);
    }
    assert_eq!(door.ask(&revoke, PERSON, None).await.status, 204);
    let unknown = door.ask("DELETE /v1/approval-grants/grant-x", PERSON, None).await;
    assert_eq!(unknown.status, 404);
    let listed = door.ask("GET /v1/approval-grants", PERSON, None).await.json();
    assert_eq!(listed["items"][1]["void"], "binding_changed");
    assert_eq!(listed["items"][1]["terms"]["token_id"], "tok-0123456789abcdef");
}

#[tokio::test]
async fn a_grant_that_two_readers_could_read_differently_is_refused() {
    let door = Door::open().await;
    let text = body().to_string();
    let with = |from: &str, to: &str| {
        assert!(text.contains(from), "{text}");
        text.replacen(from, to, 1)
    };
    for (bad, code) in [
        (with("\"max_uses\":3", "\"max_uses\":3,\"max_uses\":9"), "invalid_body"),
        (with("\"title\":\"one\"", "\"title\":\"one\",\"title\":\"two\""), "invalid_body"),
        (with("\"count\":1", "\"count\":9007199254740993"), "invalid_body"),
        (with("\"max_uses\":3", "\"max_uses\":3,\"later\":1"), "invalid_body"),
        (with("\"max_uses\":3", "\"max_uses\":-3"), "invalid_body"),
        (with("\"max_uses\":3", "\"max_uses\":\"3\""), "invalid_body"),
        (with("\"session_id\":\"01A\",", ""), "invalid_request"),
        (
            with("\"max_uses\":3", "\"max_uses\":3,\"token_id\":\"tok-0123456789abcdef\""),
            "invalid_request",
        ),
        (with("2031-01-01T00:00:00Z", "tomorrow"), "invalid_request"),
        (with("notes-create", "../x"), "invalid_request"),
    ] {
        let reply = door.ask(PROPOSE, PERSON, Some(&bad)).await;
        assert_eq!((reply.status, reply.code().as_str()), (400, code), "{bad}");
    }
    assert!(door.world.called("propose_grant").is_empty());
}
