use crate::house::{Door, PERSON};

/// A request with exactly these headers, a good token among them.
async fn with(door: &Door, line: &str, headers: &str) -> (u16, String) {
    let head =
        format!("{line} HTTP/1.1\r\nConnection: close\r\nAuthorization: Bearer {PERSON}\r\n");
    let reply = door.bytes(format!("{head}{headers}\r\n").as_bytes()).await;
    (reply.status, reply.code())
}

#[tokio::test]
async fn a_rebound_name_is_refused_even_with_a_good_token() {
    let door = Door::open().await;
    let port = door.address.port();
    for host in [
        format!("evil.example:{port}"),
        "evil.example".to_owned(),
        format!("127.0.0.1.evil.example:{port}"),
        "127.0.0.1".to_owned(),
        format!("127.0.0.1:{}", port ^ 1),
    ] {
        for line in ["GET /v1/status", "GET /v1/health", "GET /openapi.yaml", "GET /nowhere"] {
            let answer = with(&door, line, &format!("Host: {host}\r\n")).await;
            assert_eq!(answer, (403, "host_not_allowed".to_owned()), "{line} at {host}");
        }
    }
    assert!(door.world.calls.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_request_names_its_host_once() {
    let door = Door::open().await;
    let ours = format!("Host: {}\r\n", door.address);
    assert_eq!(with(&door, "GET /v1/status", &ours).await.0, 200);
    let twice = with(&door, "GET /v1/status", &format!("{ours}Host: evil.example\r\n")).await;
    assert_eq!(twice.0, 400);
    let none = door.bytes(b"GET /v1/health HTTP/1.0\r\n\r\n").await;
    assert_eq!((none.status, none.code().as_str()), (403, "host_not_allowed"));
    let absolute = with(&door, "GET http://evil.example/v1/status", &ours).await;
    assert_eq!(absolute, (403, "host_not_allowed".to_owned()));
}

#[tokio::test]
async fn a_page_of_another_site_is_refused() {
    let door = Door::open().await;
    let ours = format!("Host: {}\r\n", door.address);
    for origin in ["https://evil.example", "null", "http://localhost:3000", "http://127.0.0.1"] {
        for line in ["POST /v1/vault/lock", "GET /v1/status", "GET /v1/health"] {
            let answer = with(&door, line, &format!("{ours}Origin: {origin}\r\n")).await;
            assert_eq!(answer, (403, "origin_not_allowed".to_owned()), "{line} from {origin}");
        }
    }
    assert!(door.world.calls.lock().unwrap().is_empty());
    let own = format!("{ours}Origin: http://{}\r\n", door.address);
    assert_eq!(with(&door, "GET /v1/status", &own).await.0, 200);
}

#[tokio::test]
async fn no_page_is_ever_invited() {
    let door = Door::open().await;
    let preflight = "Access-Control-Request-Method: PUT\r\n";
    for line in ["OPTIONS /v1/status", "GET /v1/health", "GET /openapi.yaml"] {
        let reply = door.raw(line, preflight, "").await;
        let invited = reply.headers.keys().any(|name| name.starts_with("access-control-"));
        assert!(!invited, "{line}: {reply:?}");
    }
}

#[tokio::test]
async fn a_configured_name_is_answered() {
    let door = Door::with(|options| options.extra_hosts = vec!["aileron.example".to_owned()]).await;
    let answer = with(&door, "GET /v1/status", "Host: aileron.example\r\n").await;
    assert_eq!(answer.0, 200);
}
