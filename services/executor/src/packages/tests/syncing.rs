//! What the action files ask for and is not there.

use std::{fs, sync::atomic::Ordering};

use aileron_contract::{Context, Reason, Scopes, names::Sha256Hash};

use super::world::{OneAction as _, World, action, action_request, manifest, person, program};

const NOTES: &str = "github://acme/notes@1.0.0";
const LIST: &str = "github://acme/notes/actions/list@1.0.0";

/// A machine to which only the action files were carried.
async fn fresh() -> (World, Sha256Hash) {
    let world = World::trusting().await;
    let hash = world.notes();
    fs::create_dir(world.path("actions")).unwrap();
    fs::write(world.path("actions/list.md"), action("list", LIST, hash, "")).unwrap();
    (world, hash)
}

#[tokio::test]
async fn a_fresh_machine_gets_the_connectors_of_its_action_files_and_they_stay_as_they_are() {
    let (world, hash) = fresh().await;
    fs::write(world.path("actions/broken.md"), "no action").unwrap();
    let (file, path) = (world.path("actions/list.md"), fs::read(world.path("actions/list.md")));
    let before = (fs::metadata(&file).unwrap().modified().unwrap(), path.unwrap());
    let needs = world.handle().needs(&person()).await.unwrap();
    assert_eq!((needs.actions, needs.unreadable), (1, 1));
    let [missing] = &needs.missing[..] else { panic!("{needs:?}") };
    assert_eq!((missing.package.to_string().as_str(), missing.hash), (NOTES, hash));
    assert_eq!((missing.needed_by.len(), missing.accepted), (1, false));
    assert!(needs.unbound.is_empty(), "nobody knows yet what it needs");

    let done = world.handle().sync(&person(), None).await.unwrap();
    assert_eq!((done.installed.len(), done.failures.len()), (1, 0));
    assert_eq!(done.needs.present, [NOTES.parse().unwrap()]);
    let [unbound] = &done.needs.unbound[..] else { panic!("{done:?}") };
    assert_eq!(unbound.connector.to_string(), "github://acme/notes");
    assert_eq!(unbound.scope.as_deref(), Some("your notes"));
    let after = (fs::metadata(&file).unwrap().modified().unwrap(), fs::read(&file).unwrap());
    assert_eq!(before, after);

    let asked = world.web.asked.load(Ordering::SeqCst);
    let again = world.handle().sync(&person(), None).await.unwrap();
    assert_eq!((again.installed.len(), again.failures.len()), (0, 0));
    assert_eq!(again.needs, done.needs);
    assert_eq!(world.web.asked.load(Ordering::SeqCst), asked, "nothing is fetched twice");
}

#[tokio::test]
async fn one_connector_that_cannot_be_installed_does_not_stop_the_others() {
    let (world, hash) = fresh().await;
    let other = "github://acme/notes/actions/other@1.0.0";
    let gone = Sha256Hash::new([9; 32]);
    let text = action("other", other, gone, "").replace("acme/notes\"", "acme/gone\"");
    fs::write(world.path("actions/other.md"), text).unwrap();
    let done = world.handle().sync(&person(), None).await.unwrap();
    assert_eq!(done.installed.iter().map(|it| it.hash).collect::<Vec<_>>(), [hash]);
    let [failure] = &done.failures[..] else { panic!("{done:?}") };
    assert_eq!(failure.package.to_string(), "github://acme/gone@1.0.0");
    assert!(failure.error.contains("404"), "{}", failure.error);
    assert_eq!(done.needs.missing.len(), 1);
}

#[tokio::test]
async fn only_what_was_agreed_to_is_installed() {
    let (world, hash) = fresh().await;
    let nothing = world.handle().sync(&person(), Some(Vec::new())).await.unwrap();
    assert!(nothing.installed.is_empty() && nothing.needs.missing.len() == 1);
    let done = world.handle().sync(&person(), Some(vec![hash])).await.unwrap();
    assert_eq!(done.installed.len(), 1);
}

#[tokio::test]
async fn other_bytes_than_the_action_pins_are_not_installed() {
    let (world, _) = fresh().await;
    world.connector(NOTES, &manifest("1.0.0").replace("notes.example", "evil.example"));
    let before = world.files();
    let done = world.handle().sync(&person(), None).await.unwrap();
    assert_eq!((done.installed.len(), done.failures.len()), (0, 1));
    assert_eq!(world.files(), before);
}

#[tokio::test]
async fn a_connector_that_is_damaged_or_gone_is_missing() {
    let world = World::trusting().await;
    let hash = world.notes();
    world.handle().install_action(&person(), action_request(LIST)).await.unwrap();
    assert!(world.handle().needs(&person()).await.unwrap().missing.is_empty());
    world.service.store().remove(hash).await;
    let needs = world.handle().needs(&person()).await.unwrap();
    let [missing] = &needs.missing[..] else { panic!("{needs:?}") };
    assert!(missing.accepted);
    assert_eq!(world.handle().sync(&person(), None).await.unwrap().installed.len(), 1);
    assert!(world.service.store().load(hash).await.is_ok());
}

#[tokio::test]
async fn a_program_may_look_and_only_a_right_installs() {
    let (world, _) = fresh().await;
    let daemon = Context { scopes: Scopes::of_daemon_token(), ..program() };
    assert_eq!(world.handle().needs(&daemon).await.unwrap().missing.len(), 1);
    let error = world.handle().sync(&daemon, None).await.unwrap_err();
    assert_eq!(error.reason(), Reason::ScopeMissing);
    assert_eq!(world.handle().sync(&program(), None).await.unwrap().installed.len(), 1);
}
