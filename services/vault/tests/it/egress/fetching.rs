//! Packages and keys: never with a credential of the vault.
#![expect(clippy::unwrap_used, reason = "a host misspelled in a test fails it")]

use std::{sync::Arc, time::Duration};

use aileron_contract::{
    Context, Reason, Scopes, Secret,
    egress::{Authorization, Fetch, Outcome, Sent},
    failure::Class,
};
use aileron_vault::egress::{Options, Stored};

use super::{
    house::{Bound, House, STORED, context, failure, read, text},
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
        if_none_match: None,
        authorization: Some(Authorization::Token(Arc::new(Secret::from(TOKEN.to_owned())))),
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
async fn what_is_known_is_asked_for_by_its_tag_and_a_tag_breaks_no_line() {
    let source = plain(|_| whole(304, "")).await;
    let house = house(&[&source.named()]);
    let url = format!("http://{}/", source.named());
    let known = |tag: &str| Fetch { if_none_match: Some(tag.to_owned()), ..fetch(&url, &[]) };
    let Outcome::Answered(response) = house.fetch(known("W/\"abc\"")).await else {
        panic!("it should have been answered")
    };
    assert_eq!(response.status, 304);
    assert_eq!(source.seen().remove(0).header("if-none-match"), Some("W/\"abc\""));
    let refused = failure(house.fetch(known("a\r\nhost: evil.example")).await);
    assert_eq!(refused.sent, Sent::NotSent);
    assert_eq!(source.seen().len(), 1);
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

/// A house whose configuration sends `team/github` to the first of these hosts.
fn referring(hosts: &[&str]) -> House {
    let named = |host: &&str| host.parse().unwrap();
    let options = Options {
        private_hosts: hosts.iter().map(named).collect(),
        stored: vec![Stored {
            name: "team/github".parse().unwrap(),
            hosts: hosts.iter().take(1).map(named).collect(),
        }],
        ..Options::default()
    };
    House::built(&[], Bound::key(), options)
}

fn stored(url: &str, name: &str, redirects: &[&str]) -> Fetch {
    let authorization = Some(Authorization::Stored(name.parse().unwrap()));
    Fetch { authorization, ..fetch(url, redirects) }
}

#[tokio::test]
async fn a_secret_by_its_name_reaches_the_first_host_and_nobody_else() {
    let asset = plain(|_| whole(200, "package")).await;
    let to_asset = format!("http://{}/asset", asset.named());
    let source = plain(move |_| redirect(302, &to_asset)).await;
    let house = referring(&[&source.named(), &asset.named()]);
    let url = format!("http://{}/", source.named());
    let outcome = house.fetch(stored(&url, "team/github", &[&asset.named()])).await;
    let Outcome::Answered(response) = outcome else { panic!("{outcome:?}") };
    assert_eq!(read(response).await.unwrap(), b"package");
    assert_eq!(source.seen().remove(0).header("authorization"), Some(&*format!("Bearer {STORED}")));
    assert_eq!(asset.seen()[0].header("authorization"), None);
    let events = house.log.events.lock().unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].kind.text(), "secret.resolved");
    assert_eq!(events[0].payload["aileron.secret.path"], "secret/team/github");
    assert!(!format!("{events:?}").contains(STORED));
}

#[tokio::test]
async fn whoever_asks_a_secret_goes_only_where_the_configuration_sends_it() {
    let (source, other) = (plain(|_| whole(200, "")).await, plain(|_| whole(200, "")).await);
    let house = referring(&[&source.named(), &other.named()]);
    for (host, name) in [(&source, "other"), (&other, "team/github"), (&source, "team/GitHub")] {
        let url = format!("http://{}/", host.named());
        let failure = failure(house.fetch(stored(&url, name, &[])).await);
        assert_eq!(failure.sent, Sent::NotSent, "{name}");
        assert_eq!(failure.failure.class, Class::CapabilityDenied, "{name}");
    }
    assert_eq!((source.connections(), other.connections()), (0, 0));
    assert!(house.vault.asked.lock().unwrap().is_empty(), "the vault was not even asked");
}

#[tokio::test]
async fn a_secret_that_comes_back_is_masked_and_unrecorded_it_does_not_leave() {
    let source = plain(|request| {
        whole(200, format!("you said {}", request.header("authorization").unwrap_or_default()))
    })
    .await;
    let house = referring(&[&source.named()]);
    let url = format!("http://{}/", source.named());
    let Outcome::Answered(response) = house.fetch(stored(&url, "team/github", &[])).await else {
        panic!("it should have been answered")
    };
    let said = text(response).await;
    assert!(said.starts_with("you said ") && !said.contains(STORED), "{said}");
    house.log.full.store(true, std::sync::atomic::Ordering::SeqCst);
    let fetch = stored(&url, "team/github", &[]);
    let error = house.egress().fetch(&context(), fetch).await.unwrap_err();
    assert_eq!(error.reason(), Reason::AuditUnavailable);
    assert_eq!(source.seen().len(), 1);
}

#[tokio::test]
async fn such_text_is_a_reference_nowhere_else() {
    let source = plain(|_| whole(200, "")).await;
    let house = referring(&[&source.named()]);
    let token = "vault:secret/team/github".to_owned();
    let url = format!("http://{}/?q=vault:secret/team/github", source.named());
    let literal = Fetch {
        authorization: Some(Authorization::Token(Arc::new(Secret::from(token.clone())))),
        accept: Some(token.clone()),
        ..fetch(&url, &[])
    };
    assert!(matches!(house.fetch(literal).await, Outcome::Answered(_)));
    let seen = source.seen().remove(0);
    assert_eq!(seen.header("authorization"), Some(&*format!("Bearer {token}")));
    assert_eq!(seen.header("accept"), Some(&*token));
    assert!(house.vault.asked.lock().unwrap().is_empty());
}
