//! Whom a person trusts: by a key from a file, and never on top of what somebody else wrote.

use std::fs;

use aileron_node::demo::Servers;
use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{
    bad_packages::listing,
    house::{House, PASSPHRASE},
    packs::Publisher,
    terminal::Session,
};

fn said(house: &House, arguments: &[&str]) -> (i32, String) {
    let output = house.run_as_person(arguments);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap(), format!("{}{}", text(&output.stdout), text(&output.stderr)))
}

async fn scene() -> (Servers, House, Publisher) {
    let servers = Servers::start().await.unwrap();
    let acme = Publisher::new("acme/notes", 1);
    acme.publish_key(&servers);
    acme.publish_connector(&servers, "1.0.0", &["notes.example:443"]);
    let house = House::new(&servers);
    assert_eq!(said(&house, &["vault", "init"]).0, 0);
    (servers, house, acme)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_from_a_file_is_shown_by_its_fingerprint_before_it_is_trusted() {
    let (_servers, house, acme) = scene().await;
    let file = house.path().join("their.pub");
    fs::write(&file, acme.key()).unwrap();
    let file = file.to_str().unwrap();
    let trust = ["keyring", "trust", "github://acme/notes", "--key-file", file];
    for (answer, code) in [("n", 1), ("y", 0)] {
        let mut session = Session::start(&house, &trust);
        session.sees("Vault passphrase: ").types(PASSPHRASE).sees("  Fingerprint: sha256:");
        session.sees("Covers: packages of github://acme/notes");
        session.sees("Trust publisher github://acme/notes? [y/N]: ").types(answer);
        let (ended, shown) = session.ends();
        assert_eq!(ended, code, "{shown}");
        assert_eq!(house.path().join("keyring.json").exists(), code == 0);
        let line = shown.lines().find(|line| line.contains("Fingerprint: ")).unwrap();
        let short = line.split("Fingerprint: ").nth(1).unwrap().trim().to_owned();
        let listed = said(&house, &["keyring", "list"]).1;
        assert_eq!(listed.contains(&short), code == 0, "{listed}");
    }
    for nonsense in ["", "no key", &STANDARD.encode([7; 31])] {
        fs::write(file, nonsense).unwrap();
        assert_eq!(said(&house, &[&trust[..], &["--yes"]].concat()).0, 1, "{nonsense:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keyring_that_somebody_changed_installs_nothing_and_is_added_to_by_nobody() {
    let (_servers, house, _) = scene().await;
    assert_eq!(said(&house, &["keyring", "trust", "github://acme/notes", "--yes"]).0, 0);
    let path = house.path().join("keyring.json");
    let text = fs::read_to_string(&path).unwrap();
    let evil = Publisher::new("mallory/notes", 9);
    let key = text.split('"').find(|part| part.len() > 40).unwrap();
    fs::write(&path, text.replace(key, evil.key().trim())).unwrap();
    let before = listing(house.path());
    let install = ["connector", "install", "github://acme/notes@1.0.0", "--yes"];
    let (code, talk) = said(&house, &install);
    assert!(code == 1 && talk.contains("is not as you left it"), "{talk}");
    assert!(talk.contains("aileron keyring list"), "{talk}");
    assert_eq!(listing(house.path()), before, "nothing is written");
    assert!(said(&house, &["keyring", "list"]).1.contains("none of its keys is used"));
    fs::write(&path, text).unwrap();
    assert_eq!(said(&house, &install).0, 0);
}
