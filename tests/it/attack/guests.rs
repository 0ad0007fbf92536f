//! A connector that wants the credential, or a request nobody consented to, against the whole.

use aileron_api::client::Client;
use aileron_node::demo::Servers;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};

use crate::{
    hostile::{Connector, Deed, failed},
    house::House,
    household::Household,
    upstream::{Upstream, answer, trickled},
};

const KEY: &str = "k3y/with+odd\"characters=and-length";

/// A house with the connector installed and the key bound to it.
async fn house_with(connector: &Connector<'_>) -> (House, Client, Servers) {
    let servers = Servers::start().await.unwrap();
    let Household { house, servers, program, person } = Household::bare(servers).await;
    connector.install(&person, &servers).await;
    connector.bind(&person, KEY).await;
    (house, program, servers)
}

fn connector<'a>(hosts: &'a [&'a str], envelopes: Vec<Value>) -> Connector<'a> {
    let deeds = envelopes.iter().map(|envelope| Deed::Sends(envelope.to_string())).collect();
    let (repo, wall_seconds, gated) = ("thief", 20, false);
    let credential = Some("kind = \"api_key\"");
    Connector { repo, hosts, credential, wall_seconds, gated, deeds }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_cannot_smuggle_a_header_or_a_second_request() {
    let upstream = Upstream::start(|_| answer("200 OK", "", br#"{"output":{"ok":true}}"#)).await;
    let base = format!("http://{}", upstream.host);
    let with = |name: &str, value: &str| json!({ "url": base, "credential": "api_key", "headers": { name: value } });
    let refused = vec![
        with("X-A", "a\r\nX-Smuggled: 1"),
        with("X-A", "a\nX-Smuggled: 1"),
        with("X-A", "a\r\n\r\nGET /smuggled HTTP/1.1\r\n"),
        with("X-A\r\nX-Smuggled", "1"),
        with("X-A: 1\r\nX-Smuggled", "1"),
        with(":path", "/smuggled"),
        json!({ "url": base, "headers": { "X-A": "1", "x-a": "smuggled" } }),
        with("Transfer-Encoding", "chunked"),
        with("TE", "trailers"),
        with("Trailer", "X-Smuggled"),
        with("Upgrade", "h2c"),
        with("Expect", "100-continue"),
        with("Proxy-Authorization", "Basic smuggled"),
        json!({ "url": base, "method": "GET /smuggled HTTP/1.1\r\nX-A:" }),
        json!({ "url": base, "method": "CONNECT" }),
        json!({ "url": base, "method": "TRACE", "credential": "api_key" }),
        json!({ "url": format!("{base}@evil.example/smuggled"), "credential": "api_key" }),
        json!({ "url": format!("http://smuggled@{}", upstream.host), "credential": "api_key" }),
        // A key of its own, for a host nobody consented to it for.
        json!({ "url": base, "headers": { "Authorization": "Bearer smuggled" } }),
        json!({ "url": base, "headers": { "Cookie": "smuggled" } }),
    ];
    let count = refused.len();
    let mut envelopes = refused;
    envelopes.push(with("Host", "evil.example"));
    envelopes.push(with("Authorization", "Bearer smuggled"));
    envelopes.push(with("Content-Length", "4000"));
    envelopes.push(with("Connection", "authorization, close"));
    envelopes.push(json!({ "url": format!("{base}/a\r\nX-Smuggled: 1"), "credential": "api_key" }));
    let dropped = envelopes.len() - count;
    let hosts = [upstream.host.as_str()];
    let connector = connector(&hosts, envelopes);
    let (_house, program, _servers) = house_with(&connector).await;

    for deed in 0..count {
        let (class, told) = failed(connector.run(&program, deed).await);
        assert!(!told.contains(KEY), "{told}");
        assert!(
            ["capability_denied", "validation_error", "connector_runtime_error"]
                .contains(&class.as_str()),
            "{deed}: {told}"
        );
        assert_eq!(upstream.seen(), [""; 0], "{deed} got through");
    }
    for deed in count..count + dropped {
        // Refused or cleaned, but never sent as it was meant.
        drop(connector.run(&program, deed).await);
    }
    let seen = upstream.seen();
    assert!(seen.len() >= 3, "what the runtime writes itself is dropped, not refused: {seen:?}");
    for request in seen {
        let head = request.to_ascii_lowercase();
        assert!(!head.contains("\r\nx-smuggled") && !head.contains("bearer smuggled"), "{request}");
        let lines = |name: &str| head.lines().filter(|line| line.starts_with(name)).count();
        assert_eq!((lines("host:"), lines("authorization:")), (1, 1), "{request}");
        assert!(head.contains(&format!("host: {}\r\n", upstream.host)), "{request}");
        assert!(!head.contains("content-length: 4000"), "{request}");
        assert!(request.contains(KEY), "the credential is joined: {request}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_carries_the_credential_nowhere() {
    let stranger = Upstream::start(|_| answer("200 OK", "", br#"{"output":{}}"#)).await;
    let declared = Upstream::start(|_| answer("200 OK", "", br#"{"output":{}}"#)).await;
    let (away, near) = (stranger.host.clone(), declared.host.clone());
    let upstream = Upstream::start(move |request| {
        let to = if request.starts_with("GET /away") { &away } else { &near };
        answer("302 Found", &format!("location: http://{to}/landed\r\n"), b"")
    })
    .await;
    let envelope = |path: &str| {
        let url = format!("http://{}/{path}", upstream.host);
        json!({ "url": url, "credential": "api_key" })
    };
    let hosts = [upstream.host.as_str(), declared.host.as_str()];
    let connector = connector(&hosts, vec![envelope("away"), envelope("near")]);
    let (_house, program, _servers) = house_with(&connector).await;

    let (class, told) = failed(connector.run(&program, 0).await);
    assert_eq!(class, "capability_denied", "{told}");
    assert_eq!(stranger.seen(), [""; 0], "a host outside the manifest was reached");
    connector.run(&program, 1).await.unwrap();
    let [landed] = declared.seen().try_into().unwrap();
    assert!(!landed.contains(KEY) && !landed.to_lowercase().contains("authorization"), "{landed}");
    assert_eq!(upstream.seen().len(), 2);
    assert!(upstream.seen().iter().all(|request| request.contains(KEY)));
}

/// The spellings an upstream may give the credential back in.
fn spellings() -> Vec<String> {
    let each = |spell: fn(u8) -> String| KEY.bytes().map(spell).collect::<String>();
    vec![
        KEY.replace('"', "\\\""),
        STANDARD.encode(KEY),
        STANDARD.encode(format!("Bearer {KEY}")),
        URL_SAFE_NO_PAD.encode(format!("user:{KEY} and more")),
        hex::encode(KEY),
        each(|c| format!("%{c:02X}")),
        each(|c| format!("\\u{c:04x}")),
        KEY.replace('"', "\\\"").replace('/', "\\/"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_that_the_upstream_reflects_does_not_reach_the_guest() {
    let upstream = Upstream::start(|request| {
        let path = request.split(' ').nth(1).unwrap_or_default();
        let mut parts = path.trim_start_matches('/').split('/').map(str::parse::<usize>);
        let (Some(Ok(spelling)), Some(Ok(size))) = (parts.next(), parts.next()) else {
            return answer("404 Not Found", "", b"");
        };
        let body = format!(r#"{{"output":{{"before":"<{}>","after":1}}}}"#, spellings()[spelling]);
        trickled(body.as_bytes(), size)
    })
    .await;
    let sizes = [1_usize, 7, 10_000];
    let envelopes = (0..spellings().len()).flat_map(|spelling| {
        sizes.map(|size| {
            let url = format!("http://{}/{spelling}/{size}", upstream.host);
            json!({ "url": url, "credential": "api_key" })
        })
    });
    let hosts = [upstream.host.as_str()];
    let connector = connector(&hosts, envelopes.collect());
    let (_house, program, _servers) = house_with(&connector).await;

    for (place, spelling) in spellings().iter().flat_map(|it| [it; 3]).enumerate() {
        let told = connector.run(&program, place).await.unwrap().result.unwrap();
        assert!(told.contains("before") && told.contains("after"), "{told}");
        assert!(told.contains("********"), "{spelling}: {told}");
        // Decoded by whoever reads it, nothing of any length is left of it.
        let value: Value = serde_json::from_str(&told).unwrap();
        let shown = value["output"]["before"].as_str().unwrap();
        for form in [KEY, &spelling.replace("\\\"", "\"").replace("\\/", "/")] {
            let long = form.len() / 2;
            assert!(!shown.contains(&form[..long]) && !shown.contains(&form[long..]), "{shown}");
        }
    }
}
