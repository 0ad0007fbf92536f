//! Whoever may write the state database and the files puts back what was there before.

use std::{fs, sync::Arc};

use aileron_contract::{
    names::ActionName, packages::ActionRequest, publishers::DistrustRequest, vault::PinDomain,
};
use aileron_store::{Database, Location};

use super::world::{OneAction as _, World, action, action_request, person, program};
use crate::{
    fakes::FakeVault,
    packages::{keyring, pins::MIGRATIONS},
};

const LIST: &str = "github://acme/notes/actions/list@1.0.0";
const NEWER: &str = "github://acme/notes/actions/list@1.1.0";

fn list() -> ActionName {
    "list".parse().unwrap()
}

/// Keeps the rows as they are now.
async fn copy(world: &World) {
    world.sql("CREATE TABLE kept AS SELECT * FROM package_pins").await;
}

async fn put_back(world: &World) {
    world.sql("DELETE FROM package_pins").await;
    world.sql("INSERT INTO package_pins SELECT * FROM kept").await;
}

async fn believed(world: &World) -> Option<bool> {
    world.publishers().keyring(&person()).await.unwrap().verified
}

async fn pinned(world: &World) -> Option<bool> {
    world.service.catalog().get(&list()).await.unwrap().unwrap().pinned
}

async fn distrust_all(world: &World) {
    let request = DistrustRequest::Authority("github://acme".parse().unwrap());
    assert_eq!(world.publishers().distrust(&person(), request).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_withdrawn_key_put_back_with_its_record_is_not_trusted() {
    let world = World::trusting().await;
    let old = fs::read(world.path("keyring.json")).unwrap();
    copy(&world).await;
    distrust_all(&world).await;
    put_back(&world).await;
    fs::write(world.path("keyring.json"), &old).unwrap();
    assert_eq!(believed(&world).await, Some(false));
    let world = world.restarted().await;
    assert_eq!(believed(&world).await, Some(false));
    assert_eq!(fs::read(world.path("keyring.json")).unwrap(), old, "nothing wrote it");

    // Nothing of it is taken over when the person goes on.
    world.trust("github://other", &world.publisher).await;
    let shown = world.publishers().keyring(&person()).await.unwrap();
    assert_eq!((shown.verified, shown.keys.len()), (Some(true), 1));
}

#[tokio::test]
async fn a_keyring_that_was_taken_away_with_its_record_is_no_fresh_one() {
    let world = World::trusting().await;
    world.sql("DELETE FROM package_pins").await;
    fs::remove_file(world.path("keyring.json")).unwrap();
    let world = world.restarted().await;
    assert_eq!(believed(&world).await, Some(false));
    world.trust("github://acme", &world.publisher).await;
    assert_eq!(believed(&world).await, Some(true));
}

#[tokio::test]
async fn an_older_action_put_back_with_its_record_is_quarantined() {
    let world = World::trusting().await;
    let hash = world.notes();
    world.handle().install_action(&person(), action_request(LIST)).await.unwrap();
    let old = fs::read(world.path("actions/list.md")).unwrap();
    copy(&world).await;
    world.action(NEWER, &action("list", NEWER, hash, ""));
    let forced = ActionRequest { force: true, ..action_request(NEWER) };
    world.handle().install_action(&person(), forced.clone()).await.unwrap();
    assert_eq!(pinned(&world).await, Some(true));

    put_back(&world).await;
    fs::write(world.path("actions/list.md"), old).unwrap();
    assert_eq!(pinned(&world).await, Some(false));
    let world = world.restarted().await;
    assert_eq!(pinned(&world).await, Some(false));
    // A person may still take the newer one again.
    world.handle().install_action(&person(), forced).await.unwrap();
    assert_eq!(pinned(&world).await, Some(true));
}

#[tokio::test]
async fn an_action_that_was_disabled_is_not_enabled_by_an_older_file() {
    let world = World::trusting().await;
    world.notes();
    world.handle().install_action(&person(), action_request(LIST)).await.unwrap();
    copy(&world).await;
    let catalog = world.service.catalog();
    catalog.set_enabled(&program(), &list(), false).await.unwrap();
    put_back(&world).await;
    fs::remove_file(world.path("action-state.json")).unwrap();
    assert!(!catalog.get(&list()).await.unwrap().unwrap().enabled);
    let world = world.restarted().await;
    let catalog = world.service.catalog();
    let found = catalog.get(&list()).await.unwrap().unwrap();
    assert_eq!((found.enabled, found.pinned), (false, Some(true)));
    // Installing again does not switch it on either.
    fs::write(world.path("actions/list.md"), "edited").unwrap();
    let forced = ActionRequest { force: true, ..action_request(LIST) };
    world.handle().install_action(&person(), forced).await.unwrap();
    assert!(!catalog.get(&list()).await.unwrap().unwrap().enabled);
    assert!(catalog.set_enabled(&program(), &list(), true).await.unwrap().enabled);
    assert!(world.restarted().await.service.catalog().get(&list()).await.unwrap().unwrap().enabled);
}

#[tokio::test]
async fn a_record_of_before_counts_until_the_log_names_another() {
    let vault: Arc<FakeVault> = Arc::default();
    let folder = tempfile::tempdir().unwrap();
    let location = Location::File(folder.path().join("state.db"));
    let database = Database::open(location, &MIGRATIONS[..1]).await.unwrap();
    let mut keys = keyring::Keys::default();
    keys.add("github://acme".parse().unwrap(), [7; 32]);
    let text = keys.text();
    fs::write(folder.path().join("keyring.json"), &text).unwrap();
    let message = format!("keyring\n{text}");
    let pin = vault.seal(PinDomain::Keyring, message.as_bytes()).unwrap();
    sqlx::query(
        "INSERT INTO package_pins (kind, name, record, pin) VALUES ('keyring', '', $1, $2)",
    )
    .bind(&text)
    .bind(hex::encode(pin.0))
    .execute(database.pool())
    .await
    .unwrap();
    database.close().await;

    let world = World::on(folder, vault).await;
    assert_eq!(believed(&world).await, Some(true));
    copy(&world).await;
    world.trust("github://other", &world.publisher).await;
    let shown = world.publishers().keyring(&person()).await.unwrap();
    assert_eq!((shown.verified, shown.keys.len()), (Some(true), 2));
    put_back(&world).await;
    fs::write(world.path("keyring.json"), text).unwrap();
    assert_eq!(believed(&world.restarted().await).await, Some(false));
}
