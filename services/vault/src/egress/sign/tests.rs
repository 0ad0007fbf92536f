use aileron_contract::names::HostPort;
use bytes::Bytes;
use http::{HeaderMap, Method};

use super::*;
use crate::egress::target::Target;

/// The key of AWS's documentation.
const SECRET: &[u8] = b"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

fn word(text: &str) -> SigningWord {
    text.parse().unwrap()
}

fn draft(method: &str, url: &str, headers: &[(&'static str, &'static str)], body: &str) -> Draft {
    let headers = headers
        .iter()
        .map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
    Draft {
        method: Method::from_bytes(method.as_bytes()).unwrap(),
        target: Target::parse(url).unwrap(),
        headers: headers.collect::<HeaderMap>(),
        body: Bytes::copy_from_slice(body.as_bytes()),
    }
}

fn signed(draft: &mut Draft, key: &[u8], time: &str) -> Result<String, Problem> {
    let (id, region, service) = (word("AKIAIOSFODNN7EXAMPLE"), word("us-east-1"), word("s3"));
    let inputs =
        Inputs { access_key_id: Some(&id), region: Some(&region), service: Some(&service) };
    sign(&SigningKey::read(key).unwrap(), &inputs, draft, time.parse().unwrap())?;
    Ok(draft.headers["authorization"].to_str().unwrap().to_owned())
}

/// AWS documentation, "Signature Calculations for the Authorization Header": four requests whose
/// signatures are published.
#[test]
fn published_examples_are_signed_as_published() {
    const BUCKET: &str = "https://examplebucket.s3.amazonaws.com";
    let storage =
        [("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")];
    let range = [("range", "bytes=0-9")];
    for (method, path, headers, body, signature) in [
        (
            "GET",
            "/test.txt",
            &range[..],
            "",
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        (
            "PUT",
            "/test$file.text",
            &storage,
            "Welcome to Amazon S3.",
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        ),
        (
            "GET",
            "/?lifecycle",
            &[],
            "",
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
        ),
        (
            "GET",
            "/?max-keys=2&prefix=J",
            &[],
            "",
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ] {
        let mut draft = draft(method, &format!("{BUCKET}{path}"), headers, body);
        let authorization = signed(&mut draft, SECRET, "2013-05-24T00:00:00Z").unwrap();
        let scope = "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,";
        assert!(authorization.contains(scope), "{authorization}");
        assert!(authorization.ends_with(&format!("Signature={signature}")), "{path}");
    }
}

#[test]
fn a_session_token_travels_and_is_signed() {
    let key = br#"{"secret_access_key":"k","session_token":"the/token=="}"#;
    let mut draft = draft("GET", "https://s3.eu-west-1.example/", &[], "");
    let authorization = signed(&mut draft, key, "2026-11-21T00:00:00Z").unwrap();
    assert_eq!(draft.headers["x-amz-security-token"], "the/token==");
    assert!(draft.headers["x-amz-security-token"].is_sensitive());
    let names = "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,";
    assert!(authorization.contains(names), "{authorization}");
    assert!(authorization.contains("/20261121/eu-west-1/s3/aws4_request"), "{authorization}");
}

#[test]
fn what_the_guest_claims_about_the_signature_is_gone() {
    let claims = [
        ("authorization", "AWS4-HMAC-SHA256 Credential=mine"),
        ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
        ("x-amz-date", "19700101T000000Z"),
        ("x-amz-security-token", "mine"),
        ("x-amz-meta-a", "kept"),
    ];
    let mut draft = draft("PUT", "https://s3.eu-west-1.example/a", &claims, "body");
    let authorization = signed(&mut draft, b"k", "2026-11-21T01:02:03Z").unwrap();
    assert!(!authorization.contains("mine"));
    assert_eq!(draft.headers["x-amz-date"], "20261121T010203Z");
    let hash = hex::encode(Sha256::digest("body"));
    assert_eq!(draft.headers["x-amz-content-sha256"], hash.as_str());
    assert!(!draft.headers.contains_key("x-amz-security-token"));
    assert!(authorization.contains(";x-amz-meta-a,"), "{authorization}");
    assert_eq!(draft.headers.get_all("authorization").iter().count(), 1);
}

#[test]
fn a_url_that_is_signed_already_is_refused() {
    for query in ["X-Amz-Signature=00", "a=b&x%2Damz-credential=mine", "X-AMZ-SECURITY-TOKEN"] {
        let mut draft = draft("GET", &format!("https://s3.eu-west-1.example/?{query}"), &[], "");
        let refused = signed(&mut draft, b"k", "2026-11-21T00:00:00Z");
        assert!(matches!(refused, Err(Problem::OwnSignature)), "{query}");
    }
}

/// What leaves is spelled so that nobody can read it as something that was not signed.
#[test]
fn paths_of_s3_and_queries_are_spelled_the_one_way() {
    for (given, sent) in [
        ("/b/a b", "/b/a%20b"),
        ("/b/a+b%2Bc", "/b/a%2Bb%2Bc"),
        ("/b/a//c/", "/b/a//c/"),
        ("/b/%zz%25", "/b/%25zz%25"),
        ("/b/ключ!*'()", "/b/%D0%BA%D0%BB%D1%8E%D1%87%21%2A%27%28%29"),
        ("/b/a%2Fc", "/b/a%2Fc"),
        ("/b?acl", "/b?acl"),
        ("/b?prefix=a+b%2B&marker=", "/b?prefix=a%20b%2B&marker="),
        ("/b?a=%2f:@&&b", "/b?a=%2F%3A%40&b"),
    ] {
        let mut draft = draft("GET", &format!("https://s3.eu-west-1.example{given}"), &[], "");
        signed(&mut draft, b"k", "2026-11-21T00:00:00Z").unwrap();
        let expected = format!("https://s3.eu-west-1.example{sent}");
        assert_eq!(draft.target.as_str(), expected, "{given}");
    }
    let mut odd = draft("GET", "https://s3.eu-west-1.example/%ff", &[], "");
    assert!(signed(&mut odd, b"k", "2026-11-21T00:00:00Z").is_err());
}

#[test]
fn missing_inputs_are_named() {
    let key = SigningKey::read(b"k").unwrap();
    let mut draft = draft("GET", "https://storage.example/", &[], "");
    let (id, region) = (word("AKIA"), word("us-east-1"));
    let inputs = Inputs { access_key_id: None, region: Some(&region), service: None };
    let refused = sign(&key, &inputs, &mut draft, Timestamp::UNIX_EPOCH).unwrap_err();
    let failure = refused.failure();
    assert!(failure.message.starts_with("signing inputs incomplete"), "{failure}");
    let details = failure.details.unwrap();
    assert_eq!(details["missing"], serde_json::json!(["an access key id", "a service"]));
    let inputs = Inputs { access_key_id: Some(&id), region: None, service: None };
    let host: HostPort = "athena.eu-central-1.amazonaws.com:443".parse().unwrap();
    let Complete { region, service, .. } = complete(&inputs, &host).unwrap();
    assert_eq!((service.as_str(), region.as_str()), ("athena", "eu-central-1"));
}
