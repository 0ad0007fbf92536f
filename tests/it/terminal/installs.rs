//! What a person who installs sees, and what is left when they do not go on: nothing.

use aileron_node::demo::Servers;

use super::Session;
use crate::{
    bad_packages::listing,
    house::{House, PASSPHRASE},
    packs::{Publisher, tarball},
};

/// A daemon with a vault, and a publisher whom nobody trusts yet.
pub(super) struct Scene {
    pub(super) servers: Servers,
    pub(super) house: House,
    pub(super) acme: Publisher,
}

impl Scene {
    pub(super) async fn start() -> Self {
        let servers = Servers::start().await.unwrap();
        let house = House::new(&servers);
        assert!(house.run_as_person(&["vault", "init"]).status.success());
        let acme = Publisher::new("acme/notes", 1);
        acme.publish_key(&servers);
        let hash = acme.publish_connector(&servers, "1.0.0", &["notes.example:443"]);
        let text = acme.action_text("list", "1.0.0", &hash);
        acme.publish_action(&servers, "list", "1.0.0", &text);
        Self { servers, house, acme }
    }

    pub(super) fn action(&self) -> String {
        format!("{}@1.0.0", self.acme.action_fqn("list"))
    }

    /// Begins an installation; the passphrase is typed.
    pub(super) fn begins(&self, arguments: &[&str]) -> Session {
        let mut session = Session::start(&self.house, arguments);
        session.sees("Vault passphrase: ").types(PASSPHRASE);
        session
    }
}

/// The ways of not going on, as keys.
const WAYS: [(&str, &str); 5] = [
    ("no", "n\n"),
    ("nothing", "\n"),
    ("another word", "yess\n"),
    ("the end of the input", "\x04"),
    ("ctrl-c", "\x03"),
];

/// Does a command that ended so tell that its person did not go on, as a shell tells of ctrl-c?
fn is_no(code: i32, keys: &str) -> bool {
    if keys == "\x03" { code == 130 } else { code == 1 }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_does_not_go_on_leaves_no_trace() {
    let scene = Scene::start().await;
    let (acme, action) = (&scene.acme, scene.action());
    let trust = "Trust publisher github://acme/notes? [y/N]: ";
    let before = listing(scene.house.path());
    for (way, keys) in WAYS {
        let mut session = scene.begins(&["action", "add", &action]);
        session.sees(trust).presses(keys);
        let (code, shown) = session.ends();
        assert!(is_no(code, keys), "{way}: {code} {shown}");
        assert!(listing(scene.house.path()) == before, "{way} to the key: a trace");
    }
    // A key that was agreed to stays; nothing else does.
    let mut session = scene.begins(&["action", "add", &action]);
    session.sees(trust).types("y").sees("Install? [y/N]: ").presses("n\n");
    let (code, shown) = session.ends();
    assert_eq!(code, 1, "{shown}");
    let trusting = listing(scene.house.path());
    let changed: Vec<_> = trusting
        .iter()
        .filter(|(name, bytes)| before.get(*name) != Some(*bytes))
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(changed, ["keyring.json"]);
    for (way, keys) in WAYS {
        for arguments in [
            vec!["action", "add", &action],
            vec!["connector", "install", "github://acme/notes@1.0.0"],
        ] {
            let mut session = scene.begins(&arguments);
            session.sees("Install? [y/N]: ").presses(keys);
            let (code, shown) = session.ends();
            assert!(is_no(code, keys), "{way}: {code} {shown}");
            assert!(listing(scene.house.path()) == trusting, "{way} to {arguments:?}: a trace");
        }
    }
    // Nobody is asked about the connector before they agreed to an action that nobody signed.
    let hash = acme.hash(&acme.manifest("1.0.0", &["notes.example:443"]));
    let text = acme.action_text("list", "1.0.0", &hash);
    let unsigned = tarball(&[("action.md", text.as_bytes())]);
    scene.servers.publish(acme.release("actions/list/v1.0.0"), unsigned);
    for (way, keys) in WAYS {
        let mut session = scene.begins(&["action", "add", &action]);
        session.sees("not signed").sees("Install it all the same? [y/N]: ").presses(keys);
        let (code, shown) = session.ends();
        assert!(is_no(code, keys) && !shown.contains("Install? "), "{way}: {code} {shown}");
        assert!(listing(scene.house.path()) == trusting, "{way} to the unsigned: a trace");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unsigned_action_is_agreed_to_in_so_many_words() {
    let scene = Scene::start().await;
    let acme = &scene.acme;
    let hash = acme.hash(&acme.manifest("1.0.0", &["notes.example:443"]));
    let text = acme.action_text("list", "1.0.0", &hash);
    let unsigned = tarball(&[("action.md", text.as_bytes())]);
    scene.servers.publish(acme.release("actions/list/v1.0.0"), unsigned);
    let action = scene.action();
    let person = |arguments: &[&str]| {
        let output = scene.house.run_as_person(arguments);
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, talk) = person(&["action", "add", &action, "--yes", "--no-bind"]);
    assert!(code == 1 && talk.contains("--accept-unsigned"), "{talk}");
    assert!(!scene.house.path().join("actions").exists());
    let suite = scene.house.path().join("suite.toml");
    let members = format!("name = \"x\"\ndescription = \"x\"\nactions = [\"{action}\"]\n");
    std::fs::write(&suite, members).unwrap();
    let suite = suite.to_str().unwrap();
    let (code, talk) = person(&["action", "add-suite", suite, "--yes", "--no-bind"]);
    assert!(code == 1 && talk.contains("0 of 1 actions are installed"), "{talk}");
    let (code, talk) =
        person(&["action", "add-suite", suite, "--yes", "--accept-unsigned", "--no-bind"]);
    assert!(code == 0 && talk.contains("1 of 1 actions are installed"), "{talk}");
    assert!(talk.contains("The action list is not signed"), "{talk}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publisher_is_asked_about_once_however_many_repositories_and_members() {
    let scene = Scene::start().await;
    let second = Publisher::new("acme/mails", 1);
    second.publish_key(&scene.servers);
    let hash = second.publish_connector(&scene.servers, "1.0.0", &["mails.example:443"]);
    let text = second.action_text("mails", "1.0.0", &hash);
    second.publish_action(&scene.servers, "mails", "1.0.0", &text);
    let (first, second) = (scene.action(), format!("{}@1.0.0", second.action_fqn("mails")));
    let suite = scene.house.path().join("suite.toml");
    let members = format!("name = \"x\"\ndescription = \"x\"\nactions = [{first:?}, {second:?}]\n");
    std::fs::write(&suite, members).unwrap();
    let suite = suite.to_str().unwrap();

    let trust = "Trust publisher github://acme/notes? [y/N]: ";
    let mut session = scene.begins(&["action", "add-suite", suite]);
    session.sees(trust).types("n");
    let (code, shown) = session.ends();
    assert!(code == 1 && shown.contains("0 of 2 actions are installed"), "{shown}");
    assert_eq!(shown.matches("[y/N]").count(), 1, "{shown}");

    let mut session = scene.begins(&["action", "add-suite", suite, "--no-bind"]);
    session.sees("Publisher github://acme/notes is not yet trusted.\r\n");
    session.sees("Aileron will fetch keys/publisher.pub on the publisher's default branch\r\n");
    session.sees("and use that key to verify signed installs from this publisher.\r\n");
    session.sees(trust).types("y");
    session.sees("✓ Trusted publisher github://acme\r\n  Fingerprint: sha256:");
    session.sees("\r\n  Keyring: ").sees("keyring.json\r\n");
    session.sees("Install? [y/N]: ").types("y").sees("Install? [y/N]: ").types("YES");
    let (code, shown) = session.ends();
    assert!(code == 0 && shown.contains("2 of 2 actions are installed"), "{shown}");
    assert_eq!(shown.matches("Trust publisher").count(), 1, "{shown}");
}
