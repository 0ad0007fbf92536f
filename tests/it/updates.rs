//! Another version of a connector wants more: what a person is told, and what their credential
//! does meanwhile.

use aileron_node::demo::Servers;

use crate::{house::House, packs::Publisher};

const MORE: &str = "more.example:443";
const BINDING: &str = "api_key/notes/work";

/// A person with version 1.0.0 of a connector, its action, and a binding.
struct Scene {
    servers: Servers,
    house: House,
    acme: Publisher,
}

impl Scene {
    async fn start() -> Self {
        let servers = Servers::start().await.unwrap();
        let house = House::new(&servers);
        let acme = Publisher::of_notes("acme/notes", 1);
        acme.publish_key(&servers);
        let scene = Self { servers, house, acme };
        scene.publishes("1.0.0", &[&scene.servers.notes_host]);
        std::fs::write(scene.house.path().join("key.txt"), &scene.servers.notes_key).unwrap();
        scene.says(&["vault", "init"]);
        scene.says(&["action", "add", &scene.action("1.0.0"), "--yes", "--no-bind"]);
        scene.binds(&["binding", "setup", "github://acme/notes", "--identity", "work"]);
        scene
    }

    fn action(&self, version: &str) -> String {
        format!("{}@{version}", self.acme.action_fqn("notes-list"))
    }

    /// Publishes the connector and its action.
    fn publishes(&self, version: &str, hosts: &[&str]) {
        let hash = self.acme.publish_connector(&self.servers, version, hosts);
        let base = format!(
            "op = \"list\"\n\n[execute.inputs]\nbase = \"https://{}\"\n",
            self.servers.notes_host
        );
        let text = self.acme.action_text("notes-list", version, &hash);
        let text = text.replace("op = \"list\"\n", &base);
        self.acme.publish_action(&self.servers, "notes-list", version, &text);
    }

    /// What a command says to the person for whom it succeeds.
    fn says(&self, arguments: &[&str]) -> String {
        let output = self.house.run_as_person(arguments);
        let talk = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{arguments:?}: {talk}");
        talk + &String::from_utf8(output.stdout).unwrap()
    }

    fn binds(&self, arguments: &[&str]) {
        let key = self.house.path().join("key.txt").display().to_string();
        self.says(&[arguments, &["--value-file", &key, "--yes"]].concat());
    }

    fn runs(&self) -> (bool, String) {
        let output = self.house.run(&["action", "run", "notes-list"]);
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(said).unwrap())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_that_wants_another_host_gets_no_credential_until_the_person_agrees_again() {
    let scene = Scene::start().await;
    let (done, told) = scene.runs();
    assert!(done && told.contains("Welcome"), "{told}");

    let notes = scene.servers.notes_host.clone();
    scene.publishes("1.1.0", &[&notes, MORE]);
    let install = |version: &str| {
        scene.says(&["connector", "install", &format!("github://acme/notes@{version}"), "--yes"])
    };
    let told = install("1.1.0");
    let gained = format!(
        "  Compared with 1.0.0, which is installed:\n    + may now send requests to {MORE} with \
         your {BINDING}, once you agreed again\n  Actions that name 1.0.0 go on using it once \
         you agreed to the new hosts.\n"
    );
    assert!(told.contains(&gained), "{told}");
    assert!(told.contains(&format!("{BINDING} is stale")), "{told}");
    let (done, told) = scene.runs();
    let again = format!("hosts you did not agree to; run `aileron binding rebind {BINDING}`");
    assert!(!done && told.contains(&again), "{told}");

    scene.binds(&["binding", "rebind", BINDING]);
    let (done, told) = scene.runs();
    assert!(done && told.contains("Welcome"), "{told}");
    let told = scene.says(&["action", "add", &scene.action("1.1.0"), "--force", "--yes"]);
    assert!(told.contains("Installed notes-list 1.1.0"), "{told}");
    assert!(!told.contains("Connector install preview"), "it is installed: {told}");
    assert!(scene.runs().0);

    // A version that wants less is no reason to ask about the credential.
    scene.publishes("1.2.0", &[&notes]);
    let told = install("1.2.0");
    let lost = format!("    - no longer sends requests to {MORE} with your {BINDING}\n");
    assert!(told.contains(&lost) && !told.contains("stale"), "{told}");
    scene.publishes("1.3.0", &[&notes]);
    let told = install("1.3.0");
    assert!(told.contains("    nothing that it could not do before\n"), "{told}");
    assert!(scene.runs().0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_is_compiled_when_it_is_installed() {
    let scene = Scene::start().await;
    // Nothing ran yet.
    let modules = scene.house.path().join("cache").join("modules");
    let hash = scene.acme.hash(&scene.acme.manifest("1.0.0", &[&scene.servers.notes_host]));
    let hex = hash.strip_prefix("sha256:").unwrap();
    let names: Vec<_> = std::fs::read_dir(modules)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(names.iter().any(|name| name.contains(hex)), "{hex} is not among {names:?}");
}
