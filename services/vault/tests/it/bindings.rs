mod consent;
mod defaults;

use std::time::Duration;

use aileron_contract::{
    Reason,
    bindings::{Binding, BindingFilter, BindingStatus, Consent, Revoked, StaleReason},
    credential::{Form, HeaderTemplate, Reach, Signing},
    egress::{CredentialUse, Outcome, Request},
    failure::Class,
};
use bytes::Bytes;
use serde_json::json;

use crate::house::{House, assert_refused, consent, daemon, hosts_of, secret, service};

const NOTES: &str = "github://acme/notes";

fn wanted(binding: Option<&str>) -> Request {
    Request {
        connector: NOTES.parse().unwrap(),
        allowed: hosts_of(&["notes.invalid:443"]),
        credential: Some(CredentialUse {
            form: Form::ApiKey(HeaderTemplate::default()),
            binding: binding.map(|name| name.parse().unwrap()),
        }),
        method: "GET".to_owned(),
        url: "https://notes.invalid/".to_owned(),
        headers: Vec::new(),
        body: Bytes::new(),
        idempotent: false,
        max_response: 1_000,
        timeout: Duration::from_secs(5),
    }
}

/// What egress says to a connector; the request itself leads nowhere.
async fn failure(house: &House, binding: Option<&str>) -> aileron_contract::failure::Failure {
    match house.service.egress().send(&service(), wanted(binding)).await.unwrap() {
        Outcome::Failed(failure) => failure.failure,
        Outcome::Answered(answer) => panic!("{answer:?}"),
    }
}

async fn bind(house: &House, identity: &str) -> Binding {
    let consent = consent(NOTES, identity, &["notes.invalid:443"]);
    house.service.bindings().bind(&service(), consent, secret("the key")).await.unwrap()
}

#[tokio::test]
async fn a_binding_is_set_up_listed_rebound_and_revoked() {
    let house = House::with_vault().await;
    let vault = house.service.vault();
    house.log.take();
    let binding = bind(&house, "me").await;
    assert_eq!(binding.name.as_str(), "api_key/notes/me");
    bind(&house, "me").await;
    let careful = Consent { refuse_existing: true, ..consent(NOTES, "me", &["notes.invalid:443"]) };
    assert_refused(
        house.service.bindings().bind(&service(), careful, secret("k")).await,
        Reason::BindingExists,
    );
    vault.lock(&service()).await.unwrap();
    let all = house.service.bindings().list(&daemon(), BindingFilter::default()).await.unwrap();
    assert_eq!(all, [Binding { verified: false, ..binding.clone() }]);
    let other = BindingFilter {
        connector: Some("github://acme/other".parse().unwrap()),
        ..BindingFilter::default()
    };
    assert!(house.service.bindings().list(&daemon(), other).await.unwrap().is_empty());
    house.unlock().await;
    let bindings = house.service.bindings();
    let revoked = bindings.revoke(&service(), binding.name.clone()).await.unwrap();
    assert_eq!(revoked, Revoked::Here);
    assert_refused(bindings.revoke(&service(), binding.name).await, Reason::BindingNotFound);
    assert!(
        house
            .service
            .bindings()
            .list(&daemon(), BindingFilter::default())
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        house.log.take(),
        ["binding.created", "binding.rebound", "vault.locked", "vault.unlocked", "binding.revoked"]
    );
}

#[tokio::test]
async fn odd_consents_and_keys_are_refused() {
    let house = House::with_vault().await;
    for value in ["two\nlines", "null\0", "ünicode"] {
        let refused = house
            .service
            .bindings()
            .bind(&service(), consent(NOTES, "me", &[]), secret(value))
            .await;
        assert_refused(refused, Reason::InvalidRequest);
    }
    let empty =
        house.service.bindings().bind(&service(), consent(NOTES, "me", &[]), secret("")).await;
    assert_refused(empty, Reason::MissingValue);
    let reach = Reach { hosts: Vec::new(), form: Form::Oauth2 };
    let oauth = Consent { reach, ..consent(NOTES, "me", &[]) };
    assert_refused(
        house.service.bindings().bind(&service(), oauth, secret("k")).await,
        Reason::UnsupportedKind,
    );
    let service_name = Consent { service: "a/b".to_owned(), ..consent(NOTES, "me", &[]) };
    assert_refused(
        house.service.bindings().bind(&service(), service_name, secret("k")).await,
        Reason::InvalidRequest,
    );
}

#[tokio::test]
async fn egress_gets_the_only_binding_and_a_clear_refusal_otherwise() {
    let house = House::with_vault().await;
    let vault = house.service.vault();

    let none = failure(&house, None).await;
    assert_eq!(
        (none.class, &none.details.as_ref().unwrap()["candidates"]),
        (Class::BindingRequired, &json!([]))
    );

    bind(&house, "me").await;
    // Resolved, and then there is no such host.
    assert_eq!(failure(&house, None).await.class, Class::NetworkError);
    assert!(house.log.take().contains(&"binding.resolved"));

    bind(&house, "you").await;
    let several = failure(&house, None).await;
    assert_eq!(several.class, Class::BindingRequired);
    let details = several.details.unwrap();
    assert_eq!(details["candidates"], json!(["api_key/notes/me", "api_key/notes/you"]));
    assert_eq!(
        (&details["connector"], &details["capability_kind"]),
        (&json!(NOTES), &json!("api_key"))
    );
    assert_eq!(failure(&house, Some("api_key/notes/you")).await.class, Class::NetworkError);
    assert_eq!(failure(&house, Some("api_key/notes/no")).await.class, Class::BindingRequired);
    bind(&house, "default").await;
    assert_eq!(failure(&house, None).await.class, Class::NetworkError, "the default is used");

    vault.lock(&service()).await.unwrap();
    let locked = failure(&house, None).await;
    assert_eq!(locked.class, Class::BindingRequired);
    assert_eq!(locked.details.unwrap()["required"], "vault.passphrase");
}

#[tokio::test]
async fn a_connector_that_wants_more_hosts_makes_its_bindings_stale() {
    let house = House::with_vault().await;
    let vault = house.service.vault();
    let name = bind(&house, "me").await.name;
    let declare = async |hosts: &[&str]| {
        let connector = NOTES.parse().unwrap();
        house
            .service
            .bindings()
            .declare_hosts(&service(), connector, hosts_of(hosts))
            .await
            .unwrap()
    };
    assert!(declare(&["notes.invalid:443"]).await.is_empty());
    assert!(declare(&[]).await.is_empty());
    let generation = vault.status(&daemon()).await.unwrap().generation;
    assert_eq!(declare(&["notes.invalid:443", "evil.invalid:443"]).await, [name]);
    assert!(declare(&["notes.invalid:443", "evil.invalid:443"]).await.is_empty());
    assert_eq!(vault.status(&daemon()).await.unwrap().generation, generation.map(|n| n + 1));
    let [stale] =
        &house.service.bindings().list(&daemon(), BindingFilter::default()).await.unwrap()[..]
    else {
        panic!("one binding")
    };
    assert_eq!(
        (stale.status, stale.stale_reason),
        (BindingStatus::Stale, Some(StaleReason::HostsAdded))
    );
    let refused = failure(&house, None).await;
    assert_eq!(
        (refused.class, &refused.details.unwrap()["status"]),
        (Class::BindingFailed, &json!("stale"))
    );
    // Agreeing again makes it good.
    bind(&house, "me").await;
    assert_eq!(failure(&house, None).await.class, Class::NetworkError);
}

#[tokio::test]
async fn a_use_shows_at_once_and_survives_a_lock_and_a_restart() {
    let house = House::with_vault().await;
    bind(&house, "me").await;
    let generation = house.service.vault().status(&daemon()).await.unwrap().generation;
    let used = async |house: &House| {
        let all = house.service.bindings().list(&daemon(), BindingFilter::default()).await;
        all.unwrap()[0].last_used_at
    };
    assert_eq!(used(&house).await, None);
    failure(&house, None).await;
    let now = crate::house::clock();
    assert_eq!(used(&house).await, Some(now));
    assert_eq!(house.service.vault().status(&daemon()).await.unwrap().generation, generation);
    house.service.vault().lock(&service()).await.unwrap();
    assert_eq!(used(&house).await, Some(now));
    let house = house.restarted().await;
    assert_eq!(used(&house).await, Some(now));
    house.unlock().await;
}

/// One signing key serves every region; of several, the one whose region the host names.
#[tokio::test]
async fn of_several_signing_keys_the_hosts_region_picks_one_or_all_are_named() {
    let house = House::with_vault().await;
    let form = Form::AwsSigv4(Signing::default());
    let hosts = ["s3.eu-west-1.invalid:443", "s3.us-east-1.invalid:443", "s3.invalid:443"];
    let bind = async |identity: &str, region: &str| {
        let reach = Reach { hosts: hosts_of(&hosts), form: form.clone() };
        let consent = Consent {
            reach,
            access_key_id: "AKIAEXAMPLE".parse().ok(),
            region: region.parse().ok(),
            ..consent(NOTES, identity, &[])
        };
        house
            .service
            .bindings()
            .bind(&service(), consent, secret("aSecretAccessKey"))
            .await
            .unwrap()
    };
    let class = async |host: &str| {
        let credential = Some(CredentialUse { form: form.clone(), binding: None });
        let url = format!("https://{host}/");
        let request = Request { credential, allowed: hosts_of(&hosts), url, ..wanted(None) };
        match house.service.egress().send(&service(), request).await.unwrap() {
            Outcome::Failed(failed) => failed.failure,
            Outcome::Answered(answer) => panic!("{answer:?}"),
        }
    };
    let bound = bind("west", "eu-west-1").await;
    assert_eq!(bound.name.as_str(), "aws_sigv4/notes/west");
    assert_eq!(bound.region, "eu-west-1".parse().ok());
    // Signed, and on its way to a name that leads nowhere.
    for host in &hosts[..2] {
        assert_eq!(class(host).await.class, Class::NetworkError, "{host}");
    }
    bind("east", "us-east-1").await;
    for host in &hosts[..2] {
        assert_eq!(class(host).await.class, Class::NetworkError, "{host}");
    }
    let unclear = class(hosts[2]).await;
    assert_eq!(unclear.class, Class::BindingRequired);
    let candidates = json!(["aws_sigv4/notes/east", "aws_sigv4/notes/west"]);
    assert_eq!(unclear.details.unwrap()["candidates"], candidates);
}
