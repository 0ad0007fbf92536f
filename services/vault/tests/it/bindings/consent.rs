//! A consent given anew, for a value that stays.

use aileron_contract::{
    Reason, Scope,
    bindings::{Binding, BindingFilter, BindingStatus, Consent},
    credential::{Form, HeaderTemplate, Reach},
    failure::Class,
};

use super::{NOTES, bind, failure};
use crate::house::{House, assert_refused, consent, daemon, hosts_of, program, service};

const WIDER: &[&str] = &["notes.invalid:443", "more.invalid:443"];

async fn listed(house: &House) -> Binding {
    let all = house.service.bindings().list(&daemon(), BindingFilter::default()).await.unwrap();
    all.into_iter().next().unwrap()
}

#[tokio::test]
async fn further_hosts_are_agreed_to_without_the_key() {
    let house = House::with_vault().await;
    let bindings = house.service.bindings();
    bind(&house, "me").await;
    let connector = NOTES.parse().unwrap();
    bindings.declare_hosts(&service(), connector, hosts_of(WIDER)).await.unwrap();
    assert_eq!(failure(&house, None).await.class, Class::BindingFailed);
    house.log.take();

    let wider = consent(NOTES, "me", WIDER);
    let a_program = program(&[Scope::BindingsList]);
    assert_refused(bindings.agree(&a_program, wider.clone()).await, Reason::ScopeMissing);
    let agreed = bindings.agree(&service(), wider.clone()).await.unwrap();
    assert_eq!(agreed, listed(&house).await);
    assert_eq!((agreed.status, agreed.stale_reason), (BindingStatus::Active, None));
    assert_eq!(agreed.hosts.unwrap().len(), 2);
    assert!(house.log.shown().contains("more.invalid:443"), "{}", house.log.shown());
    assert_eq!(house.log.take(), ["binding.consented"]);
    // Joined, and then there is no such host.
    assert_eq!(failure(&house, None).await.class, Class::NetworkError);

    house.log.take();
    bindings.agree(&service(), wider).await.unwrap();
    assert!(house.log.take().is_empty(), "nothing changed");
}

#[tokio::test]
async fn a_consent_for_something_else_than_the_stored_value_is_refused() {
    let house = House::with_vault().await;
    let bindings = house.service.bindings();
    bind(&house, "me").await;
    house.log.take();
    let mine = || consent(NOTES, "me", WIDER);
    let in_form = |form| Consent { reach: Reach { hosts: hosts_of(WIDER), form }, ..mine() };
    let elsewhere = HeaderTemplate::new("X-Other", "{key}").unwrap();
    for (consent, reason) in [
        (consent(NOTES, "you", WIDER), Reason::BindingNotFound),
        (consent("github://evil/notes", "me", WIDER), Reason::BindingExists),
        (in_form(Form::ApiKey(elsewhere)), Reason::ConsentChanged),
        (in_form(Form::Oauth2), Reason::BindingNotFound),
    ] {
        assert_refused(bindings.agree(&service(), consent).await, reason);
    }
    house.service.vault().lock(&service()).await.unwrap();
    assert_refused(bindings.agree(&service(), mine()).await, Reason::VaultLocked);
    assert_eq!(house.log.take(), ["vault.locked"]);
    assert!(!listed(&house).await.verified, "nobody can tell while it is locked");
}
