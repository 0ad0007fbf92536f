//! The service as its room opens it, with the real packages and the real host of the guests.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use aileron_contract::{
    Context, Reason, Scopes, Secret, Timestamp,
    executor::{Counts, RunFilter},
};
use serde_json::json;

use super::{
    fakes::{FakeAudit, FakeEgress, FakeTokens},
    house::{House, agent, call},
};
use crate::{
    Options, Service,
    fakes::{FakeBindings, FakeVault},
    packages::Sources,
};

fn options(house: &House, home: &tempfile::TempDir, database: aileron_store::Database) -> Options {
    Options {
        home: home.path().to_owned(),
        database,
        vault: Arc::<FakeVault>::clone(&house.vault),
        bindings: Arc::<FakeBindings>::clone(&house.vault.bindings),
        egress: Arc::<FakeEgress>::clone(&house.egress),
        audit: Arc::<FakeAudit>::clone(&house.audit),
        tokens: Arc::<FakeTokens>::clone(&house.tokens),
        sources: Sources::github().unwrap(),
        wasm: aileron_wasmhost::Options {
            cache_dir: home.path().join("cache"),
            cache_key: Secret::new(vec![7; 32]),
        },
        clock: Timestamp::now,
        approval_wall: Duration::from_hours(24),
    }
}

#[tokio::test]
async fn the_service_opens_on_one_database_again_and_again_locked_or_not() {
    let house = House::new();
    let home = tempfile::tempdir().unwrap();
    for locked in [true, false, true] {
        house.vault.locked.store(locked, Ordering::SeqCst);
        let database = house.database().await;
        let service = Service::open(options(&house, &home, database)).await.unwrap();
        let executor = service.executor();
        executor.wake(&agent()).await.unwrap();
        let counts = executor.counts(&agent()).await.unwrap();
        assert_eq!(counts, Counts { actions: 0, connectors: 0, pending_approvals: 0, drift: 0 });
        let unknown = executor.run(&agent(), call("nope", json!({}))).await.unwrap_err();
        assert_eq!(unknown.reason(), Reason::NotFound);
        service.shutdown().await;
    }
}

#[tokio::test]
async fn every_method_asks_for_its_scope() {
    let house = House::new();
    let home = tempfile::tempdir().unwrap();
    let database = house.database().await;
    let service = Service::open(options(&house, &home, database)).await.unwrap();
    let executor = service.executor();
    let nobody = Context { scopes: Scopes::default(), ..agent() };
    let id = "act-1".parse().unwrap();
    let reasons = [
        executor.actions(&nobody).await.err(),
        executor.action(&nobody, "a".parse().unwrap()).await.err(),
        executor.set_enabled(&nobody, "a".parse().unwrap(), true).await.err(),
        executor.run(&nobody, call("a", json!({}))).await.err(),
        executor.runs(&nobody, RunFilter::default()).await.err(),
        executor.run_by_id(&nobody, id).await.err(),
        executor.approvals(&nobody).await.err(),
        executor.wake(&nobody).await.err(),
        executor.counts(&nobody).await.err(),
    ];
    for reason in reasons {
        assert_eq!(reason.unwrap().reason(), Reason::ScopeMissing);
    }
    service.shutdown().await;
}
