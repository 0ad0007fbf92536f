//! Packages that must not be installed, through the daemon as it runs: each is refused for its own
//! reason, and the home is byte for byte what it was.

mod sources;

use std::{collections::BTreeMap, path::Path};

use aileron_api::{
    audit::AuditFilter,
    client::{Client, Error},
    packages::{InstallActionRequest, InstallConnectorRequest, ReadSuite, RevokeKeys},
};
use aileron_node::demo::Servers;
use tar::EntryType;

use crate::{
    house::House,
    household::Household,
    packs::{NOTHING, Publisher, bomb, tarball, with_link},
};

/// Every file and its bytes; not the logs and the database, which say what was tried.
pub(super) fn listing(home: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(root: &Path, folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().display().to_string();
            // Nor what is only kept of a listing of releases, which a source was asked for.
            let apart = ["audit", "state.db", "daemon.log", "cache/releases"];
            if apart.iter().any(|it| name.starts_with(it)) {
                continue;
            }
            if path.is_dir() {
                files.insert(format!("{name}/"), Vec::new());
                walk(root, &path, files);
            } else {
                // A file that is locked is empty.
                files.insert(name, std::fs::read(&path).unwrap_or_default());
            }
        }
    }
    let mut files = BTreeMap::new();
    walk(home, home, &mut files);
    files
}

/// A person, a publisher they trust, and a home that must not change.
pub(super) struct Scene {
    house: House,
    person: Client,
    program: Client,
    acme: Publisher,
    servers: Servers,
}

impl Scene {
    async fn start() -> Self {
        let servers = Servers::start().await.unwrap();
        let home = Household::bare(servers).await;
        let acme = Publisher::new("acme/notes", 1);
        acme.is_trusted_by(&home.person).await;
        let Household { house, servers, program, person } = home;
        Self { house, person, program, acme, servers }
    }

    /// The events that say that something was installed.
    async fn installed(&self) -> usize {
        let mut count = 0;
        for kind in ["connector.installed", "action.installed"] {
            let filter =
                AuditFilter { event_type: Some(kind.to_owned()), ..AuditFilter::default() };
            count += self.program.audit_events(&filter).await.unwrap().value.events.len();
        }
        count
    }

    /// Expects `request` to be refused with `code`, shown or installed, and nothing to change.
    async fn refuses_connector(&self, what: &str, request: &InstallConnectorRequest, code: &str) {
        let before = (listing(self.house.path()), self.installed().await);
        let shown = self.person.preview_connector(request).await;
        assert_eq!(refusal(what, shown), code, "{what}, shown");
        let installed = self.person.install_connector(request).await;
        assert_eq!(refusal(what, installed), code, "{what}");
        assert!((listing(self.house.path()), self.installed().await) == before, "{what}: a trace");
    }

    async fn refuses_action(&self, what: &str, request: &InstallActionRequest, code: &str) {
        let before = (listing(self.house.path()), self.installed().await);
        let installed = self.person.install_action(request).await;
        assert_eq!(refusal(what, installed), code, "{what}");
        assert!((listing(self.house.path()), self.installed().await) == before, "{what}: a trace");
    }

    /// Publishes bytes as version 1.0.0 of the connector, and expects them to be refused.
    async fn refuses_archive(&self, what: &str, archive: Vec<u8>, code: &str) {
        self.servers.publish(self.acme.release("v1.0.0"), archive);
        self.refuses_connector(what, &self.acme.connector_request("1.0.0"), code).await;
    }

    /// Publishes a text as the action `list`, and expects it to be refused.
    async fn refuses_text(&self, what: &str, text: &[u8], code: &str) {
        let archive = self.acme.action(text);
        self.servers.publish(self.acme.release("actions/list/v1.0.0"), archive);
        self.refuses_action(what, &self.acme.action_request("list", "1.0.0"), code).await;
    }
}

fn refusal<T: std::fmt::Debug>(what: &str, outcome: Result<T, Error>) -> String {
    let Err(error) = outcome else { panic!("{what} is not refused: {outcome:?}") };
    error.code().unwrap_or_else(|| panic!("{what}: {error}")).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_that_is_not_what_its_publisher_signed_is_refused() {
    let scene = Scene::start().await;
    let Scene { acme, servers, person, .. } = &scene;
    let manifest = acme.manifest("1.0.0", &["notes.example:443"]);
    let files = |manifest: &str, signature: &[u8]| {
        tarball(&[
            ("connector.wasm", NOTHING),
            ("manifest.toml", manifest.as_bytes()),
            ("signature.sig", signature),
        ])
    };
    scene
        .refuses_archive("a wrong signature", files(&manifest, &[1; 64]), "signature_failure")
        .await;
    let stranger = Publisher::new("acme/notes", 2);
    let archive = stranger.connector(&manifest);
    scene.refuses_archive("a key nobody trusts", archive, "signature_failure").await;
    let wider = manifest.replace("notes.example", "evil.example");
    let signature = {
        use ed25519_dalek::Signer as _;
        let message = [NOTHING, manifest.as_bytes()].concat();
        acme.signer.sign(&message).to_bytes()
    };
    let archive = files(&wider, &signature);
    scene.refuses_archive("a manifest that was changed", archive, "signature_failure").await;
    let archive = acme.connector(&manifest.replace("acme/notes", "acme/other"));
    scene.refuses_archive("another name", archive, "fqn_mismatch").await;
    let archive = acme.connector(&manifest.replace("1.0.0", "1.0.1"));
    scene.refuses_archive("another version", archive, "fqn_mismatch").await;
    let archive = acme.connector(&format!("{manifest}\nsurprise = 1\n"));
    scene.refuses_archive("a key nobody knows", archive, "parse_error").await;

    let nobody = Publisher::new("nobody/notes", 3);
    nobody.publish_connector(servers, "1.0.0", &["notes.example:443"]);
    let request = nobody.connector_request("1.0.0");
    scene.refuses_connector("an unknown publisher", &request, "signature_failure").await;
    let former = Publisher::new("former/notes", 4);
    former.is_trusted_by(person).await;
    let which = RevokeKeys { authority: Some(former.fqn()), fingerprint: None };
    assert_eq!(person.revoke_keys(&which).await.unwrap().value.removed.len(), 1);
    former.publish_connector(servers, "1.0.0", &["notes.example:443"]);
    let request = former.connector_request("1.0.0");
    scene.refuses_connector("a revoked key", &request, "signature_failure").await;

    acme.publish_connector(servers, "1.0.0", &["notes.example:443"]);
    let request = InstallConnectorRequest {
        expected_hash: Some(acme.hash("other")),
        ..acme.connector_request("1.0.0")
    };
    scene.refuses_connector("other bytes than were pinned", &request, "hash_mismatch").await;
    let request = InstallConnectorRequest {
        expected_hash: Some("sha256:../../x".to_owned()),
        ..acme.connector_request("1.0.0")
    };
    scene.refuses_connector("a hash that is a path", &request, "invalid_request").await;
    // And the sound one is installed.
    let done = person.install_connector(&acme.connector_request("1.0.0")).await.unwrap();
    assert_eq!(done.status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_that_is_more_than_three_files_is_refused() {
    let scene = Scene::start().await;
    let manifest = scene.acme.manifest("1.0.0", &["notes.example:443"]);
    let sound: [(&str, &[u8]); 3] = [
        ("connector.wasm", NOTHING),
        ("manifest.toml", manifest.as_bytes()),
        ("signature.sig", &[1; 64]),
    ];
    let with = |name: &'static str| {
        let mut files = sound.to_vec();
        files.push((name, b"x"));
        tarball(&files)
    };
    for (what, archive) in [
        ("a symbolic link", with_link(EntryType::Symlink, "manifest.toml", "/etc/passwd")),
        ("a hard link", with_link(EntryType::Link, "manifest.toml", "connector.wasm")),
        ("a way up", with("../manifest.toml")),
        ("an absolute path", with("/etc/cron.d/x")),
        ("a nested file", with("sub/manifest.toml")),
        ("a file twice", with("manifest.toml")),
        ("a second binary", with("connector.bin")),
        ("a file too many", with("README.md")),
        ("a bomb", bomb(160)),
        ("half an archive", {
            let whole = scene.acme.connector(&manifest);
            whole[..whole.len() / 2].to_vec()
        }),
        ("no archive", b"<html>".to_vec()),
        ("nothing", Vec::new()),
    ] {
        scene.refuses_archive(what, archive, "malformed_tarball").await;
    }
    let request = scene.acme.connector_request("7.7.7");
    scene.refuses_connector("a version that is not there", &request, "fetch_failed").await;
    let request = scene.acme.connector_request("0.0.0-dev");
    scene.refuses_connector("a placeholder", &request, "validation_error").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_that_is_not_what_was_asked_for_is_refused() {
    let scene = Scene::start().await;
    let Scene { acme, servers, person, .. } = &scene;
    let connector = acme.publish_connector(servers, "1.0.0", &["notes.example:443"]);
    let text = acme.action_text("list", "1.0.0", &connector);
    let pinned = |hash: &str| text.replace(&connector, hash).into_bytes();
    let long = text.replace("[match]", &format!("# {}\n[match]", "x".repeat(1 << 20)));
    let elsewhere = text.replace("/actions/list@", "/actions/other@");
    for (what, text, code) in [
        ("a hash that is a path", pinned("sha256:../../x"), "validation_error"),
        ("a hash in capitals", pinned(&connector.to_uppercase()), "validation_error"),
        ("another connector than is published", pinned(&acme.hash("other")), "hash_mismatch"),
        ("bytes that are no text", [text.as_bytes(), b"\xff\xfe"].concat(), "parse_error"),
        ("a line over a mebibyte", long.into_bytes(), "parse_error"),
        ("another source", elsewhere.into_bytes(), "fqn_mismatch"),
        (
            "a key nobody knows",
            text.replace("[match]", "surprise = 1\n[match]").into_bytes(),
            "parse_error",
        ),
        (
            "a name that is a path",
            text.replace("name = \"list\"", "name = \"../list\"").into_bytes(),
            "validation_error",
        ),
    ] {
        scene.refuses_text(what, &text, code).await;
    }
    let unsigned = tarball(&[("action.md", text.as_bytes())]);
    servers.publish(acme.release("actions/list/v1.0.0"), unsigned);
    let request = acme.action_request("list", "1.0.0");
    scene.refuses_action("an unsigned action", &request, "action_unsigned").await;
    let forged = tarball(&[("action.md", text.as_bytes()), ("signature.sig", &[1; 64])]);
    servers.publish(acme.release("actions/list/v1.0.0"), forged);
    let agreed = InstallActionRequest { accept_unsigned: true, ..request.clone() };
    scene.refuses_action("a wrong signature", &agreed, "signature_failure").await;

    // Somebody else's action of a name that is taken, whatever is said.
    acme.publish_action(servers, "list", "1.0.0", &text);
    person.install_action(&request).await.unwrap();
    let mallory = Publisher::new("mallory/notes", 5);
    mallory.is_trusted_by(person).await;
    let theirs = mallory.publish_connector(servers, "1.0.0", &["evil.example:443"]);
    let text = mallory.action_text("list", "1.0.0", &theirs);
    mallory.publish_action(servers, "list", "1.0.0", &text);
    let request = mallory.action_request("list", "1.0.0");
    let taking = InstallActionRequest { force: true, ..request };
    scene.refuses_action("a name that is taken", &taking, "action_exists").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suite_that_is_none_is_refused_and_one_that_names_itself_installs_nothing() {
    let scene = Scene::start().await;
    let Scene { acme, servers, .. } = &scene;
    let at = |name: &str| format!("/raw/acme/notes/v1.0.0/{name}");
    servers
        .publish(at("odd.toml"), "name = \"x\"\ndescription = \"x\"\nactions = [\"a\"]\nx = 1\n");
    servers.publish(at("bytes.toml"), b"name = \"\xff\"".to_vec());
    servers.publish(at("long.toml"), "#".repeat(70_000));
    let itself = "name = \"x\"\ndescription = \"x\"\nactions = [\"itself.toml\"]\n";
    servers.publish(at("itself.toml"), itself);
    let before = listing(scene.house.path());
    for (file, code) in [
        ("odd.toml", "parse_error"),
        ("bytes.toml", "parse_error"),
        ("long.toml", "fetch_failed"),
        ("none.toml", "fetch_failed"),
    ] {
        let source = Some(format!("{}/{file}@v1.0.0", acme.fqn()));
        let read = scene.person.read_suite(&ReadSuite { source, text: None }).await;
        assert_eq!(refusal(file, read), code, "{file}");
    }
    let source = format!("{}/itself.toml@v1.0.0", acme.fqn());
    let output = scene.house.run_as_person(&["action", "add-suite", &source, "--yes"]);
    let talk = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{talk}");
    assert!(talk.contains("0 of 1 actions are installed"), "{talk}");
    assert!(listing(scene.house.path()) == before, "a trace");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_keyring_put_back_is_believed_in_nothing() {
    let scene = Scene::start().await;
    let Scene { acme, servers, person, house, .. } = &scene;
    acme.publish_connector(servers, "1.0.0", &["notes.example:443"]);
    let keyring = house.path().join("keyring.json");
    let older = std::fs::read(&keyring).unwrap();
    let which = RevokeKeys { authority: Some(acme.fqn()), fingerprint: None };
    person.revoke_keys(&which).await.unwrap();
    std::fs::write(&keyring, older).unwrap();
    let request = acme.connector_request("1.0.0");
    scene.refuses_connector("a keyring put back", &request, "quarantined").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agents_token_consents_to_nothing_whatever_it_says() {
    let scene = Scene::start().await;
    let Scene { acme, servers, person, program, house } = &scene;
    let connector = acme.publish_connector(servers, "1.0.0", &["notes.example:443"]);
    acme.publish_connector(servers, "1.1.0", &["notes.example:443", "more.example:443"]);
    acme.publish_action(servers, "list", "1.0.0", &acme.action_text("list", "1.0.0", &connector));
    acme.publish_key(servers);
    Publisher::new("nobody/notes", 3).publish_key(servers);
    person.install_connector(&acme.connector_request("1.0.0")).await.unwrap();
    let before = (listing(house.path()), scene.installed().await);

    // It may look: what an update would make possible is no secret.
    let shown = program.preview_connector(&acme.connector_request("1.1.0")).await.unwrap().value;
    assert_eq!(shown.change.unwrap().gained[0].host, "more.example:443");
    let update = program.install_connector(&acme.connector_request("1.1.0")).await;
    assert_eq!(refusal("an update", update), "scope_missing");
    let action = program.install_action(&acme.action_request("list", "1.0.0")).await;
    assert_eq!(refusal("an action", action), "scope_missing");
    let token = house.discovery().unwrap().token.unwrap();
    for arguments in [
        vec!["connector", "install", "github://acme/notes@1.1.0", "--yes"],
        vec!["action", "add", "github://acme/notes/actions/list@1.0.0", "--yes"],
        vec!["keyring", "trust", "github://nobody/notes", "--yes"],
    ] {
        let output = house.command(&arguments).env("AILERON_TOKEN", &token).output().unwrap();
        assert!(!output.status.success(), "{arguments:?}");
    }
    // Nor does a program that has no token and says yes.
    let output = house.run(&["connector", "install", "github://acme/notes@1.1.0", "--yes"]);
    assert!(!output.status.success());
    assert!((listing(house.path()), scene.installed().await) == before, "a trace");
}
