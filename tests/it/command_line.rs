//! The commands as people type them: exit codes, data on standard output, talk on standard error.

mod streams;
mod tokens;
mod vault;

use std::{
    io::Write as _,
    process::{Output, Stdio},
};

use aileron_node::demo::{OWNER, REPOSITORY, Servers};

use crate::house::{House, PASSPHRASE, program};

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn talk(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn succeeds(output: &Output) -> String {
    assert!(output.status.success(), "{}\n{}", out(output), talk(output));
    out(output)
}

/// A person's command whose standard input is given.
fn with_input(house: &House, arguments: &[&str], input: &str) -> Output {
    let mut child = house
        .command(arguments)
        .env("AILERON_VAULT_PASSPHRASE", PASSPHRASE)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn version_and_completions_need_no_daemon() {
    let home = tempfile::tempdir().unwrap();
    for arguments in [&["version"][..], &["completions", "bash"], &["help"], &["--help"]] {
        let output = std::process::Command::new(program())
            .args(arguments)
            .env("AILERON_HOME", home.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{arguments:?}");
        assert!(!output.stdout.is_empty(), "{arguments:?}");
    }
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0, "nothing was started");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_works_through_the_whole_job_by_hand() {
    let servers = Servers::start().await.unwrap();
    let house = House::new(&servers);
    let authority = format!("github://{OWNER}/{REPOSITORY}");

    // The first command starts the daemon by itself, and says so.
    let status = house.run(&["status"]);
    assert!(talk(&status).contains("started the daemon"), "{}", talk(&status));
    assert!(succeeds(&status).contains("missing"));
    let created = house.run_as_person(&["vault", "init"]);
    assert!(talk(&created).contains("Creating a new Aileron vault."));
    succeeds(&created);
    assert!(!house.run_as_person(&["vault", "init"]).status.success(), "a vault is kept");

    let suite = format!("{authority}/suite.toml@latest");
    let added = house.run_as_person(&["action", "add-suite", &suite, "--yes", "--no-bind"]);
    succeeds(&added);
    assert!(talk(&added).contains("Connector install preview"), "{}", talk(&added));
    assert!(succeeds(&house.run(&["keyring", "list"])).contains("sha256:"));
    let actions = succeeds(&house.run(&["action", "list"]));
    assert!(actions.contains("notes-list") && actions.contains("asks you"), "{actions}");

    let unbound = house.run(&["action", "run", "notes-list"]);
    assert_eq!(unbound.status.code(), Some(1));
    assert!(talk(&unbound).contains("binding"), "{}", talk(&unbound));
    let bound = with_input(
        &house,
        &["binding", "setup", &authority, "--identity", "work", "--yes"],
        &servers.notes_key,
    );
    succeeds(&bound);
    let bindings = succeeds(&house.run(&["binding", "list"]));
    assert!(bindings.contains("/work") && bindings.contains("active"), "{bindings}");

    let listed = succeeds(&house.run(&["action", "run", "notes-list"]));
    assert!(listed.starts_with("wrapped output:\n{\"action\":\"notes-list\""), "{listed}");

    let asked =
        house.run(&["action", "run", "notes-create", "--arg", "title=T", "--arg", "text=1"]);
    assert_eq!(asked.status.code(), Some(75), "{}", talk(&asked));
    let id = out(&asked).trim().to_owned();
    assert!(talk(&asked).contains(&format!("aileron approval approve {id}")));
    assert!(succeeds(&house.run(&["approval", "list"])).contains(&id));
    // A passphrase in the environment is not a decision.
    let unasked = house.run_as_person(&["approval", "approve", &id, "--reason", "fine"]);
    assert_eq!(unasked.status.code(), Some(1));
    assert!(talk(&unasked).contains("Title: T"), "{}", talk(&unasked));
    assert!(talk(&unasked).contains("say --yes"), "{}", talk(&unasked));
    assert!(succeeds(&house.run(&["approval", "list"])).contains(&id));
    let approved = house.run_as_person(&["approval", "approve", &id, "--reason", "fine", "--yes"]);
    let written = succeeds(&approved);
    assert!(written.starts_with("wrapped output:\n{\"action\":\"notes-create\""), "{written}");
    assert_eq!(servers.titles(), ["Welcome", "T"]);
    assert!(succeeds(&house.run(&["action", "runs", "--state", "done"])).contains(&id));
    verify(&house);
    let stopped = house.run(&["stop"]);
    succeeds(&stopped);
    assert!(talk(&stopped).contains("the daemon stopped"), "{}", talk(&stopped));
}

/// The log, a checkpoint kept, a receipt.
fn verify(house: &House) {
    let events = succeeds(&house.run(&["audit", "list", "--json"]));
    let events: serde_json::Value = serde_json::from_str(&events).unwrap();
    let written = events["events"].as_array().unwrap().iter().find(|event| {
        event["event_type"] == "execution.succeeded"
            && event["payload"]["aileron.action.name"] == "notes-create"
    });
    let id = written.unwrap()["audit_id"].as_str().unwrap();
    assert!(succeeds(&house.run(&["audit", "show", id])).contains("execution.succeeded"));

    let file = |name: &str, text: String| {
        let path = house.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let checkpoint = file("kept.txt", succeeds(&house.run(&["audit", "checkpoint"])));
    let key = succeeds(&house.run(&["audit", "checkpoint", "--key"]));
    let receipt = file("receipt.txt", succeeds(&house.run(&["audit", "receipt", id])));
    succeeds(&house.run(&["audit", "verify"]));
    succeeds(&house.run(&["audit", "verify", "--checkpoint", &checkpoint]));
    let proven = house.run(&["audit", "verify", "--receipt", &receipt, "--key", key.trim()]);
    assert!(succeeds(&proven).contains(id));
}

#[test]
fn unknown_configuration_keys_are_refused_all_at_once() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("config.yaml"), "listn: x\nhub: {branch: y}\n").unwrap();
    let output = std::process::Command::new(program())
        .args(["daemon", "run"])
        .env("AILERON_HOME", home.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = talk(&output);
    assert!(
        told.contains("listn: unknown key") && told.contains("hub.branch: unknown key"),
        "{told}"
    );
}
