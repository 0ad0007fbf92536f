//! Providers that answer something else than tokens.

use std::time::Duration;

use aileron_contract::{bindings::BindingStatus, failure::Class};

use super::{binding, bound, get, label, provider::Provider};
use crate::house::later;

const LATE: Duration = Duration::from_secs(3700);

/// What a caller is told when the provider behaves like this.
async fn told(mode: &str) -> (Provider, crate::house::House, String) {
    let provider = Provider::start();
    let house = bound(&provider).await;
    provider.behaves(mode).await;
    later(LATE);
    let failure = get(&house, &provider).await.unwrap_err();
    assert_eq!(failure.class, Class::BindingFailed);
    assert_eq!(binding(&house).await.status, BindingStatus::Active);
    let told = format!("{failure:?} {}", house.log.shown());
    provider.behaves("plain").await;
    later(Duration::from_secs(3));
    assert_eq!(get(&house, &provider).await, Ok(200), "the old token was still good");
    assert_eq!(label(&house, "refreshing").await, None);
    (provider, house, told)
}

#[tokio::test]
async fn a_secret_is_never_sent_on_to_where_a_provider_points() {
    let (provider, _house, told) = told("moved").await;
    assert!(told.contains("307"), "{told}");
    assert_eq!(provider.control("elsewhere").await, "0");
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let (_provider, _house, told) = told("flood").await;
    assert!(told.contains("longer than"), "{told}");
}

#[tokio::test]
async fn a_page_in_the_place_of_tokens_is_not_shown_to_anybody() {
    let (_provider, _house, told) = told("page").await;
    assert!(told.contains("200 and no tokens"), "{told}");
    assert!(!told.contains("grant_type") && !told.contains("<p>"), "{told}");
}
