//! The steps of a commit, cut between each two of them.

use std::sync::atomic::Ordering;

use aileron_contract::{Reason, audit::EventKind, packages::ConnectorRequest};

use super::world::{World, action, action_request, connector_request, manifest, person};
use crate::packages::{pins::Kind, records::ActionRecord, verify};

const NOTES: &str = "github://acme/notes@1.0.0";
const LIST: &str = "github://acme/notes/actions/list@1.0.0";

#[tokio::test]
async fn an_entry_without_its_record_is_not_installed_and_serves_the_next_attempt() {
    let world = World::trusting().await;
    let hash = world.connector(NOTES, &manifest("1.0.0"));
    let parts = &world.service.parts;
    let verified = verify::connector(parts, &NOTES.parse().unwrap(), None).await.unwrap();
    assert!(parts.store.write(hash, verified.files).await.unwrap());
    let world = world.restarted().await;
    assert!(world.handle().connectors(&person()).await.unwrap().is_empty());
    let error = world.service.store().load(hash).await.unwrap_err();
    assert_eq!(error.reason(), Reason::ConnectorNotInstalled);
    let before = world.web.asked.load(Ordering::SeqCst);
    let request = ConnectorRequest { expected_hash: Some(hash), ..connector_request(NOTES) };
    let done = world.handle().install_connector(&person(), request).await.unwrap();
    assert!(!done.already_installed);
    assert_eq!(world.web.asked.load(Ordering::SeqCst), before);
}

#[tokio::test]
async fn a_folder_being_written_is_swept_away() {
    let world = World::trusting().await;
    let half = world.path("store/connectors/tmp/install-00");
    std::fs::create_dir_all(&half).unwrap();
    std::fs::write(half.join("connector.wasm"), b"half").unwrap();
    let world = world.restarted().await;
    assert!(!world.path("store/connectors/tmp").exists());
}

#[tokio::test]
async fn a_committed_action_is_put_in_its_place_at_the_next_start() {
    let world = World::trusting().await;
    let hash = world.notes();
    world.handle().install_action(&person(), action_request(LIST)).await.unwrap();
    let newer = "github://acme/notes/actions/list@1.1.0";
    let text = action("list", newer, hash, "");
    world.action(newer, &text);
    let parts = &world.service.parts;
    let verified = verify::action(parts, &newer.parse().unwrap()).await.unwrap();
    let record = ActionRecord {
        name: verified.file.name.clone(),
        hash: verified.hash,
        source: verified.file.source.clone(),
        signer: verified.fingerprint,
        installed_at: (parts.clock)(),
    };
    let row = parts.pins.seal(Kind::Action, "list".to_owned(), record.text().unwrap()).await;
    parts.journal.record(&[row.unwrap().staging(&verified.bytes)]).await.unwrap();
    // The crash: the old file is still there, and does not pass for the new one.
    let name = "list".parse().unwrap();
    assert_eq!(world.service.catalog().get(&name).await.unwrap().unwrap().pinned, Some(false));
    let world = world.restarted().await;
    assert_eq!(std::fs::read_to_string(world.path("actions/list.md")).unwrap(), text);
    assert_eq!(world.service.catalog().get(&name).await.unwrap().unwrap().pinned, Some(true));
    // Once: what a person does to the file later is not undone.
    std::fs::remove_file(world.path("actions/list.md")).unwrap();
    let world = world.restarted().await;
    assert!(!world.path("actions/list.md").exists());
}

#[tokio::test]
async fn a_committed_keyring_is_put_in_its_place_at_the_next_start() {
    let world = World::trusting().await;
    let parts = &world.service.parts;
    let (mut keys, _) = parts.keyring.base().await.unwrap();
    keys.add("github://more".parse().unwrap(), world.publisher.verifying_key().to_bytes());
    let row = parts.keyring.seal(&keys).await.unwrap();
    parts.journal.record(&[row]).await.unwrap();
    assert_eq!(world.handle().keyring(&person()).await.unwrap().verified, Some(false));
    let world = world.restarted().await;
    let shown = world.handle().keyring(&person()).await.unwrap();
    assert_eq!((shown.verified, shown.keys.len()), (Some(true), 2));
}

#[tokio::test]
async fn an_installation_ends_when_its_caller_is_gone() {
    let world = World::trusting().await;
    world.notes();
    let handle = world.handle();
    let context = person();
    let mut call = Box::pin(handle.install_action(&context, action_request(LIST)));
    // Polled until the log has heard of it, then dropped.
    let dropped = std::future::poll_fn(|task| {
        use std::task::Poll;
        let done = call.as_mut().poll(task).is_ready();
        let logged = !world.audit.of(EventKind::ConnectorInstalled).is_empty();
        task.waker().wake_by_ref();
        if done || logged { Poll::Ready(done) } else { Poll::Pending }
    });
    assert!(!dropped.await, "the call ended before it could be dropped");
    drop(call);
    world.service.shutdown().await;
    let name = "list".parse().unwrap();
    assert!(world.service.catalog().get(&name).await.unwrap().is_some());
}
