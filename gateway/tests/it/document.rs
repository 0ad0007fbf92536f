use std::{collections::BTreeSet, path::Path};

use crate::house::Door;

const UPDATE: &str = "AILERON_UPDATE_OPENAPI";

fn document() -> serde_json::Value {
    serde_yaml_ng::from_str(&aileron_gateway::openapi::generate().unwrap()).unwrap()
}

/// `METHOD /path` and whether the operation is open, of every operation of the document.
pub(crate) fn operations() -> Vec<(String, String, bool)> {
    let document = document();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let open = operation.get("security").is_some();
            operations.push((method.to_ascii_uppercase(), path.clone(), open));
        }
    }
    operations
}

#[test]
fn the_checked_in_document_is_the_one_the_code_generates() {
    let generated = aileron_gateway::openapi::generate().unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../proto/openapi/aileron.yaml");
    #[expect(clippy::disallowed_methods, reason = "the documented way to write the file anew")]
    let update = std::env::var(UPDATE).is_ok();
    if update {
        std::fs::write(&path, &generated).unwrap();
    }
    let checked_in = std::fs::read_to_string(&path).unwrap();
    assert!(
        checked_in == generated,
        "{} is not what the code generates: run this test with {UPDATE}=1 and read the change",
        path.display()
    );
}

#[test]
fn open_routes_are_these_and_no_others() {
    let open: BTreeSet<_> = operations()
        .into_iter()
        .filter_map(|(method, path, open)| open.then(|| format!("{method} {path}")))
        .collect();
    assert_eq!(
        open.into_iter().collect::<Vec<_>>(),
        [
            "GET /docs",
            "GET /openapi.yaml",
            // A provider's redirect brings `state` and a cookie, and can bring no token.
            "GET /v1/bindings/setup/oauth2/callback",
            "GET /v1/health",
        ],
        "an open route needs a reason, and its place in this list"
    );
}

#[test]
fn what_an_action_declares_of_its_preview_and_what_a_card_shows_of_it_are_two_shapes() {
    let document = document();
    let schemas = &document["components"]["schemas"];
    for (holder, own) in [("Approval", "op"), ("PendingActionApproval", "fields")] {
        let preview = &schemas[holder]["properties"]["preview"]["oneOf"][0]["$ref"];
        let name = preview.as_str().unwrap().rsplit('/').next().unwrap();
        assert!(schemas[name]["properties"][own].is_object(), "{holder}: {name} has no {own}");
    }
}

#[test]
fn the_document_is_openapi_3_1_and_complete() {
    let document = document();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let text = document.to_string();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for reference in text.split("#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(schemas.contains_key(name), "{name} is referred to, and missing");
    }
    let mut ids = BTreeSet::new();
    for (method, path, _) in operations() {
        let operation = &document["paths"][&path][method.to_ascii_lowercase()];
        assert!(operation["summary"].is_string(), "{method} {path} has no summary");
        let id = operation["operationId"].as_str().unwrap().to_owned();
        assert!(ids.insert(id), "{method} {path} shares its operation id");
        let named: Vec<_> = path.matches('{').collect();
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let in_path = parameters.iter().filter(|parameter| parameter["in"] == "path").count();
        assert_eq!(named.len(), in_path, "{method} {path}");
    }
}

#[tokio::test]
async fn the_document_is_served_without_a_token() {
    let door = Door::open().await;
    let reply = door.raw("GET /openapi.yaml", "", "").await;
    assert_eq!((reply.status, reply.header("content-type")), (200, "application/yaml"));
    assert_eq!(reply.body, aileron_gateway::openapi::YAML);
}
