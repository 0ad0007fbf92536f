//! The same runs on a `PostgreSQL` server.

use aileron_contract::{
    Context, Reason,
    executor::{RunFilter, RunState},
};
use aileron_store::Location;
use serde_json::json;

use super::{
    house::{House, agent, approve, call, done, ended, pending, person},
    postgres::Server,
};

#[tokio::test]
async fn runs_keep_their_promises_on_postgresql() {
    let server = Server::start();
    let house = House::on(Location::Url(server.database().await));
    let engine = house.open().await;

    let key = Context { idempotency_key: Some("k".parse().unwrap()), ..agent() };
    let first = done(engine.run(&key, call("create", json!({}))).await.unwrap());
    assert_eq!(done(engine.run(&key, call("create", json!({}))).await.unwrap()), first);
    let waiting = pending(engine.run(&agent(), call("gated", json!({}))).await.unwrap()).id;
    assert_eq!(engine.approvals(&agent()).await.unwrap().len(), 1);
    engine.shutdown().await;
    drop(engine);

    let engine = house.open().await;
    assert_eq!(done(engine.run(&key, call("create", json!({}))).await.unwrap()), first);
    engine.decide(&person(), waiting.clone(), approve()).await.unwrap();
    assert_eq!(ended(&engine, &waiting).await.state, RunState::Done);
    assert_eq!(house.egress.writes(), 2);
    let filter = RunFilter {
        action: Some("gated".parse().unwrap()),
        state: Some(RunState::Done),
        session: agent().session,
        limit: Some(5),
    };
    assert_eq!(engine.runs(&agent(), filter).await.unwrap().len(), 1);

    let waiting = pending(engine.run(&agent(), call("gated", json!({}))).await.unwrap()).id;
    sqlx::query("UPDATE runs SET record = replace(record, 'parked', 'approved')")
        .execute(house.database().await.pool())
        .await
        .unwrap();
    let refused = engine.decide(&person(), waiting, approve()).await.unwrap_err();
    assert_eq!(refused.reason(), Reason::Quarantined);
}
