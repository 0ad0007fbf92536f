//! Tokens that end, are refused, get lost on the way, or are taken back.

use std::{sync::atomic::Ordering, time::Duration};

use aileron_contract::{
    Reason,
    bindings::{BindingStatus, Revoked, StaleReason},
    failure::Class,
    vault::EntryFilter,
};
use futures::future::join_all;

use super::{
    CONNECTOR, NAME, beginning, binding, bound, called, client_with, finished, get, label,
    provider::Provider, request,
};
use crate::house::{House, assert_refused, daemon, later, service};

/// The token still lives, and is due.
const SOON: Duration = Duration::from_secs(3550);
/// It is over.
const LATE: Duration = Duration::from_secs(3700);

#[tokio::test]
async fn a_token_is_refreshed_before_it_ends_and_the_old_refresh_token_replaced() {
    let provider = Provider::start();
    let house = bound(&provider).await;
    later(Duration::from_secs(3530));
    assert_eq!(get(&house, &provider).await, Ok(200));
    assert_eq!(provider.refreshes().await, "0");
    for round in ["1", "2", "3"] {
        later(SOON);
        assert_eq!(get(&house, &provider).await, Ok(200));
        assert_eq!(get(&house, &provider).await, Ok(200));
        assert_eq!(provider.refreshes().await, round);
    }
    assert!(binding(&house).await.last_refreshed_at.is_some());
    assert_eq!(label(&house, "refreshing").await, None);
    assert!(label(&house, "granted_scopes").await.is_some());
    let log = house.log.take();
    let at = log.iter().position(|kind| *kind == "binding.refreshing").unwrap();
    assert_eq!(log[at + 1], "binding.refreshed");
    let house = house.restarted().await;
    house.unlock().await;
    later(LATE);
    assert_eq!(get(&house, &provider).await, Ok(200));
}

#[tokio::test]
async fn a_token_that_ended_while_it_was_written_down_is_left_to_the_upstream() {
    let provider = Provider::start();
    let house = bound(&provider).await;
    later(LATE);
    house.log.lag.store(LATE.as_secs(), Ordering::SeqCst);
    assert_eq!(get(&house, &provider).await, Ok(200));
    assert_eq!(provider.refreshes().await, "2", "asked once more, and not for ever");
}

#[tokio::test]
async fn however_many_wait_the_provider_is_asked_once() {
    let provider = Provider::start();
    let house = bound(&provider).await;
    later(LATE);
    provider.behaves("late").await;
    let all = join_all((0..24).map(|_| get(&house, &provider))).await;
    assert!(all.iter().all(|outcome| *outcome == Ok(200)), "{all:?}");
    assert_eq!(provider.refreshes().await, "1");
}

#[tokio::test]
async fn a_refresh_goes_on_when_everybody_has_gone() {
    let provider = Provider::start();
    let house = bound(&provider).await;
    later(LATE);
    provider.behaves("late").await;
    let mut hasty = request(&provider, "GET", "/api");
    hasty.timeout = Duration::from_millis(300);
    let failure = called(&house, hasty.clone()).await.unwrap_err();
    assert_eq!(failure.class, Class::ResourceLimitExceeded);
    drop(tokio::time::timeout(Duration::from_millis(100), called(&house, hasty)).await);
    assert_eq!(get(&house, &provider).await, Ok(200));
    assert_eq!(provider.refreshes().await, "1");
}

#[tokio::test]
async fn a_provider_that_is_down_ends_nothing() {
    let mut provider = Provider::start();
    let house = bound(&provider).await;
    provider.behaves("down").await;
    later(SOON);
    assert_eq!(get(&house, &provider).await, Ok(200), "the token still lives");
    later(LATE);
    let failure = get(&house, &provider).await.unwrap_err();
    assert_eq!((failure.class, failure.retriable), (Class::BindingFailed, true), "{failure:?}");
    assert_eq!(failure.details.unwrap()["status"], 500);
    assert!(failure.message.contains("try again"), "{}", failure.message);
    let asked = provider.refreshes().await;
    get(&house, &provider).await.unwrap_err();
    assert_eq!(provider.refreshes().await, asked, "it is left alone for a moment");
    assert_eq!(binding(&house).await.status, BindingStatus::Active);
    provider.behaves("plain").await;
    later(Duration::from_secs(3));
    assert_eq!(get(&house, &provider).await, Ok(200));
    later(LATE);
    provider.stop();
    let failure = get(&house, &provider).await.unwrap_err();
    assert_eq!((failure.class, failure.retriable), (Class::BindingFailed, true), "{failure:?}");
    assert_eq!(binding(&house).await.status, BindingStatus::Active);
    assert_eq!(label(&house, "refreshing").await, None, "nothing was sent");
}

#[tokio::test]
async fn a_provider_that_never_answers_holds_nobody_up_while_the_token_lives() {
    let provider = Provider::start();
    let house = bound(&provider).await;
    provider.behaves("held").await;
    later(SOON);
    let begun = std::time::Instant::now();
    assert_eq!(get(&house, &provider).await, Ok(200));
    assert!(begun.elapsed() < Duration::from_secs(9), "{:?}", begun.elapsed());
    later(LATE);
    let failure = get(&house, &provider).await.unwrap_err();
    assert!(failure.retriable, "{failure:?}");
    assert!(label(&house, "refreshing").await.is_some(), "nobody knows what came of it");
    provider.behaves("plain").await;
    later(Duration::from_secs(3));
    assert_eq!(get(&house, &provider).await, Ok(200), "the old refresh token was good after all");
    assert_eq!(label(&house, "refreshing").await, None);
}

#[tokio::test]
async fn a_lost_answer_that_replaced_the_token_is_said_to_be_lost() {
    let provider = Provider::start();
    let house = bound(&provider).await;
    later(LATE);
    provider.behaves("lost").await;
    let failure = get(&house, &provider).await.unwrap_err();
    assert!(failure.retriable, "{failure:?}");
    assert_eq!(binding(&house).await.status, BindingStatus::Active);
    provider.behaves("plain").await;
    later(Duration::from_secs(3));
    let failure = get(&house, &provider).await.unwrap_err();
    assert_eq!(failure.details.unwrap()["stale_reason"], "refresh_lost");
    assert!(failure.message.contains("reauthorize"), "{}", failure.message);
    let binding = binding(&house).await;
    assert_eq!(binding.status, BindingStatus::Stale);
    assert_eq!(binding.stale_reason, Some(StaleReason::RefreshLost));
    assert!(house.log.take().contains(&"binding.stale"));
    let asked = provider.refreshes().await;
    get(&house, &provider).await.unwrap_err();
    assert_eq!(provider.refreshes().await, asked, "a stale binding asks nobody");
}

#[tokio::test]
async fn a_refresh_token_the_provider_rejects_makes_the_binding_stale() {
    let provider = Provider::start();
    let house = bound(&provider).await;
    provider.control("forget").await;
    later(LATE);
    let failure = get(&house, &provider).await.unwrap_err();
    assert_eq!((failure.class, failure.retriable), (Class::BindingFailed, false));
    assert_eq!(failure.details.unwrap()["stale_reason"], "refresh_rejected");
    assert_eq!(binding(&house).await.stale_reason, Some(StaleReason::RefreshRejected));
    assert_eq!(label(&house, "refreshing").await, None);
}

#[tokio::test]
async fn a_failure_says_status_and_code_and_nothing_the_provider_wrote() {
    let provider = Provider::start();
    let house = House::with_vault().await;
    let bindings = house.service.bindings();
    let mut wanted = beginning(&provider);
    wanted.client = client_with(&provider, "secret", &["openid", "offline_access"])
        .with_secret("client-secret-canary-31415926535");
    let begun = bindings.begin(&service(), wanted).await.unwrap();
    finished(&house, begun).await.unwrap();
    later(LATE);
    provider.behaves("talkative").await;
    let failure = get(&house, &provider).await.unwrap_err();
    let shown = format!("{failure:?} {}", house.log.shown());
    assert!(failure.message.contains("400 (invalid_scope)"), "{}", failure.message);
    for told in ["canary", "refresh_token=", "grant_type"] {
        assert!(!shown.contains(told), "{shown}");
    }
    assert_eq!(binding(&house).await.status, BindingStatus::Active);
}

#[tokio::test]
async fn new_tokens_that_could_not_be_written_are_kept_until_they_are() {
    let provider = Provider::start();
    let house = bound(&provider).await;
    later(LATE);
    provider.behaves("late").await;
    let (outcome, ()) = tokio::join!(get(&house, &provider), async {
        while provider.refreshes().await == "0" {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        house.log.full.store(true, Ordering::SeqCst);
    });
    let failure = outcome.unwrap_err();
    assert_eq!((failure.class, failure.retriable), (Class::BindingFailed, true), "{failure:?}");
    house.log.full.store(false, Ordering::SeqCst);
    assert_eq!(get(&house, &provider).await, Ok(200));
    assert_eq!(provider.refreshes().await, "1", "the tokens that came were not thrown away");
    let house = house.restarted().await;
    house.unlock().await;
    later(LATE);
    assert_eq!(get(&house, &provider).await, Ok(200), "they were written");
}

#[tokio::test]
async fn without_a_log_no_token_is_asked_for() {
    let provider = Provider::start();
    let house = bound(&provider).await;
    later(LATE);
    house.log.full.store(true, Ordering::SeqCst);
    get(&house, &provider).await.unwrap_err();
    assert_eq!(provider.refreshes().await, "0");
}

#[tokio::test]
async fn a_refused_token_is_replaced_once_and_only_for_what_changes_nothing() {
    let provider = Provider::start();
    let house = bound(&provider).await;
    assert_eq!(get(&house, &provider).await, Ok(200));
    provider.control("end").await;
    let posted = called(&house, request(&provider, "POST", "/api")).await.unwrap();
    assert_eq!((posted.0, provider.refreshes().await.as_str()), (401, "0"));
    let answers = join_all((0..8).map(|_| get(&house, &provider))).await;
    assert!(answers.iter().all(|answer| *answer == Ok(200)), "{answers:?}");
    assert_eq!(provider.refreshes().await, "1");
    let calls: u32 = provider.control("calls").await.parse().unwrap();
    let never = called(&house, request(&provider, "GET", "/api/never")).await.unwrap();
    assert_eq!(never.0, 401);
    let called: u32 = provider.control("calls").await.parse().unwrap();
    assert_eq!((called - calls, provider.refreshes().await.as_str()), (1, "1"));
    later(Duration::from_secs(90));
    let never = super::called(&house, request(&provider, "GET", "/api/never")).await.unwrap();
    assert_eq!((never.0, provider.refreshes().await.as_str()), (401, "2"));
    let twice: u32 = provider.control("calls").await.parse().unwrap();
    assert_eq!(twice - called, 2, "asked twice, never a third time");
}

#[tokio::test]
async fn a_declared_request_is_sent_again_once_with_the_new_token_and_no_other_is() {
    let provider = Provider::start();
    let house = bound(&provider).await;
    let calls = async || provider.control("calls").await.parse::<u32>().unwrap();
    assert_eq!(get(&house, &provider).await, Ok(200));
    provider.control("end").await;
    for method in ["POST", "PUT", "PATCH", "DELETE", "PROPFIND"] {
        let before = calls().await;
        let refused = called(&house, request(&provider, method, "/api")).await.unwrap();
        assert_eq!((refused.0, calls().await - before), (401, 1), "{method}");
    }
    assert_eq!(provider.refreshes().await, "0");

    let declared = |method: &str, path: &str| {
        let mut declared = request(&provider, method, path);
        declared.idempotent = true;
        declared.body = "the same once more".into();
        declared
    };
    let before = calls().await;
    let answered = called(&house, declared("POST", "/api")).await.unwrap();
    assert_eq!((answered.0, calls().await - before), (200, 2));
    assert_eq!(provider.refreshes().await, "1");

    // What only reads needs no declaration.
    provider.control("end").await;
    later(Duration::from_secs(90));
    let answered = called(&house, request(&provider, "OPTIONS", "/api")).await.unwrap();
    assert_eq!((answered.0, provider.refreshes().await.as_str()), (200, "2"));

    // An upstream that refuses every token gets two of them and no third.
    later(Duration::from_secs(90));
    let before = calls().await;
    let never = called(&house, declared("PUT", "/api/never")).await.unwrap();
    assert_eq!((never.0, calls().await - before), (401, 2));
    assert_eq!(provider.refreshes().await, "3");
}

#[tokio::test]
async fn revoking_tells_the_provider_and_does_not_depend_on_it() {
    let mut provider = Provider::start();
    let house = bound(&provider).await;
    let bindings = house.service.bindings();
    let name = || NAME.parse().unwrap();
    assert_refused(bindings.revoke(&daemon(), name()).await, Reason::ScopeMissing);
    assert_eq!(bindings.revoke(&service(), name()).await.unwrap(), Revoked::AtProvider);
    assert_eq!(provider.control("revocations").await, "1");
    assert_refused(bindings.revoke(&service(), name()).await, Reason::BindingNotFound);
    let begun = bindings.begin(&service(), beginning(&provider)).await.unwrap();
    finished(&house, begun).await.unwrap();
    provider.stop();
    let told = bindings.revoke(&service(), name()).await.unwrap();
    assert!(matches!(&told, Revoked::NotAtProvider(why) if why.contains("gone here")), "{told:?}");
    let left = house.service.vault().entries(&service(), EntryFilter::default()).await.unwrap();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn scopes_nobody_granted_make_a_binding_stale() {
    let provider = Provider::start();
    let house = bound(&provider).await;
    let bindings = house.service.bindings();
    let declare = async |scopes: &[&str]| {
        let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
        bindings.declare_scopes(&service(), CONNECTOR.parse().unwrap(), scopes).await.unwrap()
    };
    assert!(declare(&["openid", "notes:read"]).await.is_empty());
    house.service.vault().lock(&service()).await.unwrap();
    assert!(declare(&["openid", "notes:read"]).await.is_empty(), "nothing to write");
    house.unlock().await;
    let stale = declare(&["notes:read", "notes:write", "notes:delete"]).await;
    assert_eq!(stale, [NAME.parse().unwrap()]);
    assert_eq!(label(&house, "missing_scopes").await.as_deref(), Some("notes:write notes:delete"));
    assert_eq!(binding(&house).await.stale_reason, Some(StaleReason::ScopeDrift));
    assert!(declare(&["notes:write"]).await.is_empty(), "said once");
    get(&house, &provider).await.unwrap_err();
}
