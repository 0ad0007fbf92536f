//! Values that use everything a type can hold (`full`), and values that use as little.

pub(crate) mod access;
pub(crate) mod audit;
pub(crate) mod bindings;
pub(crate) mod custody;
pub(crate) mod drift;
pub(crate) mod egress;
pub(crate) mod executor;
pub(crate) mod grants;
pub(crate) mod packages;
pub(crate) mod publishers;
pub(crate) mod sessions;
pub(crate) mod vault;

use std::str::FromStr;

use aileron_contract::{
    Context, Error, Principal, Scopes, Timestamp,
    credential::{Form, HeaderTemplate, Oauth2Client, Signing, TokenTemplate},
    failure::{Boundary, Class, Failure},
    names::{HostPort, Sha256Hash},
};
use serde_json::{Map, Value, json};

/// A name in its grammar.
pub(crate) fn name<T: FromStr<Err = Error>>(raw: &str) -> T {
    raw.parse().unwrap()
}

pub(crate) fn context(full: bool) -> Context {
    if full {
        Context {
            principal: Principal::Agent("agent «é»".into()),
            scopes: Scopes::all(),
            session: Some(name("01JD9Z0Q4M-session")),
            idempotency_key: Some(name("key~!1")),
            // Far enough away for every test.
            deadline: Some(name_time("2099-12-31T23:59:59.999999999Z")),
            begun_by: Some(Principal::Person("p1".into())),
        }
    } else {
        Context {
            principal: Principal::Program("".into()),
            scopes: Scopes::default(),
            session: None,
            idempotency_key: None,
            deadline: None,
            begun_by: None,
        }
    }
}

pub(crate) fn name_time(raw: &str) -> Timestamp {
    raw.parse().unwrap()
}

pub(crate) fn time() -> Timestamp {
    name_time("2026-11-21T03:04:05.000000006Z")
}

pub(crate) fn before_1970() -> Timestamp {
    name_time("1969-12-31T23:59:58.5Z")
}

pub(crate) fn hash() -> Sha256Hash {
    Sha256Hash::of(&[b"sample"])
}

pub(crate) fn text(full: bool) -> Option<String> {
    full.then(|| "text with «ünïcode», \u{202e} and \0".to_owned())
}

pub(crate) fn texts(full: bool) -> Vec<String> {
    if full { vec!["notes:read".to_owned(), "offline «é»".to_owned()] } else { Vec::new() }
}

/// Deep, ordered, with every kind of value.
pub(crate) fn object(full: bool) -> Map<String, Value> {
    let value = if full {
        json!({
            "z": [1, -2, 0.1, -1.797_693_134_862_315_7e-308, null, true, "\u{1F600}\n"],
            "a": { "nested": { "empty": {}, "list": [] } },
            "": "an empty key",
            "most": 9_007_199_254_740_992_u64,
            "odd": 0.300_000_000_000_000_04,
        })
    } else {
        json!({})
    };
    match value {
        Value::Object(map) => map,
        _ => unreachable!("an object was written above"),
    }
}

pub(crate) fn hosts(full: bool) -> Vec<HostPort> {
    let all = ["api.example.com:443", "[::1]:8443", "127.0.0.1:1"];
    if full { all.map(name).to_vec() } else { Vec::new() }
}

pub(crate) fn form(full: bool) -> Form {
    if full {
        Form::ApiKey(HeaderTemplate::new("X-Key", "k={key}; {key}").unwrap())
    } else {
        Form::ApiKey(HeaderTemplate::default())
    }
}

/// One of every kind, with everything and with as little as it can hold.
pub(crate) fn forms() -> Vec<Form> {
    let signing = Signing {
        service: Some(name("athena")),
        region: Some(name("eu-central-1")),
        access_key_id: Some(name("AKIAEXAMPLE")),
    };
    vec![
        form(true),
        form(false),
        Form::Oauth2,
        Form::AwsSigv4(signing),
        Form::AwsSigv4(Signing::default()),
        Form::Basic,
        Form::Header(TokenTemplate::new("X-Token", "t={token}; {token}").unwrap()),
        Form::Query(name("api[key]&+%")),
    ]
}

pub(crate) fn oauth2(full: bool) -> Oauth2Client {
    let scopes = vec!["mail.send".to_owned(), "open id".to_owned()];
    let (authorize, token) =
        (name("https://id.example/authorize?a=b"), name("http://localhost:1/t"));
    let mut client = Oauth2Client::new(authorize, token, "installed app", scopes).unwrap();
    if full {
        client.device_authorization_url = Some(name("https://id.example/device"));
        client.revocation_url = Some(name("https://id.example/revoke"));
        client = client.with_secret("not so secret");
    }
    client
}

pub(crate) fn failure(full: bool) -> Failure {
    Failure {
        class: if full { Class::ApprovalTimeout } else { Class::CapabilityDenied },
        boundary: if full { Boundary::User } else { Boundary::Sandbox },
        message: text(full).unwrap_or_default(),
        retriable: full,
        details: full.then(|| object(true)),
        audit_id: full.then(|| name("audit-1")),
    }
}
