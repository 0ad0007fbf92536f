use std::sync::atomic::Ordering;

use aileron_contract::{
    Reason,
    audit::EventKind,
    names::{ActionName, Sha256Hash},
    packages::{ActionRequest, SuiteSource},
};

use super::world::{
    OneAction as _, World, action, action_request, person, program, release, tarball,
};

const LIST: &str = "github://acme/notes/actions/list@1.0.0";

fn list() -> ActionName {
    "list".parse().unwrap()
}

#[tokio::test]
async fn an_action_brings_the_connectors_that_were_consented_to() {
    let world = World::trusting().await;
    let hash = world.notes();
    let without = ActionRequest { auto_install_connectors: false, ..action_request(LIST) };
    let before = world.files();
    let error = world.handle().install_action(&person(), without).await.unwrap_err();
    assert_eq!(error.reason(), Reason::ConnectorsMissing);
    assert_eq!(error.details().unwrap()[0]["hash"], hash.to_string());
    assert_eq!(world.files(), before);

    let done = world.handle().install_action(&person(), action_request(LIST)).await.unwrap();
    assert_eq!(done.installed_connectors[0].hash, hash);
    assert_eq!(done.unbound[0].scope.as_deref(), Some("your notes"));
    let installed = world.service.catalog().get(&list()).await.unwrap().unwrap();
    assert_eq!((installed.pinned, installed.enabled), (Some(true), true));
    assert!(installed.require_pinned().is_ok());
    let event = &world.audit.of(EventKind::ActionInstalled)[0];
    assert_eq!(event.payload["aileron.action.name"], "list");
    assert_eq!(event.payload["aileron.action.dependencies"][0], "github://acme/notes@1.0.0");

    let again = world.handle().install_action(&person(), action_request(LIST)).await.unwrap();
    assert!(again.already_installed);
    assert_eq!(world.audit.of(EventKind::ActionInstalled).len(), 1);
}

#[tokio::test]
async fn a_bad_signature_is_worse_than_none() {
    let world = World::trusting().await;
    let text = action("list", LIST, world.notes(), "");
    let archive = tarball(&[("action.md", text.as_bytes()), ("signature.sig", &[1; 64])]);
    world.web.put(&release(&LIST.parse().unwrap()), 200, archive);
    let before = world.files();
    let error = world.handle().install_action(&person(), action_request(LIST)).await.unwrap_err();
    assert_eq!(error.reason(), Reason::SignatureFailure);
    assert_eq!(world.files(), before);
}

#[tokio::test]
async fn an_action_that_says_it_is_another_is_refused() {
    let world = World::trusting().await;
    let hash = world.notes();
    world.action(LIST, &action("list", "github://acme/notes/actions/list@9.0.0", hash, ""));
    let error = world.handle().install_action(&person(), action_request(LIST)).await.unwrap_err();
    assert_eq!(error.reason(), Reason::FqnMismatch);
}

#[tokio::test]
async fn a_connector_that_fails_leaves_nothing_of_the_action() {
    let world = World::trusting().await;
    world.notes();
    world.web.put(&release(&"github://acme/notes@1.0.0".parse().unwrap()), 503, "");
    let before = world.files();
    let error = world.handle().install_action(&person(), action_request(LIST)).await.unwrap_err();
    assert_eq!(error.reason(), Reason::FetchFailed);
    assert_eq!(world.files(), before);
    assert!(world.service.catalog().list().await.unwrap().items.is_empty());
}

#[tokio::test]
async fn a_log_that_cannot_be_written_leaves_nothing_of_the_action() {
    let world = World::trusting().await;
    world.notes();
    let before = world.files();
    world.audit.full.store(true, Ordering::SeqCst);
    assert!(world.handle().install_action(&person(), action_request(LIST)).await.is_err());
    assert_eq!(world.files(), before);
}

#[tokio::test]
async fn a_file_that_cannot_be_written_leaves_nothing_recorded() {
    let world = World::trusting().await;
    let hash = world.notes();
    std::fs::create_dir_all(world.path("actions/list.md/occupied")).unwrap();
    let forced = ActionRequest { force: true, ..action_request(LIST) };
    let error = world.handle().install_action(&person(), forced).await.unwrap_err();
    assert_eq!(error.reason(), Reason::StoreUnwritable);
    let error = world.service.store().load(hash).await.unwrap_err();
    assert_eq!(error.reason(), Reason::ConnectorNotInstalled);
}

#[tokio::test]
async fn an_update_needs_force_and_a_name_is_never_taken_over() {
    let world = World::trusting().await;
    let hash = world.notes();
    world.handle().install_action(&person(), action_request(LIST)).await.unwrap();
    let newer = "github://acme/notes/actions/list@1.1.0";
    world.action(newer, &action("list", newer, hash, ""));
    let error = world.handle().install_action(&person(), action_request(newer)).await.unwrap_err();
    assert_eq!(error.reason(), Reason::ActionExists);
    let forced = ActionRequest { force: true, ..action_request(newer) };
    world.handle().install_action(&person(), forced).await.unwrap();

    world.trust("github://mallory", &world.publisher).await;
    let foreign = "github://mallory/notes/actions/list@2.0.0";
    world.action(foreign, &action("list", foreign, hash, ""));
    let forced = ActionRequest { force: true, ..action_request(foreign) };
    let error = world.handle().install_action(&person(), forced).await.unwrap_err();
    assert_eq!(error.reason(), Reason::ActionExists);
    assert!(error.public().contains("taken over"), "{error}");
    let installed = world.service.catalog().get(&list()).await.unwrap().unwrap();
    assert_eq!(installed.file.version.to_string(), "1.1.0");
}

#[tokio::test]
async fn an_edited_file_is_quarantined_until_a_person_accepts_it() {
    let world = World::trusting().await;
    world.notes();
    world.handle().install_action(&person(), action_request(LIST)).await.unwrap();
    let path = world.path("actions/list.md");
    let edited = std::fs::read_to_string(&path).unwrap().replace("read notes", "read all notes");
    std::fs::write(&path, edited).unwrap();
    let catalog = world.service.catalog();
    let installed = catalog.get(&list()).await.unwrap().unwrap();
    assert_eq!(installed.pinned, Some(false));
    assert_eq!(installed.require_pinned().unwrap_err().reason(), Reason::Quarantined);
    catalog.list().await.unwrap();
    assert_eq!(world.audit.of(EventKind::ActionQuarantined).len(), 1);

    let still = catalog.set_enabled(&program(), &list(), true).await.unwrap();
    assert_eq!(still.pinned, Some(false));
    let accepted = catalog.set_enabled(&person(), &list(), true).await.unwrap();
    assert_eq!(accepted.pinned, Some(true));
    let event = &world.audit.of(EventKind::ActionEnabled)[1];
    assert_eq!(event.payload["aileron.action.accepted"], true);
}

#[tokio::test]
async fn installing_again_restores_an_edited_file() {
    let world = World::trusting().await;
    world.notes();
    world.handle().install_action(&person(), action_request(LIST)).await.unwrap();
    let path = world.path("actions/list.md");
    let original = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, original.replace("read notes", "read all notes")).unwrap();
    let forced = ActionRequest { force: true, ..action_request(LIST) };
    world.handle().install_action(&person(), forced).await.unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), original);
    assert_eq!(world.service.catalog().get(&list()).await.unwrap().unwrap().pinned, Some(true));
}

#[tokio::test]
async fn a_file_put_there_by_hand_waits_for_a_person_and_its_connectors() {
    let world = World::trusting().await;
    std::fs::create_dir_all(world.path("actions")).unwrap();
    let text = action("list", LIST, Sha256Hash::new([1; 32]), "");
    std::fs::write(world.path("actions/mine.md"), text).unwrap();
    let catalog = world.service.catalog();
    assert_eq!(catalog.list().await.unwrap().items[0].pinned, Some(false));
    let error = catalog.set_enabled(&person(), &list(), true).await.unwrap_err();
    assert_eq!(error.reason(), Reason::ConnectorsMissing);
}

#[tokio::test]
async fn while_the_vault_is_locked_nobody_can_tell() {
    let world = World::trusting().await;
    world.notes();
    world.handle().install_action(&person(), action_request(LIST)).await.unwrap();
    let world = world.restarted().await;
    world.vault.locked.store(true, Ordering::SeqCst);
    let installed = world.service.catalog().get(&list()).await.unwrap().unwrap();
    assert_eq!(installed.pinned, None);
    assert_eq!(installed.require_pinned().unwrap_err().reason(), Reason::VaultLocked);
    world.vault.locked.store(false, Ordering::SeqCst);
    assert_eq!(world.service.catalog().get(&list()).await.unwrap().unwrap().pinned, Some(true));
}

#[tokio::test]
async fn switches_are_kept_and_an_unreadable_file_disables_all() {
    let world = World::trusting().await;
    world.notes();
    world.handle().install_action(&person(), action_request(LIST)).await.unwrap();
    std::fs::write(world.path("action-state.json"), "{\"other\":{\"enabled\":true,\"x\":1}}")
        .unwrap();
    let catalog = world.service.catalog();
    assert!(!catalog.set_enabled(&program(), &list(), false).await.unwrap().enabled);
    let text = std::fs::read_to_string(world.path("action-state.json")).unwrap();
    let state: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(state["other"]["x"], 1);
    assert_eq!(state["list"]["enabled"], false);

    std::fs::write(world.path("action-state.json"), "{\"list\":").unwrap();
    let listed = catalog.list().await.unwrap();
    assert!(!listed.items[0].enabled);
    assert_eq!(listed.load_errors.len(), 1);
    let error = catalog.set_enabled(&person(), &list(), true).await.unwrap_err();
    assert_eq!(error.reason(), Reason::ActionStateUnavailable);
}

#[tokio::test]
async fn files_that_cannot_be_offered_are_told_with_their_lines() {
    let world = World::trusting().await;
    let hash = world.notes();
    std::fs::create_dir_all(world.path("actions/folder.md")).unwrap();
    let put =
        |name: &str, text: &str| std::fs::write(world.path("actions").join(name), text).unwrap();
    put("a.md", &action("a", LIST, hash, ""));
    put("b.md", &action("a", LIST, hash, ""));
    put("c.md", "+++\nname = \"c\"\nsurprise = 1\n[match]\nodd = 2\n+++\n");
    let gate = "\n[approval]\nrequired = true\n[approval.preview]\nop = \"list\"\n\
                [approval.preview.render]\n\"Title\" = \"title\"\n";
    put("d.md", &action("d", LIST, hash, gate));
    let listed = world.service.catalog().list().await.unwrap();
    assert_eq!(listed.items.len(), 1);
    let told: Vec<_> = listed.load_errors.iter().map(|e| (e.line, e.message.as_str())).collect();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told.iter().any(|(_, text)| text.starts_with("duplicate action name \"a\"")));
    assert!(told.contains(&(3, "unknown frontmatter key(s): surprise, match.odd")), "{told:?}");
    assert!(told.iter().any(|(_, text)| text.starts_with("approval.preview.op")));
}

#[tokio::test]
async fn a_suites_members_by_path_take_its_tag() {
    let world = World::trusting().await;
    let text = "name = \"notes\"\ndescription = \"all\"\nactions = [\"/actions/list\", \
                \"github://acme/more/actions/x@2.0.0\"]\n";
    let raw = "https://raw.githubusercontent.com/acme/notes";
    world.web.put(&format!("{raw}/v1.4.0/suite.toml"), 200, text);
    let api = "https://api.github.com/repos/acme/notes/releases/latest";
    world.web.put(api, 200, "{\"tag_name\":\"v1.4.0\",\"draft\":false}");
    for reference in ["v1.4.0", "latest"] {
        let source = SuiteSource::Remote(format!("github://acme/notes/suite.toml@{reference}"));
        let suite = world.handle().suite(&program(), source).await.unwrap();
        let actions: Vec<_> = suite.actions.iter().map(ToString::to_string).collect();
        assert_eq!(
            actions,
            ["github://acme/notes/actions/list@1.4.0", "github://acme/more/actions/x@2.0.0"]
        );
    }
    let local = SuiteSource::Text(text.to_owned());
    let error = world.handle().suite(&program(), local).await.unwrap_err();
    assert_eq!(error.reason(), Reason::ValidationError);
}

#[tokio::test]
async fn a_suite_of_the_newest_release_is_read_however_long_its_notes_are() {
    let world = World::trusting().await;
    let text = "name = \"notes\"\ndescription = \"all\"\nactions = [\"/actions/list\"]\n";
    let raw = "https://raw.githubusercontent.com/acme/notes";
    world.web.put(&format!("{raw}/v1.4.0/suite.toml"), 200, text);
    let notes = "x".repeat(100 * 1024);
    let api = "https://api.github.com/repos/acme/notes/releases/latest";
    world.web.put(api, 200, format!("{{\"tag_name\":\"v1.4.0\",\"body\":\"{notes}\"}}"));
    let source = SuiteSource::Remote("github://acme/notes/suite.toml@latest".to_owned());
    let suite = world.handle().suite(&program(), source).await.unwrap();
    assert_eq!(suite.actions[0].to_string(), "github://acme/notes/actions/list@1.4.0");
}

#[tokio::test]
async fn a_pin_cannot_be_moved_to_another_action() {
    let world = World::trusting().await;
    world.notes();
    world.handle().install_action(&person(), action_request(LIST)).await.unwrap();
    let path = world.path("actions/list.md");
    let text =
        std::fs::read_to_string(&path).unwrap().replace("\"list\"\nversion", "\"other\"\nversion");
    std::fs::write(world.path("actions/other.md"), text).unwrap();
    let database = format!("sqlite://{}", world.path("state.db").display());
    let pool = sqlx::AnyPool::connect(&database).await.unwrap();
    let moved = "INSERT INTO package_pins (kind, name, record, pin) \
                 SELECT kind, 'other', record, pin FROM package_pins WHERE name = 'list'";
    sqlx::query(moved).execute(&pool).await.unwrap();
    let other = world.service.catalog().get(&"other".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(other.pinned, Some(false));
}
