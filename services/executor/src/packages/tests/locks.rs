//! `actions.lock`: written with every change, noticed when somebody else writes it.

use std::{fs, sync::atomic::Ordering};

use aileron_contract::{
    Reason,
    audit::{Actor, Event, EventKind},
    names::Sha256Hash,
    packages::{Acceptance, ActionRequest, Drift, DriftOf, DriftState},
};

use super::world::{
    OneAction as _, World, action, action_request, connector_request, manifest, person,
};
use crate::packages::journal::Change;
use crate::{
    formats::lock::{self, Lock},
    packages::{
        pins::{Kind, Move},
        records::ActionRecord,
        tool::Tool,
        verify::{self, Purpose},
    },
};

const NOTES: &str = "github://acme/notes@1.0.0";
const LIST: &str = "github://acme/notes/actions/list@1.0.0";
const NEWER: &str = "github://acme/notes/actions/list@1.1.0";

fn text(world: &World) -> String {
    fs::read_to_string(world.path("actions.lock")).unwrap()
}

fn read(world: &World) -> Lock {
    lock::parse(text(world).as_bytes(), "actions.lock").unwrap()
}

async fn drift(world: &World) -> Vec<Drift> {
    world.handle().drift(&person(), None).await.unwrap()
}

/// The drift of the lock, and nothing else is adrift.
async fn of_lock(world: &World) -> Drift {
    let drift = drift(world).await;
    let [only] = &drift[..] else { panic!("{drift:?}") };
    assert_eq!(only.of, DriftOf::Lock);
    only.clone()
}

async fn installed() -> World {
    let world = World::trusting().await;
    world.notes();
    world.handle().install_action(&person(), action_request(LIST)).await.unwrap();
    world
}

fn asides(world: &World) -> Vec<String> {
    let mut files = world.files();
    files.retain(|file| file.starts_with("actions.lock."));
    files
}

#[tokio::test]
async fn an_installation_is_locked_with_its_connector_and_what_agents_are_shown() {
    let world = World::trusting().await;
    assert!(!world.path("actions.lock").exists(), "nothing is installed, nothing is locked");
    assert_eq!(drift(&world).await, []);
    let hash = world.notes();
    world.handle().install_action(&person(), action_request(LIST)).await.unwrap();
    let lock = read(&world);
    let file = fs::read(world.path("actions/list.md")).unwrap();
    let locked = &lock.actions[&"list".parse().unwrap()];
    assert_eq!((locked.hash, locked.source.to_string()), (Sha256Hash::of(&[&file]), LIST.into()));
    let tool = locked.tool.as_ref().unwrap();
    assert_eq!(tool.description, Sha256Hash::of(&[b"read notes"]));
    assert_eq!(tool.input_schema, Sha256Hash::of(&[br#"{"type":"object"}"#]));
    assert_eq!(lock.connectors.into_iter().collect::<Vec<_>>(), [(NOTES.parse().unwrap(), hash)]);
    assert_eq!(drift(&world).await, []);
    assert_eq!(world.service.drift().await.unwrap(), 0);
}

#[tokio::test]
async fn the_lock_follows_every_change_and_is_otherwise_left_alone() {
    let world = World::trusting().await;
    world.notes();
    world.handle().install_connector(&person(), connector_request(NOTES)).await.unwrap();
    let (first, stamp) = (text(&world), fs::metadata(world.path("actions.lock")).unwrap());
    let world = world.restarted().await;
    world.service.wake().await.unwrap();
    let now = fs::metadata(world.path("actions.lock")).unwrap();
    assert_eq!(stamp.modified().unwrap(), now.modified().unwrap());
    world.handle().install_action(&person(), action_request(LIST)).await.unwrap();
    let second = text(&world);
    assert!(second.starts_with(&first), "what is new is added: {second}");
    assert!(asides(&world).is_empty());
}

#[tokio::test]
async fn an_edited_lock_is_noticed_once_and_stops_nothing() {
    let world = installed().await;
    let edited = text(&world).replace("1.0.0", "9.0.0");
    fs::write(world.path("actions.lock"), &edited).unwrap();
    let drift = of_lock(&world).await;
    assert_eq!(drift.state, DriftState::Changed);
    assert!(drift.difference.contains("-version = \"1.0.0\"\n"), "{}", drift.difference);
    assert!(drift.difference.contains("+version = \"9.0.0\"\n"), "{}", drift.difference);
    of_lock(&world).await;
    assert_eq!(world.audit.of(EventKind::LockQuarantined).len(), 1);
    assert_eq!(world.service.drift().await.unwrap(), 1);
    let found = world.service.catalog().get(&"list".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(found.pinned, Some(true));
    // Nor does starting again take it over, or do away with it.
    let world = world.restarted().await;
    world.service.wake().await.unwrap();
    assert_eq!(text(&world), edited);
    of_lock(&world).await;
}

#[tokio::test]
async fn an_older_lock_put_back_is_noticed() {
    let world = World::trusting().await;
    let hash = world.notes();
    world.handle().install_action(&person(), action_request(LIST)).await.unwrap();
    let old = text(&world);
    world.action(NEWER, &action("list", NEWER, hash, ""));
    let forced = ActionRequest { force: true, ..action_request(NEWER) };
    world.handle().install_action(&person(), forced).await.unwrap();
    fs::write(world.path("actions.lock"), &old).unwrap();
    assert_eq!(of_lock(&world).await.state, DriftState::Changed);
    let world = world.restarted().await;
    world.service.wake().await.unwrap();
    assert_eq!(of_lock(&world).await.state, DriftState::Changed);
    assert_eq!(text(&world), old);
}

#[tokio::test]
async fn a_lock_that_was_taken_away_is_missed() {
    let world = installed().await;
    let before = text(&world);
    fs::remove_file(world.path("actions.lock")).unwrap();
    let drift = of_lock(&world).await;
    assert_eq!(drift.state, DriftState::Missing);
    let acceptance = Acceptance { of: DriftOf::Lock, digest: drift.digest.unwrap() };
    world.handle().accept(&person(), acceptance).await.unwrap();
    assert_eq!((text(&world), asides(&world).len()), (before, 0));
}

#[tokio::test]
async fn an_edited_lock_is_written_anew_as_it_was_shown_and_kept() {
    let world = installed().await;
    let before = text(&world);
    fs::write(world.path("actions.lock"), "version = 1\n").unwrap();
    let shown = of_lock(&world).await.digest.unwrap();
    fs::write(world.path("actions.lock"), "version = 2\n").unwrap();
    let acceptance = Acceptance { of: DriftOf::Lock, digest: shown };
    let error = world.handle().accept(&person(), acceptance).await.unwrap_err();
    assert_eq!(error.reason(), Reason::ConsentChanged);
    assert_eq!(text(&world), "version = 2\n");

    let shown = of_lock(&world).await.digest.unwrap();
    let acceptance = Acceptance { of: DriftOf::Lock, digest: shown };
    world.handle().accept(&person(), acceptance.clone()).await.unwrap();
    assert_eq!(text(&world), before);
    let [aside] = &asides(&world)[..] else { panic!("{:?}", world.files()) };
    assert_eq!(fs::read_to_string(world.path(aside)).unwrap(), "version = 2\n");
    assert_eq!(world.audit.of(EventKind::LockRenewed).len(), 1);
    assert!(world.handle().accept(&person(), acceptance).await.unwrap().already);
}

#[tokio::test]
async fn a_folder_in_the_place_of_the_lock_makes_way() {
    let world = installed().await;
    let before = text(&world);
    fs::remove_file(world.path("actions.lock")).unwrap();
    fs::create_dir(world.path("actions.lock")).unwrap();
    let drift = of_lock(&world).await;
    assert_eq!(drift.state, DriftState::Unreadable);
    let acceptance = Acceptance { of: DriftOf::Lock, digest: drift.digest.unwrap() };
    world.handle().accept(&person(), acceptance).await.unwrap();
    assert_eq!(text(&world), before);
}

#[tokio::test]
async fn the_next_change_keeps_an_edited_lock_beside_the_new_one() {
    let world = World::trusting().await;
    world.notes();
    world.handle().install_connector(&person(), connector_request(NOTES)).await.unwrap();
    let edited = text(&world).replace("1.0.0", "9.0.0");
    fs::write(world.path("actions.lock"), &edited).unwrap();
    world.handle().install_action(&person(), action_request(LIST)).await.unwrap();
    assert_eq!(drift(&world).await, []);
    let [aside] = &asides(&world)[..] else { panic!("{:?}", world.files()) };
    assert_eq!(fs::read_to_string(world.path(aside)).unwrap(), edited);
}

#[tokio::test]
async fn a_lock_left_behind_by_a_crash_is_no_edited_one() {
    for (settled, locked) in [(false, false), (true, false), (false, true), (true, true)] {
        let world = World::trusting().await;
        let hash = world.notes();
        world.handle().install_action(&person(), action_request(LIST)).await.unwrap();
        let newer = action("list", NEWER, hash, "");
        world.action(NEWER, &newer);
        let parts = &world.service.parts;
        let found = verify::action(parts, &NEWER.parse().unwrap(), Purpose::Install).await.unwrap();
        let tool = Tool::of(&found.file);
        let record = ActionRecord {
            name: found.file.name.clone(),
            hash: found.hash,
            source: found.file.source.clone(),
            signer: found.fingerprint,
            installed_at: (parts.clock)(),
            brings: std::collections::BTreeMap::new(),
            tool: Some(tool.record().unwrap()),
        };
        let row = record.sealed(&parts.pins, &tool, &found.bytes).await.unwrap();
        let row = row.staging(&found.bytes);
        let event = Event::new(EventKind::ActionInstalled, Actor::of(&person()));
        let mut change = [Change::new(vec![Move { row: row.clone(), event, enabled: None }])];
        parts.journal.prepare(&mut change).await;
        parts.journal.tell(&person(), &mut change).await;
        change[0].outcome().unwrap();
        if settled {
            fs::write(world.path("actions/list.md"), &newer).unwrap();
            parts.pins.settle(std::slice::from_ref(&row)).await.unwrap();
        }
        // A crash here.
        world.vault.locked.store(locked, Ordering::SeqCst);
        let world = world.restarted().await;
        world.vault.locked.store(false, Ordering::SeqCst);
        world.service.wake().await.unwrap();
        assert_eq!(drift(&world).await, [], "{settled} {locked}");
        assert!(asides(&world).is_empty());
        assert_eq!(read(&world).actions[&"list".parse().unwrap()].version.to_string(), "1.1.0");
        assert!(world.service.parts.pins.untold_to_lockfile().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn what_was_installed_before_there_was_a_lock_is_locked_at_the_next_waking() {
    let world = installed().await;
    let before = text(&world);
    fs::remove_file(world.path("actions.lock")).unwrap();
    // As the migration leaves it.
    world.sql("INSERT INTO package_lock_due (kind, name) VALUES ('action', 'list')").await;
    world.vault.locked.store(true, Ordering::SeqCst);
    let world = world.restarted().await;
    assert!(!world.path("actions.lock").exists(), "nobody can tell yet what it should say");
    world.vault.locked.store(false, Ordering::SeqCst);
    world.service.wake().await.unwrap();
    assert_eq!(text(&world), before);
}

#[tokio::test]
async fn a_record_that_cannot_be_believed_is_not_locked() {
    let world = World::trusting().await;
    world.connector(NOTES, &manifest("1.0.0"));
    world.handle().install_connector(&person(), connector_request(NOTES)).await.unwrap();
    world.sql("UPDATE package_pins SET pin = '00' WHERE kind = 'connector'").await;
    let world = world.restarted().await;
    let seen = world.service.parts.lock.look().await.unwrap().unwrap();
    assert!(seen.wanted.is_empty() && !seen.is_intact());
    assert_eq!(world.service.parts.pins.names(Kind::Connector).await.unwrap().len(), 1);
}
