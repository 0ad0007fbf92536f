use std::{pin::pin, time::Duration};

use futures::StreamExt;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::house::{AGENT, Door, PERSON, PROGRAM, record};

fn fill(door: &Door, records: u64) {
    *door.world.log.lock().unwrap() = (0..records).map(record).collect();
}

/// Reads a watch until `mark` was seen.
async fn raw_watch(door: &Door, path: &str, headers: &str, mark: &str) -> String {
    let mut stream = TcpStream::connect(door.address).await.unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {PERSON}\r\n{headers}\r\n",
        door.address
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    let mut buffer = [0; 4096];
    while !text.contains(mark) {
        let read = tokio::time::timeout(Duration::from_mins(1), stream.read(&mut buffer)).await;
        let read = read.expect("an event").unwrap();
        assert!(read > 0, "the watch ended: {text}");
        text.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
    text
}

#[tokio::test]
async fn records_come_in_order_with_their_index_as_id() {
    let door = Door::open().await;
    fill(&door, 3);
    let text = raw_watch(&door, "/v1/audit/watch?from=1", "", "\"index\":2").await;
    assert!(text.contains("content-type: text/event-stream"), "{text}");
    assert!(text.contains("id: 1\nevent: record\ndata: {\"audit_id\":\"audit-1\""), "{text}");
    assert!(!text.contains("id: 0\n"));
}

#[tokio::test]
async fn a_watch_resumes_after_the_last_event_seen() {
    let door = Door::open().await;
    fill(&door, 3);
    raw_watch(&door, "/v1/audit/watch?from=0", "Last-Event-ID: 1\r\n", "id: 2").await;
    assert_eq!(*door.world.watches.lock().unwrap(), [2]);
    for last in ["x", "-1", "18446744073709551615", "99999999999999999999"] {
        let headers = format!("Authorization: Bearer {PERSON}\r\nLast-Event-ID: {last}\r\n");
        let reply = door.raw("GET /v1/audit/watch", &headers, "").await;
        assert_eq!((reply.status, reply.code().as_str()), (400, "invalid_request"), "{last}");
    }
}

#[tokio::test]
async fn without_a_start_only_what_is_to_come_is_watched() {
    let door = Door::open().await;
    fill(&door, 3);
    let _head = raw_watch(&door, "/v1/audit/watch", "", "\r\n\r\n").await;
    assert_eq!(*door.world.watches.lock().unwrap(), [3]);
}

#[tokio::test]
async fn a_watcher_who_fell_behind_is_told_and_the_client_reads_on_by_itself() {
    let door = Door::open().await;
    fill(&door, 5);
    *door.world.cut_after.lock().unwrap() = Some(2);
    let text = raw_watch(&door, "/v1/audit/watch?from=0", "", "event: error").await;
    assert!(text.contains("\"code\":\"busy\""), "{text}");

    let client = door.client(PERSON);
    let mut records = pin!(client.watch_audit(Some(0)));
    for expected in 0..5 {
        let record = records.next().await.unwrap().unwrap();
        assert_eq!(record.index, expected);
    }
}

#[tokio::test]
async fn a_refused_watch_ends_with_the_refusal() {
    let door = Door::open().await;
    let client = door.client(AGENT);
    let mut records = pin!(client.watch_audit(Some(0)));
    let error = records.next().await.unwrap().unwrap_err();
    assert_eq!(error.code(), Some("scope_missing"));
    assert!(records.next().await.is_none());
}

#[tokio::test]
async fn approvals_are_told_as_they_come_and_the_stream_is_taken_up_after_the_last_one_seen() {
    let door = Door::open().await;
    let path = "/v1/action-approvals/watch";
    let text = raw_watch(&door, path, "", "event: pending").await;
    let start = "id: 0000000000000001-0\nevent: snapshot\ndata: {\"items\":[{\"id\":\"act-";
    assert!(text.contains(start), "{text}");
    assert!(text.contains("\"preview\":{\"fields\":[{\"label\":\"Notebook\""), "{text}");
    let last = "Last-Event-ID: 0000000000000001-7\r\n";
    let text = raw_watch(&door, path, last, "event: error").await;
    assert!(text.contains("id: 0000000000000001-8\nevent: resolved\n"), "{text}");
    assert!(text.contains("\"approved\":false,\"reason\":\"not now\""), "{text}");
    assert!(text.contains("\"code\":\"busy\"") && !text.contains("snapshot"), "{text}");
    // What is not an id of ours is answered with all that waits.
    raw_watch(&door, path, "Last-Event-ID: nonsense\r\n", "event: snapshot").await;
}

#[tokio::test]
async fn two_hundred_watch_the_approvals_at_once() {
    let door = Door::open().await;
    let mut open = Vec::new();
    for _ in 0..200 {
        let mut stream = TcpStream::connect(door.address).await.unwrap();
        let request = format!(
            "GET /v1/action-approvals/watch HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer \
             {PROGRAM}\r\n\r\n",
            door.address
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        open.push(stream);
    }
    for stream in &mut open {
        let mut text = String::new();
        let mut buffer = [0; 4096];
        while !text.contains("event: pending") {
            let read = stream.read(&mut buffer).await.unwrap();
            assert!(read > 0, "{text}");
            text.push_str(&String::from_utf8_lossy(&buffer[..read]));
        }
    }
}

#[tokio::test]
async fn shutdown_ends_the_watches() {
    let door = Door::open().await;
    fill(&door, 1);
    let mut stream = TcpStream::connect(door.address).await.unwrap();
    let request = format!(
        "GET /v1/audit/watch?from=0 HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nAuthorization: Bearer {PERSON}\r\n\r\n",
        door.address
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut first = [0; 1024];
    let _read = stream.read(&mut first).await.unwrap();
    door.options.shutdown.cancel();
    let mut rest = Vec::new();
    let end = tokio::time::timeout(Duration::from_mins(1), stream.read_to_end(&mut rest)).await;
    end.expect("the stream ends").unwrap();
}

#[tokio::test]
async fn watches_beyond_the_bound_are_refused_and_programs_leave_room_for_persons() {
    let door = Door::open().await;
    let mut open = Vec::new();
    // One of several programs leaves an eighth to the others.
    for _ in 0..aileron_contract::limits::WATCHES / 8 * 7 {
        let mut stream = TcpStream::connect(door.address).await.unwrap();
        let request = format!(
            "GET /v1/audit/watch?from=0 HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {PROGRAM}\r\n\r\n",
            door.address
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut first = [0; 64];
        let _read = stream.read(&mut first).await.unwrap();
        assert!(first.starts_with(b"HTTP/1.1 200"));
        open.push(stream);
    }
    let reply = door.ask("GET /v1/audit/watch?from=0", PROGRAM, None).await;
    assert_eq!((reply.status, reply.code().as_str()), (429, "busy"));
    let seen = raw_watch(&door, "/v1/audit/watch?from=0", "", "HTTP/1.1 200").await;
    assert!(seen.contains("text/event-stream"), "{seen}");
}
