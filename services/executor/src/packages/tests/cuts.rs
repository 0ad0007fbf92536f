//! Installations cut off at every point where they wait for something: after the next start all
//! of one has happened or nothing has, whatever was the last thing that was done.

use std::{collections::BTreeMap, sync::atomic::Ordering, task::Poll};

use aileron_contract::{
    audit::EventKind,
    packages::{Acceptance, ActionRequest},
    publishers::TrustRequest,
};

use super::world::{World, action, action_request, connector_request, manifest, person};
use crate::packages::{drift, install, pins::Kind, trust};

const NOTES: &str = "github://acme/notes@1.0.0";
const LIST: &str = "github://acme/notes/actions/list@1.0.0";
const NEWER: &str = "github://acme/notes/actions/list@1.1.0";

/// What there is to see of a home: files with their bytes, what counts, what the log was told.
#[derive(Debug, PartialEq)]
struct Seen {
    files: BTreeMap<String, String>,
    connectors: Vec<String>,
    actions: Vec<String>,
    keys: Option<bool>,
    told: Vec<usize>,
}

impl Seen {
    /// Without what is in the files.
    fn brief(&self) -> String {
        let Self { files, connectors, actions, keys, told } = self;
        format!("{:?} {connectors:?} {actions:?} {keys:?} {told:?}", files.keys())
    }

    /// What there is of one action: its file, what counts of it, and what the lockfile says.
    fn of(&self, name: &str) -> (Option<&String>, Vec<&String>, Vec<&str>) {
        let entry = |line: &&str| line.contains(&format!("/actions/{name}@"));
        let lock = self.files.get("actions.lock").map(String::as_str).unwrap_or_default();
        let counts = self.actions.iter().filter(|it| entry(&it.as_str())).collect();
        let file = self.files.get(&format!("actions/{name}.md"));
        (file, counts, lock.lines().filter(entry).collect())
    }
}

async fn seen(world: &World) -> Seen {
    let handle = world.handle();
    let connectors = handle.connectors(&person()).await.unwrap();
    let actions = world.service.catalog().list().await.unwrap().items;
    let kinds =
        [EventKind::ConnectorInstalled, EventKind::ActionInstalled, EventKind::KeyringTrusted];
    for kind in [Kind::Action, Kind::Connector, Kind::Keyring] {
        let pins = &world.service.parts.pins;
        assert!(pins.abandoned(kind).await.unwrap().is_empty(), "a row was left over");
        assert!(pins.staged(kind).await.unwrap().is_empty(), "something is left to do");
    }
    let text = |name: &String| {
        let bytes = std::fs::read(world.path(name)).unwrap();
        (name.clone(), String::from_utf8_lossy(&bytes).into_owned())
    };
    // What is only kept to be fetched once says nothing.
    let files = world.files().into_iter().filter(|name| !name.starts_with("cache/"));
    Seen {
        files: files.map(|name| text(&name)).collect(),
        connectors: connectors.iter().map(|it| it.package.to_string()).collect(),
        actions: actions.iter().map(|it| format!("{} {:?}", it.source, it.pinned)).collect(),
        keys: world.service.parts.keyring.look().await.unwrap().verified,
        told: kinds.iter().map(|kind| world.audit.of(*kind).len()).collect(),
    }
}

/// Lets `work` go on `times` times, then drops it. True when it was done before.
async fn goes_on(times: usize, work: impl Future<Output = ()>) -> bool {
    let mut work = Box::pin(work);
    let mut left = times;
    std::future::poll_fn(|task| {
        let Some(rest) = left.checked_sub(1) else { return Poll::Ready(false) };
        left = rest;
        work.as_mut().poll(task).map(|()| true)
    })
    .await
}

/// Starts again: with the vault locked every other time, as daemons do.
async fn restarted(world: World, locked: bool) -> World {
    world.vault.locked.store(locked, Ordering::SeqCst);
    let world = world.restarted().await;
    world.vault.locked.store(false, Ordering::SeqCst);
    world.service.wake().await.unwrap();
    world
}

/// Cuts `change` off in a copy of `scene` after one step, two, and so on until it is done: all of
/// it or nothing.
async fn cut_everywhere(scene: World, change: impl AsyncFn(&World)) {
    Box::pin(cut_and_judged(scene, change, |before, after, now, steps| {
        if now == before {
            return false;
        }
        assert_eq!(now.brief(), after.brief(), "{steps}: half of it");
        assert!(now == after, "{steps}: half of it: {now:#?}");
        true
    }))
    .await;
}

/// The same; `judge` looks at what is left of before and after, and says whether something has
/// happened.
async fn cut_and_judged(
    scene: World,
    change: impl AsyncFn(&World),
    judge: impl Fn(&Seen, &Seen, &Seen, usize) -> bool,
) {
    let scene = Box::pin(restarted(scene, false)).await;
    let before = seen(&scene).await;
    let done = scene.copied().await;
    change(&done).await;
    let after = seen(&Box::pin(restarted(done, false)).await).await;
    assert_ne!(before, after);
    // As many steps are not as far each time: what is done elsewhere may be done already. So the
    // change is cut over and over until enough cuts were on either side.
    let (mut nothing, mut all) = (0, 0);
    while nothing <= 3 || all <= 3 {
        for steps in 0.. {
            assert!(steps < 2_000, "it never ends");
            let world = scene.copied().await;
            let ended = goes_on(steps, change(&world)).await;
            let world = Box::pin(restarted(world, steps % 2 == 1)).await;
            let now = seen(&world).await;
            if judge(&before, &after, &now, steps) {
                all += 1;
            } else {
                assert!(!ended, "{steps}: done, and nothing has happened");
                nothing += 1;
            }
            if ended {
                break;
            }
        }
    }
}

async fn install(world: &World, request: ActionRequest) {
    install_all(world, vec![request]).await;
}

async fn install_all(world: &World, requests: Vec<ActionRequest>) {
    let (parts, catalog) = (&world.service.parts, world.service.catalog());
    let found = install::find_actions(parts, &catalog, requests).await.unwrap();
    let done = install::install_actions(parts, &catalog, &person(), found).await.unwrap();
    for outcome in done {
        drop(outcome.unwrap());
    }
}

#[tokio::test]
async fn an_action_comes_with_its_connector_or_neither_does() {
    let world = World::trusting().await;
    world.notes();
    let change = async |world: &World| install(world, action_request(LIST)).await;
    Box::pin(cut_everywhere(world, change)).await;
}

#[tokio::test]
async fn an_update_is_the_old_action_or_the_new_one_with_its_connector() {
    let world = World::trusting().await;
    world.notes();
    install(&world, action_request(LIST)).await;
    let hash = world.connector("github://acme/notes@1.1.0", &manifest("1.1.0"));
    let text = action("list", NEWER, hash, "")
        .replace("version = \"1.0.0\"\nhash", "version = \"1.1.0\"\nhash");
    world.action(NEWER, &text);
    Box::pin(cut_everywhere(world, async |world| {
        install(world, ActionRequest { force: true, ..action_request(NEWER) }).await;
    }))
    .await;
}

#[tokio::test]
async fn each_action_of_a_group_is_the_old_one_or_the_new_one() {
    let world = World::trusting().await;
    let hash = world.notes();
    install(&world, action_request(LIST)).await;
    world.action(NEWER, &action("list", NEWER, hash, ""));
    let mut requests = vec![ActionRequest { force: true, ..action_request(NEWER) }];
    for name in ["read", "seek"] {
        let package = format!("github://acme/notes/actions/{name}@1.0.0");
        world.action(&package, &action(name, &package, hash, ""));
        requests.push(action_request(&package));
    }
    let change = async |world: &World| install_all(world, requests.clone()).await;
    Box::pin(cut_and_judged(world, change, |before, after, now, steps| {
        let mut new = 0;
        for name in ["list", "read", "seek"] {
            let (old, fresh, there) = (before.of(name), after.of(name), now.of(name));
            assert!(there == old || there == fresh, "{steps}: half of {name}: {now:#?}");
            new += usize::from(there == fresh);
        }
        assert_eq!(now.told[1], before.told[1] + new, "{steps}: the log says the same");
        match new {
            0 => assert!(now == before, "{steps}: half of nothing: {now:#?}"),
            3 => assert!(now == after, "{steps}: half of all: {now:#?}"),
            _ => {}
        }
        new > 0
    }))
    .await;
}

#[tokio::test]
async fn a_connector_is_installed_or_leaves_nothing() {
    let world = World::trusting().await;
    world.connector(NOTES, &manifest("1.0.0"));
    Box::pin(cut_everywhere(world, async |world| {
        let parts = &world.service.parts;
        let found = install::find_connector(parts, connector_request(NOTES)).await.unwrap();
        install::install_connector(parts, &person(), found).await.unwrap();
    }))
    .await;
}

#[tokio::test]
async fn a_key_is_trusted_or_is_not() {
    let world = World::trusting().await;
    let key = world.publisher.verifying_key().to_bytes();
    Box::pin(cut_everywhere(world, async move |world| {
        let authority = "github://more".parse().unwrap();
        let request = TrustRequest { authority, key };
        trust::trust(&world.service.parts, &person(), request).await.unwrap();
    }))
    .await;
}

#[tokio::test]
async fn a_log_that_fails_between_two_events_leaves_an_installation_that_is_completed() {
    let world = World::trusting().await;
    world.notes();
    let parts = &world.service.parts;
    let catalog = world.service.catalog();
    let requests = vec![action_request(LIST)];
    let found = install::find_actions(parts, &catalog, requests).await.unwrap();
    *world.audit.room.lock().unwrap() = Some(1);
    let done = install::install_actions(parts, &catalog, &person(), found).await.unwrap();
    assert!(done[0].is_err());
    *world.audit.room.lock().unwrap() = None;
    assert_eq!(world.audit.of(EventKind::ActionInstalled).len(), 1);
    assert!(world.audit.of(EventKind::ConnectorInstalled).is_empty());
    let now = seen(&Box::pin(restarted(world, true)).await).await;
    assert_eq!(now.connectors, [NOTES]);
    assert_eq!(now.actions, [format!("{LIST} Some(true)")]);
    assert_eq!(now.told, [1, 1, 1]);
}

#[tokio::test]
async fn a_changed_file_is_accepted_or_is_not() {
    let world = World::trusting().await;
    world.notes();
    install(&world, action_request(LIST)).await;
    let path = world.path("actions/list.md");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("read notes", "read more notes")).unwrap();
    Box::pin(cut_everywhere(world, async |world| {
        let (parts, catalog) = (&world.service.parts, world.service.catalog());
        let shown = drift::list(parts, &catalog, Some(&"list".parse().unwrap())).await.unwrap();
        let shown = shown.into_iter().next().unwrap();
        let acceptance = Acceptance { of: shown.of, digest: shown.digest.unwrap() };
        drift::accept(parts, &catalog, &person(), acceptance).await.unwrap();
    }))
    .await;
}
