//! The head of a REST request: its bearer token, and whether it is for us. The input is the
//! address on the first line, then headers.
#![no_main]

use aileron_gateway::fuzz;
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let address = lines.next().unwrap_or_default();
    let Ok(uri) = Uri::try_from(address) else { return };
    let mut headers = HeaderMap::new();
    for line in lines.take(8) {
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let name = parts.next().and_then(|name| HeaderName::from_bytes(name).ok());
        let value = parts.next().and_then(|value| HeaderValue::from_bytes(value.trim_ascii()).ok());
        if let (Some(name), Some(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    if let Some(bearer) = fuzz::bearer(&headers) {
        assert_eq!(headers.get_all(header::AUTHORIZATION).iter().count(), 1);
        bearer.expose(|token| {
            assert!((1..=8_192).contains(&token.len()) && token.trim_ascii() == token);
        });
    }
    let listen = "127.0.0.1:7001".parse().expect("an address");
    if fuzz::is_for_us(listen, &["notes.example".to_owned()], &uri, &headers) {
        let named = headers.get(header::HOST).map(|host| host.to_str().expect("it was read"));
        for name in named.into_iter().chain(uri.authority().map(|name| name.as_str())) {
            assert!(is_ours(name), "{name}");
        }
        assert!(named.is_some() || uri.authority().is_some());
        if let Some(origin) = headers.get(header::ORIGIN) {
            let origin = origin.to_str().expect("it was read").to_owned();
            let (scheme, name) = origin.split_once("://").expect("an origin");
            assert!(matches!(scheme, "http" | "https") && is_ours(name), "{origin}");
        }
    }
});

/// A name of this machine, or the one that was configured, with a port of ours or none.
fn is_ours(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let loopback = ["localhost", "127.0.0.1", "[::1]"];
    let ours =
        |host: &str, ports: &[&str]| ports.iter().any(|port| format!("{host}{port}") == name);
    loopback.iter().any(|host| ours(host, &[":7001"]))
        || ours("notes.example", &["", ":7001", ":80", ":443"])
}
