//! The Hub through the program: listed, searched, shown, and trusted for what it can be trusted.

use std::process::Output;

use aileron_api::{client::Call, hub::HubQuery};
use aileron_node::demo::Servers;
use serde_json::{Value, json};

use crate::{
    bad_packages::listing,
    house::{House, create_vault},
    household::Household,
    packs::{Publisher, tarball},
    terminal::Session,
};

/// Where the archive of [`House`]'s Hub is served.
const ARCHIVE: &str = "/hub/list/archive/HEAD.tar.gz";

fn connector(fqn: &str, publisher: &str, key_url: &str) -> String {
    format!(
        "fqn: {fqn}\ndescription: Notes of {publisher}\npublisher_github: {publisher}\n\
         key_url: {key_url}\nrelease_pattern: v*\n"
    )
}

/// A Hub with an honest publisher, one that pretends to be another, and a broken file.
pub(crate) fn publish(servers: &Servers, acme: &Publisher) {
    let raw = format!("{}/raw", servers.source_url);
    let key = |repository: &str| format!("{raw}/{repository}/HEAD/keys/publisher.pub");
    let honest = connector(&acme.fqn(), "acme", &key(&acme.repository));
    let pretender = connector("github://victim/mail", "mallory", &key("mallory/mail"));
    let action = "fqn: github://acme/notes/actions/list\ndescription: List your notes\n\
                  publisher_github: acme\nconnector_fqn: github://acme/notes\n";
    let suite = "fqn: github://acme/notes/suite\ndescription: All about notes\n\
                 publisher_github: acme\nmember_actions: [github://acme/notes/actions/list]\n";
    let steering = "fqn: github://acme/x\ndescription: \"\\e[2J all is well\"\n";
    servers.publish(
        ARCHIVE,
        tarball(&[
            ("list-main/connectors/acme.yaml", honest.as_bytes()),
            ("list-main/connectors/mallory.yaml", pretender.as_bytes()),
            ("list-main/connectors/steering.yaml", steering.as_bytes()),
            ("list-main/actions/list.yaml", action.as_bytes()),
            ("list-main/suites/all.yaml", suite.as_bytes()),
        ]),
    );
}

fn said(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_looks_and_a_person_trusts() {
    let servers = Servers::start().await.unwrap();
    let acme = Publisher::new("acme/notes", 1);
    acme.publish_key(&servers);
    publish(&servers, &acme);
    let house = House::new(&servers);
    assert!(house.run_as_person(&["vault", "init"]).status.success());

    let listed = house.run(&["hub", "list"]);
    let (data, talk) = said(&listed);
    assert!(listed.status.success(), "{talk}");
    for line in ["github://acme/notes ", "github://victim/mail ", "github://acme/notes/suite"] {
        assert!(data.contains(line), "{data}");
    }
    assert!(talk.contains("mallory says to publish what belongs to victim"), "{talk}");
    assert!(talk.contains("connectors/steering.yaml:2: "), "{talk}");
    assert!(talk.contains("/hub/list, checked just now"), "{talk}");
    assert!(!talk.contains('\u{1b}') && !data.contains('\u{1b}'));
    let (data, _) = said(&house.run(&["hub", "list", "actions", "--json"]));
    let json: Value = serde_json::from_str(&data).unwrap();
    assert_eq!(json["actions"][0]["connector_fqn"], "github://acme/notes");
    assert!(json.get("connectors").is_none());
    let (data, _) = said(&house.run(&["hub", "search", "ALL ABOUT", "--type", "suites"]));
    assert!(data.contains("github://acme/notes/suite"), "{data}");
    let (data, talk) = said(&house.run(&["hub", "show", "github://acme/notes"]));
    assert!(data.contains("Trust:") && data.contains("unknown"), "{data}{talk}");

    // What only a person may do.
    let before = listing(house.path());
    let refused = house.run(&["keyring", "trust", "github://acme", "--yes"]);
    assert!(!refused.status.success());
    let refused = house.run_as_person(&["keyring", "trust", "github://victim", "--yes"]);
    let (_, talk) = said(&refused);
    assert!(!refused.status.success() && talk.contains("is not believed"), "{talk}");
    assert_eq!(listing(house.path()), before, "nothing is written");
    let trusted = house.run_as_person(&["keyring", "trust", "github://acme", "--yes"]);
    let (_, talk) = said(&trusted);
    assert!(trusted.status.success() && talk.contains("Trusted publisher github://acme"), "{talk}");
    assert!(talk.contains("/raw/acme/notes/HEAD/keys/publisher.pub"), "{talk}");
    let (data, _) = said(&house.run(&["hub", "show", "github://acme/notes"]));
    assert!(data.contains("already_trusted"), "{data}");

    // The copy answers when nobody else does.
    servers.publish(ARCHIVE, "gone");
    assert!(house.run(&["hub", "list"]).status.success());
    let refreshed = house.run(&["hub", "refresh"]);
    assert!(refreshed.status.success(), "who is no person is answered with the copy for a while");
    assert!(house.run(&["hub", "list"]).status.success());
    let (_, talk) = said(&house.run_as_person(&["keyring", "revoke", "github://nobody"]));
    assert!(talk.contains("Not trusted: github://nobody (no change)"), "{talk}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_is_trusted_by_hand_after_the_key_was_shown() {
    let servers = Servers::start().await.unwrap();
    let acme = Publisher::new("acme/notes", 1);
    acme.publish_key(&servers);
    publish(&servers, &acme);
    let house = House::new(&servers);
    assert!(house.run_as_person(&["vault", "init"]).status.success());
    for (answer, code) in [("n", 1), ("y", 0)] {
        let mut session = Session::start(&house, &["keyring", "trust", "github://acme"]);
        session.sees("Vault passphrase: ").types(crate::house::PASSPHRASE);
        session.sees("Publisher github://acme is not yet trusted.");
        session.sees("  Key: https://localhost:").sees("  Fingerprint: sha256:");
        session.sees("Trust publisher github://acme? [y/N]: ").types(answer);
        let (ended, shown) = session.ends();
        assert_eq!(ended, code, "{shown}");
        assert_eq!(house.path().join("keyring.json").exists(), code == 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmed_fingerprint_installs_what_it_verifies_and_nothing_else() {
    let servers = Servers::start().await.unwrap();
    let acme = Publisher::new("acme/notes", 1);
    acme.publish_key(&servers);
    acme.publish_connector(&servers, "1.0.0", &["notes.example:443"]);
    publish(&servers, &acme);
    let Household { house, program, person: owner, servers: _servers } =
        Household::bare(servers).await;
    let name = aileron_api::hub::HubName { fqn: acme.fqn() };
    let decision = program.install_decision(&name).await.unwrap().value;
    assert_eq!(decision.trust_state, "unknown");
    let install = |fingerprint: &str| {
        let body = json!({
            "fqn": acme.fqn(),
            "version": "1.0.0",
            "confirmed_fingerprint": fingerprint,
        });
        Call::new(reqwest::Method::POST, &["connectors", "install"]).json(&body)
    };
    let before = listing(house.path());
    let refused = owner.raw(install("sha256:0000000000000000000000")).await.unwrap_err();
    assert_eq!(refused.code(), Some("fingerprint_mismatch"));
    let refused = program.raw(install(&decision.fingerprint)).await.unwrap_err();
    assert_eq!(refused.code(), Some("scope_missing"), "an agent trusts nobody");
    assert_eq!(listing(house.path()), before);
    let installed = owner.raw(install(&decision.fingerprint)).await.unwrap();
    assert_eq!(installed.status, 201);
    let keyring = program.keyring().await.unwrap().value;
    assert_eq!(keyring.items[0].authority, acme.fqn());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_is_turned_off_is_told_and_installs_go_on() {
    let servers = Servers::start().await.unwrap();
    let acme = Publisher::new("acme/notes", 1);
    acme.publish_key(&servers);
    publish(&servers, &acme);
    let mut house = House::with_config(&servers, &json!({ "hub": { "url": "" } }));
    let program = house.start().await;
    let refused = program.hub(&HubQuery::default()).await.unwrap_err();
    assert_eq!(refused.code(), Some("hub_disabled"));
    assert_eq!(refused.api().unwrap().status, 503);
    create_vault(&program).await;
    let trusted = house.run_as_person(&["keyring", "trust", "github://acme/notes", "--yes"]);
    assert!(trusted.status.success(), "{}", said(&trusted).1);
}
