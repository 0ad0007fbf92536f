use std::time::Duration;

use aileron_contract::{
    Context, Principal, Reason, Scopes, Timestamp,
    audit::{Actor, ActorKind, Event, EventKind, Filter},
    failure::Class,
    limits,
};
use futures::StreamExt as _;

use crate::support::{Fixture, context, event};

pub(crate) async fn indexes(log: &Fixture, filter: Filter) -> Vec<u64> {
    let found = log.audit().query(&context(), filter).await.unwrap();
    found.into_iter().map(|record| record.index).collect()
}

async fn mixed() -> (Fixture, Vec<Timestamp>) {
    let log = Fixture::new().await;
    let times = fill(&log).await;
    (log, times)
}

/// Five events of three kinds; when each was recorded.
async fn fill(log: &Fixture) -> Vec<Timestamp> {
    let actor = Actor { kind: ActorKind::Human, id: "user".to_owned(), display_name: None };
    let mut times = Vec::new();
    for event in [
        event(0),
        Event::new(EventKind::ExecutionFailed, actor.clone())
            .with("aileron.failure.class", "network_error")
            .with("aileron.failure.details", serde_json::json!({"connector": "github://a/b"})),
        Event::new(EventKind::VaultUnlocked, actor.clone()).with("aileron.session.id", "01A"),
        Event::new(EventKind::ExecutionFailed, actor.clone())
            .with("aileron.failure.class", "approval_denied")
            .with("aileron.action.fqn", "github://a/b")
            .with("aileron.session.id", "01A"),
        event(4),
    ] {
        times.push(log.audit().append(&context(), event).await.unwrap().timestamp);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    times
}

#[tokio::test]
async fn a_query_returns_what_matches_all_conditions_newest_first() {
    queries_match(&Fixture::new().await).await;
}

/// On an empty log, wherever its index lives.
pub(crate) async fn queries_match(log: &Fixture) {
    let times = fill(log).await;
    let all = Filter::default();
    assert_eq!(indexes(log, all.clone()).await, [4, 3, 2, 1, 0]);
    assert_eq!(indexes(log, Filter { limit: Some(2), ..all.clone() }).await, [4, 3]);
    let since = Filter { since: Some(times[2]), ..all.clone() };
    assert_eq!(indexes(log, since.clone()).await, [4, 3, 2]);
    assert_eq!(indexes(log, Filter { until: Some(times[3]), ..since }).await, [2]);
    let ever = (Some(Timestamp::MIN), Some(Timestamp::MAX));
    let ever = Filter { since: ever.0, until: ever.1, ..all.clone() };
    assert_eq!(indexes(log, ever).await, [4, 3, 2, 1, 0]);
    let never = Filter { since: Some(Timestamp::MAX), ..all.clone() };
    assert!(indexes(log, never).await.is_empty());
    let connector = Filter { connector: Some("github://a/b".parse().unwrap()), ..all.clone() };
    assert_eq!(indexes(log, connector.clone()).await, [3, 1]);
    let class = Filter { class: Some(Class::NetworkError), ..connector.clone() };
    assert_eq!(indexes(log, class).await, [1]);
    let kind = Filter { kind: Some("execution.failed".to_owned()), ..all.clone() };
    assert_eq!(indexes(log, kind).await, [3, 1]);
    let kind = Filter { kind: Some("' OR 1=1 --".to_owned()), ..all.clone() };
    assert!(indexes(log, kind).await.is_empty());
    let session = Filter { session: Some("01A".parse().unwrap()), ..all.clone() };
    assert_eq!(indexes(log, session.clone()).await, [3, 2]);
    let both = Filter { kind: Some("vault.unlocked".to_owned()), ..session.clone() };
    assert_eq!(indexes(log, both).await, [2]);
    let other = Filter { session: Some("01B".parse().unwrap()), ..all.clone() };
    assert!(indexes(log, other.clone()).await.is_empty());
    let found = log.audit().query(&context(), all.clone()).await.unwrap();
    assert_eq!(indexes(log, Filter { id: Some(found[1].id.clone()), ..session }).await, [3]);
    assert!(indexes(log, Filter { id: Some(found[1].id.clone()), ..other }).await.is_empty());
    let by_id = Filter { id: Some(found[2].id.clone()), ..connector };
    assert!(indexes(log, by_id.clone()).await.is_empty());
    assert_eq!(indexes(log, Filter { connector: None, ..by_id }).await, [2]);
    for limit in [0, limits::AUDIT_PAGE + 1] {
        let wrong = Filter { limit: Some(limit), ..all.clone() };
        let refused = log.audit().query(&context(), wrong).await.unwrap_err();
        assert_eq!(refused.reason(), Reason::InvalidRequest);
    }
}

#[tokio::test]
async fn a_record_is_found_by_its_id_and_an_unknown_one_is_not_found() {
    let (log, _) = mixed().await;
    for record in log.audit().query(&context(), Filter::default()).await.unwrap() {
        assert_eq!(log.audit().get(&context(), record.id.clone()).await.unwrap(), record);
    }
    let unknown = log.audit().get(&context(), "audit-none".parse().unwrap()).await.unwrap_err();
    assert_eq!(unknown.reason(), Reason::NotFound);
}

#[tokio::test]
async fn reading_needs_the_scope_and_recording_does_not() {
    let (log, _) = mixed().await;
    let nobody =
        Context { principal: Principal::Agent("a".into()), scopes: Scopes::default(), ..context() };
    let audit = log.audit();
    let id = "audit-x".parse().unwrap();
    let refused = [
        audit.query(&nobody, Filter::default()).await.err(),
        audit.get(&nobody, "audit-x".parse().unwrap()).await.err(),
        audit.watch(&nobody, 0).await.err(),
        audit.checkpoint(&nobody).await.err(),
        audit.receipt(&nobody, id).await.err(),
    ];
    for error in refused {
        assert_eq!(error.unwrap().reason(), Reason::ScopeMissing);
    }
    audit.append(&nobody, event(1)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watcher_sees_the_past_and_then_what_comes_in_order() {
    let log = Fixture::new().await;
    log.append(600).await;
    let mut watch = log.audit().watch(&context(), 10).await.unwrap();
    for index in 10..600 {
        assert_eq!(watch.next().await.unwrap().unwrap().index, index);
    }
    let audit = log.audit();
    let coming = async { watch.next().await.unwrap().unwrap().index };
    let appended = async { audit.append(&context(), event(0)).await.unwrap().index };
    assert_eq!(futures::future::join(coming, appended).await, (600, 600));
    let home = log.stop().await;
    let end = watch.next().await.unwrap().unwrap_err();
    assert_eq!(end.reason(), Reason::ShuttingDown);
    assert!(watch.next().await.is_none());
    drop(home);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watcher_that_falls_behind_is_told_and_may_resume() {
    let log = Fixture::new().await;
    let audit = log.audit();
    let mut watch = audit.watch(&context(), 0).await.unwrap();
    let (first, _) = futures::future::join(watch.next(), log.append(1)).await;
    assert_eq!(first.unwrap().unwrap().index, 0);
    log.append(limits::AUDIT_WATCH_BUFFER + 1).await;
    let behind = watch.next().await.unwrap().unwrap_err();
    assert_eq!(behind.reason(), Reason::Busy);
    assert!(watch.next().await.is_none());
    let mut resumed = audit.watch(&context(), 1).await.unwrap();
    assert_eq!(resumed.next().await.unwrap().unwrap().index, 1);
}
