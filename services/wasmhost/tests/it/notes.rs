//! The starter pack's own module, as it is shipped.

use std::sync::Arc;

use aileron_contract::{failure::Class, names::Sha256Hash};
use aileron_wasmhost::{Call, GuestRequest, Limits, Module, Network, Report};
use serde_json::{Map, Value, json};

use crate::support::{Canned, House};

const NOTES: &[u8] = include_bytes!("../../../connectors/starter/notes.wasm");

async fn run(op: &str, args: Value, network: Arc<dyn Network>) -> Report {
    let args = args.as_object().cloned().unwrap_or_default();
    let call = Call { op: op.to_owned(), args, limits: Limits::default() };
    let module = Module { hash: Sha256Hash::of(&[NOTES]), wasm: NOTES.into() };
    House::new().host.call(module, call, network).await
}

#[tokio::test]
async fn notes_are_listed_with_the_credential_joined_by_the_host() {
    let answer = json!({"notes": [{"id": 1, "title": "Welcome", "text": "Hello"}]});
    let network = Canned::answering(200, &answer.to_string());
    let report = run("list", json!({"base": "https://localhost:1"}), network.handle()).await;
    assert_eq!(report.outcome.unwrap().map(Value::Object), Some(answer));
    let expected = GuestRequest {
        method: "GET".to_owned(),
        url: "https://localhost:1/notes".to_owned(),
        headers: Vec::new(),
        body: "".into(),
        credential: Some("api_key".to_owned()),
    };
    assert_eq!(network.seen(), [expected]);
}

#[tokio::test]
async fn a_note_is_created_with_exactly_the_title_and_text_given() {
    let note = json!({"id": 2, "title": "Milk \u{1f95b}", "text": "two\nlitres"});
    let network = Canned::answering(201, &note.to_string());
    let args = json!({"base": "https://localhost:1", "title": note["title"], "text": note["text"]});
    let report = run("create", args, network.handle()).await;
    assert_eq!(report.outcome.unwrap().map(Value::Object), Some(note.clone()));
    let seen = network.seen();
    assert_eq!((seen.len(), seen[0].method.as_str()), (1, "POST"));
    let sent: Map<String, Value> = serde_json::from_slice(&seen[0].body).unwrap();
    assert_eq!(Value::Object(sent), json!({"title": note["title"], "text": note["text"]}));
}

#[tokio::test]
async fn a_service_that_fails_may_be_asked_again_and_one_that_refuses_not() {
    let args = || json!({"base": "https://localhost:1"});
    let failure = run("list", args(), Canned::answering(503, "")).await.outcome.unwrap_err();
    assert_eq!((failure.class, failure.retriable), (Class::ExternalApiError, true));
    let failure = run("list", args(), Canned::answering(401, "")).await.outcome.unwrap_err();
    assert_eq!((failure.class, failure.retriable), (Class::ConnectorRuntimeError, false));
    assert_eq!(failure.details.unwrap()["reported_class"], "unauthorized");
}

#[tokio::test]
async fn missing_arguments_and_unknown_operations_are_told_apart() {
    for (op, class) in [("list", "bad_input"), ("remove", "unknown_op")] {
        let network = Canned::answering(200, "");
        let failure = run(op, json!({}), network.handle()).await.outcome.unwrap_err();
        assert_eq!(failure.details.unwrap()["reported_class"], class);
        assert_eq!(network.seen(), []);
    }
}
