//! The published Getting Started, sections 2 to 6, as it is written, with the sample suite in the
//! place of the published one: a person without anything installs, launches Claude Code, reads,
//! approves a write in a browser, and looks at what happened.

use std::process::Command;

use aileron_node::demo::{OWNER, REPOSITORY, Servers};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    house::{House, PASSPHRASE, until},
    launch::{
        Running,
        chromium::{Deed, Seen, plant, visit},
        for_agents,
        model::Model,
        text, writes_a_note,
    },
    terminal::Session,
};

/// A person with a home of their own, and nothing in it.
struct Newcomer {
    house: House,
    servers: Servers,
    user: TempDir,
}

impl Newcomer {
    /// Section 3: Claude Code, which writes a note when it may.
    fn launches(&self, model: &Model) -> Running {
        let mut command = self.house.command(["launch", "--local", "claude"]);
        command.args(["-p", "Write down how to bake bread."]).current_dir(self.user.path());
        command.env("HOME", self.user.path()).envs(for_agents(model));
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        Running::start(command)
    }

    fn runs(&self, arguments: &[&str]) -> String {
        let output = self.house.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    async fn waiting(&self) -> String {
        until("a call waits", async || {
            let listed = self.runs(&["approval", "list", "--json"]);
            let listed: Value = serde_json::from_str(&listed).unwrap();
            listed["items"][0]["id"].as_str().map(str::to_owned)
        })
        .await
    }

    /// The log's events, oldest first.
    fn events(&self) -> Vec<Value> {
        let listed = self.runs(&["audit", "list", "--json", "--limit", "1000"]);
        let listed: Value = serde_json::from_str(&listed).unwrap();
        listed["events"].as_array().unwrap().iter().rev().cloned().collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_getting_started_works_as_it_is_written() {
    let servers = Servers::start().await.unwrap();
    let house = House::new(&servers);
    let user = tempfile::Builder::new().prefix("aileron-newcomer-").tempdir().unwrap();
    let newcomer = Newcomer { house, servers, user };
    assert!(newcomer.runs(&["version"]).starts_with("aileron "));
    installs(&newcomer);
    approves_from_the_banner(&newcomer).await;
    denies_from_the_shell(&newcomer).await;
    inspects(&newcomer);
}

/// Section 2: one command, which makes the vault and asks about the publisher once.
fn installs(newcomer: &Newcomer) {
    let authority = format!("github://{OWNER}/{REPOSITORY}");
    let suite = format!("{authority}/suite.toml@latest");
    let mut session = Session::start(&newcomer.house, &["action", "add-suite", &suite]);
    session.sees("Creating a new Aileron vault.");
    session.sees("The passphrase you choose protects all secrets in this vault.");
    session.sees("Vault passphrase: ").types(PASSPHRASE);
    session.sees("Confirm passphrase: ").types(PASSPHRASE);
    session.sees(&format!("Publisher {authority} is not yet trusted."));
    session.sees(&format!("Trust publisher {authority}? [y/N]: ")).types("y");
    session.sees(&format!("Trusted publisher github://{OWNER}")).sees("Fingerprint: sha256:");
    session.sees("Keyring: ").sees("Install? [y/N]: ").types("y");
    session.sees("Bind a credential? [y/N]: ").types("y");
    session.sees("Credential: ").types(&newcomer.servers.notes_key);
    let (code, shown) = session.ends();
    assert!(code == 0 && shown.contains("2 of 2 actions are installed"), "{shown}");
}

/// Sections 3 to 5, by the address of the banner.
async fn approves_from_the_banner(newcomer: &Newcomer) {
    let model = Model::start(writes_a_note).await;
    let running = newcomer.launches(&model);
    newcomer.waiting().await;
    let url = newcomer.house.discovery().unwrap().url;
    let seen = visit(&format!("{url}/approvals"), Deed::Approve, "getting-started").await;
    // The action and its connector, the kind, what it is called with, both buttons.
    for part in ["ACTION", "notes-create", "github://aileron-dev/starter", "Bread", "Reason"] {
        assert!(seen.card.contains(part), "{part}: {seen:?}");
    }
    assert!(seen.raw.contains(r#""title": "Bread""#), "{seen:?}");
    let buttons = ["Approve notes-create", "Deny notes-create"];
    assert_eq!(seen.buttons, json!(buttons));
    let output = running.ends().await;
    let told = text(&output);
    assert!(output.status.success(), "{told}");
    assert!(told.contains(&format!("✈️  Aileron — webapp {url} — session ")), "{told}");
    assert!(told.contains("Welcome") && told.contains(r#""status":"completed""#), "{told}");
    assert_eq!(newcomer.servers.titles(), ["Welcome", "Bread"]);
}

/// Section 5, by `aileron open approval`; this time the person says no.
async fn denies_from_the_shell(newcomer: &Newcomer) {
    let model = Model::start(writes_a_note).await;
    let running = newcomer.launches(&model);
    let id = newcomer.waiting().await;
    let browser = tempfile::tempdir().unwrap();
    let seen = plant(browser.path(), Deed::Deny("one is enough"), "getting-started-open");
    let mut command: Command = newcomer.house.command(["open", "approval", &id]);
    let path = std::env::var_os("PATH").unwrap().into_string().unwrap();
    command.env("PATH", format!("{}:{path}", browser.path().display()));
    command.env("AILERON_VAULT_PASSPHRASE", PASSPHRASE);
    let opened = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(opened.status.success(), "{}", text(&opened));
    assert!(text(&opened).contains("the page is open and signed in"), "{}", text(&opened));
    let output = running.ends().await;
    let told = text(&output);
    assert!(output.status.success(), "{told}");
    assert!(told.contains(r#""status":"denied""#) && told.contains("one is enough"), "{told}");
    assert_eq!(newcomer.servers.titles(), ["Welcome", "Bread"]);
    until("the browser ends", async || seen.exists().then_some(())).await;
    let seen = Seen::read(&std::fs::read_to_string(seen).unwrap());
    assert!(seen.card.contains("Bread") && seen.said.contains("one is enough"), "{seen:?}");
}

/// Section 6: every event, and one of them in full.
fn inspects(newcomer: &Newcomer) {
    let events = newcomer.events();
    let kinds: Vec<_> = events.iter().map(|event| event["event_type"].as_str().unwrap()).collect();
    let count = |kind: &str| kinds.iter().filter(|it| **it == kind).count();
    assert_eq!((count("action.installed"), count("connector.installed")), (2, 1), "{kinds:?}");
    let mut kinds = kinds.iter();
    for expected in [
        "binding.created",
        "session.started",
        "execution.started",
        "execution.succeeded",
        "approval.requested",
        "approval.approved",
        "execution.started",
        "execution.succeeded",
        "session.ended",
        "approval.requested",
        "approval.denied",
        "session.ended",
    ] {
        assert!(kinds.any(|kind| *kind == expected), "{expected} is missing in its place");
    }
    let written = events.iter().rfind(|event| {
        event["event_type"] == "execution.succeeded"
            && event["payload"]["aileron.action.name"] == "notes-create"
    });
    let id = written.unwrap()["audit_id"].as_str().unwrap();
    let shown = newcomer.runs(&["audit", "show", id]);
    for part in [
        "notes-create",
        "github://aileron-dev/starter",
        aileron_node::demo::VERSION,
        "binding: ",
        "took: ",
        "outcome: ",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    newcomer.runs(&["audit", "verify"]);
}
