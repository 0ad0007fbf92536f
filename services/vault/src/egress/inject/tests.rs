use aileron_contract::credential::{Reach, Signing};
use http::{HeaderMap, Method};
use proptest::prelude::*;

use super::*;
use crate::egress::target::Target;

fn resolved(form: &Form, value: &str) -> Arc<Resolved> {
    Arc::new(Resolved {
        binding: "api_key/x/y".parse().unwrap(),
        reach: Reach { hosts: Vec::new(), form: form.clone() },
        value: Secret::from(value.to_owned()).into(),
        access_key_id: None,
        region: None,
    })
}

fn draft(url: &str) -> Draft {
    Draft {
        method: Method::GET,
        target: Target::parse(url).unwrap(),
        headers: HeaderMap::new(),
        body: Bytes::new(),
    }
}

/// What `value` makes of a request.
fn joined(form: &Form, value: &str, url: &str) -> Result<Draft, Problem> {
    let wanted = CredentialUse { form: form.clone(), binding: None };
    let credential = Credential::new(resolved(form, value), &wanted)?;
    let mut draft = draft(url);
    join(&credential, &mut draft, || Timestamp::UNIX_EPOCH)?;
    Ok(draft)
}

fn key() -> Form {
    Form::ApiKey(HeaderTemplate::default())
}

fn query() -> Form {
    Form::Query("api key".replace(' ', "_").parse().unwrap())
}

fn forms() -> [Form; 6] {
    let signing = Signing {
        service: "s3".parse().ok(),
        region: "us-east-1".parse().ok(),
        access_key_id: "AKIAEXAMPLE".parse().ok(),
    };
    let template = TokenTemplate::new("X-Token", "t={token};{token}").unwrap();
    [key(), Form::Oauth2, Form::AwsSigv4(signing), Form::Basic, Form::Header(template), query()]
}

#[test]
fn each_form_joins_in_its_own_way() {
    let [key, oauth2, signing, basic, header, query] = forms();
    for (form, value, name, expected) in [
        (&key, "k1", "authorization", "Bearer k1"),
        (&oauth2, "t1", "authorization", "Bearer t1"),
        (&basic, "user:pass:word", "authorization", "Basic dXNlcjpwYXNzOndvcmQ="),
        (&basic, "key:", "authorization", "Basic a2V5Og=="),
        (&header, "k1", "x-token", "t=k1;k1"),
    ] {
        let joined = joined(form, value, "https://x.example/a?b=c").unwrap();
        assert_eq!(joined.headers[name], expected);
        assert!(joined.headers[name].is_sensitive());
        assert_eq!(joined.target.as_str(), "https://x.example/a?b=c");
    }
    let queried = joined(&query, "a b&c=d+e", "https://x.example/a?b=c").unwrap();
    assert_eq!(queried.target.as_str(), "https://x.example/a?b=c&api_key=a%20b%26c%3Dd%2Be");
    assert!(queried.headers.is_empty());
    let signed = joined(&signing, "k1", "https://x.example/a").unwrap();
    assert!(signed.headers["authorization"].to_str().unwrap().starts_with("AWS4-HMAC-SHA256 "));
    assert!(!format!("{signed:?}").contains("k1"));
}

#[test]
fn a_value_that_breaks_its_form_is_never_sent() {
    for form in forms() {
        for value in ["", "a\r\nb:c", "a\nb", "a\0", "a:\u{7f}"] {
            assert!(joined(&form, value, "https://x.example/").is_err(), "{form} {value:?}");
            assert!(check(&form, value.as_bytes()).is_err(), "{form} {value:?}");
        }
        let long = "k:".repeat(limits::EGRESS_CREDENTIAL);
        assert!(check(&form, long.as_bytes()).is_err(), "{form}");
    }
    for form in [key(), Form::Oauth2, query()] {
        for value in [" a", "a ", "ключ"] {
            assert!(check(&form, value.as_bytes()).is_err(), "{form} {value:?}");
        }
    }
    for value in ["no colon", ":", "a:b\u{85}", "a\u{1b}:b"] {
        assert!(check(&Form::Basic, value.as_bytes()).is_err(), "{value:?}");
    }
    assert!(check(&Form::Basic, b"\xff:b").is_err());
    assert!(check(&Form::Basic, "Jürgen:пароль".as_bytes()).is_ok());
}

#[test]
fn a_guests_own_parameter_of_that_name_is_gone_however_it_is_written() {
    for (given, kept) in [
        ("?api_key=mine", "?api_key=ours"),
        ("?a=1&api_key=mine&b=2&api_key=more", "?a=1&b=2&api_key=ours"),
        ("?%61pi%5Fkey=mine", "?api_key=ours"),
        ("?API_KEY=mine", "?api_key=ours"),
        ("?api_key", "?api_key=ours"),
        ("?a=1;api_key=mine;b=2", "?a=1;b=2&api_key=ours"),
        ("?&&a=b&&", "?a=b&api_key=ours"),
        (
            "?my_api_key=1&api_keys=2&a=api_key=3",
            "?my_api_key=1&api_keys=2&a=api_key=3&api_key=ours",
        ),
        ("", "?api_key=ours"),
    ] {
        let joined = joined(&query(), "ours", &format!("https://x.example/p{given}")).unwrap();
        assert_eq!(joined.target.as_str(), format!("https://x.example/p{kept}"), "{given}");
    }
}

#[test]
fn another_kind_or_form_than_consented_is_refused() {
    let stored = || resolved(&key(), "k1");
    let other = Form::ApiKey(HeaderTemplate::new("X-Key", "{key}").unwrap());
    let wanted = CredentialUse { form: other, binding: None };
    assert!(matches!(Credential::new(stored(), &wanted), Err(Problem::FormChanged { .. })));
    let wanted = CredentialUse { form: Form::Oauth2, ..wanted };
    assert!(matches!(Credential::new(stored(), &wanted), Err(Problem::KindChanged { .. })));
}

#[test]
fn everything_an_upstream_could_hand_back_is_masked() {
    let masked = |form: &Form, value: &str, text: &str| {
        let wanted = CredentialUse { form: form.clone(), binding: None };
        let masker = Credential::new(resolved(form, value), &wanted).unwrap().masker().unwrap();
        String::from_utf8(masker.whole(text.as_bytes()).into_owned()).unwrap()
    };
    let [key, oauth2, signing, basic, header, query] = forms();
    for form in [&key, &oauth2, &header, &query] {
        assert_eq!(masked(form, "s3cr3t+/x", "<s3cr3t%2B%2Fx s3cr3t+/x>"), "<******** ********>");
    }
    assert_eq!(masked(&basic, "me:s3cr3t", "Basic bWU6czNjcjN0"), "Basic ********");
    assert_eq!(masked(&basic, "me:s3cr3t", "me s3cr3t"), "me ********");
    // What is left says that the text ended.
    assert_eq!(
        masked(&basic, "k3y:", "user k3y Basic azN5Og=="),
        "user ******** Basic ********g=="
    );
    let temporary = r#"{"secret_access_key":"s3cr3t","session_token":"t0k3n/=="}"#;
    assert_eq!(masked(&signing, temporary, "s3cr3t t0k3n%2F%3D%3D"), "******** ********");
    assert_eq!(masked(&signing, "s3cr3t", "s3cr3t"), "********");
}

proptest! {
    #[test]
    fn one_parameter_of_the_name_is_left_and_says_what_we_say(
        guest in "[a-z%&=;+_\\[\\]0-9K]{0,40}",
        value in "[ -~]{1,20}",
    ) {
        prop_assume!(check(&query(), value.as_bytes()).is_ok());
        let url = format!("https://x.example/?{guest}&api_key=mine&a%70i_key=too");
        let joined = joined(&query(), &value, &url).unwrap();
        let text = joined.target.as_str();
        let (_, raw) = text.split_once('?').unwrap();
        let pairs: Vec<_> = url::form_urlencoded::parse(raw.as_bytes()).collect();
        let ours: Vec<_> = pairs.iter().filter(|(name, _)| name == "api_key").collect();
        prop_assert_eq!(ours.len(), 1, "{}", text);
        prop_assert_eq!(&*ours[0].1, value.as_str());
    }
}
