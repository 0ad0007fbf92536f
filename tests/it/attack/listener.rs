//! The daemon's listener: other sites' pages, odd methods, requests hidden in requests, floods of
//! connections and of streams.

use std::time::Duration;

use aileron_api::runs::RunFilter;
use aileron_node::demo::Servers;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};

use crate::{
    house::{House, PATIENCE},
    household::Household,
    main_job::list,
    raw::{Door, read_all, status, statuses},
};

async fn house() -> (House, Door, Servers) {
    let servers = Servers::start().await.unwrap();
    let mut house = House::new(&servers);
    house.start().await;
    let door = Door::of(&house);
    (house, door, servers)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_for_another_host_or_of_another_sites_page_is_refused_even_with_the_token() {
    let (_house, door, _servers) = house().await;
    let Door { address, token } = &door;
    let port = address.rsplit_once(':').unwrap().1;
    let ask = async |target: &str, headers: &str| {
        let request = format!(
            "GET {target} HTTP/1.1\r\n{headers}Authorization: Bearer {token}\r\n\
             Connection: close\r\n\r\n"
        );
        door.exchange(request.as_bytes()).await
    };
    for host in foreign_hosts(port) {
        for target in ["/v1/health", "/v1/status", "/openapi.yaml"] {
            let answer = ask(target, &format!("Host: {host}\r\n")).await;
            let code = status(&answer);
            assert!(matches!(code, Some(400 | 403 | 421)), "{host} {target}: {answer}");
            assert!(!answer.contains("\"version\""), "{answer}");
        }
    }
    let good = format!("Host: {address}\r\n");
    for headers in
        [String::new(), format!("{good}{good}"), format!("{good}Host: rebound.example\r\n")]
    {
        let answer = ask("/v1/status", &headers).await;
        assert!(matches!(status(&answer), Some(400 | 403 | 421)), "{headers:?}: {answer}");
    }
    // The address in the request line counts as well.
    for target in
        [format!("http://rebound.example:{port}/v1/status"), "//rebound.example/v1".to_owned()]
    {
        let answer = ask(&target, &good).await;
        assert!(matches!(status(&answer), Some(400..500)), "{target}: {answer}");
    }
    for origin in foreign_origins(port) {
        let answer = ask("/v1/status", &format!("{good}Origin: {origin}\r\n")).await;
        assert_eq!(status(&answer), Some(403), "{origin:?}: {answer}");
        assert!(!answer.to_lowercase().contains("access-control-allow"), "{answer}");
    }
    assert_eq!(status(&ask("/v1/status", &good).await), Some(200), "the same, meant for us");
    assert!(door.is_well().await);
}

/// Names for this machine, and names that a stranger's server could be reached by.
fn foreign_hosts(port: &str) -> Vec<String> {
    vec![
        format!("rebound.example:{port}"),
        format!("127.0.0.1.rebound.example:{port}"),
        format!("localhost.rebound.example:{port}"),
        format!("127.0.0.1.:{port}"),
        format!("localhost.:{port}"),
        format!("user@127.0.0.1:{port}"),
        format!("127.0.0.1:{port}@rebound.example"),
        format!("127.1:{port}"),
        format!("2130706433:{port}"),
        format!("0x7f000001:{port}"),
        format!("[::ffff:127.0.0.1]:{port}"),
        format!("0.0.0.0:{port}"),
        format!("127.0.0.2:{port}"),
        "127.0.0.1".to_owned(),
        "127.0.0.1:1".to_owned(),
        format!("127.0.0.1:0{port}"),
        format!("127.0.0.1:{port}, rebound.example"),
        String::new(),
    ]
}

/// Pages of other sites, and what looks like our own.
fn foreign_origins(port: &str) -> Vec<String> {
    vec![
        "null".to_owned(),
        "http://rebound.example".to_owned(),
        format!("http://localhost:{port}"),
        format!("http://127.0.0.1:{port}.rebound.example"),
        format!("http://user@127.0.0.1:{port}"),
        format!("http://127.0.0.1.:{port}"),
        format!("http://127.0.0.1:{port}/"),
        format!("file://127.0.0.1:{port}"),
        format!("HTTP://127.0.0.1:{port}"),
        "http://127.0.0.1".to_owned(),
        "chrome-extension://abcdefgh".to_owned(),
        format!("http://127.0.0.1:{port} http://rebound.example"),
        String::new(),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_methods_do_nothing_and_reflect_nothing() {
    let (_house, door, _servers) = house().await;
    for method in ["OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "PRI", "POST"] {
        for path in ["/v1/status", "/v1/person-sessions", "/v1/vault/lock", "*"] {
            if method == "POST" && path != "/v1/status" {
                continue;
            }
            let preflight = "Access-Control-Request-Method: POST\r\nX-Reflected: yes\r\n";
            let answer = door.request(&format!("{method} {path}"), preflight, "").await;
            let code = status(&answer);
            assert!(matches!(code, Some(400..500) | None), "{method} {path}: {answer}");
            let answer = answer.to_lowercase();
            assert!(!answer.contains(&door.token) && !answer.contains("x-reflected"), "{answer}");
            assert!(!answer.contains("access-control-allow"), "{answer}");
        }
    }
    // HEAD tells what GET would, without the body, and needs the same rights.
    let answer = door.request("HEAD /v1/status", "", "").await;
    assert!(status(&answer) == Some(200) && answer.ends_with("\r\n\r\n"), "{answer}");
    let stranger =
        format!("HEAD /v1/status HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", door.address);
    assert_eq!(status(&door.exchange(stranger.as_bytes()).await), Some(401));
    assert!(door.is_well().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_hidden_in_the_body_of_another_is_never_carried_out() {
    let Household { house, servers: _servers, program, .. } = Household::new().await;
    list(&program).await;
    let door = Door::of(&house);
    let Door { address, token } = &door;
    // Carried out, it would leave a run behind.
    let hidden = format!(
        "POST /v1/actions/notes-list/run HTTP/1.1\r\nHost: {address}\r\n\
         Authorization: Bearer {token}\r\nContent-Type: application/json\r\n\
         Content-Length: 2\r\nConnection: close\r\n\r\n{{}}"
    );
    let length = hidden.len();
    let chunk = format!("{length:x}\r\n{hidden}\r\n0\r\n\r\n");
    let framings = [
        // What one reader takes for the end of the body, another does not.
        (
            format!("Content-Length: {}\r\nTransfer-Encoding: chunked\r\n", length + 5),
            format!("0\r\n\r\n{hidden}"),
        ),
        (
            format!("Transfer-Encoding: chunked\r\nContent-Length: {}\r\n", length + 5),
            format!("0\r\n\r\n{hidden}"),
        ),
        (format!("Content-Length: 0\r\nContent-Length: {length}\r\n"), hidden.clone()),
        (format!("Content-Length: {length}\r\nContent-Length: 0\r\n"), hidden.clone()),
        (format!("Content-Length: 0, {length}\r\n"), hidden.clone()),
        (format!("Content-Length: +{length}\r\n"), hidden.clone()),
        (format!("Content-Length: 0x{length:x}\r\n"), hidden.clone()),
        ("Content-Length: -1\r\n".to_owned(), hidden.clone()),
        (format!("Content-Length : {length}\r\n"), hidden.clone()),
        (format!("Content-Length:\r\n {length}\r\n"), hidden.clone()),
        (format!("X-A: b\r\n Content-Length: {length}\r\n"), hidden.clone()),
        ("Transfer-Encoding:\r\n chunked\r\n".to_owned(), chunk.clone()),
        ("Transfer-Encoding : chunked\r\n".to_owned(), chunk.clone()),
        ("Transfer-Encoding: chunked, identity\r\n".to_owned(), chunk.clone()),
        ("Transfer-Encoding: xchunked\r\n".to_owned(), chunk.clone()),
        ("Transfer-Encoding: \u{b}chunked\r\n".to_owned(), chunk.clone()),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n".to_owned(), chunk),
        ("Transfer-Encoding: chunked\r\n".to_owned(), format!("ffffffffffffffffff\r\n{hidden}")),
        ("Transfer-Encoding: chunked\r\n".to_owned(), format!("-1\r\n{hidden}")),
        ("Transfer-Encoding: chunked\r\n".to_owned(), format!("2\r\n{{}}{hidden}")),
        ("X-A: b\0c\r\n".to_owned(), hidden.clone()),
        ("X-A: b\rContent-Length: 0\r\n".to_owned(), hidden.clone()),
    ];
    let before = program.runs(&RunFilter::default()).await.unwrap().value.items.len();
    for (framing, body) in framings {
        let request = format!(
            "POST /v1/actions/nope/run HTTP/1.1\r\nHost: {address}\r\n\
             Authorization: Bearer {token}\r\nContent-Type: application/json\r\n{framing}\r\n{body}"
        );
        let answers = door.exchange(request.as_bytes()).await;
        let codes = statuses(&answers);
        assert!(codes.len() <= 1, "{framing:?} was read as {} requests: {answers}", codes.len());
        assert!(codes.iter().all(|code| (400..500).contains(code)), "{framing:?}: {answers}");
        let after = program.runs(&RunFilter::default()).await.unwrap().value.items.len();
        assert_eq!(before, after, "{framing:?} carried out what it hid: {answers}");
        assert!(door.is_well().await, "{framing:?}");
    }
    // It would be carried out where it stands by itself.
    assert_eq!(statuses(&door.exchange(hidden.as_bytes()).await), [200]);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_say_nothing_do_not_keep_others_out() {
    let (_house, door, _servers) = house().await;
    // The last ones have their answer and ask for nothing more.
    let polite = format!("GET /v1/health HTTP/1.1\r\nHost: {}\r\n\r\n", door.address);
    let preface = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), frame(4, 0, 0, &[])].concat();
    let beginnings: [&[u8]; 6] =
        [b"", b"GET /v1/health HT", b"PRI * HTTP/2.0\r\n", b"\r\n", &preface, polite.as_bytes()];
    for beginning in beginnings {
        let mut held = Vec::new();
        // More than there are places.
        for _ in 0..600 {
            let mut stream = door.connect().await;
            drop(stream.write_all(beginning).await);
            held.push(stream);
        }
        assert!(door.is_well().await, "{} that began {beginning:?}", held.len());
    }
}

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_opened_and_reset_in_a_flood_end_the_connection_and_nothing_else() {
    let (_house, door, _servers) = house().await;
    let mut stream = door.connect().await;
    let mut flood = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    flood.extend(frame(4, 0, 0, &[]));
    // :method GET, :scheme http, :path /, :authority as a literal that is not indexed.
    let authority = door.address.as_bytes();
    let mut headers = vec![0x82, 0x86, 0x84, 0x01, u8::try_from(authority.len()).unwrap()];
    headers.extend(authority);
    for number in (1..20_000_u32).step_by(2) {
        flood.extend(frame(1, 5, number, &headers));
        flood.extend(frame(3, 0, number, &8_u32.to_be_bytes()));
    }
    let (mut reading, mut writing) = stream.split();
    let mut heard = Vec::new();
    let listening = async {
        let mut block = [0_u8; 16 * 1024];
        while let Ok(Ok(count @ 1..)) = timeout(PATIENCE / 2, reading.read(&mut block)).await {
            heard.extend_from_slice(&block[..count]);
        }
    };
    let (written, ()) = tokio::join!(writing.write_all(&flood), listening);
    // GOAWAY, ENHANCE_YOUR_CALM (11), or cut off while it still wrote.
    let calm = memchr::memmem::find(&heard, &[0, 0, 0, 11]).is_some();
    assert!(calm || written.is_err(), "the flood was carried to its end: {} bytes", heard.len());
    assert!(door.is_well().await);

    // Settings and pings without end cost the same: a connection.
    for kind in [4_u8, 6] {
        let mut stream = door.connect().await;
        let payload: &[u8] = if kind == 6 { &[0; 8] } else { &[] };
        let mut flood = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        flood.extend(frame(4, 0, 0, &[]));
        flood.extend(frame(kind, 0, 0, payload).repeat(10_000));
        drop(timeout(Duration::from_secs(10), stream.write_all(&flood)).await);
        assert!(door.is_well().await);
        drop(stream);
    }
    let mut plain = door.connect().await;
    plain
        .write_all(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 not http\r\n\r\n")
        .await
        .unwrap();
    assert!(matches!(status(&read_all(&mut plain).await), Some(400) | None));
    assert!(door.is_well().await);
}
