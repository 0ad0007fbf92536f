//! A program of the same user stops the daemon, puts back rows and files as they were before a
//! person took something back, and starts the daemon again.

use aileron_api::{
    actions::{PatchAction, RunAction},
    packages::RevokeKeys,
};
use aileron_node::demo::{OWNER, REPOSITORY};

use crate::{
    house::{House, person, unlock_vault},
    household::{Household, mints},
    main_job::list,
};

const TABLES: [&str; 2] = ["tokens", "package_pins"];

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_took_back_stays_taken_back_when_its_rows_are_put_back() {
    let home = Household::new().await;
    let pid = home.daemon();
    let Household { mut house, servers: _servers, program, person: owner } = home;
    let minted = mints(&owner, "export", &["actions:list"]).await;
    let exporter = program.with_token(minted.token.expose()).unwrap();
    exporter.actions().await.unwrap();
    let keyring = std::fs::read(house.path().join("keyring.json")).unwrap();
    stop(&mut house, pid).await;
    for table in TABLES {
        sql(&house, &format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}")).await;
    }

    let pid = house.spawn(&["daemon", "run"]);
    let program = house.client().await;
    unlock_vault(&program).await;
    let owner = person(&program).await;
    list(&program).await;
    owner.revoke_token(&minted.id).await.unwrap();
    let authority = Some(format!("github://{OWNER}/{REPOSITORY}"));
    owner.revoke_keys(&RevokeKeys { authority, fingerprint: None }).await.unwrap();
    owner.patch_action("notes-list", &PatchAction { enabled: Some(false) }).await.unwrap();
    stop(&mut house, pid).await;
    for table in TABLES {
        sql(&house, &format!("DELETE FROM {table}")).await;
        sql(&house, &format!("INSERT INTO {table} SELECT * FROM kept_{table}")).await;
    }
    std::fs::write(house.path().join("keyring.json"), keyring).unwrap();
    std::fs::remove_file(house.path().join("action-state.json")).unwrap();

    house.spawn(&["daemon", "run"]);
    let program = house.client().await;
    unlock_vault(&program).await;
    let exporter = program.with_token(minted.token.expose()).unwrap();
    let refused = exporter.actions().await.unwrap_err();
    assert_eq!(refused.api().unwrap().status, 401, "{refused}");
    assert_eq!(program.keyring().await.unwrap().value.verified, Some(false));
    let refused = program.run_action("notes-list", &RunAction::default(), None).await.unwrap_err();
    assert_eq!(refused.code(), Some("action_disabled"), "{refused}");

    // The person may change their mind.
    let owner = person(&program).await;
    owner.patch_action("notes-list", &PatchAction { enabled: Some(true) }).await.unwrap();
    list(&program).await;
}

pub(crate) async fn stop(house: &mut House, pid: u32) {
    house.terminate(pid);
    house.ended(pid).await;
}

pub(crate) async fn sql(house: &House, statement: &str) {
    sqlx::any::install_default_drivers();
    let database = format!("sqlite://{}", house.path().join("state.db").display());
    let pool = sqlx::AnyPool::connect(&database).await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(statement.to_owned())).execute(&pool).await.unwrap();
    pool.close().await;
}
