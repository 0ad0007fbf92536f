//! Versions that nobody named, versions that came out since, sources that fall silent, and
//! packages from one's own disk: from the command line to the source.

use std::path::Path;

use aileron_api::releases::NewestFilter;
use aileron_node::demo::Servers;
use serde_json::{Value, json};

use crate::{
    house::{House, create_vault, person},
    moody::{Mood, Moody},
    packs::{NOTHING, Publisher},
};

/// What a command ends with, and everything it says.
fn says(house: &House, arguments: &[&str]) -> (i32, String) {
    let output = house.run_as_person(arguments);
    let text = [output.stderr, output.stdout].concat();
    (output.status.code().unwrap(), String::from_utf8(text).unwrap())
}

fn does(house: &House, arguments: &[&str]) -> String {
    let (code, text) = says(house, arguments);
    assert_eq!(code, 0, "{arguments:?}: {text}");
    text
}

/// A publisher whose connector's release lies behind those of more than a hundred actions.
fn publishes(servers: &Servers, acme: &Publisher, version: &str) {
    let hash = acme.publish_connector(servers, version, &["notes.example:443"]);
    let text = acme.action_text("notes-list", version, &hash);
    acme.publish_action(servers, "notes-list", version, &text);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_release_is_installed_and_a_later_one_is_reported() {
    let servers = Servers::start().await.unwrap();
    let house = House::new(&servers);
    let acme = Publisher::new("acme/notes", 1);
    acme.publish_key(&servers);
    for filler in 0..130 {
        let tag = format!("actions/filler-{filler}/v1.0.0");
        servers.publish(acme.release(&tag), "nothing anybody asks for");
    }
    for version in ["1.9.0", "1.10.0", "2.0.0-rc.1"] {
        publishes(&servers, &acme, version);
    }
    does(&house, &["vault", "init"]);
    let absent = ["connector", "install", "github://acme/notes@9.9.9", "--yes"];
    let (code, said) = says(&house, &absent);
    assert_eq!(code, 1);
    assert!(said.contains("published versions: 2.0.0-rc.1, 1.10.0, 1.9.0"), "{said}");

    let said = does(&house, &["connector", "install", "github://acme/notes", "--yes"]);
    assert!(said.contains("The newest version of github://acme/notes is 1.10.0"), "{said}");
    let add = ["action", "add", "github://acme/notes/actions/notes-list", "--yes", "--no-bind"];
    let said = does(&house, &add);
    assert!(said.contains("Installed notes-list 1.10.0"), "{said}");

    assert!(does(&house, &["connector", "check"]).contains("up to date"));
    publishes(&servers, &acme, "1.11.0");
    let said = does(&house, &["connector", "check"]);
    assert!(said.contains("1.11.0") && said.contains("update available"), "{said}");
    let json = ["connector", "check", "--include-prerelease", "--json"];
    let found: Value = serde_json::from_slice(&house.run(&json).stdout).unwrap();
    assert_eq!(
        found["results"],
        json!([{
            "fqn": "github://acme/notes",
            "current_version": "1.10.0",
            "update_available": true,
            "latest_version": "2.0.0-rc.1",
            "available_versions": ["2.0.0-rc.1", "1.11.0"],
        }])
    );

    // The source falls silent: what was installed once is installed again.
    servers.stop().await;
    let (code, said) = says(&house, &["connector", "check"]);
    assert_eq!(code, 1);
    assert!(said.contains("unknown") && said.contains("could not be fetched"), "{said}");
    std::fs::remove_file(house.path().join("actions/notes-list.md")).unwrap();
    let named = "github://acme/notes/actions/notes-list@1.10.0";
    let said = does(&house, &["action", "add", named, "--yes", "--no-bind"]);
    assert!(said.contains("Installed notes-list 1.10.0"), "{said}");
    let said = does(&house, &["connector", "install", "github://acme/notes@1.10.0", "--yes"]);
    assert!(said.contains("Already installed"), "{said}");
}

fn mood(path: &str) -> Mood {
    let answers = |status, headers: &str| Mood::Answers(status, headers.to_owned(), Vec::new());
    let Some((repository, _)) = path.split_once("/releases") else {
        return answers("404 Not Found", "");
    };
    match repository.rsplit('/').next().unwrap_or_default() {
        "limited" => answers("403 Forbidden", "x-ratelimit-remaining: 0\r\nretry-after: 60\r\n"),
        "refused" => answers("401 Unauthorized", ""),
        "moved" => answers("302 Found", "location: https://elsewhere.example/releases\r\n"),
        "unread" => Mood::Answers("200 OK", String::new(), b"<html>".to_vec()),
        "slow" => Mood::Dawdles,
        "endless" => Mood::Pours,
        "cut" => Mood::HangsUp(b"[{\"tag_name\": \"v1.0.0\"}]".to_vec()),
        _ => answers("404 Not Found", ""),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_that_does_not_come_is_told_by_its_failure_and_within_bounds() {
    let source = Moody::start(mood);
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("authority.pem");
    std::fs::write(&authority, &source.authority_pem).unwrap();
    let mut house = House::bare(&json!({
        "sources": { "github": { "base_url": format!("https://{}", source.host) } },
        "egress": { "roots": [authority], "private_hosts": [source.host] },
    }));
    let program = house.start().await;
    let told = async |repository: &str| {
        let fqn = format!("github://acme/{repository}");
        let filter = NewestFilter { fqn, include_prerelease: false };
        let error = program.newest(&filter).await.expect_err(repository);
        assert_eq!(error.code(), Some("fetch_failed"), "{repository}: {error}");
        error.to_string()
    };
    let quick = async {
        for (repository, text) in [
            ("limited", "too many requests: try again after "),
            ("refused", "refuses the token"),
            ("moved", "elsewhere.example"),
            ("unread", "page 1 of them cannot be read"),
            ("endless", "longer"),
            ("cut", "could not be fetched"),
            ("absent", "it is private"),
        ] {
            let said = told(repository).await;
            assert!(said.contains(text) || repository == "endless", "{repository}: {said}");
        }
    };
    // The slow one ends at the wall, not at the server's pleasure.
    tokio::join!(quick, told("slow"));
    assert!(!house.path().join("cache/releases").exists());
}

/// A connector and an action of one's own, as they lie in a folder.
fn own_files(folder: &Path, mine: &Publisher) {
    let manifest = mine
        .manifest("0.1.0", &["notes.example:443"])
        .replace("github://user/notes", "local://user/notes");
    let message = [NOTHING, manifest.as_bytes()].concat();
    let signature = ed25519_dalek::Signer::sign(&mine.signer, &message).to_bytes();
    let dist = folder.join("dist");
    std::fs::create_dir(&dist).unwrap();
    std::fs::write(dist.join("connector.wasm"), NOTHING).unwrap();
    std::fs::write(dist.join("manifest.toml"), &manifest).unwrap();
    std::fs::write(dist.join("signature.sig"), signature).unwrap();
    let action = folder.join("mine");
    std::fs::create_dir(&action).unwrap();
    let text = mine
        .action_text("mine", "0.1.0", &mine.hash(&manifest))
        .replace("github://user/notes", "local://user/notes");
    std::fs::write(action.join("action.md"), text).unwrap();
    std::fs::write(folder.join("publisher.pub"), mine.key()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn ones_own_folder_is_installed_with_ones_own_key_and_no_source() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    own_files(folder.path(), &Publisher::new("user/notes", 7));
    let mut house = House::bare(&json!({}));
    let program = house.start().await;
    create_vault(&program).await;
    let install = ["connector", "install", &at("dist"), "--yes"];
    // A program has no business with a person's disk.
    assert!(!house.run(&install).status.success());
    let (code, said) = says(&house, &install);
    assert_eq!(code, 1);
    let how = "aileron keyring trust local://user/notes --key-file";
    assert!(said.contains(how), "{said}");
    let key = at("publisher.pub");
    does(&house, &["keyring", "trust", "local://user/notes", "--key-file", &key, "--yes"]);
    let said = does(&house, &install);
    assert!(said.contains("Installed local://user/notes@0.1.0"), "{said}");

    let add = ["action", "add", &at("mine"), "--yes", "--no-bind"];
    let (code, said) = says(&house, &add);
    assert_eq!(code, 1);
    assert!(said.contains("--accept-unsigned"), "{said}");
    let said = does(&house, &[&add[..], &["--accept-unsigned"]].concat());
    assert!(said.contains("Installed mine 0.1.0"), "{said}");
    let (code, said) = says(&house, &["connector", "install", &at("mine"), "--yes"]);
    assert_eq!(code, 1);
    assert!(said.contains("aileron action add"), "{said}");
    let person = person(&program).await;
    assert_eq!(person.actions().await.unwrap().value.items.len(), 1);
    // Nothing is published of what is one's own, and that is no failure.
    assert!(does(&house, &["connector", "check"]).contains("nothing published"));
}
