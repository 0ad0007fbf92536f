use std::sync::Arc;

use aileron_gateway::{Gateway, Options};
use http::Request;
use proptest::prelude::*;
use tower::ServiceExt;

use crate::{
    document::operations,
    house::{Door, PERSON, World, services},
};

#[tokio::test]
async fn a_binding_s_name_travels_in_one_segment() {
    let door = Door::open().await;
    let reply = door.ask("GET /v1/bindings/api_key%2Fnotes%2Fdefault", PERSON, None).await;
    assert_eq!((reply.status, &reply.json()["name"]), (200, &"api_key/notes/default".into()));
    let reply = door.ask("DELETE /v1/bindings/api_key%2fnotes%2fdefault", PERSON, None).await;
    assert_eq!(reply.status, 204);
    for path in [
        "/v1/bindings/api_key/notes/default",
        "/v1/bindings/api_key%2Fnotes%2Fother",
        "/v1/bindings/api_key%2F..%2Fdefault",
        "/v1/bindings/agents%2Fclaude%2Foauth",
        "/v1/bindings/%ff",
        "/v1/bindings/api_key%252Fnotes%252Fdefault",
    ] {
        let reply = door.ask(&format!("GET {path}"), PERSON, None).await;
        assert_eq!((reply.status, reply.code().as_str()), (404, "not_found"), "{path}");
    }
}

#[tokio::test]
async fn a_literal_segment_wins_over_a_name() {
    let door = Door::open().await;
    assert!(
        door.ask("GET /v1/audit/checkpoint", PERSON, None).await.json()["verifier_key"].is_string()
    );
    assert_eq!(door.ask("GET /v1/audit/audit-1", PERSON, None).await.status, 404);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_name_in_a_path_and_no_query_is_a_server_error(
        name in "(%[0-9a-fA-F]{2}|%|[!-~&&[^#?]]){0,40}",
        query in "(%[0-9a-fA-F]{2}|%|&|=|[a-z_]{1,9}|[!-~&&[^#]]){0,12}",
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let world = Arc::new(World::default());
            let options = Options::new("1", "127.0.0.1:4000".parse().unwrap(), || "2030-01-01T00:00:00Z".parse().unwrap());
            let router = Gateway::router(services(&world), options);
            for (method, path, _) in operations_once() {
                let path = path.replace("{name}", &name).replace("{id}", &name);
                let request = Request::builder()
                    .method(method.as_str())
                    .uri(format!("{path}?{query}"))
                    .header("host", "127.0.0.1:4000")
                    .header("authorization", format!("Bearer {PERSON}"))
                    .body(axum::body::Body::empty());
                let Ok(request) = request else { continue };
                let response = router.clone().oneshot(request).await.unwrap();
                prop_assert!(response.status().as_u16() < 500, "{method} {path}?{query}");
            }
            Ok(())
        })?;
    }
}

fn operations_once() -> &'static [(String, String, bool)] {
    static OPERATIONS: std::sync::OnceLock<Vec<(String, String, bool)>> =
        std::sync::OnceLock::new();
    OPERATIONS.get_or_init(operations)
}
