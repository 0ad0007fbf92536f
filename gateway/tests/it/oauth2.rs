//! Setups at a provider, as the public API has them.

use aileron_contract::{
    bindings::{Caller, Purpose},
    names::Sha256Hash,
};
use serde_json::{Value, json};

use crate::house::{Door, PERSON, PROGRAM, Reply};

const CALLBACK: &str = "/v1/bindings/setup/oauth2/callback";

/// The name of the cookie of the setup with this state.
fn cookie(state: &str) -> String {
    let hash = Sha256Hash::of(&[state.as_bytes()]).to_string();
    format!("aileron_oauth_{}", &hash["sha256:".len()..][..16])
}

async fn post(door: &Door, path: &str, body: &Value) -> Reply {
    let line = format!("POST /v1/bindings/setup/oauth2/{path}");
    door.ask(&line, PERSON, Some(&body.to_string())).await
}

fn wanted() -> Value {
    json!({"connector_fqn": "github://acme/signed-in", "identity": "work"})
}

fn with(key: &str, value: Value) -> Value {
    let mut body = wanted();
    body[key] = value;
    body
}

#[tokio::test]
async fn a_setup_is_begun_with_what_the_installed_connector_declares() {
    let door = Door::open().await;
    let reply = post(&door, "init", &wanted()).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let begin = door.world.begun.lock().unwrap().remove(0);
    assert_eq!(begin.consent.connector.as_str(), "github://acme/signed-in");
    assert_eq!(begin.consent.service, "signed-in");
    let hosts: Vec<_> = begin.consent.reach.hosts.iter().map(ToString::to_string).collect();
    assert_eq!(hosts, ["a.example:443", "b.example:443"]);
    assert!(begin.consent.refuse_existing);
    assert_eq!(begin.client.scopes(), ["notes:read", "notes:write"]);
    assert_eq!(begin.purpose, Purpose::Setup);
    let Caller::Cli { port } = begin.caller else { panic!("{:?}", begin.caller) };
    assert_ne!(port, 0);
    assert_eq!(
        reply.json(),
        json!({
            "session_id": "the-session",
            "authorize_url": "https://id.example/authorize?state=s",
            "redirect_uri": format!("http://127.0.0.1:{port}/callback"),
        })
    );
    assert_eq!(reply.header("set-cookie"), "");
}

#[tokio::test]
async fn a_browsers_setup_leaves_a_cookie_that_only_its_callback_gets() {
    let door = Door::open().await;
    let body = json!({
        "connector_fqn": "github://acme/signed-in", "identity": "work", "caller": "daemon",
        "purpose": "reauthorize", "return_to": "http://localhost:3000/",
    });
    let reply = post(&door, "init", &body).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(
        reply.header("set-cookie"),
        format!("{}=c00kie; Path={CALLBACK}; Max-Age=600; HttpOnly; SameSite=Lax", cookie("s"))
    );
    assert!(!reply.body.contains("c00kie"));
    let begin = door.world.begun.lock().unwrap().remove(0);
    assert_eq!(begin.purpose, Purpose::Reauthorize);
    let callback_url = format!("http://{}{CALLBACK}", door.address);
    let return_to = "http://localhost:3000/".to_owned();
    assert_eq!(begin.caller, Caller::Daemon { callback_url, return_to });
}

#[tokio::test]
async fn what_cannot_be_set_up_at_a_provider_is_refused_in_the_published_words() {
    let door = Door::open().await;
    for (body, status, code) in [
        (with("caller", json!("daemon")), 400, "invalid_return_to"),
        (with("caller", json!("nobody")), 400, "invalid_body"),
        (with("identity", json!("../x")), 400, "invalid_identity"),
        (with("connector_fqn", json!("github://acme/notes")), 422, "not_oauth2"),
        (with("connector_fqn", json!("github://acme/open")), 400, "kind_mismatch"),
        (with("connector_fqn", json!("github://acme/absent")), 404, "connector_not_installed"),
        (with("hosts", json!(["a.example:443"])), 409, "consent_changed"),
        (with("scopes", json!(["notes:read"])), 409, "consent_changed"),
    ] {
        let reply = post(&door, "init", &body).await;
        assert_eq!((reply.status, reply.code().as_str()), (status, code), "{body}");
        if code == "not_oauth2" {
            let details = json!([{ "declared_kind": "api_key" }]);
            assert_eq!(reply.json()["error"]["details"], details);
        }
    }
    assert!(door.world.begun.lock().unwrap().is_empty());
    let agreed = with("scopes", json!(["notes:write", "notes:read"]));
    assert_eq!(post(&door, "init", &agreed).await.status, 200);
    let twice = r#"{"connector_fqn":"github://acme/signed-in","identity":"a","identity":"b"}"#;
    let line = "POST /v1/bindings/setup/oauth2/init";
    assert_eq!(door.ask(line, PERSON, Some(twice)).await.status, 400);
    let program = door.ask(line, PROGRAM, Some(&wanted().to_string())).await;
    assert_eq!((program.status, program.code().as_str()), (403, "scope_missing"));
}

#[tokio::test]
async fn a_finished_setup_is_created_and_one_authorized_again_is_not() {
    let door = Door::open().await;
    for (session, status) in [("new", 201), ("again", 200), ("gone", 404), ("dead", 422)] {
        let body = json!({"session_id": session, "code": "c", "state": "s"});
        let reply = post(&door, "finish", &body).await;
        assert_eq!(reply.status, status, "{}", reply.body);
        if status < 300 {
            assert_eq!(reply.json()["name"], "api_key/notes/default");
        }
    }
}

async fn arrive(door: &Door, query: &str, cookie: &str) -> Reply {
    let cookie = if cookie.is_empty() { String::new() } else { format!("Cookie: {cookie}\r\n") };
    door.raw(&format!("GET {CALLBACK}?{query}"), &cookie, "").await
}

#[tokio::test]
async fn the_browser_that_began_lands_where_it_wanted() {
    let door = Door::open().await;
    let brought = format!("theme=dark; {}=c00kie", cookie("s"));
    let reply =
        arrive(&door, "code=c&state=s&iss=https%3A%2F%2Fid.example&scope=x", &brought).await;
    assert_eq!(reply.status, 303, "{}", reply.body);
    assert_eq!(
        reply.header("location"),
        "http://127.0.0.1:9/done#aileron_oauth=ok&binding=api_key/notes/default"
    );
    assert!(reply.header("set-cookie").starts_with(&format!("{}=; ", cookie("s"))));
    assert!(reply.header("set-cookie").contains("Max-Age=0"));
}

#[tokio::test]
async fn every_other_arrival_is_a_page_that_names_its_code() {
    let door = Door::open().await;
    let good = &format!("{}=c00kie", cookie("s"));
    for (query, cookie, status, code) in [
        ("code=c&state=s", "", 403, "browser_mismatch"),
        ("code=c&state=s", &format!("{}=other", cookie("s")), 403, "browser_mismatch"),
        ("code=c&state=s", &format!("{good}; {good}"), 403, "browser_mismatch"),
        ("code=c&state=s", "aileron_oauth=c00kie", 403, "browser_mismatch"),
        ("code=c&state=x", &good.replace(&cookie("s"), &cookie("x")), 404, "session_not_found"),
        (
            "code=c&state=locked",
            &good.replace(&cookie("s"), &cookie("locked")),
            423,
            "vault_locked",
        ),
        ("error=access_denied&state=s", good, 400, "provider_error"),
        ("error=%3Cscript%3E&error_description=evil&state=s", good, 400, "provider_error"),
        ("state=s", good, 400, "invalid_request"),
        ("code=c", good, 400, "invalid_request"),
        ("code=c&code=d&state=s", good, 400, "invalid_request"),
        ("code=c&state=s&state=t", good, 400, "invalid_request"),
    ] {
        let reply = arrive(&door, query, cookie).await;
        assert_eq!(reply.status, status, "{query}: {}", reply.body);
        assert_eq!(reply.header("content-type"), "text/html; charset=utf-8");
        let policy = reply.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        assert_eq!(reply.header("cache-control"), "no-store");
        assert!(reply.body.contains(&format!("<code>{code}</code>")), "{query}: {}", reply.body);
        assert!(reply.body.contains(&format!("href=\"/docs/errors/{code}\"")), "{query}");
        assert!(!reply.body.contains("<script") && !reply.body.contains("evil"), "{query}");
        assert_eq!(reply.header("location"), "");
    }
}

#[tokio::test]
async fn another_sites_page_cannot_arrive_in_the_browsers_name() {
    let door = Door::open().await;
    let headers = format!("Cookie: {}=c00kie\r\nOrigin: https://evil.example\r\n", cookie("s"));
    let reply = door.raw(&format!("GET {CALLBACK}?code=c&state=s"), &headers, "").await;
    assert_eq!((reply.status, reply.code().as_str()), (403, "origin_not_allowed"));
    assert!(door.world.called("callback").is_empty());
}

#[tokio::test]
async fn a_device_is_told_what_the_person_needs_and_how_far_they_are() {
    let door = Door::open().await;
    let reply = post(&door, "device", &wanted()).await;
    assert_eq!(
        reply.json(),
        json!({
            "session_id": "the-device", "user_code": "ABCD-EFGH", "interval": 5,
            "verification_uri": "https://id.example/device", "expires_at": "2030-06-01T00:00:00Z",
        })
    );
    for (session, expected) in [
        ("waits", json!({"status": "pending", "interval": 7})),
        ("slow", json!({"status": "slow_down", "interval": 7})),
        ("denied", json!({"status": "denied"})),
        ("late", json!({"status": "expired"})),
    ] {
        let reply = post(&door, "device/poll", &json!({ "session_id": session })).await;
        assert_eq!((reply.status, reply.json()), (200, expected));
    }
    let done = post(&door, "device/poll", &json!({ "session_id": "done" })).await.json();
    assert_eq!(done["status"], "done");
    assert_eq!(done["binding"]["name"], "api_key/notes/default");
}

#[tokio::test]
async fn revoking_says_what_became_of_it_at_the_provider_to_whoever_asks() {
    let door = Door::open().await;
    let bare = door.ask("DELETE /v1/bindings/oauth2%2Fnotes%2Funtold", PERSON, None).await;
    assert_eq!((bare.status, bare.body.as_str()), (204, ""));
    for (name, provider, message) in [
        ("api_key%2Fnotes%2Fdefault", "none", Value::Null),
        ("oauth2%2Fnotes%2Ftold", "revoked", Value::Null),
        ("oauth2%2Fnotes%2Funtold", "not_revoked", json!("it did not answer")),
    ] {
        let line = format!("DELETE /v1/bindings/{name}?report=true");
        let reply = door.ask(&line, PERSON, None).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        assert_eq!(reply.json()["provider"], provider);
        assert_eq!(reply.json()["message"], message);
    }
    let absent = door.ask("DELETE /v1/bindings/oauth2%2Fno%2Fone", PERSON, None).await;
    assert_eq!((absent.status, absent.code().as_str()), (404, "binding_not_found"));
}
