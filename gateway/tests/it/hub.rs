//! The Hub at the public door: the published shapes, and who may ask.

use aileron_api::hub::{HubName, HubQuery};
use serde_json::{Value, json};

use crate::house::{AGENT, Door, PERSON, PROGRAM};

async fn get(door: &Door, path: &str) -> Value {
    let reply = door.ask(&format!("GET /v1/hub{path}"), PROGRAM, None).await;
    assert_eq!(reply.status, 200, "{path}: {}", reply.body);
    serde_json::from_str(&reply.body).unwrap()
}

const NOTES: &str = "fqn=github%3A%2F%2Facme%2Fnotes";

#[tokio::test]
async fn lists_have_the_published_shape() {
    let door = Door::open().await;
    let connectors = get(&door, "/connectors").await;
    assert_eq!(
        connectors["connectors"],
        json!([{
            "fqn": "github://acme/notes",
            "description": "About github://acme/notes",
            "publisher_github": "acme",
            "key_url": "https://raw.example/acme/notes/HEAD/keys/publisher.pub",
            "release_pattern": "v*",
        }])
    );
    assert_eq!(connectors["problems"][0]["line"], 3);
    assert_eq!(connectors["copy"]["age_seconds"], 7);
    let actions = get(&door, "/actions?q=list").await;
    assert_eq!(actions["actions"][0]["connector_fqn"], "github://acme/notes");
    assert!(get(&door, "/actions?q=nothing").await["actions"].as_array().unwrap().is_empty());
    let suites = get(&door, "/suites").await;
    assert_eq!(suites["suites"][0]["member_actions"][0], "github://acme/notes/actions/list");
    assert_eq!(suites["suites"][0]["conflicts"][0]["kind"], "duplicate_fqn");
    let all = get(&door, "").await;
    assert!(["connectors", "actions", "suites"].iter().all(|kind| all[kind].is_array()));
    let one = get(&door, "?type=suites").await;
    assert!(one["suites"].is_array() && one.get("connectors").is_none());
}

#[tokio::test]
async fn one_entry_is_found_by_its_name() {
    let door = Door::open().await;
    assert_eq!(get(&door, &format!("/connector?{NOTES}")).await["release_pattern"], "v*");
    let action = get(&door, &format!("/action?{NOTES}%2Factions%2Flist")).await;
    assert_eq!(action["fqn"], "github://acme/notes/actions/list");
    assert_eq!(get(&door, &format!("/suite?{NOTES}%2Fsuite")).await["category"], "notes");
    for (path, status, code) in [
        (format!("/suite?{NOTES}"), 404, "not_found"),
        ("/connector?fqn=nonsense".to_owned(), 400, "invalid_fqn"),
        ("/connector".to_owned(), 400, "invalid_request"),
        ("/connectors?x=1".to_owned(), 400, "invalid_request"),
        ("?type=connector".to_owned(), 400, "invalid_request"),
    ] {
        let reply = door.ask(&format!("GET /v1/hub{path}"), PERSON, None).await;
        assert_eq!((reply.status, reply.code().as_str()), (status, code), "{path}");
    }
}

#[tokio::test]
async fn decisions_have_the_published_shape() {
    let door = Door::open().await;
    assert_eq!(
        get(&door, &format!("/install-decision?{NOTES}")).await,
        json!({
            "fqn": "github://acme/notes",
            "description": "About github://acme/notes",
            "publisher_github": "acme",
            "fingerprint": "sha256:short",
            "trust_state": "conflict",
            "publisher_footprint": ["github://acme/notes"],
            "risk_indicators": ["other_key_trusted", "sole_listing"],
        })
    );
    let action = get(&door, &format!("/action-install-decision?{NOTES}%2Factions%2Flist")).await;
    assert_eq!(
        (&action["kind"], &action["connector_fqn"]),
        (&json!("action"), &json!("github://acme/notes"))
    );
    assert_eq!(action["authorities"].as_array().unwrap().len(), 1);
    assert!(action["authorities"][0].get("description").is_none());
    let suite = get(&door, &format!("/suite-install-decision?{NOTES}%2Fsuite")).await;
    assert_eq!(suite["member_actions"][0], "github://acme/notes/actions/list");
}

#[tokio::test]
async fn the_hub_is_refreshed_by_whoever_may_look_and_by_nobody_without_a_token() {
    let door = Door::open().await;
    for token in [PROGRAM, AGENT, PERSON] {
        let reply = door.ask("POST /v1/hub/refresh", token, None).await;
        let expected =
            if door.ask("GET /v1/hub", token, None).await.status == 200 { 200 } else { 403 };
        assert_eq!(reply.status, expected, "{}", reply.body);
    }
    for line in ["GET /v1/hub", "GET /v1/hub/connectors", "POST /v1/hub/refresh"] {
        assert_eq!(door.raw(line, "", "").await.status, 401, "{line}");
    }
}

#[tokio::test]
async fn the_typed_client_reads_every_answer() {
    let door = Door::open().await;
    let client = door.client(PERSON);
    let query = HubQuery { q: None, kind: Some("actions".to_owned()) };
    assert_eq!(client.hub(&query).await.unwrap().value.actions.unwrap().len(), 1);
    let name = |path: &str| HubName { fqn: format!("github://acme/notes{path}") };
    client.hub_connector(&name("")).await.unwrap();
    client.hub_action(&name("/actions/list")).await.unwrap();
    client.hub_suite(&name("/suite")).await.unwrap();
    client.install_decision(&name("")).await.unwrap();
    assert_eq!(client.refresh_hub().await.unwrap().value.age_seconds, 7);
}

#[tokio::test]
async fn a_confirmed_fingerprint_is_trusted_before_the_install_or_nothing_happens() {
    let door = Door::open().await;
    let connector = |fingerprint: &str| {
        json!({
            "fqn": "github://acme/notes",
            "version": "1.0.0",
            "confirmed_fingerprint": fingerprint,
        })
        .to_string()
    };
    let action = |fingerprint: &str| {
        let confirmed = [json!({ "fqn": "github://acme/notes", "fingerprint": fingerprint })];
        json!({
            "fqn": "github://acme/notes/actions/list",
            "version": "1.0.0",
            "confirmed_fingerprints": confirmed,
        })
        .to_string()
    };
    for (line, good, bad) in [
        ("POST /v1/connectors/install", connector("sha256:short"), connector("sha256:other")),
        ("POST /v1/actions/install", action("sha256:short"), action("sha256:other")),
    ] {
        assert_eq!(door.ask(line, PERSON, Some(&good)).await.status, 201, "{line}");
        let refused = door.ask(line, PERSON, Some(&bad)).await;
        assert_eq!((refused.status, refused.code().as_str()), (422, "fingerprint_mismatch"));
        assert_eq!(door.ask(line, PROGRAM, Some(&good)).await.status, 403, "{line}");
    }
}
