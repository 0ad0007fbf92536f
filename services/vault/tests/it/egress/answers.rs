//! Bodies that do not end well.

use std::{io::Write, time::Duration};

use aileron_contract::{Reason, egress::Sent, failure::Class};
use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{
    house::{House, read, request, text},
    upstream::{pieces, plain, raw, whole},
};

#[tokio::test]
async fn a_bomb_ends_at_the_cap() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&vec![0; 64 * 1024 * 1024]).unwrap();
    let bomb = Bytes::from(encoder.finish().unwrap());
    let upstream = plain(move |_| {
        let mut answer = whole(200, bomb.clone());
        answer.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
        answer
    })
    .await;
    let host = upstream.named();
    let house = House::consenting_to(&[&host]);
    let response = house.answered(request(&format!("http://{host}/"), &[&host])).await;
    assert_eq!(read(response).await.unwrap_err().reason(), Reason::BodyTooLarge);
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused() {
    for (lines, taken) in [(30, true), (36, false), (200, false)] {
        let head = format!("x-line: {}\r\n", "a".repeat(1900)).repeat(lines);
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n{head}\r\nok");
        let upstream = raw(move |_, mut stream| {
            let answer = answer.clone();
            async move {
                drop(stream.read(&mut [0; 4096]).await);
                drop(stream.write_all(answer.as_bytes()).await);
                drop(stream.read(&mut [0; 4096]).await);
            }
        })
        .await;
        let host = upstream.named();
        let house = House::consenting_to(&[&host]);
        let asking = request(&format!("http://{host}/"), &[&host]);
        if taken {
            assert_eq!(text(house.answered(asking).await).await, "ok");
            continue;
        }
        let failure = house.failed(asking).await;
        assert_eq!((failure.sent, failure.failure.class), (Sent::MaybeSent, Class::NetworkError));
    }
}

#[tokio::test]
async fn a_body_without_end_ends_at_the_cap() {
    let upstream = raw(|_, mut stream| async move {
        drop(stream.read(&mut [0; 4096]).await);
        drop(stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await);
        while stream.write_all(&[b'a'; 8 * 1024]).await.is_ok() {}
    })
    .await;
    let host = upstream.named();
    let house = House::consenting_to(&[&host]);
    let response = house.answered(request(&format!("http://{host}/"), &[&host])).await;
    assert_eq!(read(response).await.unwrap_err().reason(), Reason::BodyTooLarge);
}

#[tokio::test]
async fn a_body_of_exactly_the_cap_is_read_and_one_that_says_it_is_longer_is_not() {
    let upstream = plain(|_| whole(200, vec![b'a'; 1000])).await;
    let host = upstream.named();
    let house = House::consenting_to(&[&host]);
    let mut fitting = request(&format!("http://{host}/"), &[&host]);
    fitting.max_response = 1000;
    assert_eq!(read(house.answered(fitting.clone()).await).await.unwrap().len(), 1000);
    fitting.max_response = 999;
    let failure = house.failed(fitting).await;
    assert_eq!(failure.sent, Sent::MaybeSent);
    assert_eq!(failure.failure.class, Class::ResourceLimitExceeded);
    assert_eq!(failure.failure.details.unwrap()["limit"], "response_body");
}

#[tokio::test]
async fn a_body_that_trickles_ends_at_the_deadline() {
    let upstream = raw(|_, mut stream| async move {
        drop(stream.read(&mut [0; 4096]).await);
        drop(stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nab").await);
        // Holds the connection until the caller gives up.
        drop(stream.read(&mut [0; 1]).await);
    })
    .await;
    let host = upstream.named();
    let house = House::consenting_to(&[&host]);
    let mut request = request(&format!("http://{host}/"), &[&host]);
    request.timeout = Duration::from_secs(3);
    let response = house.answered(request).await;
    assert_eq!(read(response).await.unwrap_err().reason(), Reason::DeadlineExceeded);
}

#[tokio::test]
async fn an_answer_that_never_begins_ends_at_the_deadline_and_may_have_been_sent() {
    let upstream = raw(|_, mut stream| async move {
        drop(stream.read(&mut [0; 4096]).await);
        drop(stream.read(&mut [0; 1]).await);
    })
    .await;
    let host = upstream.named();
    let house = House::consenting_to(&[&host]);
    let mut request = request(&format!("http://{host}/"), &[&host]);
    request.timeout = Duration::from_millis(300);
    let failure = house.failed(request).await;
    assert_eq!(failure.sent, Sent::MaybeSent);
    assert_eq!(failure.failure.class, Class::ResourceLimitExceeded);
}

#[tokio::test]
async fn a_body_that_is_cut_ends_with_an_error() {
    let upstream = raw(|_, mut stream| async move {
        drop(stream.read(&mut [0; 4096]).await);
        drop(stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nab").await);
    })
    .await;
    let host = upstream.named();
    let house = House::consenting_to(&[&host]);
    let response = house.answered(request(&format!("http://{host}/"), &[&host])).await;
    assert_eq!(read(response).await.unwrap_err().reason(), Reason::FetchFailed);
}

#[tokio::test]
async fn an_encoding_nobody_asked_for_is_refused() {
    let upstream = plain(|_| {
        let mut answer = whole(200, "not really brotli");
        answer.headers_mut().insert("content-encoding", "br".parse().unwrap());
        answer
    })
    .await;
    let host = upstream.named();
    let house = House::consenting_to(&[&host]);
    let failure = house.failed(request(&format!("http://{host}/"), &[&host])).await;
    assert_eq!((failure.sent, failure.failure.class), (Sent::MaybeSent, Class::NetworkError));
}

#[tokio::test]
async fn a_head_without_end_is_refused() {
    let upstream = raw(|_, mut stream| async move {
        drop(stream.read(&mut [0; 4096]).await);
        drop(stream.write_all(b"HTTP/1.1 200 OK\r\nx: ").await);
        while stream.write_all(&[b'a'; 4096]).await.is_ok() {}
    })
    .await;
    let host = upstream.named();
    let house = House::consenting_to(&[&host]);
    let failure = house.failed(request(&format!("http://{host}/"), &[&host])).await;
    assert_eq!((failure.sent, failure.failure.class), (Sent::MaybeSent, Class::NetworkError));
}

#[tokio::test]
async fn bodies_are_streamed() {
    let upstream = plain(|_| pieces(vec![Bytes::from_static(b"one "), Bytes::from_static(b"two")]));
    let upstream = upstream.await;
    let host = upstream.named();
    let house = House::consenting_to(&[&host]);
    let response = house.answered(request(&format!("http://{host}/"), &[&host])).await;
    assert_eq!(text(response).await, "one two");
}
