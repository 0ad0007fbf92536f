//! Releases and local packages at the public door: the published shape, and who may.

use serde_json::{Value, json};

use crate::house::{AGENT, Door, PERSON, PROGRAM};

async fn ask(door: &Door, request: &str, who: &str, body: Option<&Value>) -> (u16, Value) {
    let body = body.map(Value::to_string);
    let reply = door.ask(request, who, body.as_deref()).await;
    (reply.status, serde_json::from_str(&reply.body).unwrap_or_default())
}

#[tokio::test]
async fn updates_have_the_published_shape() {
    let door = Door::open().await;
    let (status, found) = ask(&door, "GET /v1/connectors/check", PROGRAM, None).await;
    assert_eq!(status, 200);
    let failed = json!({
        "fqn": "gitlab://acme/notes",
        "current_version": "1.0.0",
        "update_available": false,
        "error": "it cannot be asked",
    });
    let known = json!({
        "fqn": "github://acme/notes",
        "current_version": "1.0.0",
        "update_available": true,
        "latest_version": "1.9.0",
        "available_versions": ["1.9.0"],
    });
    assert_eq!(found, json!({ "results": [known, failed] }));
    let all = "GET /v1/connectors/check?include_prerelease=true";
    let (_, found) = ask(&door, all, PROGRAM, None).await;
    assert_eq!(found["results"][0]["available_versions"], json!(["2.0.0-rc.1", "1.9.0"]));
    for bad in ["?include_prerelease=maybe", "?prerelease=true"] {
        let request = format!("GET /v1/connectors/check{bad}");
        assert_eq!(ask(&door, &request, PROGRAM, None).await.0, 400, "{bad}");
    }
}

#[tokio::test]
async fn the_newest_version_is_asked_for_by_name() {
    let door = Door::open().await;
    let newest = "GET /v1/packages/newest?fqn=github://acme/notes";
    let (status, found) = ask(&door, newest, PROGRAM, None).await;
    let expected = json!({ "fqn": "github://acme/notes", "version": "1.9.0" });
    assert_eq!((status, found), (200, expected));
    for bad in ["", "?fqn=acme/notes", "?fqn=github://acme/notes@1.0.0"] {
        let request = format!("GET /v1/packages/newest{bad}");
        assert_eq!(ask(&door, &request, PROGRAM, None).await.0, 400, "{bad}");
    }
}

#[tokio::test]
async fn progress_is_told_to_whoever_may_install() {
    let door = Door::open().await;
    let progress = "GET /v1/packages/progress";
    for who in [PROGRAM, AGENT] {
        let (status, answer) = ask(&door, progress, who, None).await;
        assert_eq!((status, &answer["error"]["code"]), (403, &json!("scope_missing")));
    }
    let (status, found) = ask(&door, progress, PERSON, None).await;
    let (fqn, version) = ("github://acme/notes", "1.0.0");
    let fetching = json!({ "fqn": fqn, "version": version, "step": "fetching",
        "received_bytes": 10, "total_bytes": 20 });
    let unknown =
        json!({ "fqn": fqn, "version": version, "step": "fetching", "received_bytes": 10 });
    let compiling = json!({ "fqn": fqn, "version": version, "step": "compiling" });
    assert_eq!((status, found), (200, json!({ "items": [fetching, unknown, compiling] })));
}

#[tokio::test]
async fn only_who_may_install_brings_a_package() {
    let door = Door::open().await;
    let bring = "POST /v1/packages/local";
    let archive = json!({ "archive": "AAEC" });
    for who in [PROGRAM, AGENT] {
        let (status, answer) = ask(&door, bring, who, Some(&archive)).await;
        assert_eq!((status, &answer["error"]["code"]), (403, &json!("scope_missing")));
    }
    let (status, found) = ask(&door, bring, PERSON, Some(&archive)).await;
    assert_eq!((status, &found["kind"]), (200, &json!("connector")));
    assert_eq!((&found["fqn"], &found["version"]), (&json!("local://user/notes"), &json!("1.0.0")));
    let files = json!({ "files": [{ "name": "action.md", "content": "AAEC" }] });
    let (status, again) = ask(&door, bring, PERSON, Some(&files)).await;
    assert_eq!((status, &again["kind"], &again["hash"]), (200, &json!("action"), &found["hash"]));
    for bad in [
        json!({}),
        json!({ "archive": "AAEC", "files": [] }),
        json!({ "archive": "not base64" }),
        json!({ "files": [{ "name": "action.md", "content": "?" }] }),
        json!({ "files": [{ "name": "action.md" }] }),
        json!({ "path": "/etc/passwd" }),
    ] {
        assert_eq!(ask(&door, bring, PERSON, Some(&bad)).await.0, 400, "{bad}");
    }
}

#[tokio::test]
async fn a_package_may_be_larger_than_other_bodies_and_not_without_end() {
    let door = Door::open().await;
    let bring = "POST /v1/packages/local";
    let bytes = |count: usize| json!({ "archive": "A".repeat(count) });
    let (status, _) = ask(&door, bring, PERSON, Some(&bytes(4 * 1024 * 1024))).await;
    assert_eq!(status, 200);
    let past = aileron_contract::limits::LOCAL_BODY;
    let headers = format!(
        "Authorization: Bearer {PERSON}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n",
        past + 1
    );
    let refused = door.raw(bring, &headers, "{").await;
    assert_eq!(refused.status, 413);
    assert!(refused.body.contains("body_too_large") && refused.body.contains("LOCAL_BODY"));
}
