use serde_json::{Value, json};

use crate::house::{AGENT, Door, PERSON, PROGRAM, Reply};

async fn set_up(door: &Door, body: &Value) -> Reply {
    door.ask("POST /v1/bindings/setup", PERSON, Some(&body.to_string())).await
}

fn one(identity: &str) -> Value {
    json!({"identity": identity, "source": {"kind": "api_key", "value": "k-123"}})
}

#[tokio::test]
async fn what_is_sealed_is_what_the_installed_connector_declares() {
    let door = Door::open().await;
    let body = json!({"connector_fqn": "github://Acme/Notes", "bindings": [one("default")]});
    let reply = set_up(&door, &body).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    assert_eq!(reply.json()["created"][0]["name"], "api_key/notes/default");
    let (consent, value) = door.world.consents.lock().unwrap()[0].clone();
    assert_eq!(value, b"k-123");
    assert_eq!(consent.connector.as_str(), "github://Acme/Notes");
    let hosts: Vec<_> = consent.reach.hosts.iter().map(ToString::to_string).collect();
    assert_eq!(hosts, ["a.example:443", "b.example:443"]);
    assert_eq!(consent.reach.form.to_string(), "X-Key: {key}");
    assert!(!reply.body.contains("k-123"));
}

#[tokio::test]
async fn hosts_the_person_did_not_see_are_not_bound() {
    let door = Door::open().await;
    for (seen, status) in [
        (json!(["a.example:443"]), 409),
        (json!(["a.example:443", "b.example:443", "c.example:443"]), 409),
        (json!([]), 409),
        (json!(["a.example"]), 400),
        (json!(["b.example:443", "a.example:443"]), 201),
    ] {
        let body = json!({
            "connector_fqn": "github://acme/notes", "bindings": [one("default")], "hosts": seen,
        });
        let reply = set_up(&door, &body).await;
        assert_eq!(reply.status, status, "{seen}: {}", reply.body);
        if status == 409 {
            assert_eq!(reply.code(), "consent_changed");
        }
    }
    assert_eq!(door.world.consents.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn what_cannot_be_bound_is_refused_before_anything_is() {
    let door = Door::open().await;
    let fqn = "github://acme/notes";
    for (connector, binding, status, code) in [
        (fqn, json!({"identity": "x", "source": {"kind": "oauth2"}}), 400, "unsupported_kind"),
        (fqn, json!({"identity": "x", "source": {"kind": "magic"}}), 400, "unsupported_kind"),
        (fqn, json!({"identity": "x", "source": {"kind": "api_key"}}), 400, "missing_value"),
        (
            fqn,
            json!({"identity": "x", "source": {"kind": "api_key", "value": ""}}),
            400,
            "missing_value",
        ),
        (fqn, one("../x"), 400, "invalid_identity"),
        ("github://acme/open", one("x"), 400, "kind_mismatch"),
        ("github://acme/absent", one("x"), 404, "connector_not_installed"),
        ("nowhere://acme/notes", one("x"), 400, "unknown_scheme"),
        ("github:acme", one("x"), 400, "invalid_fqn"),
    ] {
        let body = json!({"connector_fqn": connector, "bindings": [one("good"), binding]});
        let reply = set_up(&door, &body).await;
        assert_eq!((reply.status, reply.code().as_str()), (status, code), "{body}");
    }
    let none = set_up(&door, &json!({"connector_fqn": fqn, "bindings": []})).await;
    assert_eq!(none.code(), "invalid_request");
    assert!(door.world.consents.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_existing_binding_is_skipped_or_refused_and_never_replaced() {
    let door = Door::open().await;
    let mut body = json!({
        "connector_fqn": "github://acme/notes", "bindings": [one("taken"), one("free")],
    });
    let reply = set_up(&door, &body).await;
    assert_eq!(reply.status, 201);
    assert_eq!(reply.json()["skipped"], json!(["api_key/notes/taken"]));
    assert_eq!(reply.json()["created"][0]["identity"], "free");
    body["skip_existing"] = json!(false);
    let reply = set_up(&door, &body).await;
    assert_eq!((reply.status, reply.code().as_str()), (409, "binding_exists"));
}

#[tokio::test]
async fn rebinding_replaces_the_value_for_the_hosts_declared_now() {
    let door = Door::open().await;
    let body = r#"{"source":{"kind":"api_key","value":"new"}}"#;
    let line = "POST /v1/bindings/api_key%2Fnotes%2Fdefault/rebind";
    assert_eq!(door.ask(line, PERSON, Some(body)).await.status, 200);
    let (consent, value) = door.world.consents.lock().unwrap()[0].clone();
    assert_eq!((value.as_slice(), consent.refuse_existing), (b"new".as_slice(), false));
    assert_eq!(consent.reach.hosts.len(), 2);
    let line = "POST /v1/bindings/api_key%2Fnotes%2Fabsent/rebind";
    assert_eq!(door.ask(line, PERSON, Some(body)).await.status, 404);
}

#[tokio::test]
async fn a_default_is_chosen_by_who_may_bind_and_shown() {
    let door = Door::open().await;
    let line = "POST /v1/bindings/api_key%2Fnotes%2Fdefault/default";
    for token in [AGENT, PROGRAM] {
        assert_eq!(door.ask(line, token, None).await.code(), "scope_missing");
    }
    let reply = door.ask(line, PERSON, None).await;
    assert_eq!((reply.status, &reply.json()["default"]), (200, &json!(true)), "{}", reply.body);
    let absent = door.ask("POST /v1/bindings/api_key%2Fnotes%2Fabsent/default", PERSON, None).await;
    assert_eq!((absent.status, absent.code().as_str()), (404, "binding_not_found"));
    // One that nobody chose is shown as it always was.
    let plain = door.ask("GET /v1/bindings/api_key%2Fnotes%2Fdefault", PERSON, None).await;
    assert!(plain.json().get("default").is_none(), "{}", plain.body);
}
