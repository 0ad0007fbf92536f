//! What never leaves.

use std::time::Duration;

use aileron_contract::{
    Context, Principal, Reason, Scopes, Timestamp,
    credential::{Form, HeaderTemplate},
    egress::Sent,
    failure::Class,
};

use super::{
    house::{House, asking, bare, context, request, with_headers},
    upstream::{plain, whole},
};

#[tokio::test]
async fn a_host_the_manifest_does_not_declare_is_refused_before_its_name_is_resolved() {
    let house = House::consenting_to(&["api.example.com:443"]);
    let failure =
        house.failed(request("https://evil.example.com/?q=secret", &["api.example.com:443"])).await;
    assert_eq!((failure.sent, failure.failure.class), (Sent::NotSent, Class::CapabilityDenied));
    let details = failure.failure.details.unwrap();
    assert_eq!(details["requested"], "network:evil.example.com:443");
    assert_eq!(details["granted"], serde_json::json!(["network:api.example.com:443"]));
    assert!(!failure.failure.message.contains("secret"));
    assert_eq!(house.names.asked(), 0);
}

#[tokio::test]
async fn a_host_outside_the_consent_is_refused_whatever_the_manifest_declares() {
    let upstream = plain(|_| whole(200, "")).await;
    let house = House::consenting_to(&["api.example.com:443"]);
    let url = format!("http://{}/", upstream.named());
    let failure = house.failed(request(&url, &[&upstream.named()])).await;
    assert_eq!((failure.sent, failure.failure.class), (Sent::NotSent, Class::CapabilityDenied));
    assert_eq!(failure.failure.details.unwrap()["boundary_detail"], "binding");
    assert_eq!(upstream.connections(), 0);
    assert!(house.vault.used.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_consented_name_that_leads_inside_is_refused() {
    let house = House::consenting_to(&["api.example.com:443"]);
    for inside in [
        "127.0.0.1",
        "10.0.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "0.0.0.0",
        "100.64.0.1",
        "::1",
        "::ffff:127.0.0.1",
        "fd00::1",
        "fe80::1",
        "64:ff9b::a00:1",
        "2002:7f00:1::1",
        "224.0.0.1",
    ] {
        house.names.lead("api.example.com", &[&[inside]]);
        let failure =
            house.failed(request("https://api.example.com/", &["api.example.com:443"])).await;
        assert_eq!(failure.sent, Sent::NotSent, "{inside}");
        assert_eq!(failure.failure.class, Class::CapabilityDenied, "{inside}");
    }
}

#[tokio::test]
async fn addresses_written_out_are_checked_as_well() {
    for host in ["169.254.169.254:443", "0.0.0.0:443", "[::]:443", "[fd00:ec2::254]:443"] {
        let house = House::consenting_to(&[host]);
        let failure = house.failed(request(&format!("https://{host}/"), &[host])).await;
        assert_eq!(failure.sent, Sent::NotSent, "{host}");
        assert_eq!(failure.failure.class, Class::CapabilityDenied, "{host}");
    }
}

#[tokio::test]
async fn numbers_that_mean_this_machine_are_no_hosts() {
    let upstream = plain(|_| whole(200, "")).await;
    let (named, numbered) = (upstream.named(), upstream.numbered());
    let house = House::consenting_to(&[&named, &numbered]);
    for host in ["2130706433", "0x7f.1", "0x7f000001", "127.1", "0177.0.0.1", "127.0.0.1."] {
        let url = format!("http://{host}:{}/", upstream.port);
        let failure = house.failed(request(&url, &[&named, &numbered])).await;
        assert_eq!(failure.failure.class, Class::ConnectorRuntimeError, "{host}");
    }
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test]
async fn plain_http_leaves_neither_for_the_world_nor_without_consent() {
    let upstream = plain(|_| whole(200, "")).await;
    let house = House::consenting_to(&["example.com:80"]);
    house.names.lead("example.com", &[&["93.184.216.34"]]);
    let failure = house.failed(request("http://example.com/", &["example.com:80"])).await;
    assert_eq!((failure.sent, failure.failure.class), (Sent::NotSent, Class::CapabilityDenied));
    let url = format!("http://{}/", upstream.named());
    let failure = house.failed(request(&url, &[&upstream.named()])).await;
    assert_eq!((failure.sent, failure.failure.class), (Sent::NotSent, Class::CapabilityDenied));
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test]
async fn headers_that_smuggle_are_refused_and_nothing_arrives() {
    let upstream = plain(|_| whole(200, "")).await;
    let host = upstream.named();
    let house = House::consenting_to(&[&host]);
    for header in [
        ("x", "a\r\nauthorization: mine"),
        ("x\r\ny", "a"),
        ("x:", "a"),
        ("Transfer-Encoding", "chunked"),
        ("TE", "trailers"),
        ("Trailer", "x"),
        ("Upgrade", "websocket"),
        ("Expect", "100-continue"),
        ("Proxy-Authorization", "Basic eDp5"),
    ] {
        let request = request(&format!("http://{host}/"), &[&host]);
        let failure = house.failed(with_headers(request, &[header])).await;
        assert_eq!(failure.sent, Sent::NotSent, "{header:?}");
        assert_eq!(failure.failure.class, Class::ConnectorRuntimeError, "{header:?}");
    }
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test]
async fn methods_that_open_tunnels_are_refused() {
    let house = House::consenting_to(&["localhost:1"]);
    for method in ["CONNECT", "TRACE", "GET / HTTP/1.1\r\nx:", "G T"] {
        let mut request = request("http://localhost:1/", &["localhost:1"]);
        request.method = method.to_owned();
        let failure = house.failed(request).await;
        assert_eq!(failure.failure.class, Class::ConnectorRuntimeError, "{method:?}");
    }
}

#[tokio::test]
async fn a_guests_own_authorization_is_refused_when_it_asks_for_no_credential() {
    let upstream = plain(|_| whole(200, "")).await;
    let host = upstream.named();
    let house = House::consenting_to(&[&host]);
    for name in ["Authorization", "cookie", "X-API-Key"] {
        let bare = bare(&format!("http://{host}/"), &[&host]);
        let failure = house.failed(with_headers(bare, &[(name, "mine")])).await;
        assert_eq!(failure.failure.class, Class::CapabilityDenied, "{name}");
    }
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test]
async fn a_form_of_the_key_nobody_consented_to_is_refused() {
    let house = House::consenting_to(&["localhost:1"]);
    let debug = HeaderTemplate::new("X-Debug", "{key}").unwrap();
    for form in [Form::ApiKey(debug), Form::Basic, Form::Query("key".parse().unwrap())] {
        let request = asking("http://localhost:1/", &["localhost:1"], &form);
        let failure = house.failed(request).await;
        let (sent, class) = (failure.sent, failure.failure.class);
        assert_eq!((sent, class), (Sent::NotSent, Class::CapabilityDenied), "{form}");
    }
}

#[tokio::test]
async fn what_the_log_cannot_record_does_not_happen() {
    let upstream = plain(|_| whole(200, "")).await;
    let host = upstream.named();
    let house = House::consenting_to(&[&host]);
    house.log.full.store(true, std::sync::atomic::Ordering::SeqCst);
    let request = request(&format!("http://{host}/"), &[&host]);
    let error = house.egress().send(&context(), request).await.unwrap_err();
    assert_eq!(error.reason(), Reason::AuditUnavailable);
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test]
async fn the_vaults_refusal_is_passed_on() {
    let house = House::consenting_to(&[]);
    let failure = house.failed(request("http://localhost:1/", &["localhost:1"])).await;
    assert_eq!((failure.sent, failure.failure.class), (Sent::NotSent, Class::BindingRequired));
}

#[tokio::test]
async fn callers_without_the_right_are_refused() {
    let house = House::consenting_to(&["localhost:1"]);
    let stranger = Context {
        principal: Principal::Program("x".into()),
        scopes: Scopes::default(),
        ..context()
    };
    let request = request("http://localhost:1/", &["localhost:1"]);
    let error = house.egress().send(&stranger, request).await.unwrap_err();
    assert_eq!(error.reason(), Reason::ScopeMissing);
}

#[tokio::test]
async fn a_caller_whose_time_is_up_sends_nothing() {
    let upstream = plain(|_| whole(200, "")).await;
    let host = upstream.named();
    let house = House::consenting_to(&[&host]);
    let late =
        Context { deadline: Some(Timestamp::UNIX_EPOCH - Duration::from_secs(1)), ..context() };
    let request = request(&format!("http://{host}/"), &[&host]);
    let outcome = house.egress().send(&late, request).await.unwrap();
    let failure = super::house::failure(outcome);
    assert_eq!(failure.sent, Sent::NotSent);
    assert_eq!(failure.failure.class, Class::ResourceLimitExceeded);
    assert_eq!(upstream.connections(), 0);
}
