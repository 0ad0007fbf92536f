//! The language of the published connectors.

use aileron_contract::names::Sha256Hash;
use aileron_wasmhost::{Call, Limits, Module};
use serde_json::{Map, Value, json};

use crate::support::{Canned, House};

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the module is built outside of cargo")]
async fn a_guest_written_in_go_runs() {
    let path = std::env::var("AILERON_GO_GUEST").expect(
        "AILERON_GO_GUEST must name the module built by tests/guests/go/build: use tests/run, \
         which builds it",
    );
    let wasm = std::fs::read(path).unwrap();
    let module = Module { hash: Sha256Hash::of(&[&wasm]), wasm: wasm.into() };
    let house = House::new();
    let network = Canned::answering(200, r#"[{"id":1,"title":"milk"}]"#);
    let run = |op: &str| {
        let args = Map::from_iter([("base".to_owned(), json!("https://notes.example"))]);
        let call = Call { op: op.to_owned(), args, limits: Limits::default() };
        house.host.call(module.clone(), call, network.handle())
    };

    let report = run("list").await;
    let output = report.outcome.unwrap().expect("an output");
    assert_eq!(Value::Object(output), json!({"notes": [{"id": 1, "title": "milk"}]}));
    assert_eq!(report.logs[0].message, "listed notes");
    let seen = network.seen();
    assert_eq!(seen[0].url, "https://notes.example/notes");
    assert_eq!(seen[0].credential.as_deref(), Some("api_key"));

    let failure = run("explode").await.outcome.unwrap_err();
    assert_eq!(failure.details.unwrap()["reported_class"], "unknown_op");
}
