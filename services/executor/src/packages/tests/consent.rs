//! What is shown before an installation, and what needs a word of its own.

use aileron_contract::{
    Reason, Scope, Timestamp,
    audit::EventKind,
    bindings::{Binding, BindingStatus},
    credential::CredentialKind,
    packages::{Acceptance, ActionRequest, ConnectorRequest, SignatureStatus},
};
use ed25519_dalek::SigningKey;

use super::world::{
    OneAction as _, World, action, action_request, connector_request, manifest, person, program,
    release, tarball,
};
use crate::packages::keys;

const NEWER: &str = "github://acme/notes@1.1.0";
const LIST: &str = "github://acme/notes/actions/list@1.0.0";

/// Publishes the action without a signature.
fn unsigned(world: &World, package: &str, text: &str) {
    let archive = tarball(&[("action.md", text.as_bytes())]);
    world.web.put(&release(&package.parse().unwrap()), 200, archive);
}

fn accepting(package: &str) -> ActionRequest {
    ActionRequest { accept_unsigned: true, ..action_request(package) }
}

#[tokio::test]
async fn an_unsigned_action_needs_a_consent_of_its_own() {
    let world = World::trusting().await;
    unsigned(&world, LIST, &action("list", LIST, world.notes(), ""));
    let shown = world.handle().preview_action(&program(), action_request(LIST)).await.unwrap();
    assert_eq!(shown.signature, SignatureStatus::Unsigned);
    let before = world.files();
    for forced in [false, true] {
        let request = ActionRequest { force: forced, ..action_request(LIST) };
        let error = world.handle().install_action(&person(), request).await.unwrap_err();
        assert_eq!(error.reason(), Reason::ActionUnsigned);
        assert!(error.public().contains("--accept-unsigned"), "{error}");
    }
    assert_eq!(world.files(), before);
    assert!(world.audit.of(EventKind::ActionInstalled).is_empty());

    world.handle().install_action(&person(), accepting(LIST)).await.unwrap();
    let event = &world.audit.of(EventKind::ActionInstalled)[0];
    assert_eq!(event.payload["aileron.signature.status"], "unsigned");
    // What is installed has been agreed to.
    let again = world.handle().install_action(&person(), action_request(LIST)).await.unwrap();
    assert!(again.already_installed);
}

#[tokio::test]
async fn a_signed_action_is_not_quietly_replaced_by_an_unsigned_one() {
    let world = World::trusting().await;
    let hash = world.notes();
    world.handle().install_action(&person(), action_request(LIST)).await.unwrap();
    let newer = "github://acme/notes/actions/list@1.1.0";
    unsigned(&world, newer, &action("list", newer, hash, ""));
    let shown = world.handle().preview_action(&program(), action_request(newer)).await.unwrap();
    let signer = keys::fingerprint(&world.publisher.verifying_key().to_bytes());
    assert_eq!(shown.existing.unwrap().signer, Some(signer));
    let forced = ActionRequest { force: true, ..action_request(newer) };
    let error = world.handle().install_action(&person(), forced).await.unwrap_err();
    assert_eq!(error.reason(), Reason::ActionUnsigned);
}

#[tokio::test]
async fn consenting_to_the_unsigned_is_no_consent_to_a_wrong_signature() {
    let world = World::trusting().await;
    let text = action("list", LIST, world.notes(), "");
    let archive = tarball(&[("action.md", text.as_bytes()), ("signature.sig", &[1; 64])]);
    world.web.put(&release(&LIST.parse().unwrap()), 200, archive);
    let error = world.handle().install_action(&person(), accepting(LIST)).await.unwrap_err();
    assert_eq!(error.reason(), Reason::SignatureFailure);
}

#[tokio::test]
async fn a_name_is_not_taken_over_by_another_action_of_the_same_publisher_either() {
    let world = World::trusting().await;
    let hash = world.notes();
    world.handle().install_action(&person(), action_request(LIST)).await.unwrap();
    let other = "github://acme/mails/actions/list@1.0.0";
    world.action(other, &action("list", other, hash, ""));
    let forced = ActionRequest { force: true, ..action_request(other) };
    let error = world.handle().install_action(&person(), forced.clone()).await.unwrap_err();
    assert_eq!(error.reason(), Reason::ActionExists);
    let path = world.path("actions/list.md");
    assert!(error.public().contains(&format!("move {} away", path.display())), "{error}");
    // Whoever can delete a file has not freed its name: a person lets it go.
    std::fs::rename(&path, world.path("list.md.old")).unwrap();
    let error = world.handle().install_action(&person(), forced.clone()).await.unwrap_err();
    assert_eq!(error.reason(), Reason::ActionExists);
    let gone = world.handle().drift(&person(), None).await.unwrap().remove(0);
    let acceptance = Acceptance { of: gone.of, digest: gone.digest.unwrap() };
    world.handle().accept(&person(), acceptance).await.unwrap();
    world.handle().install_action(&person(), forced).await.unwrap();
}

#[tokio::test]
async fn other_bytes_than_those_that_were_agreed_to_are_not_installed() {
    let world = World::trusting().await;
    let shown = action("list", LIST, world.notes(), "");
    world.action(LIST, &shown);
    let preview = world.handle().preview_action(&program(), action_request(LIST)).await.unwrap();
    let agreed = ActionRequest { expected_hash: Some(preview.hash), ..action_request(LIST) };
    // Somebody has it previewed again, when the source has something else.
    world.action(LIST, &format!("{shown}and more"));
    world.handle().preview_action(&program(), action_request(LIST)).await.unwrap();
    let both = vec![agreed.clone()];
    let batch = world.handle().install_actions(&person(), both).await.unwrap().remove(0);
    assert_eq!(batch.unwrap_err().reason(), Reason::HashMismatch);
    let error = world.handle().install_action(&person(), agreed.clone()).await.unwrap_err();
    assert_eq!(error.reason(), Reason::HashMismatch);
    assert!(world.service.catalog().list().await.unwrap().items.is_empty());
    world.action(LIST, &shown);
    world.handle().install_action(&person(), agreed).await.unwrap();
}

#[tokio::test]
async fn a_file_nobody_accepted_decides_nothing_about_the_previews_of_others() {
    let world = World::trusting().await;
    let hash = world.notes();
    let preview = "\n[approval]\nrequired = true\n[approval.preview]\nop = \"peek\"\n\
                   [approval.preview.render]\nTitle = \"title\"\n";
    let send = "github://acme/notes/actions/send@1.0.0";
    world.action(send, &action("send", send, hash, preview));
    world.handle().install_action(&person(), action_request(send)).await.unwrap();
    let listed = async || world.service.catalog().list().await.unwrap();
    assert!(listed().await.items.is_empty(), "nobody declares peek idempotent");
    let planted = action("zz", "github://acme/notes/actions/zz@1.0.0", hash, "");
    let planted = planted.replace("op = \"list\"", "op = \"peek\"\nidempotent = true");
    assert!(planted.contains("peek"), "{planted}");
    std::fs::write(world.path("actions/zz.md"), planted).unwrap();
    assert!(listed().await.items.iter().all(|it| it.name.as_str() != "send"));
    assert!(world.service.catalog().get(&"send".parse().unwrap()).await.unwrap().is_none());
}

#[tokio::test]
async fn an_edited_file_cannot_give_the_name_away() {
    let world = World::trusting().await;
    let hash = world.notes();
    world.handle().install_action(&person(), action_request(LIST)).await.unwrap();
    let path = world.path("actions/list.md");
    let foreign = "github://mallory/notes/actions/list@1.0.0";
    world.trust("github://mallory", &world.publisher).await;
    world.action(foreign, &action("list", foreign, hash, "\n"));
    let forced = ActionRequest { force: true, ..action_request(foreign) };
    for edited in [action("list", foreign, hash, ""), "+++\nbroken".to_owned()] {
        std::fs::write(&path, edited).unwrap();
        let refused = world.handle().install_action(&person(), forced.clone()).await;
        assert_eq!(refused.unwrap_err().reason(), Reason::ActionExists);
    }
    // Its own source may repair it.
    let repair = ActionRequest { force: true, ..action_request(LIST) };
    world.handle().install_action(&person(), repair).await.unwrap();
}

/// Installs version 1.0.0 of the connector and publishes another one with these hosts.
async fn updated(hosts: &str) -> World {
    let world = World::trusting().await;
    world.notes();
    let first = connector_request("github://acme/notes@1.0.0");
    world.handle().install_connector(&person(), first).await.unwrap();
    let text = manifest("1.1.0").replace("[\"notes.example:443\"]", hosts);
    world.connector(NEWER, &text);
    *world.vault.bindings.listed.lock().unwrap() = vec![
        binding("api_key/notes/me", BindingStatus::Stale),
        binding("api_key/notes/old", BindingStatus::Revoked),
    ];
    world
}

fn binding(name: &str, status: BindingStatus) -> Binding {
    Binding {
        name: name.parse().unwrap(),
        connector: "github://acme/notes".parse().unwrap(),
        kind: CredentialKind::ApiKey,
        service: "notes".to_owned(),
        identity: "me".parse().unwrap(),
        default: false,
        scope: None,
        account: None,
        status,
        stale_reason: None,
        hosts: None,
        access_key_id: None,
        region: None,
        granted_scopes: Vec::new(),
        verified: true,
        missing_scopes: Vec::new(),
        refresh_token_present: false,
        refreshing_since: None,
        created_at: Timestamp::UNIX_EPOCH,
        agreed_at: Timestamp::UNIX_EPOCH,
        last_used_at: None,
        last_refreshed_at: None,
    }
}

#[tokio::test]
async fn an_update_shows_the_requests_that_become_possible() {
    let world = updated("[\"api.example:443\"]").await;
    let shown = world.handle().preview_connector(&program(), connector_request(NEWER)).await;
    let change = shown.unwrap().change.unwrap();
    assert_eq!(change.from.to_string(), "1.0.0");
    assert_eq!(change.signer, keys::fingerprint(&world.publisher.verifying_key().to_bytes()));
    let [gained] = &change.gained[..] else { panic!("{change:?}") };
    assert_eq!(gained.host.to_string(), "api.example:443");
    assert_eq!(gained.credential, Some(CredentialKind::ApiKey));
    let names: Vec<_> = gained.bindings.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["api_key/notes/me"]);
    assert_eq!(change.lost[0].host.to_string(), "notes.example:443");
}

#[tokio::test]
async fn who_may_not_list_bindings_is_not_told_them_by_a_preview() {
    let world = updated("[\"api.example:443\"]").await;
    let mut guest = program();
    guest.scopes = [Scope::PackagesPreview].into_iter().collect();
    let shown = world.handle().preview_connector(&guest, connector_request(NEWER)).await.unwrap();
    assert!(shown.change.unwrap().gained[0].bindings.is_empty());
}

#[tokio::test]
async fn a_first_version_changes_nothing_and_the_installed_one_neither() {
    let world = World::trusting().await;
    let hash = world.notes();
    let request = connector_request("github://acme/notes@1.0.0");
    let shown = world.handle().preview_connector(&program(), request.clone()).await.unwrap();
    assert_eq!(shown.change, None);
    world.handle().install_connector(&person(), request).await.unwrap();
    let request = ConnectorRequest {
        expected_hash: Some(hash),
        ..connector_request("github://acme/notes@1.0.0")
    };
    let shown = world.handle().preview_connector(&program(), request).await.unwrap();
    assert_eq!((shown.already_installed, shown.change), (true, None));
}

#[tokio::test]
async fn a_version_by_another_trusted_key_is_shown_as_such() {
    let mut world = updated("[\"notes.example:443\"]").await;
    let second = SigningKey::from_bytes(&[8; 32]);
    world.trust("github://acme", &second).await;
    let first = std::mem::replace(&mut world.publisher, second);
    world.connector(NEWER, &manifest("1.1.0"));
    let shown = world.handle().preview_connector(&program(), connector_request(NEWER)).await;
    let shown = shown.unwrap();
    let change = shown.change.unwrap();
    assert_eq!(change.signer, keys::fingerprint(&first.verifying_key().to_bytes()));
    assert_ne!(change.signer, shown.fingerprint);
    assert!(change.gained.is_empty() && change.lost.is_empty());
}

#[tokio::test]
async fn a_preview_says_when_calls_would_no_longer_wait_for_a_person() {
    let world = World::trusting().await;
    let hash = world.connector("github://acme/notes@1.0.0", &manifest("1.0.0"));
    let (list, newer) =
        ("github://acme/notes/actions/list@1.0.0", "github://acme/notes/actions/list@1.1.0");
    let gate = "\n[approval]\nrequired = true\n";
    world.action(list, &action("list", list, hash, gate));
    world.action(newer, &action("list", newer, hash, ""));
    let loses = async |package: &str| {
        let shown = world.handle().preview_action(&person(), action_request(package)).await;
        shown.unwrap().loses_approval
    };
    assert!(!loses(newer).await, "there is nothing that it replaces");
    world.handle().install_action(&person(), action_request(list)).await.unwrap();
    assert!(!loses(list).await);
    assert!(loses(newer).await);
    // What stands there now is nobody's word.
    let path = world.path("actions/list.md");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace(gate, "")).unwrap();
    assert!(loses(newer).await, "the gate was edited away before");
    std::fs::write(&path, action("list", newer, hash, "")).unwrap();
    assert!(loses(newer).await, "the new file was put there before");
    std::fs::write(&path, "no action").unwrap();
    assert!(loses(newer).await, "what was there is no action any more");
    std::fs::remove_file(&path).unwrap();
    assert!(loses(newer).await, "the file is gone");
    world.action(newer, &action("list", newer, hash, gate));
    assert!(!loses(newer).await);
}
