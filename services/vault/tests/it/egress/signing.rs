//! Signed requests, read by servers that nobody here wrote and that verify every signature: an S3
//! (s3s), and the Amazon services of moto.
#![expect(clippy::unwrap_used, reason = "a server that cannot start fails its test")]

mod moto;
mod storage;

use aileron_contract::{
    Timestamp,
    credential::{Form, Signing, SigningWord},
    egress::{Outcome, Request, Response, Sent},
    failure::Class,
};
use bytes::Bytes;

use super::{
    house::{Bound, House, asking, text, with_headers},
    upstream::{plain, redirect, whole},
};
use moto::Moto;
use storage::Storage;

const ID: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// A manifest that says nothing: the host does.
fn form() -> Form {
    Form::AwsSigv4(Signing::default())
}

fn word(text: &str) -> SigningWord {
    text.parse().unwrap()
}

/// A house that holds a signing key for `hosts`, which all lead to this machine.
fn house(hosts: &[&str], form: Form, id: &str, value: &str) -> House {
    let bound =
        Bound { access_key_id: Some(word(id)), clock: Timestamp::now, ..Bound::of(form, value) };
    let house = House::holding(hosts, bound);
    for host in hosts {
        let (name, _) = host.split_once(':').unwrap();
        house.names.lead(name, &[&["127.0.0.1"]]);
    }
    house
}

fn signed(method: &str, host: &str, path: &str, body: &str) -> Request {
    Request {
        method: method.to_owned(),
        body: Bytes::copy_from_slice(body.as_bytes()),
        ..asking(&format!("http://{host}{path}"), &[host], &form())
    }
}

async fn status_and_text(response: Response) -> (u16, String) {
    (response.status, text(response).await)
}

/// Keys as a guest may spell them, and prefixes that find them.
#[tokio::test]
async fn odd_keys_are_put_got_and_found() {
    let storage = Storage::start(ID, SECRET).await;
    let host = storage.host("s3.eu-west-1.localhost");
    let house = house(&[&host], form(), ID, SECRET);
    let ok = |path: String, method: &'static str, body: &'static str| {
        let request = signed(method, &host, &path, body);
        let house = &house;
        async move { status_and_text(house.answered(request).await).await }
    };
    assert_eq!(ok("/odd".to_owned(), "PUT", "").await.0, 200);
    for key in [
        "plain.txt",
        "a b",
        "a%20b%2B",
        "a+b",
        "ключ-\u{1f511}",
        "%D0%BA%D0%BB%D1%8E%D1%87",
        "deep/er//and",
        "100%25",
        "100%",
        "%zz",
        "a:b@c&d=e;f,g$h!i*j'k(l)m~n",
        "[x]{y}|z^`",
        "q%3Fuestion%23hash",
    ] {
        let path = format!("/odd/{key}");
        let put = ok(path.clone(), "PUT", "what it says").await;
        assert_eq!(put.0, 200, "{key}: {}", put.1);
        assert_eq!(ok(path, "GET", "").await, (200, "what it says".to_owned()), "{key}");
    }
    for query in [
        "list-type=2&prefix=a+b",
        "list-type=2&prefix=a%20b",
        "list-type=2&prefix=%D0%BA",
        "list-type=2&prefix=ключ&delimiter=/",
        "prefix=a:b@c&list-type=2&start-after=!*'()~",
        "list-type=2&&prefix=&max-keys=1&delimiter=%2F%2B%25",
    ] {
        let listed = ok(format!("/odd?{query}"), "GET", "").await;
        assert_eq!(listed.0, 200, "{query}: {}", listed.1);
        assert!(listed.1.contains("ListBucketResult"), "{query}");
    }
    assert!(ok("/odd?list-type=2&prefix=a+b".to_owned(), "GET", "").await.1.contains("<Key>a b"));
}

#[tokio::test]
async fn a_server_that_verifies_refuses_another_key_and_so_proves_the_rest() {
    let storage = Storage::start(ID, SECRET).await;
    let host = storage.host("s3.eu-west-1.localhost");
    for (id, secret) in [(ID, "another secret".replace(' ', "")), ("AKIAOTHER", SECRET.to_owned())]
    {
        let house = house(&[&host], form(), id, &secret);
        let answer = house.answered(signed("GET", &host, "/", "")).await;
        assert_eq!(answer.status, 403, "{id}");
    }
}

/// The guest brings everything a signature is made of; the request is signed all the same.
#[tokio::test]
async fn nothing_a_guest_claims_reaches_the_signature() {
    let storage = Storage::start(ID, SECRET).await;
    let host = storage.host("s3.eu-west-1.localhost");
    let house = house(&[&host], form(), ID, SECRET);
    assert_eq!(house.answered(signed("PUT", &host, "/odd", "")).await.status, 200);
    let claims = [
        ("Authorization", "AWS4-HMAC-SHA256 Credential=mine/x/y/z/aws4_request, Signature=00"),
        ("X-Amz-Date", "19700101T000000Z"),
        ("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"),
        ("X-Amz-Security-Token", "mine"),
        ("x-amz-meta-note", "  spaces   inside  "),
        ("Content-Type", "text/plain"),
    ];
    let put = with_headers(signed("PUT", &host, "/odd/a", "body"), &claims);
    assert_eq!(house.answered(put).await.status, 200);
    let got = house.answered(signed("GET", &host, "/odd/a", "")).await;
    assert_eq!(status_and_text(got).await, (200, "body".to_owned()));

    let presigned = signed("GET", &host, "/odd/a?X-Amz-Signature=00&X-Amz-Credential=mine", "");
    let refused = house.failed(presigned).await;
    assert_eq!((refused.sent, refused.failure.class), (Sent::NotSent, Class::CapabilityDenied));
    let smuggled = [("x-amz-meta-a", "b\r\nx: y")];
    let smuggled = with_headers(signed("GET", &host, "/odd/a", ""), &smuggled);
    assert_eq!(house.failed(smuggled).await.sent, Sent::NotSent);
    let foreign = with_headers(signed("GET", &host, "/odd/a", ""), &[("x-amz-meta-a", "ключ")]);
    assert_eq!(house.answered(foreign).await.status, 200);
}

/// Neither host nor manifest nor binding says where: nothing is sent, and it is said why.
#[tokio::test]
async fn a_host_without_a_region_takes_the_manifests_or_none() {
    let storage = Storage::start(ID, SECRET).await;
    let host = storage.host("localhost");
    let said = Form::AwsSigv4(Signing {
        service: Some(word("s3")),
        region: Some(word("us-east-1")),
        ..Signing::default()
    });
    let said_house = house(&[&host], said.clone(), ID, SECRET);
    let request = asking(&format!("http://{host}/"), &[&host], &said);
    assert_eq!(said_house.answered(request).await.status, 200);

    let silent = house(&[&host], form(), ID, SECRET);
    let refused = silent.failed(signed("GET", &host, "/", "")).await;
    assert_eq!((refused.sent, refused.failure.class), (Sent::NotSent, Class::CapabilityDenied));
    assert!(refused.failure.message.starts_with("signing inputs incomplete"));
    let details = refused.failure.details.unwrap();
    assert_eq!(details["missing"], serde_json::json!(["a region", "a service"]));
}

/// A redirect within the host is signed anew; one that leaves it is not signed at all, and an
/// upstream that hands the secrets back finds them masked.
#[tokio::test]
async fn each_hop_is_signed_for_itself_and_another_host_gets_nothing() {
    let elsewhere = plain(|_| whole(200, "elsewhere")).await;
    let there = format!("http://{}/", elsewhere.named());
    let value = format!(r#"{{"secret_access_key":"{SECRET}","session_token":"tok/en+=="}}"#);
    let echo = format!("{SECRET} tok%2Fen%2B%3D%3D");
    let upstream = plain(move |seen| match seen.path.as_str() {
        "/a" => redirect(302, "/b?x=y"),
        "/b?x=y" => whole(200, echo.clone()),
        _ => redirect(302, &there),
    })
    .await;
    let host = format!("sqs.us-east-1.localhost:{}", upstream.port);
    let other = elsewhere.named();
    let house = house(&[&host, &other], form(), ID, &value);
    let request = |path| {
        let mut request = signed("GET", &host, path, "");
        request.allowed.push(other.parse().unwrap());
        request
    };
    assert_eq!(text(house.answered(request("/a")).await).await, "******** ********");
    let seen = upstream.seen();
    let signatures: Vec<_> =
        seen.iter().map(|seen| seen.header("authorization").unwrap()).collect();
    assert_eq!(signatures.len(), 2);
    assert_ne!(signatures[0], signatures[1]);
    assert!(signatures.iter().all(|signature| !signature.contains("wJalr")));
    assert!(seen.iter().all(|seen| seen.header("x-amz-security-token") == Some("tok/en+==")));

    assert_eq!(text(house.answered(request("/c")).await).await, "elsewhere");
    let seen = elsewhere.seen().remove(0);
    for name in ["authorization", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256"] {
        assert_eq!(seen.header(name), None, "{name}");
    }
}

/// Queues by name, functions by odd paths, and credentials that end: as their own services check.
#[tokio::test]
async fn other_services_verify_long_lived_and_temporary_keys() {
    let moto = Moto::start().await;
    let key = moto.key_of_a_user().await;
    let temporary = moto.role_assumed_by(&key).await;
    moto.verify_from_now_on().await;
    for (id, value) in [&key, &temporary] {
        let sqs = moto.host("sqs");
        let at_sqs = house(&[&sqs], form(), id, value);
        let (status, answer) = moto::queue(&at_sqs, &sqs, "jobs").await;
        assert_eq!(status, 200, "{answer}");
        assert!(answer.contains("QueueUrl"), "{answer}");

        let lambda = moto.host("lambda");
        let at_lambda = house(&[&lambda], form(), id, value);
        for path in [
            "/2015-03-31/functions/plain",
            "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Ax",
            "/2015-03-31/functions/odd%20name",
            "/2015-03-31/functions/plain?Qualifier=a+b%2B%25",
        ] {
            let answer = at_lambda.answered(signed("GET", &lambda, path, "")).await;
            let (status, answer) = status_and_text(answer).await;
            assert_eq!(status, 404, "{path}: {answer}");
        }
    }
    let sqs = moto.host("sqs");
    let wrong = house(&[&sqs], form(), &key.0, "anotherSecret");
    assert!((400..=403).contains(&moto::queue(&wrong, &sqs, "jobs").await.0));
    let forged = temporary.1.replace("\"session_token\":\"", "\"session_token\":\"x");
    let forged = house(&[&sqs], form(), &temporary.0, &forged);
    assert!((400..=403).contains(&moto::queue(&forged, &sqs, "jobs").await.0));
}

/// A host the person did not consent to gets no signature, whatever the manifest declares.
#[tokio::test]
async fn a_host_outside_the_consent_gets_no_signature() {
    let upstream = plain(|_| whole(200, "")).await;
    let host = format!("sqs.us-east-1.localhost:{}", upstream.port);
    let house = house(&["sqs.eu-west-1.localhost:1"], form(), ID, SECRET);
    house.names.lead("sqs.us-east-1.localhost", &[&["127.0.0.1"]]);
    let outcome = house.send(signed("GET", &host, "/", "")).await;
    let Outcome::Failed(refused) = outcome else { panic!("it was sent") };
    assert_eq!((refused.sent, refused.failure.class), (Sent::NotSent, Class::CapabilityDenied));
    assert_eq!(upstream.connections(), 0);
}
