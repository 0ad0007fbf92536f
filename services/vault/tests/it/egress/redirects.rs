//! Redirects are followed by hand.

use std::sync::{Arc, Mutex};

use aileron_contract::{egress::Sent, failure::Class};
use bytes::Bytes;

use super::{
    house::{House, KEY, request, text},
    upstream::{Authority, plain, redirect, secure, whole},
};

#[tokio::test]
async fn another_host_never_gets_the_credential_and_a_way_back_does_not_bring_it_back() {
    let back = Arc::new(Mutex::new(String::new()));
    let there = Arc::clone(&back);
    let other = plain(move |_| redirect(302, &there.lock().unwrap())).await;
    let to_other = format!("http://{}/elsewhere", other.numbered());
    let first = plain(move |seen| match seen.path.as_str() {
        "/start" => redirect(307, "/moved"),
        "/moved" => redirect(302, &to_other),
        _ => whole(200, "done"),
    })
    .await;
    *back.lock().unwrap() = format!("http://{}/back", first.named());
    let hosts = [&*first.named(), &*other.numbered()];
    let house = House::consenting_to(&hosts);
    let url = format!("http://{}/start", first.named());
    assert_eq!(text(house.answered(request(&url, &hosts)).await).await, "done");

    let authorization = format!("Bearer {KEY}");
    let seen = first.seen();
    assert_eq!(seen.len(), 3);
    assert_eq!(seen[0].header("authorization"), Some(&*authorization));
    assert_eq!(seen[1].header("authorization"), Some(&*authorization), "the same host keeps it");
    assert_eq!((seen[2].path.as_str(), seen[2].header("authorization")), ("/back", None));
    assert_eq!(other.seen()[0].header("authorization"), None);
}

#[tokio::test]
async fn another_port_is_another_host() {
    let other = plain(|_| whole(200, "done")).await;
    let to_other = format!("http://{}/", other.named());
    let first = plain(move |_| redirect(302, &to_other)).await;
    let hosts = [&*first.named(), &*other.named()];
    let house = House::consenting_to(&hosts);
    let url = format!("http://{}/", first.named());
    text(house.answered(request(&url, &hosts)).await).await;
    assert_eq!(other.seen()[0].header("authorization"), None);
}

#[tokio::test]
async fn a_redirect_out_of_the_manifest_or_to_a_private_address_is_refused() {
    let other = plain(|_| whole(200, "done")).await;
    let outside = format!("http://{}/", other.numbered());
    for (to, declared) in [
        (outside.as_str(), "x.example.com:443"),
        ("https://inside.example.com/", "inside.example.com:443"),
        ("https://169.254.169.254/latest", "169.254.169.254:443"),
        ("https://10.0.0.1/", "10.0.0.1:443"),
        ("http://inside.example.com/", "inside.example.com:80"),
    ] {
        let location = to.to_owned();
        let first = plain(move |_| redirect(302, &location)).await;
        let host = first.named();
        // The manifest declares it, the person's consent does not name it.
        let house = House::consenting_to(&[&host]);
        house.names.lead("inside.example.com", &[&["10.0.0.1"]]);
        let request = request(&format!("http://{host}/"), &[&host, declared]);
        let failure = house.failed(request).await;
        assert_eq!(failure.sent, Sent::MaybeSent, "{to}");
        assert_eq!(failure.failure.class, Class::CapabilityDenied, "{to}");
    }
    assert_eq!(other.connections(), 0);
}

#[tokio::test]
async fn a_redirect_that_carries_the_key_elsewhere_is_refused() {
    let other = plain(|_| whole(200, "done")).await;
    let to_other = format!("http://{}/?stolen={KEY}", other.named());
    let first = plain(move |_| redirect(302, &to_other)).await;
    let hosts = [&*first.named(), &*other.named()];
    let house = House::consenting_to(&hosts);
    let failure = house.failed(request(&format!("http://{}/", first.named()), &hosts)).await;
    assert_eq!(failure.failure.class, Class::CapabilityDenied);
    assert_eq!(other.connections(), 0);
}

#[tokio::test]
async fn a_body_is_sent_again_to_the_same_host_only() {
    let other = plain(|_| whole(200, "done")).await;
    let to_other = format!("http://{}/", other.named());
    let first = plain(move |seen| match seen.path.as_str() {
        "/same" => redirect(308, "/here"),
        "/other" => redirect(307, &to_other),
        "/see" => redirect(303, "/there"),
        _ => whole(200, "done"),
    })
    .await;
    let hosts = [&*first.named(), &*other.named()];
    let house = House::consenting_to(&hosts);
    let posting = |path: &str| {
        let mut request = request(&format!("http://{}{path}", first.named()), &hosts);
        request.method = "POST".to_owned();
        request.body = Bytes::from_static(b"note");
        request
    };
    text(house.answered(posting("/same")).await).await;
    text(house.answered(posting("/see")).await).await;
    let failure = house.failed(posting("/other")).await;
    assert_eq!((failure.sent, failure.failure.class), (Sent::MaybeSent, Class::CapabilityDenied));
    let seen: Vec<_> =
        first.seen().into_iter().map(|seen| (seen.method, seen.path, seen.body)).collect();
    let row = |method: &str, path: &str, body: &'static str| {
        (method.to_owned(), path.to_owned(), Bytes::from_static(body.as_bytes()))
    };
    assert_eq!(
        seen,
        [
            row("POST", "/same", "note"),
            row("POST", "/here", "note"),
            row("POST", "/see", "note"),
            row("GET", "/there", ""),
            row("POST", "/other", "note"),
        ]
    );
    assert_eq!(other.connections(), 0);
}

#[tokio::test]
async fn redirects_end() {
    let first = plain(|_| redirect(302, "/again")).await;
    let host = first.named();
    let house = House::consenting_to(&[&host]);
    let failure = house.failed(request(&format!("http://{host}/"), &[&host])).await;
    assert_eq!((failure.sent, failure.failure.class), (Sent::MaybeSent, Class::NetworkError));
    assert_eq!(first.seen().len(), 11);
}

#[tokio::test]
async fn https_is_never_left_for_http() {
    let authority = Authority::new();
    let other = plain(|_| whole(200, "done")).await;
    let to_other = format!("http://{}/", other.named());
    let first =
        secure(&authority, &["localhost"], b"http/1.1", move |_| redirect(302, &to_other)).await;
    let hosts = [&*first.named(), &*other.named()];
    let house = House::trusting(&authority, &hosts);
    let failure = house.failed(request(&format!("https://{}/", first.named()), &hosts)).await;
    assert_eq!(failure.failure.class, Class::CapabilityDenied);
    assert_eq!(other.connections(), 0);
}
