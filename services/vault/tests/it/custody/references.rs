use std::time::Duration;

use aileron_contract::egress::{Authorization, Fetch, Outcome};
use aileron_vault::egress::{Options, Stored};

use super::assert_unrecorded;
use crate::{
    egress::upstream::{plain, whole},
    house::{House, secret, service},
};

/// Why it was not sent.
async fn refusal(house: &House, fetch: Fetch) -> String {
    match house.service.egress().fetch(&service(), fetch).await.unwrap() {
        Outcome::Failed(failed) => failed.failure.message,
        Outcome::Answered(answer) => panic!("{answer:?}"),
    }
}

#[tokio::test]
async fn a_reference_is_resolved_inside_the_vault_as_it_is_at_that_moment() {
    let source = plain(|_| whole(200, "")).await;
    let host = source.named().parse().unwrap();
    let name: aileron_contract::names::SecretName = "team/github".parse().unwrap();
    let house = House::with_egress(Options {
        private_hosts: vec![source.named().parse().unwrap()],
        stored: vec![Stored { name: name.clone(), hosts: vec![host] }],
        ..Options::default()
    })
    .await;
    let fetch = || Fetch {
        url: format!("http://{}/", source.named()),
        accept: None,
        if_none_match: None,
        authorization: Some(Authorization::Stored(name.clone())),
        redirects: Vec::new(),
        max_response: 1024,
        timeout: Duration::from_secs(20),
    };
    let absent = refusal(&house, fetch()).await;
    assert!(absent.contains("aileron secret set team/github"), "{absent}");
    let vault = house.service.vault();
    for token in ["ghp_canary1", "ghp_canary2"] {
        vault.put_secret(&service(), name.clone(), secret(token)).await.unwrap();
        let outcome = house.service.egress().fetch(&service(), fetch()).await.unwrap();
        assert!(matches!(outcome, Outcome::Answered(_)), "{outcome:?}");
        let seen = source.seen().pop().unwrap();
        assert_eq!(seen.header("authorization"), Some(&*format!("Bearer {token}")));
    }
    assert_unrecorded(&house, "ghp_canary");
    vault.lock(&service()).await.unwrap();
    let locked = refusal(&house, fetch()).await;
    assert!(locked.contains("locked") && !locked.contains("ghp_"), "{locked}");
    assert_eq!(source.seen().len(), 2);
}
