//! Packages and keys: never with a credential of the vault.
#![expect(clippy::unwrap_used, reason = "a host misspelled in a test fails it")]

use std::{sync::Arc, time::Duration};

use aileron_contract::{
    Context, Reason, Scopes, Secret,
    egress::{Fetch, Outcome, Sent},
    failure::Class,
};
use aileron_vault::egress::Options;

use super::{
    house::{Bound, House, context, failure, read},
    upstream::{plain, redirect, whole},
};

const TOKEN: &str = "ghp_tokenOfTheSource";

fn house(private: &[&str]) -> House {
    let private_hosts = private.iter().map(|host| host.parse().unwrap()).collect();
    let options = Options { private_hosts, ..Options::default() };
    House::built(&["api.example.com:443"], Bound::key(), options)
}

fn fetch(url: &str, redirects: &[&str]) -> Fetch {
    Fetch {
        url: url.to_owned(),
        accept: Some("application/octet-stream".to_owned()),
        authorization: Some(Arc::new(Secret::from(TOKEN.to_owned()))),
        redirects: redirects.iter().map(|host| host.parse().unwrap()).collect(),
        max_response: 1024,
        timeout: Duration::from_secs(20),
    }
}

#[tokio::test]
async fn a_package_is_fetched_and_the_token_stays_with_the_first_host() {
    let asset = plain(|_| whole(200, "package")).await;
    let to_asset = format!("http://{}/asset", asset.named());
    let source = plain(move |_| redirect(302, &to_asset)).await;
    let house = house(&[&source.named(), &asset.named()]);
    let outcome =
        house.fetch(fetch(&format!("http://{}/", source.named()), &[&asset.named()])).await;
    let Outcome::Answered(response) = outcome else { panic!("{outcome:?}") };
    assert_eq!((response.status, &response.binding), (200, &None));
    assert_eq!(read(response).await.unwrap(), b"package");
    let first = source.seen().remove(0);
    assert_eq!(first.header("authorization"), Some(&*format!("Bearer {TOKEN}")));
    assert_eq!(first.header("accept"), Some("application/octet-stream"));
    assert_eq!(asset.seen()[0].header("authorization"), None);
    assert!(house.vault.used.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_redirect_leads_to_listed_hosts_only() {
    let asset = plain(|_| whole(200, "package")).await;
    let to_asset = format!("http://{}/asset", asset.named());
    let source = plain(move |_| redirect(302, &to_asset)).await;
    let house = house(&[&source.named(), &asset.named()]);
    let failure = failure(house.fetch(fetch(&format!("http://{}/", source.named()), &[])).await);
    assert_eq!(failure.failure.class, Class::CapabilityDenied);
    assert_eq!(asset.connections(), 0);
}

#[tokio::test]
async fn private_addresses_are_for_hosts_the_operator_named() {
    let source = plain(|_| whole(200, "package")).await;
    let house = house(&[]);
    house.names.lead("packages.example.com", &[&["127.0.0.1"]]);
    for url in [
        format!("http://{}/", source.named()),
        format!("https://{}/", source.numbered()),
        format!("https://packages.example.com:{}/", source.port),
    ] {
        let failure = failure(house.fetch(fetch(&url, &[])).await);
        assert_eq!(failure.sent, Sent::NotSent, "{url}");
        assert_eq!(failure.failure.class, Class::CapabilityDenied, "{url}");
    }
    assert_eq!(source.connections(), 0);
}

#[tokio::test]
async fn callers_without_the_right_fetch_nothing() {
    let stranger = Context { scopes: Scopes::default(), ..context() };
    let fetch = fetch("https://packages.example.com/", &[]);
    let error = house(&[]).egress().fetch(&stranger, fetch).await.unwrap_err();
    assert_eq!(error.reason(), Reason::ScopeMissing);
}
