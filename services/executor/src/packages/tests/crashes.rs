//! The steps of a commit, cut between each two of them.

use std::{collections::BTreeMap, sync::atomic::Ordering};

use aileron_contract::{
    Reason,
    audit::{Actor, Event, EventKind},
    packages::ConnectorRequest,
    publishers::TrustRequest,
};

use super::world::{
    OneAction as _, World, action, action_request, connector_request, manifest, person,
};
use crate::packages::{
    journal::Change,
    pins::{Kind, Move, Row},
    records::ActionRecord,
    verify::{self, Purpose},
};

const NOTES: &str = "github://acme/notes@1.0.0";
const LIST: &str = "github://acme/notes/actions/list@1.0.0";

#[tokio::test]
async fn an_entry_without_its_record_is_not_installed_and_serves_the_next_attempt() {
    let world = World::trusting().await;
    let hash = world.connector(NOTES, &manifest("1.0.0"));
    let parts = &world.service.parts;
    let verified =
        verify::connector(parts, &NOTES.parse().unwrap(), None, Purpose::Install).await.unwrap();
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
    let verified = verify::action(parts, &newer.parse().unwrap(), Purpose::Install).await.unwrap();
    let record = ActionRecord {
        name: verified.file.name.clone(),
        hash: verified.hash,
        source: verified.file.source.clone(),
        signer: verified.fingerprint,
        installed_at: (parts.clock)(),
        brings: BTreeMap::new(),
        tool: None,
    };
    let row = parts.pins.seal(Kind::Action, "list".to_owned(), record.text().unwrap()).await;
    let mut change = [Change::new(vec![told(
        row.unwrap().staging(&verified.bytes),
        EventKind::ActionInstalled,
    )])];
    let name = "list".parse().unwrap();
    parts.journal.prepare(&mut change).await;
    change[0].outcome().unwrap();
    // A crash here: nothing has happened.
    let before = world.service.catalog().get(&name).await.unwrap().unwrap();
    assert_eq!((before.pinned, before.file.version.to_string().as_str()), (Some(true), "1.0.0"));
    parts.journal.tell(&person(), &mut change).await;
    change[0].outcome().unwrap();
    // The crash: the old file is still there, and does not pass for the new one.
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
    let mut change = [Change::new(vec![told(
        parts.keyring.seal(&keys).await.unwrap(),
        EventKind::KeyringTrusted,
    )])];
    parts.journal.prepare(&mut change).await;
    change[0].outcome().unwrap();
    let shown = world.publishers().keyring(&person()).await.unwrap();
    assert_eq!((shown.verified, shown.keys.len()), (Some(true), 1), "nothing has happened");
    parts.journal.tell(&person(), &mut change).await;
    change[0].outcome().unwrap();
    assert_eq!(world.publishers().keyring(&person()).await.unwrap().verified, Some(false));
    let world = world.restarted().await;
    let shown = world.publishers().keyring(&person()).await.unwrap();
    assert_eq!((shown.verified, shown.keys.len()), (Some(true), 2));
}

#[tokio::test]
async fn a_change_that_crashed_before_its_event_never_happened_and_is_made_anew() {
    let world = World::trusting().await;
    let parts = &world.service.parts;
    let (mut keys, _) = parts.keyring.base().await.unwrap();
    keys.add("github://more".parse().unwrap(), world.publisher.verifying_key().to_bytes());
    let mut change = [Change::new(vec![told(
        parts.keyring.seal(&keys).await.unwrap(),
        EventKind::KeyringTrusted,
    )])];
    parts.journal.prepare(&mut change).await;
    change[0].outcome().unwrap();
    let world = world.restarted().await;
    let shown = world.publishers().keyring(&person()).await.unwrap();
    assert_eq!((shown.verified, shown.keys.len()), (Some(true), 1));
    // Nor does its row count when its file is put beside it.
    std::fs::write(world.path("keyring.json"), keys.text()).unwrap();
    assert_eq!(world.publishers().keyring(&person()).await.unwrap().verified, Some(false));
    world.trust("github://more", &world.publisher).await;
    let shown = world.restarted().await.publishers().keyring(&person()).await.unwrap();
    assert_eq!((shown.verified, shown.keys.len()), (Some(true), 2));
}

#[tokio::test]
async fn a_change_whose_event_was_written_while_its_answer_was_lost_has_happened() {
    for restart in [true, false] {
        let world = World::trusting().await;
        world.audit.mute.store(true, Ordering::SeqCst);
        let request = TrustRequest {
            authority: "github://more".parse().unwrap(),
            key: world.publisher.verifying_key().to_bytes(),
        };
        assert!(world.publishers().trust(&person(), request).await.is_err());
        world.audit.mute.store(false, Ordering::SeqCst);
        let world = if restart { world.restarted().await } else { world };
        if restart {
            let shown = world.publishers().keyring(&person()).await.unwrap();
            assert_eq!((shown.verified, shown.keys.len()), (Some(true), 2));
        }
        world.trust("github://third", &world.publisher).await;
        let shown = world.publishers().keyring(&person()).await.unwrap();
        assert_eq!((shown.verified, shown.keys.len()), (Some(true), 3));
    }
}

fn told(row: Row, kind: EventKind) -> Move {
    Move { row, event: Event::new(kind, Actor::of(&person())), enabled: None }
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
