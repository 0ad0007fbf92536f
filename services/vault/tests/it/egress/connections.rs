//! Connections: when they are kept, when a request is tried again, who is believed.

use std::{net::TcpListener, process::Command};

use aileron_contract::{egress::Sent, failure::Class};
use http::Version;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{
    house::{House, KEY, request, text},
    upstream::{Authority, plain, raw, secure, whole},
};

#[tokio::test]
async fn a_server_is_reached_over_tls_and_http_1() {
    let authority = Authority::new();
    let upstream = secure(&authority, &["localhost"], b"http/1.1", |_| whole(200, "ok")).await;
    let host = upstream.named();
    let house = House::trusting(&authority, &[&host]);
    for _ in 0..3 {
        let response = house.answered(request(&format!("https://{host}/"), &[&host])).await;
        assert_eq!(text(response).await, "ok");
    }
    let seen = upstream.seen();
    assert_eq!(seen.len(), 3);
    assert!(seen.iter().all(|seen| seen.version == Version::HTTP_11));
    assert_eq!(upstream.connections(), 1, "the connection is kept");
}

#[tokio::test]
async fn a_server_is_reached_over_http_2() {
    let authority = Authority::new();
    let upstream = secure(&authority, &["127.0.0.1"], b"h2", |_| whole(200, "ok")).await;
    let host = upstream.numbered();
    let house = House::trusting(&authority, &[&host]);
    for _ in 0..3 {
        let response = house.answered(request(&format!("https://{host}/x"), &[&host])).await;
        assert_eq!(text(response).await, "ok");
    }
    let seen = upstream.seen();
    assert!(seen.iter().all(|seen| seen.version == Version::HTTP_2));
    assert!(seen.iter().all(|seen| seen.header("host").is_none()));
    assert_eq!(seen[0].header("authorization"), Some(&*format!("Bearer {KEY}")));
    assert_eq!(upstream.connections(), 1, "the connection is kept");
}

/// A connection carries requests in one name: of one binding and the connector it belongs to, or
/// of one connector without a credential. Whoever comes later under the same name finds it kept.
#[tokio::test]
async fn a_connection_of_one_binding_serves_no_other_binding_and_no_other_connector() {
    let authority = Authority::new();
    for protocol in [&b"http/1.1"[..], b"h2"] {
        let upstream = secure(&authority, &["localhost"], protocol, |_| whole(200, "ok")).await;
        let host = upstream.named();
        let house = House::trusting(&authority, &[&host]);
        let owners = [
            ("github://acme/notes", Some("api_key/notes/me")),
            ("github://acme/notes", Some("api_key/notes/you")),
            ("github://acme/notes", None),
            // The name of a binding that was revoked may be taken by another connector.
            ("github://evil/notes", Some("api_key/notes/me")),
            ("github://evil/notes", None),
        ];
        for _ in 0..3 {
            for (connector, binding) in owners {
                let mut asked = request(&format!("https://{host}/"), &[&host]);
                asked.connector = connector.parse().unwrap();
                match (binding, &mut asked.credential) {
                    (Some(name), Some(wanted)) => wanted.binding = name.parse().ok(),
                    (_, none) => *none = None,
                }
                assert_eq!(text(house.answered(asked).await).await, "ok");
            }
        }
        let used: Vec<_> = upstream.seen().iter().map(|seen| seen.connection).collect();
        let first: Vec<_> = used.iter().copied().take(owners.len()).collect();
        assert_eq!(first.iter().collect::<std::collections::BTreeSet<_>>().len(), owners.len());
        for later in used.chunks(owners.len()) {
            assert_eq!(later, first, "each keeps its own");
        }
        assert!(upstream.seen().iter().all(|seen| seen.header("authorization").is_some()
            == [0, 1, 3].map(|at| first[at]).contains(&seen.connection)));
    }
}

#[tokio::test]
async fn nobody_is_believed_without_a_certificate_for_the_name() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let answer = |_: &_| whole(200, "ok");
    let misnamed = secure(&authority, &["other.example.com"], b"http/1.1", answer).await;
    let unknown = secure(&stranger, &["localhost"], b"http/1.1", answer).await;
    for upstream in [misnamed, unknown] {
        let host = upstream.named();
        let house = House::trusting(&authority, &[&host]);
        let failure = house.failed(request(&format!("https://{host}/"), &[&host])).await;
        assert_eq!((failure.sent, failure.failure.class), (Sent::NotSent, Class::NetworkError));
        assert!(upstream.seen().is_empty());
    }
}

#[tokio::test]
async fn a_refused_connection_was_not_sent_and_may_be_tried_again() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let host = format!("localhost:{port}");
    let house = House::consenting_to(&[&host]);
    let failure = house.failed(request(&format!("http://{host}/"), &[&host])).await;
    assert_eq!((failure.sent, failure.failure.class), (Sent::NotSent, Class::NetworkError));
    assert!(failure.failure.retriable);
}

#[tokio::test]
async fn a_name_is_resolved_once_and_the_checked_address_is_the_one_dialled() {
    let upstream = plain(|_| {
        let mut answer = whole(200, "ok");
        answer.headers_mut().insert("connection", "close".parse().unwrap());
        answer
    })
    .await;
    let host = upstream.named();
    let house = House::consenting_to(&[&host]);
    // Rebound right after the first answer: a second question would lead elsewhere.
    house.names.lead("localhost", &[&["127.0.0.1"], &["10.0.0.1"]]);
    let asking = || request(&format!("http://{host}/"), &[&host]);
    text(house.answered(asking()).await).await;
    assert_eq!(house.names.asked(), 1);
    let failure = house.failed(asking()).await;
    assert_eq!((failure.sent, failure.failure.class), (Sent::NotSent, Class::CapabilityDenied));
    assert_eq!(upstream.connections(), 1);
}

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

#[tokio::test]
async fn a_kept_connection_that_was_closed_meanwhile_is_replaced() {
    let upstream = raw(|_, mut stream| async move {
        drop(stream.read(&mut [0; 4096]).await);
        drop(stream.write_all(ANSWER).await);
    })
    .await;
    let host = upstream.named();
    let house = House::consenting_to(&[&host]);
    for _ in 0..5 {
        let response = house.answered(request(&format!("http://{host}/"), &[&host])).await;
        assert_eq!(text(response).await, "ok");
    }
    assert_eq!(upstream.connections(), 5);
}

#[tokio::test]
async fn a_kept_connection_that_breaks_after_the_request_left_is_not_tried_again() {
    let upstream = raw(|_, mut stream| async move {
        drop(stream.read(&mut [0; 4096]).await);
        drop(stream.write_all(ANSWER).await);
        drop(stream.read(&mut [0; 4096]).await);
    })
    .await;
    let host = upstream.named();
    let house = House::consenting_to(&[&host]);
    let asking = || request(&format!("http://{host}/"), &[&host]);
    text(house.answered(asking()).await).await;
    let failure = house.failed(asking()).await;
    assert_eq!((failure.sent, failure.failure.class), (Sent::MaybeSent, Class::NetworkError));
    assert_eq!(upstream.connections(), 1, "it was not sent a second time");
}

#[tokio::test]
async fn a_server_that_hangs_up_on_the_request_may_have_acted() {
    let upstream = raw(|_, mut stream| async move {
        drop(stream.read(&mut [0; 4096]).await);
    })
    .await;
    let host = upstream.named();
    let house = House::consenting_to(&[&host]);
    let failure = house.failed(request(&format!("http://{host}/"), &[&host])).await;
    assert_eq!((failure.sent, failure.failure.class), (Sent::MaybeSent, Class::NetworkError));
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test]
async fn shutdown_ends_kept_connections() {
    let upstream = plain(|_| whole(200, "ok")).await;
    let host = upstream.named();
    let house = House::consenting_to(&[&host]);
    text(house.answered(request(&format!("http://{host}/"), &[&host])).await).await;
    house.service.shutdown().await;
}

#[test]
fn no_proxy_variable_leads_a_request_elsewhere() {
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    proxy.set_nonblocking(true).unwrap();
    let address = format!("http://{}", proxy.local_addr().unwrap());
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "egress::connections::a_server_is_reached_over_tls_and_http_1"]);
    for name in ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"] {
        child.env(name, &address).env(name.to_lowercase(), &address);
    }
    let output = child.env_remove("NO_PROXY").env_remove("no_proxy").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    let knock = proxy.accept();
    assert!(knock.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock));
}
