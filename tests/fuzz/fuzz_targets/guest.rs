//! What a guest writes: its request envelope and its answer.
#![no_main]

use aileron_contract::{
    failure::{Boundary, Class},
    limits,
};
use aileron_wasmhost::fuzz;
use serde_json::json;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Some(request) = fuzz::request(bytes) {
        assert!(!request.url.is_empty() && !request.method.is_empty());
        assert_ne!(request.credential.as_deref(), Some(""));
        let body = std::str::from_utf8(&request.body).expect("it was a text of JSON");
        let headers: serde_json::Map<_, _> =
            request.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        let text = json!({ "method": request.method, "url": request.url, "headers": headers,
            "body": body, "credential": request.credential });
        assert_eq!(fuzz::request(text.to_string().as_bytes()), Some(request));
    }
    for (code, status) in [(0, None), (1, Some(429)), (u32::MAX, Some(404))] {
        match fuzz::answer(bytes, code, status) {
            Ok(_) => assert_eq!(code, 0),
            Err(failure) => {
                assert!(failure.message.len() <= limits::GUEST_MESSAGE + 64);
                // It may blame itself or its upstream, never the runtime or the person.
                match failure.class {
                    Class::ExternalApiError => {
                        assert_eq!(failure.boundary, Boundary::External);
                        assert!(!failure.retriable || status == Some(429));
                    }
                    class => {
                        assert_eq!(class, Class::ConnectorRuntimeError);
                        assert!(!failure.retriable);
                    }
                }
            }
        }
    }
});
