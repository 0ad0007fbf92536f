//! What the Hub says about a connector is the first question, and who says yes to the key it names
//! is not asked about it again.

use aileron_node::demo::Servers;

use super::Session;
use crate::{
    bad_packages::listing,
    house::{House, PASSPHRASE},
    hub::publish,
    packs::Publisher,
};

async fn scene() -> (Servers, House, Publisher) {
    let servers = Servers::start().await.unwrap();
    let acme = Publisher::new("acme/notes", 1);
    acme.publish_key(&servers);
    acme.publish_connector(&servers, "1.0.0", &["notes.example:443"]);
    publish(&servers, &acme);
    let house = House::new(&servers);
    assert!(house.run_as_person(&["vault", "init"]).status.success());
    // The copy of the Hub is no trace of an installation.
    assert!(house.run(&["hub", "list"]).status.success());
    (servers, house, acme)
}

const INSTALL: [&str; 3] = ["connector", "install", "github://acme/notes@1.0.0"];

fn begins(house: &House) -> Session {
    let mut session = Session::start(house, &INSTALL);
    session.sees("Vault passphrase: ").types(PASSPHRASE);
    session.sees("The Hub lists github://acme/notes: Notes of acme");
    session.sees("Publisher: acme").sees("Key:       sha256:");
    session
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listed_connector_is_decided_about_first_and_its_publisher_only_once() {
    let (_servers, house, _) = scene().await;
    let before = listing(house.path());
    for no in ["n", "", "nonsense"] {
        let mut session = begins(&house);
        session.sees("Install it? [y/N/d]: ").types(no);
        let (code, shown) = session.ends();
        assert!(code == 1 && !shown.contains("Trust publisher"), "{shown}");
        assert_eq!(listing(house.path()), before, "{no:?} leaves no trace");
    }
    let mut session = begins(&house);
    session.sees("not trusted yet").sees("Install it? [y/N/d]: ").types("d");
    session.sees("github://acme/notes").sees("the publisher lists nothing else");
    session.sees("Install it? [y/N/d]: ").types("y");
    session.sees("Trusted publisher github://acme").sees("Install? [y/N]: ").types("n");
    let (code, shown) = session.ends();
    assert_eq!(code, 1, "{shown}");
    // Trust outlasts what was declined after it, and that is said.
    assert!(shown.contains("You trust github://acme from now on"), "{shown}");
    assert!(!shown.contains("Trust publisher"), "asked once: {shown}");

    let mut session = begins(&house);
    session.sees("you trust this key").sees("Install it? [y/N/d]: ").types("yes");
    session.sees("Install? [y/N]: ").types("y").sees("Installed github://acme/notes@1.0.0");
    assert_eq!(session.ends().0, 0);
    // What is installed needs no decision any more.
    let again = house.run_as_person(&INSTALL);
    let talk = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(again.status.success() && talk.contains("Already installed"), "{talk}");
    assert!(!talk.contains("The Hub lists"), "{talk}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_than_the_hub_names_is_pointed_out_and_asked_about() {
    let (servers, house, _) = scene().await;
    // The Hub's entry leads to another repository's key of the same owner.
    let other = Publisher::new("acme/other", 2);
    other.publish_key(&servers);
    let raw = format!("{}/raw", servers.source_url);
    let listed = format!(
        "fqn: github://acme/notes\ndescription: Notes of acme\npublisher_github: acme\n\
         key_url: {raw}/acme/other/HEAD/keys/publisher.pub\nrelease_pattern: v*\n"
    );
    let archive = crate::packs::tarball(&[("list-main/connectors/acme.yaml", listed.as_bytes())]);
    servers.publish("/hub/list/archive/HEAD.tar.gz", archive);
    assert!(house.run_as_person(&["hub", "refresh"]).status.success());
    let mut session = begins(&house);
    session.sees("Install it? [y/N/d]: ").types("y");
    session.sees("publishes another key than the Hub names");
    session.sees("Trust publisher github://acme/notes? [y/N]: ").types("n");
    let (code, shown) = session.ends();
    assert!(code == 1 && !house.path().join("keyring.json").exists(), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_says_yes_in_advance_to_another_key_than_the_trusted_one() {
    let (_servers, house, _) = scene().await;
    let file = house.path().join("their.pub");
    std::fs::write(&file, Publisher::new("acme/notes", 2).key()).unwrap();
    let file = file.to_str().unwrap();
    let trust = ["keyring", "trust", "github://acme", "--key-file", file, "--yes"];
    assert!(house.run_as_person(&trust).status.success());
    let refused = house.run_as_person(&[&INSTALL[..], &["--yes"]].concat());
    let talk = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(talk.contains("you trust another key of this publisher"), "{talk}");
    assert!(!refused.status.success() && talk.contains("--yes does not answer for that"), "{talk}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_has_the_hub_asked_again_at_once() {
    let (_servers, house, _) = scene().await;
    let age = |output: std::process::Output| {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let copy: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        copy["checked_at"].as_str().unwrap().to_owned()
    };
    let refresh = ["hub", "refresh", "--json"];
    let first = age(house.run(&refresh));
    assert_eq!(age(house.run(&refresh)), first, "a program waits");
    assert!(age(house.run_as_person(&refresh)) > first);
}
