//! How a credential is joined, and that it does not come back.

use std::io::Write;

use aileron_contract::{audit::EventKind, names::BindingName};
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE, Engine};
use bytes::Bytes;

use super::{
    house::{House, KEY, request, text, with_headers},
    upstream::{pieces, plain, whole},
};

#[tokio::test]
async fn the_key_is_joined_recorded_and_replaces_what_the_guest_brought() {
    let upstream = plain(|_| whole(200, "ok")).await;
    let host = upstream.named();
    let house = House::consenting_to(&[&host]);
    let request = with_headers(
        request(&format!("http://{host}/notes?limit=1"), &[&host]),
        &[
            ("authorization", "Bearer mine"),
            ("Cookie", "session=mine"),
            ("X-Api-Key", "mine"),
            ("Host", "evil.example.com"),
            ("Content-Length", "999"),
            ("Connection", "x-kept"),
            ("Accept-Encoding", "br"),
            ("X-Kept", "yes"),
        ],
    );
    let response = house.answered(request).await;
    assert_eq!(response.status, 200);
    let binding: BindingName = "api_key/notes/me".parse().unwrap();
    assert_eq!(response.binding, Some(binding.clone()));
    assert_eq!(text(response).await, "ok");

    let seen = upstream.seen().remove(0);
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("GET", "/notes?limit=1"));
    assert_eq!(seen.header("authorization"), Some(&*format!("Bearer {KEY}")));
    assert_eq!(seen.headers.get_all("authorization").iter().count(), 1);
    assert_eq!(seen.header("host"), Some(&*host));
    assert_eq!(seen.header("x-kept"), Some("yes"));
    assert_eq!(seen.header("accept-encoding"), Some("gzip"));
    for name in ["cookie", "x-api-key", "content-length", "connection"] {
        assert_eq!(seen.header(name), None, "{name}");
    }

    assert_eq!(*house.vault.used.lock().unwrap(), [binding]);
    let events = house.log.events.lock().unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].kind, EventKind::BindingResolved);
    assert_eq!(events[0].payload["aileron.connector.fqn"], "github://acme/notes");
    assert!(!format!("{events:?}").contains(KEY));
}

#[tokio::test]
async fn a_body_arrives_whole_whatever_length_the_guest_claims() {
    let upstream = plain(|_| whole(200, "ok")).await;
    let host = upstream.named();
    let house = House::consenting_to(&[&host]);
    let mut request = with_headers(
        request(&format!("http://{host}/"), &[&host]),
        &[("content-length", "3"), ("content-type", "application/json")],
    );
    request.method = "POST".to_owned();
    request.body = Bytes::from_static(b"{\"title\":\"GET / HTTP/1.1\"}");
    text(house.answered(request.clone()).await).await;
    request.body = Bytes::new();
    text(house.answered(request.clone()).await).await;
    let seen = upstream.seen();
    assert_eq!(seen[0].body, "{\"title\":\"GET / HTTP/1.1\"}");
    assert_eq!(seen[0].header("content-length"), Some("26"));
    assert_eq!(seen[1].header("content-length"), Some("0"));
}

#[tokio::test]
async fn a_key_reflected_in_the_body_is_masked_however_it_is_cut_and_encoded() {
    let echo = format!(
        "{KEY} {} {} {}",
        BASE64_STANDARD.encode(format!("user:{KEY}")),
        BASE64_URL_SAFE.encode(KEY),
        hex::encode(KEY),
    );
    let upstream = plain(move |seen| {
        let size = seen.path.trim_start_matches('/').parse().unwrap();
        pieces(echo.as_bytes().chunks(size).map(Bytes::copy_from_slice).collect())
    })
    .await;
    let host = upstream.named();
    let house = House::consenting_to(&[&host]);
    let mut answers = Vec::new();
    for size in [1, 2, 7, 1000] {
        let answer = house.answered(request(&format!("http://{host}/{size}"), &[&host])).await;
        answers.push(text(answer).await);
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert!(answers[0].starts_with("******** "));
    assert_eq!(answers[0].matches("********").count(), 4, "{}", answers[0]);
    for form in [KEY.to_owned(), hex::encode(KEY), BASE64_STANDARD.encode(KEY)] {
        assert!(!answers[0].contains(&form));
    }
}

#[tokio::test]
async fn a_key_reflected_in_a_compressed_body_or_a_header_is_masked() {
    let upstream = plain(|seen| {
        let authorization = seen.header("authorization").unwrap().to_owned();
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(authorization.as_bytes()).unwrap();
        let mut answer = whole(200, encoder.finish().unwrap());
        let headers = answer.headers_mut();
        headers.insert("content-encoding", "gzip".parse().unwrap());
        headers.insert("x-echo", authorization.parse().unwrap());
        headers.insert("x-echo-64", BASE64_STANDARD.encode(KEY).parse().unwrap());
        headers.insert("set-cookie", "session=theirs".parse().unwrap());
        let folded = format!("x-{KEY}").to_lowercase();
        headers.insert(http::HeaderName::try_from(folded).unwrap(), "1".parse().unwrap());
        answer
    })
    .await;
    let host = upstream.named();
    let house = House::consenting_to(&[&host]);
    let response = house.answered(request(&format!("http://{host}/"), &[&host])).await;
    let headers = format!("{:?}", response.headers);
    assert!(headers.contains("\"x-echo\", \"Bearer ********\""), "{headers}");
    for secret in [KEY, &KEY.to_lowercase(), &BASE64_STANDARD.encode(KEY), "session=theirs"] {
        assert!(!headers.contains(secret), "{headers}");
    }
    assert!(!headers.contains("content-encoding"));
    assert_eq!(text(response).await, "Bearer ********");
}
