//! Many actions in one call.

use std::{collections::BTreeMap, sync::atomic::Ordering};

use aileron_contract::{
    Context, Reason, Scope,
    audit::{Actor, Event, EventKind},
    limits,
    names::Sha256Hash,
    packages::{ActionRequest, DriftState},
};

use super::world::{OneAction as _, World, action, action_request, person, program, release};
use crate::packages::{
    journal::Change,
    pins::Move,
    records::ActionRecord,
    tool::Tool,
    verify::{self, Purpose},
};

fn name_of(at: usize) -> String {
    format!("a{at:02}")
}

fn package(at: usize) -> String {
    format!("github://acme/notes/actions/{}@1.0.0", name_of(at))
}

/// Publishes the connector and so many actions for it.
fn published(world: &World, count: usize) -> Sha256Hash {
    let hash = world.notes();
    for at in 0..count {
        let package = package(at);
        world.action(&package, &action(&name_of(at), &package, hash, ""));
    }
    hash
}

fn requests(count: usize) -> Vec<ActionRequest> {
    (0..count).map(|at| action_request(&package(at))).collect()
}

fn asked(world: &World) -> u64 {
    world.web.asked.load(Ordering::SeqCst)
}

#[tokio::test]
async fn many_are_installed_by_one_call_and_bring_their_connector_once() {
    let world = World::trusting().await;
    let hash = published(&world, 20);
    let done = world.handle().install_actions(&person(), requests(20)).await.unwrap();
    let names: Vec<_> =
        done.iter().map(|outcome| outcome.as_ref().unwrap().name.to_string()).collect();
    assert_eq!(names, (0..20).map(name_of).collect::<Vec<_>>());
    assert_eq!(asked(&world), 21, "each action once, and the connector once");
    let brought: Vec<_> = done
        .iter()
        .flat_map(|outcome| &outcome.as_ref().unwrap().installed_connectors)
        .map(|connector| connector.hash)
        .collect();
    assert_eq!(brought, [hash]);
    assert!(done.iter().all(|outcome| outcome.as_ref().unwrap().unbound.len() == 1));
    assert_eq!(world.audit.of(EventKind::ActionInstalled).len(), 20);
    let listed = world.service.catalog().list().await.unwrap();
    assert!(listed.items.len() == 20 && listed.items.iter().all(|it| it.pinned == Some(true)));
    // Again: nothing changes and nothing is told.
    let again = world.handle().install_actions(&person(), requests(20)).await.unwrap();
    assert!(again.iter().all(|outcome| outcome.as_ref().unwrap().already_installed));
    assert_eq!(world.audit.of(EventKind::ActionInstalled).len(), 20);
    let world = world.restarted().await;
    let listed = world.service.catalog().list().await.unwrap();
    assert!(listed.items.len() == 20 && listed.items.iter().all(|it| it.pinned == Some(true)));
}

#[tokio::test]
async fn what_was_previewed_is_installed_without_being_fetched_again() {
    let world = World::trusting().await;
    published(&world, 10);
    let previews = world.handle().preview_actions(&program(), requests(10)).await.unwrap();
    assert!(previews.iter().all(Result::is_ok));
    assert_eq!(asked(&world), 10);
    // What the source has meanwhile is not what was shown.
    for at in 0..10 {
        world.web.put(&release(&package(at).parse().unwrap()), 404, "");
    }
    let done = world.handle().install_actions(&person(), requests(10)).await.unwrap();
    assert!(done.iter().all(Result::is_ok), "{done:?}");
    assert_eq!(asked(&world), 11, "the connector alone");
    // A preview is always what the source has.
    let previews = world.handle().preview_actions(&program(), requests(1)).await.unwrap();
    assert_eq!(previews[0].as_ref().unwrap_err().reason(), Reason::FetchFailed);
}

#[tokio::test]
async fn one_that_is_refused_does_not_stop_the_others_and_leaves_nothing() {
    let world = World::trusting().await;
    let hash = published(&world, 6);
    // Not there, signed by a stranger, of another name, and one that wants another connector.
    world.web.put(&release(&package(1).parse().unwrap()), 404, "");
    let stranger = World { publisher: ed25519_dalek::SigningKey::from_bytes(&[9; 32]), ..world };
    stranger.action(&package(2), &action(&name_of(2), &package(2), hash, ""));
    let world = World { publisher: ed25519_dalek::SigningKey::from_bytes(&[7; 32]), ..stranger };
    world.action(&package(3), &action(&name_of(3), &package(4), hash, ""));
    let absent = Sha256Hash::of(&[b"nobody has this"]);
    world.action(&package(4), &action(&name_of(4), &package(4), absent, ""));
    let done = world.handle().install_actions(&person(), requests(6)).await.unwrap();
    let reasons: Vec<_> = done
        .iter()
        .map(|outcome| outcome.as_ref().err().map(aileron_contract::Error::reason))
        .collect();
    assert_eq!(
        reasons,
        [
            None,
            Some(Reason::FetchFailed),
            Some(Reason::SignatureFailure),
            Some(Reason::FqnMismatch),
            Some(Reason::HashMismatch),
            None,
        ]
    );
    let files = world.files();
    let actions: Vec<_> = files.iter().filter(|file| file.starts_with("actions/")).collect();
    assert_eq!(actions, ["actions/a00.md", "actions/a05.md"]);
}

#[tokio::test]
async fn a_connector_nobody_agreed_to_is_not_brought_by_another_action() {
    let world = World::trusting().await;
    published(&world, 2);
    let mut requests = requests(2);
    requests[0].auto_install_connectors = false;
    let done = world.handle().install_actions(&person(), requests).await.unwrap();
    assert_eq!(done[0].as_ref().unwrap_err().reason(), Reason::ConnectorsMissing);
    assert_eq!(done[1].as_ref().unwrap().installed_connectors.len(), 1);
}

#[tokio::test]
async fn of_two_actions_with_one_name_the_first_one_wins() {
    let world = World::trusting().await;
    let hash = published(&world, 1);
    let other = "github://acme/notes/actions/other@1.0.0";
    world.action(other, &action(&name_of(0), other, hash, ""));
    let twice = vec![
        action_request(&package(0)),
        action_request(other),
        action_request(&package(0)),
        ActionRequest { force: true, ..action_request(other) },
    ];
    let done = world.handle().install_actions(&person(), twice).await.unwrap();
    assert!(!done[0].as_ref().unwrap().already_installed);
    assert_eq!(done[1].as_ref().unwrap_err().reason(), Reason::ActionExists);
    assert!(done[2].as_ref().unwrap().already_installed);
    assert_eq!(done[3].as_ref().unwrap_err().reason(), Reason::ActionExists);
}

#[tokio::test]
async fn a_log_that_cannot_be_written_leaves_a_group_as_it_was() {
    let world = World::trusting().await;
    published(&world, 4);
    world.handle().install_action(&person(), action_request(&package(0))).await.unwrap();
    let before = world.files();
    world.audit.full.store(true, Ordering::SeqCst);
    let done = world.handle().install_actions(&person(), requests(4)).await.unwrap();
    assert!(done[0].as_ref().unwrap().already_installed);
    let refused = |at: usize| done[at].as_ref().unwrap_err().reason();
    assert!((1..4).all(|at| refused(at) == Reason::AuditUnavailable), "{done:?}");
    assert_eq!(world.files(), before);
    world.audit.full.store(false, Ordering::SeqCst);
    let world = world.restarted().await;
    assert_eq!(world.files(), before, "nothing was left to be finished");
    let done = world.handle().install_actions(&person(), requests(4)).await.unwrap();
    assert!(done.iter().all(Result::is_ok));
}

#[tokio::test]
async fn events_whose_answer_was_lost_are_finished_at_the_next_start() {
    let world = World::trusting().await;
    published(&world, 5);
    world.handle().install_action(&person(), action_request(&package(0))).await.unwrap();
    world.audit.mute.store(true, Ordering::SeqCst);
    let done = world.handle().install_actions(&person(), requests(5)).await.unwrap();
    assert!(done[1..].iter().all(Result::is_err));
    world.audit.mute.store(false, Ordering::SeqCst);
    let world = world.restarted().await;
    let listed = world.service.catalog().list().await.unwrap();
    assert_eq!(listed.items.len(), 5, "the log was told, so they count");
    assert!(listed.items.iter().all(|it| it.pinned == Some(true)));
}

#[tokio::test]
async fn a_call_takes_so_many_and_only_from_those_who_may() {
    let world = World::trusting().await;
    let handle = world.handle();
    let many = vec![action_request(&package(0)); limits::INSTALL_BATCH + 1];
    let error = handle.preview_actions(&person(), many.clone()).await.unwrap_err();
    assert_eq!(error.reason(), Reason::InvalidRequest);
    let error = handle.install_actions(&person(), many).await.unwrap_err();
    assert_eq!(error.reason(), Reason::InvalidRequest);
    let agent = Context { scopes: [Scope::PackagesPreview].into_iter().collect(), ..program() };
    let error = handle.install_actions(&agent, requests(1)).await.unwrap_err();
    assert_eq!(error.reason(), Reason::ScopeMissing);
    assert_eq!(asked(&world), 0);
    assert!(handle.install_actions(&person(), Vec::new()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_folder_in_the_way_of_one_stops_no_other() {
    let world = World::trusting().await;
    published(&world, 5);
    std::fs::create_dir_all(world.path("actions/a01.md")).unwrap();
    let forced = |request| ActionRequest { force: true, ..request };
    let requests: Vec<_> = requests(5).into_iter().map(forced).collect();
    let done = world.handle().install_actions(&person(), requests.clone()).await.unwrap();
    let error = done[1].as_ref().unwrap_err();
    assert_eq!(error.reason(), Reason::StoreUnwritable);
    assert!(error.public().contains("actions/a01.md is a folder"), "{}", error.public());
    assert!([0, 2, 3, 4].iter().all(|at| done[*at].is_ok()), "{done:?}");
    assert_eq!(world.audit.of(EventKind::ActionInstalled).len(), 4, "nothing is told of it");
    std::fs::remove_dir(world.path("actions/a01.md")).unwrap();
    let done = world.handle().install_actions(&person(), requests).await.unwrap();
    assert!(!done[1].as_ref().unwrap().already_installed);
}

#[tokio::test]
async fn a_folder_that_comes_once_the_log_was_told_keeps_back_its_own_file_alone() {
    let world = World::trusting().await;
    published(&world, 3);
    let parts = &world.service.parts;
    let mut changes = Vec::new();
    for at in 0..3 {
        let found = verify::action(parts, &package(at).parse().unwrap(), Purpose::Install).await;
        let found = found.unwrap();
        let tool = Tool::of(&found.file);
        let record = ActionRecord {
            name: found.file.name.clone(),
            hash: found.hash,
            source: found.file.source.clone(),
            signer: found.fingerprint,
            installed_at: (parts.clock)(),
            brings: BTreeMap::new(),
            tool: Some(tool.record().unwrap()),
        };
        let row = record.sealed(&parts.pins, &tool, &found.bytes).await.unwrap();
        let event = Event::new(EventKind::ActionInstalled, Actor::of(&person()));
        let row = row.staging(&found.bytes);
        changes.push(Change::new(vec![Move { row, event, enabled: None }]));
    }
    parts.journal.prepare(&mut changes).await;
    parts.journal.tell(&person(), &mut changes).await;
    std::fs::create_dir_all(world.path("actions/a01.md")).unwrap();
    parts.journal.place(&mut changes).await;
    let reasons: Vec<_> =
        changes.iter().map(|it| it.outcome().err().map(|error| error.reason())).collect();
    assert_eq!(reasons, [None, Some(Reason::StoreUnwritable), None]);
    // Nor does it keep others from being finished.
    std::fs::remove_file(world.path("actions/a02.md")).unwrap();
    parts.journal.finish().await.unwrap();
    // Nor the runtime from starting: what it stands for is shown, and does not run.
    let world = world.restarted().await;
    world.service.wake().await.unwrap();
    let drift = world.handle().drift(&person(), Some("a01".parse().unwrap())).await.unwrap();
    assert_eq!(drift.len(), 1);
    assert_eq!(drift[0].state, DriftState::Unreadable, "{}", drift[0].message);
    let listed = world.service.catalog().list().await.unwrap();
    assert!(listed.items.iter().all(|it| it.name.as_str() != "a01"), "{:?}", listed.items);
    std::fs::remove_dir(world.path("actions/a01.md")).unwrap();
    let world = world.restarted().await;
    let listed = world.service.catalog().list().await.unwrap();
    let names: Vec<_> = listed.items.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["a00", "a01"], "a02 was finished, and a person removed it");
}
