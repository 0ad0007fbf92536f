//! What a person is asked about an action whose connector they have and have bound already.

use super::installs::Scene;
use crate::packs::Publisher;

impl Scene {
    /// Runs a command that answers in advance; returns its exit code and what it said.
    fn says(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.house.run_as_person(arguments);
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    }

    fn has(&self, action: &str, words: &str) -> bool {
        let file = self.house.path().join(format!("actions/{action}.md"));
        std::fs::read_to_string(file).is_ok_and(|text| text.contains(words))
    }

    /// The hash of the connector that the publisher of notes has published.
    fn notes(&self) -> String {
        self.acme.hash(&self.acme.manifest("1.0.0", &["notes.example:443"]))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_of_one_publisher_uses_the_connector_of_another_with_a_word_of_yours() {
    let scene = Scene::start().await;
    let (code, talk) = scene.says(&["action", "add", &scene.action(), "--yes", "--no-bind"]);
    assert!(code == 0 && talk.contains("  github://acme/notes@1.0.0: list\n"), "{talk}");
    let mallory = Publisher::new("mallory/tools", 2);
    mallory.publish_key(&scene.servers);
    for name in ["steal", "take"] {
        let text = scene.acme.action_text(name, "1.0.0", &scene.notes());
        let text =
            text.replace("source = \"github://acme/notes/", "source = \"github://mallory/tools/");
        mallory.publish_action(&scene.servers, name, "1.0.0", &text);
    }
    let steal = format!("{}@1.0.0", mallory.action_fqn("steal"));
    let question = "Install it all the same? [y/N]: ";
    let mut session = scene.begins(&["action", "add", &steal, "--no-bind"]);
    session.sees("Trust publisher github://mallory/tools? [y/N]: ").types("y");
    session.sees("What is installed may call:").sees("github://acme/notes@1.0.0: list");
    session.sees("steal of github://mallory would use the connector of another publisher");
    session.sees(question).types("n");
    let (code, shown) = session.ends();
    assert!(code == 1 && shown.contains("nothing was installed"), "{shown}");
    assert!(shown.contains("You trust github://mallory from now on"), "{shown}");
    assert!(!scene.has("steal", ""), "{shown}");
    let mut session = scene.begins(&["action", "add", &steal, "--no-bind"]);
    session.sees(question).types("y");
    let (code, shown) = session.ends();
    assert!(code == 0 && scene.has("steal", "mallory"), "{shown}");
    // What is there is not asked about again, and --yes answers as it does for the rest.
    let (code, talk) = scene.says(&["action", "add", &steal, "--no-bind"]);
    assert!(code == 0 && talk.contains("Already installed"), "{talk}");
    let take = format!("{}@1.0.0", mallory.action_fqn("take"));
    let (code, talk) = scene.says(&["action", "add", &take, "--no-bind"]);
    assert!(code == 1 && talk.contains("say --yes"), "{talk}");
    let (code, talk) = scene.says(&["action", "add", &take, "--no-bind", "--yes"]);
    assert!(code == 0 && talk.contains("take of github://mallory would use"), "{talk}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_no_longer_waits_for_you_is_asked_about() {
    let scene = Scene::start().await;
    let acme = &scene.acme;
    let text = acme.action_text("list", "1.0.0", &scene.notes());
    let gated =
        text.replace("op = \"list\"\n+++", "op = \"list\"\n\n[approval]\nrequired = true\n+++");
    acme.publish_action(&scene.servers, "list", "1.0.0", &gated);
    let newer = text
        .replacen("version = \"1.0.0\"", "version = \"1.1.0\"", 1)
        .replace("/actions/list@1.0.0", "/actions/list@1.1.0");
    acme.publish_action(&scene.servers, "list", "1.1.0", &newer);
    let (code, talk) = scene.says(&["action", "add", &scene.action(), "--yes", "--no-bind"]);
    assert!(code == 0 && talk.contains("each call waits for your approval"), "{talk}");
    let update = format!("{}@1.1.0", acme.action_fqn("list"));
    let add = ["action", "add", &update, "--no-bind", "--force"];
    let mut session = scene.begins(&add);
    session.sees("Calls of list wait for your approval so far.");
    session.sees("Install it all the same? [y/N]: ").types("n");
    let (code, shown) = session.ends();
    assert!(code == 1 && scene.has("list", "list@1.0.0"), "{shown}");
    // In a suite as well, once for all of them, and one that is declined is told as such.
    let suite = scene.house.path().join("suite.toml");
    let members = format!("name = \"x\"\ndescription = \"x\"\nactions = [{update:?}]\n");
    std::fs::write(&suite, members).unwrap();
    let suite = ["action", "add-suite", suite.to_str().unwrap(), "--no-bind", "--force"];
    let mut session = scene.begins(&suite);
    session.sees("Calls of list wait").sees("Install it all the same? [y/N]: ").types("n");
    let (code, shown) = session.ends();
    assert!(code == 1 && shown.contains("0 of 1 actions are installed"), "{shown}");
    let mut session = scene.begins(&add);
    session.sees("Install it all the same? [y/N]: ").types("y");
    let (code, shown) = session.ends();
    assert!(code == 0 && scene.has("list", "list@1.1.0"), "{shown}");
}
