use std::time::Duration;

use aileron_contract::limits;
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::house::{AGENT, Door, PERSON, PROGRAM, Reply};

const RUN: &str = "POST /v1/actions/notes-list/run";

#[tokio::test]
async fn json_that_two_readers_could_read_differently_does_not_run() {
    let door = Door::open().await;
    let deep = format!(r#"{{"args":{{"a":{}{}}}}}"#, "[".repeat(80), "]".repeat(80));
    for body in [
        r#"{"args":{"to":"a","to":"b"}}"#,
        r#"{"args":{},"args":{"to":"b"}}"#,
        r#"{"args":{"n":9007199254740993}}"#,
        r#"{"args":{"n":1e400}}"#,
        r#"{"args":{"s":"\ud800"}}"#,
        r#"{"args":{}} {}"#,
        r#"{"args":[]}"#,
        r#"{"args":"x"}"#,
        "[]",
        "{",
        "",
        &deep,
    ] {
        let reply = door.ask(RUN, AGENT, Some(body)).await;
        assert_eq!((reply.status, reply.code().as_str()), (400, "invalid_body"), "{body}");
    }
    assert!(door.world.runs.lock().unwrap().is_empty());
}

#[tokio::test]
async fn only_json_is_read_as_json() {
    let door = Door::open().await;
    for (content_type, status) in [
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("application/json; charset=utf-16", 415),
        ("application/jsonx", 415),
        ("application/json; charset=UTF-8", 200),
        ("application/json", 200),
    ] {
        let headers = format!(
            "Authorization: Bearer {AGENT}\r\nContent-Type: {content_type}\r\nContent-Length: 2\r\n"
        );
        assert_eq!(door.raw(RUN, &headers, "{}").await.status, status, "{content_type}");
    }
    let untyped = format!("Authorization: Bearer {AGENT}\r\nContent-Length: 2\r\n");
    assert_eq!(door.raw(RUN, &untyped, "{}").await.status, 415);
}

#[tokio::test]
async fn a_body_past_the_bound_is_refused_before_and_while_it_is_read() {
    let door = Door::open().await;
    let common = format!("Authorization: Bearer {AGENT}\r\nContent-Type: application/json\r\n");
    let declared = format!("{common}Content-Length: {}\r\n", limits::REQUEST_BODY + 1);
    let reply = door.raw(RUN, &declared, "").await;
    assert_eq!((reply.status, reply.code().as_str()), (413, "body_too_large"));

    // Undeclared: the client sends on until it is refused, and then stops, as HTTP clients do.
    let mut stream = TcpStream::connect(door.address).await.unwrap();
    let head = format!(
        "{RUN} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n{common}\r\n",
        door.address
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    for _ in 0..=limits::REQUEST_BODY / 0x10000 {
        stream.write_all(chunk.as_bytes()).await.unwrap();
    }
    let reply = Reply::read(&mut stream).await;
    assert_eq!((reply.status, reply.code().as_str()), (413, "body_too_large"));
    assert!(door.world.runs.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let door = Door::with(|options| options.body_wall = Duration::from_millis(100)).await;
    let headers = format!(
        "Authorization: Bearer {AGENT}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n"
    );
    let reply = door.raw(RUN, &headers, "{").await;
    assert_eq!((reply.status, reply.code().as_str()), (408, "deadline_exceeded"));
}

#[tokio::test]
async fn new_requests_are_closed_and_published_ones_open() {
    let door = Door::open().await;
    let closed = r#"{"passphrase":"good","remember":true}"#;
    assert_eq!(
        door.ask("POST /v1/person-sessions", PROGRAM, Some(closed)).await.code(),
        "invalid_body"
    );
    assert_eq!(door.ask("POST /v1/vault", PERSON, Some(closed)).await.code(), "invalid_body");
    assert_eq!(door.ask("POST /v1/vault/unlock", PROGRAM, Some(closed)).await.status, 200);
    let repeated = r#"{"passphrase":"good","passphrase":"bad"}"#;
    assert_eq!(
        door.ask("POST /v1/vault/unlock", PROGRAM, Some(repeated)).await.code(),
        "invalid_body"
    );
}

#[tokio::test]
async fn a_misplaced_passphrase_is_not_repeated() {
    let door = Door::open().await;
    for body in [
        r#""canary-passphrase""#,
        r#"{"passphrase":["canary-passphrase"]}"#,
        r#"["canary-passphrase", 1]"#,
    ] {
        let reply = door.ask("POST /v1/vault/unlock", PROGRAM, Some(body)).await;
        assert_eq!(reply.code(), "invalid_body", "{body}");
        assert!(!reply.body.contains("canary"), "{}", reply.body);
    }
}

#[tokio::test]
async fn edited_arguments_cannot_be_approved() {
    let door = Door::open().await;
    let body = r#"{"approved":true,"edited_payload":{"to":"evil"}}"#;
    let reply = door.ask("POST /v1/action-approvals/act-1/decide", PERSON, Some(body)).await;
    assert_eq!((reply.status, reply.code().as_str()), (400, "invalid_request"));
    assert!(door.world.decisions.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_secret_is_base64_and_arrives_whole() {
    let door = Door::open().await;
    let line = "PUT /v1/secrets/team%2Fkey";
    for bad in ["***", "YQ", "YQ==\\n"] {
        let reply = door.ask(line, PERSON, Some(&format!(r#"{{"value":"{bad}"}}"#))).await;
        assert_eq!(reply.status, 400, "{bad}");
    }
    assert_eq!(door.ask(line, PERSON, Some(r#"{"value":"AAH/"}"#)).await.status, 204);
    let stored = door.world.secrets.lock().unwrap().clone();
    assert_eq!(stored, [("team/key".to_owned(), vec![0, 1, 255])]);
}

#[tokio::test]
async fn queries_are_read_strictly() {
    let door = Door::open().await;
    for query in [
        "limit=0",
        "limit=1001",
        "limit=x",
        "since=yesterday",
        "class=none",
        "event_type=execution.done",
        "event_type=",
        "unknown=1",
        "limit=1&limit=2",
        "connector_fqn=github:/x",
    ] {
        let reply = door.ask(&format!("GET /v1/audit?{query}"), PERSON, None).await;
        assert_eq!(reply.status, 400, "{query}: {}", reply.body);
    }
    let line =
        "GET /v1/audit?limit=5&since=2030-01-01T00%3A00%3A00Z&connector_fqn=github%3A%2F%2Fa%2Fb";
    assert_eq!(door.ask(line, PERSON, None).await.status, 200);
    for known in ["execution.failed", "approval.modified"] {
        let line = format!("GET /v1/audit?event_type={known}");
        assert_eq!(door.ask(&line, PERSON, None).await.status, 200, "{known}");
    }
    for query in ["", "authority=github%3A%2F%2Fa&fingerprint=x"] {
        let reply = door.ask(&format!("DELETE /v1/keyring?{query}"), PERSON, None).await;
        assert_eq!(reply.code(), "invalid_request", "{query}");
    }
}
