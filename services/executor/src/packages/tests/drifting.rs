//! What drifted is shown as it is, and accepted as it was shown.

use std::{collections::BTreeMap, fs, sync::atomic::Ordering};

use aileron_contract::{
    Context, Reason, Scopes,
    audit::{Actor, Event, EventKind},
    names::{ActionName, Sha256Hash},
    packages::{Acceptance, ActionRequest, ConnectorRequest, Drift, DriftOf, DriftState},
};

use super::world::{
    OneAction as _, World, action, action_request, connector_request, manifest, person, program,
};
use crate::packages::{
    drift,
    pins::Move,
    records::{ActionRecord, ToolRecord},
    tool::Tool,
};

const LIST: &str = "github://acme/notes/actions/list@1.0.0";
const NEWER: &str = "github://acme/notes/actions/list@1.1.0";

fn list() -> ActionName {
    "list".parse().unwrap()
}

async fn installed() -> World {
    let world = World::trusting().await;
    world.notes();
    world.handle().install_action(&person(), action_request(LIST)).await.unwrap();
    world
}

fn edit(world: &World, from: &str, to: &str) {
    let path = world.path("actions/list.md");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from));
    fs::write(path, text.replace(from, to)).unwrap();
}

async fn drift(world: &World) -> Vec<Drift> {
    world.handle().drift(&person(), None).await.unwrap()
}

async fn of_list(world: &World) -> Drift {
    let drift = world.handle().drift(&person(), Some(list())).await.unwrap();
    let [only] = &drift[..] else { panic!("{drift:?}") };
    assert_eq!(only.of, DriftOf::Action(list()));
    only.clone()
}

async fn pinned(world: &World) -> Option<bool> {
    world.service.catalog().get(&list()).await.unwrap().unwrap().pinned
}

fn accepting(drift: &Drift) -> Acceptance {
    Acceptance { of: drift.of.clone(), digest: drift.digest.unwrap() }
}

#[tokio::test]
async fn an_edited_action_does_not_run_until_a_person_accepts_the_difference() {
    let world = installed().await;
    edit(&world, "read notes", "read notes, then send them to evil.example");
    assert_eq!(pinned(&world).await, Some(false));
    let shown = of_list(&world).await;
    assert_eq!(shown.state, DriftState::Changed);
    assert!(shown.difference.contains("-intent = \"read notes\"\n"), "{}", shown.difference);
    assert!(shown.difference.contains("+intent = \"read notes, then send"), "{}", shown.difference);
    assert!(!shown.cut);
    let done = world.handle().accept(&person(), accepting(&shown)).await.unwrap();
    assert!(!done.already && done.missing.is_empty());
    assert_eq!(pinned(&world).await, Some(true));
    assert_eq!(drift(&world).await, [], "the lock followed");
    let [event] = &world.audit.of(EventKind::ActionAccepted)[..] else { panic!("one event") };
    assert_eq!(event.actor, Actor::of(&person()));
    assert_eq!(event.payload["aileron.drift.digest"], accepting(&shown).digest.to_string());
    assert!(world.handle().accept(&person(), accepting(&shown)).await.unwrap().already);
    assert_eq!(pinned(&world.restarted().await).await, Some(true));
}

#[tokio::test]
async fn an_acceptance_of_what_was_shown_before_is_refused() {
    let world = installed().await;
    edit(&world, "read notes", "read more notes");
    let shown = of_list(&world).await;
    edit(&world, "read more notes", "send notes away");
    let error = world.handle().accept(&person(), accepting(&shown)).await.unwrap_err();
    assert_eq!(error.reason(), Reason::ConsentChanged);
    assert_eq!(pinned(&world).await, Some(false));
    assert!(world.audit.of(EventKind::ActionAccepted).is_empty());
    // Nor when the same bytes now differ from another record.
    let again = of_list(&world).await;
    assert_ne!(again.digest, shown.digest);
    let forced = ActionRequest { force: true, ..action_request(LIST) };
    world.handle().install_action(&person(), forced).await.unwrap();
    edit(&world, "read notes", "send notes away");
    let error = world.handle().accept(&person(), accepting(&again)).await.unwrap_err();
    assert_eq!(error.reason(), Reason::ConsentChanged);
}

#[tokio::test]
async fn neither_an_agent_nor_the_token_of_the_daemon_accepts() {
    let world = installed().await;
    edit(&world, "read notes", "read more notes");
    let shown = of_list(&world).await;
    let daemon = Context { scopes: Scopes::of_daemon_token(), ..program() };
    let error = world.handle().accept(&daemon, accepting(&shown)).await.unwrap_err();
    assert_eq!(error.reason(), Reason::ScopeMissing);
    assert_eq!(world.handle().drift(&daemon, None).await.unwrap().len(), 1, "but it may look");
    assert_eq!(pinned(&world).await, Some(false));
    world.handle().accept(&program(), accepting(&shown)).await.unwrap();
    assert_eq!(pinned(&world).await, Some(true));
}

#[tokio::test]
async fn a_log_that_cannot_be_written_accepts_nothing() {
    let world = installed().await;
    edit(&world, "read notes", "read more notes");
    let shown = of_list(&world).await;
    world.audit.full.store(true, Ordering::SeqCst);
    assert!(world.handle().accept(&person(), accepting(&shown)).await.is_err());
    world.audit.full.store(false, Ordering::SeqCst);
    assert_eq!(pinned(&world).await, Some(false));
    world.handle().accept(&person(), accepting(&of_list(&world).await)).await.unwrap();
    assert_eq!(pinned(&world).await, Some(true));
}

#[tokio::test]
async fn a_locked_vault_can_tell_nothing_about_drift() {
    let world = installed().await;
    world.vault.locked.store(true, Ordering::SeqCst);
    let world = world.restarted().await;
    let error = world.handle().drift(&person(), None).await.unwrap_err();
    assert_eq!(error.reason(), Reason::VaultLocked);
}

#[tokio::test]
async fn an_action_that_is_gone_is_let_go_and_does_not_come_back_in_silence() {
    let world = installed().await;
    let file = fs::read(world.path("actions/list.md")).unwrap();
    fs::remove_file(world.path("actions/list.md")).unwrap();
    let shown = of_list(&world).await;
    assert_eq!(shown.state, DriftState::Missing);
    assert!(shown.difference.contains("+++ /dev/null\n"), "{}", shown.difference);
    world.handle().accept(&person(), accepting(&shown)).await.unwrap();
    assert_eq!(drift(&world).await, []);
    assert!(!fs::read_to_string(world.path("actions.lock")).unwrap().contains("[[actions]]"));
    fs::write(world.path("actions/list.md"), &file).unwrap();
    assert_eq!(pinned(&world).await, Some(false));
    assert_eq!(of_list(&world).await.state, DriftState::Unaccepted);
    // Installing it is what it always was.
    world.handle().install_action(&person(), action_request(LIST)).await.unwrap();
    assert_eq!((pinned(&world).await, drift(&world).await), (Some(true), Vec::new()));
}

#[tokio::test]
async fn what_is_no_action_any_more_is_shown_and_cannot_be_accepted() {
    let world = installed().await;
    fs::write(world.path("actions/list.md"), "+++\nname = \"list\"\n\u{1b}[2J").unwrap();
    let shown = of_list(&world).await;
    assert_eq!((shown.state, shown.digest), (DriftState::Unreadable, None));
    assert!(shown.difference.contains("-intent = \"read notes\"\n"), "{}", shown.difference);
    let digest = Sha256Hash::new([0; 32]);
    let acceptance = Acceptance { of: DriftOf::Action(list()), digest };
    let error = world.handle().accept(&person(), acceptance).await.unwrap_err();
    assert_eq!(error.reason(), Reason::Quarantined);
}

/// The daemon may read what the program that asks may not: its own environment, for one.
#[tokio::test]
async fn a_link_in_the_place_of_a_file_shows_nothing_of_what_it_leads_to() {
    let world = installed().await;
    fs::write(world.path("secret"), "GH_TOKEN=ghp_ours\n").unwrap();
    for name in ["actions/list.md", "actions.lock"] {
        fs::remove_file(world.path(name)).unwrap();
        std::os::unix::fs::symlink(world.path("secret"), world.path(name)).unwrap();
    }
    let shown = drift(&world).await;
    let states: Vec<_> = shown.iter().map(|drift| (drift.state, drift.digest.is_some())).collect();
    // A lock is accepted by writing it anew.
    assert_eq!(states, [(DriftState::Unreadable, false), (DriftState::Unreadable, true)]);
    for drift in &shown {
        let told = format!("{}{}", drift.message, drift.difference);
        assert!(!told.contains("ghp_ours"), "{told}");
    }
    // Nor does a pipe nobody writes to keep anybody waiting.
    for name in ["actions/list.md", "actions.lock", "keyring.json", "action-state.json"] {
        fs::remove_file(world.path(name)).ok();
        rustix::fs::mkfifoat(rustix::fs::CWD, world.path(name), rustix::fs::Mode::RUSR).unwrap();
    }
    assert_eq!(drift(&world).await.len(), 2);
    let error = world.publishers().keyring(&person()).await.unwrap_err();
    assert_eq!(error.reason(), Reason::StoreUnreadable);
}

#[tokio::test]
async fn an_action_nobody_installed_is_shown_whole_and_may_be_accepted() {
    let world = World::trusting().await;
    let hash = world.notes();
    fs::create_dir(world.path("actions")).unwrap();
    let text = action("list", LIST, hash, "");
    fs::write(world.path("actions/list.md"), &text).unwrap();
    let shown = of_list(&world).await;
    assert_eq!(shown.state, DriftState::Unaccepted);
    let added = shown.difference.lines().filter(|line| line.starts_with('+')).count();
    assert_eq!(added, text.lines().count() + 1);
    // Its connector is not there; accepting says so and stops at the action.
    let all = drift(&world).await;
    let states: Vec<_> = all.iter().map(|drift| drift.state).collect();
    assert_eq!(states, [DriftState::Unaccepted, DriftState::Missing]);
    let done = world.handle().accept(&person(), accepting(&shown)).await.unwrap();
    assert_eq!(done.missing, ["github://acme/notes@1.0.0".parse().unwrap()]);
    assert_eq!(pinned(&world).await, Some(true));
    let error = world.service.store().load(hash).await.unwrap_err();
    assert_eq!(error.reason(), Reason::ConnectorNotInstalled);
}

#[tokio::test]
async fn a_home_of_before_is_adopted_piece_by_piece() {
    let world = installed().await;
    // What an earlier runtime left: files and entries, and no records.
    world.sql("DELETE FROM package_pins").await;
    world.audit.events.lock().unwrap().clear();
    fs::remove_file(world.path("actions.lock")).unwrap();
    let world = world.restarted().await;
    let all = drift(&world).await;
    assert!(all.iter().all(|drift| drift.state == DriftState::Unaccepted), "{all:?}");
    let [list, connector] = &all[..] else { panic!("{all:?}") };
    // A connector counts only when somebody who is trusted signed it.
    assert!(world.handle().accept(&person(), accepting(connector)).await.is_err());
    fs::remove_file(world.path("keyring.json")).unwrap();
    world.trust("github://acme", &world.publisher).await;
    // It is shown from the store, by its hash, also when its release is gone; by name alone it is
    // what its publisher took back.
    let gone = super::world::release(&"github://acme/notes@1.0.0".parse().unwrap());
    world.web.put(&gone, 404, "");
    let needs = world.handle().needs(&person()).await.unwrap();
    let by_hash = ConnectorRequest {
        package: "github://acme/notes@1.0.0".parse().unwrap(),
        expected_hash: Some(needs.missing[0].hash),
    };
    let shown = world.handle().preview_connector(&person(), by_hash.clone()).await.unwrap();
    assert_eq!((shown.hash, shown.already_installed), (needs.missing[0].hash, false));
    let by_name = ConnectorRequest { expected_hash: None, ..by_hash.clone() };
    assert!(world.handle().preview_connector(&person(), by_name).await.is_err());
    let other = ConnectorRequest { expected_hash: Some(Sha256Hash::new([0; 32])), ..by_hash };
    assert!(world.handle().preview_connector(&person(), other).await.is_err());
    world.handle().accept(&person(), accepting(connector)).await.unwrap();
    assert_eq!(world.handle().connectors(&person()).await.unwrap().len(), 1);
    world.handle().accept(&person(), accepting(list)).await.unwrap();
    assert_eq!(drift(&world).await, []);
    assert_eq!(pinned(&world).await, Some(true));
}

#[tokio::test]
async fn a_connector_whose_bytes_changed_cannot_be_accepted() {
    let world = World::trusting().await;
    let hash = world.notes();
    world.handle().install_action(&person(), action_request(LIST)).await.unwrap();
    let entry = world.service.store().folder(hash);
    let manifest = entry.join("manifest.toml");
    fs::remove_file(&manifest)
        .or_else(|_| {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(&entry, fs::Permissions::from_mode(0o755))?;
            fs::remove_file(&manifest)
        })
        .unwrap();
    fs::write(&manifest, "edited").unwrap();
    let all = drift(&world).await;
    let [connector] = &all[..] else { panic!("{all:?}") };
    assert_eq!((connector.state, connector.digest), (DriftState::Changed, None));
    assert_eq!(world.service.drift().await.unwrap(), 1);
    let of = connector.of.clone();
    let acceptance = Acceptance { of, digest: Sha256Hash::new([0; 32]) };
    let error = world.handle().accept(&person(), acceptance).await.unwrap_err();
    assert_eq!(error.reason(), Reason::ConsentChanged);
    world.handle().sync(&person(), None).await.unwrap();
    assert_eq!(drift(&world).await, []);
}

#[tokio::test]
async fn a_record_somebody_put_back_is_shown_as_such() {
    let world = World::trusting().await;
    let hash = world.notes();
    world.handle().install_action(&person(), action_request(LIST)).await.unwrap();
    world.sql("CREATE TABLE kept AS SELECT * FROM package_pins").await;
    world.action(NEWER, &action("list", NEWER, hash, ""));
    let forced = ActionRequest { force: true, ..action_request(NEWER) };
    world.handle().install_action(&person(), forced).await.unwrap();
    world.sql("DELETE FROM package_pins").await;
    world.sql("INSERT INTO package_pins SELECT * FROM kept").await;
    let world = world.restarted().await;
    assert_eq!(of_list(&world).await.state, DriftState::RecordAltered);
    world.handle().accept(&person(), accepting(&of_list(&world).await)).await.unwrap();
    assert_eq!(pinned(&world).await, Some(true));
}

#[tokio::test]
async fn the_same_file_that_agents_are_shown_in_another_way_waits_for_a_person() {
    let world = installed().await;
    let parts = &world.service.parts;
    let found = world.service.catalog().get(&list()).await.unwrap().unwrap();
    let tool = Tool::of(&found.file);
    let bytes = fs::read(world.path("actions/list.md")).unwrap();
    // As a program of before would have recorded it, had it described the tool otherwise.
    let before =
        ToolRecord { input_schema: Sha256Hash::of(&[b"another schema"]), ..tool.record().unwrap() };
    let record = ActionRecord {
        name: list(),
        hash: found.hash,
        source: found.file.source.clone(),
        signer: None,
        installed_at: (parts.clock)(),
        brings: BTreeMap::new(),
        tool: Some(before),
    };
    let row = record.sealed(&parts.pins, &tool, &bytes).await.unwrap();
    let event = Event::new(EventKind::ActionInstalled, Actor::of(&person()));
    let moves = vec![Move { row, event, enabled: None }];
    parts.journal.commit(&person(), moves).await.unwrap();
    assert_eq!(pinned(&world).await, Some(false));
    let shown = of_list(&world).await;
    assert_eq!(shown.state, DriftState::Reworded);
    world.handle().accept(&person(), accepting(&shown)).await.unwrap();
    assert_eq!(pinned(&world).await, Some(true));
}

#[tokio::test]
async fn a_text_that_was_not_kept_is_missed_and_one_that_was_changed_is_not_believed() {
    let world = installed().await;
    edit(&world, "read notes", "read more notes");
    let shown = of_list(&world).await;
    world.sql("UPDATE package_texts SET content = 'bGllcw==' WHERE part = 'file'").await;
    let forged = of_list(&world).await;
    assert!(forged.message.contains("was not kept"), "{}", forged.message);
    assert!(!forged.difference.contains("lies"), "{}", forged.difference);
    assert_eq!(forged.digest, shown.digest);
    world.sql("DELETE FROM package_texts").await;
    assert_eq!(of_list(&world).await, forged);
}

#[tokio::test]
async fn a_disabled_action_stays_so_when_its_file_is_accepted() {
    let world = installed().await;
    let catalog = world.service.catalog();
    catalog.set_enabled(&person(), &list(), false).await.unwrap();
    edit(&world, "read notes", "read more notes");
    world.handle().accept(&person(), accepting(&of_list(&world).await)).await.unwrap();
    let found = catalog.get(&list()).await.unwrap().unwrap();
    assert_eq!((found.pinned, found.enabled), (Some(true), false));
}

#[tokio::test]
async fn nothing_is_accepted_that_does_not_exist() {
    let world = World::trusting().await;
    world.connector("github://acme/notes@1.0.0", &manifest("1.0.0"));
    let request = connector_request("github://acme/notes@1.0.0");
    world.handle().install_connector(&person(), request).await.unwrap();
    let digest = Sha256Hash::new([0; 32]);
    for of in
        [DriftOf::Action(list()), DriftOf::Connector("github://acme/other@1.0.0".parse().unwrap())]
    {
        let acceptance = Acceptance { of, digest };
        let error = world.handle().accept(&person(), acceptance).await.unwrap_err();
        assert_eq!(error.reason(), Reason::NotFound);
    }
}

#[tokio::test]
async fn a_whole_file_that_is_not_offered_for_anothers_sake_has_not_drifted() {
    let world = World::trusting().await;
    let hash = world.notes();
    world.handle().install_action(&person(), action_request(LIST)).await.unwrap();
    let gate = "\n[approval]\nrequired = true\n[approval.preview]\nop = \"list\"\n\
                [approval.preview.render]\n\"Title\" = \"title\"\n";
    let source = "github://acme/notes/actions/send@1.0.0";
    let text = action("send", source, hash, gate).replacen("op = \"list\"", "op = \"send\"", 1);
    let text = text.replace("[\"list\"]", "[\"list\", \"send\"]");
    let safe = action("list", LIST, hash, "idempotent = true\n");
    fs::write(world.path("actions/list.md"), &safe).unwrap();
    world.handle().accept(&person(), accepting(&of_list(&world).await)).await.unwrap();
    world.action(source, &text);
    world.handle().install_action(&person(), action_request(source)).await.unwrap();
    assert_eq!((drift(&world).await, world.service.drift().await.unwrap()), (Vec::new(), 0));
    // Without the action that calls it harmless, the preview is refused, and its file is whole.
    fs::remove_file(world.path("actions/list.md")).unwrap();
    let all = drift(&world).await;
    let [gone] = &all[..] else { panic!("{all:?}") };
    assert_eq!((&gone.of, gone.state), (&DriftOf::Action(list()), DriftState::Missing));
    assert_eq!(world.service.drift().await.unwrap(), 1);
}

#[tokio::test]
async fn nothing_is_compared_once_too_much_was() {
    let world = World::trusting().await;
    let hash = world.notes();
    fs::create_dir(world.path("actions")).unwrap();
    let long = action("a", "github://acme/notes/actions/a@1.0.0", hash, "") + &"long\n".repeat(500);
    fs::write(world.path("actions/a.md"), &long).unwrap();
    let short = action("b", "github://acme/notes/actions/b@1.0.0", hash, "");
    fs::write(world.path("actions/b.md"), short).unwrap();
    let (parts, catalog) = (&world.service.parts, world.service.catalog());
    let shown = drift::actions(parts, &catalog, None, long.len() - 1).await.unwrap();
    assert_eq!(shown.len(), 2);
    for drift in shown {
        assert_eq!((drift.difference.as_str(), drift.cut, drift.digest), ("", true, None));
        assert!(drift.message.contains("ask for this one"));
    }
    let all = drift::actions(parts, &catalog, None, usize::MAX).await.unwrap();
    assert!(all.iter().all(|drift| !drift.cut && drift.digest.is_some()));
}
