//! Several accounts of one connector, from the command line to the service that refuses a wrong key.

use std::process::Output;

use aileron_node::demo::{OWNER, REPOSITORY, Servers};
use serde_json::{Value, json};

use crate::house::House;

/// The outcome of a command: its exit code, its data and its talk.
struct Said {
    code: i32,
    data: String,
    talk: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let code = output.status.code().unwrap();
        Self { code, data: text(output.stdout), talk: text(output.stderr) }
    }
}

impl Said {
    fn json(&self) -> Value {
        serde_json::from_str(&self.data).unwrap_or_else(|_| panic!("{} {}", self.data, self.talk))
    }
}

/// The right key is bound as `work`, a wrong one as `home`.
fn furnished(servers: &Servers) -> House {
    let house = House::new(servers);
    let authority = format!("github://{OWNER}/{REPOSITORY}");
    let suite = format!("{authority}/suite.toml@latest");
    let key = house.path().join("key.txt");
    let done = |arguments: &[&str]| {
        let said = Said::from(house.run_as_person(arguments));
        assert_eq!(said.code, 0, "{arguments:?}: {}", said.talk);
    };
    done(&["vault", "init"]);
    done(&["keyring", "trust", &authority, "--yes"]);
    done(&["action", "add-suite", &suite, "--yes", "--no-bind"]);
    for (identity, value) in [("work", servers.notes_key.as_str()), ("home", "a wrong key")] {
        std::fs::write(&key, value).unwrap();
        let path = key.to_str().unwrap();
        done(&[
            "binding",
            "setup",
            &authority,
            "--service",
            "notes",
            "--identity",
            identity,
            "--value-file",
            path,
            "--yes",
        ]);
    }
    house
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_uses_the_account_it_names_or_the_one_that_was_chosen() {
    let servers = Servers::start().await.unwrap();
    let house = furnished(&servers);
    let run = |arguments: &[&str]| Said::from(house.run(arguments));
    let person = |arguments: &[&str]| Said::from(house.run_as_person(arguments));

    let unclear = run(&["action", "run", "notes-list"]);
    assert_eq!(unclear.code, 1);
    for told in ["api_key/notes/home", "api_key/notes/work", "--identity", "binding default"] {
        assert!(unclear.talk.contains(told), "{}", unclear.talk);
    }
    let work = run(&["action", "run", "notes-list", "--identity", "work", "--json"]);
    assert_eq!((work.code, &work.json()["identity_label"]), (0, &json!("work")), "{}", work.talk);
    let home = run(&["action", "run", "notes-list", "--identity", "home", "--json"]);
    assert_eq!((home.code, &home.json()["error"]["class"]), (1, &json!("binding_failed")));
    let nobody = run(&["action", "run", "notes-list", "--identity", "boss", "--json"]);
    let candidates = &nobody.json()["error"]["details"]["candidates"];
    assert_eq!(
        (nobody.code, candidates),
        (1, &json!(["api_key/notes/home", "api_key/notes/work"]))
    );
    let odd = run(&["action", "run", "notes-list", "--identity", "notes/work", "--json"]);
    assert_eq!((odd.code, &odd.json()["error"]["code"]), (1, &json!("invalid_identity")));

    // A program cannot choose; the person can, and sees it.
    assert_eq!(run(&["binding", "default", "api_key/notes/home"]).code, 1);
    assert_eq!(person(&["binding", "default", "api_key/notes/work"]).code, 0);
    let listed = run(&["binding", "list", "--json"]).json();
    let defaults: Vec<_> =
        listed["items"].as_array().unwrap().iter().map(|binding| &binding["default"]).collect();
    assert_eq!(defaults, [&Value::Null, &json!(true)]);
    assert!(run(&["binding", "list"]).data.contains("active, default"));
    assert!(run(&["binding", "inspect", "api_key/notes/work"]).data.contains("used where several"));
    assert_eq!(run(&["action", "run", "notes-list"]).code, 0);
    let logged = run(&["audit", "list", "--type", "binding.default_chosen"]).data;
    assert!(logged.contains("binding.default_chosen"), "{logged}");
    let runs = run(&["action", "runs"]).data;
    assert!(runs.contains("notes-list as work"), "{runs}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_approved_for_an_account_is_not_done_with_another() {
    let servers = Servers::start().await.unwrap();
    let house = furnished(&servers);
    let person = |arguments: &[&str]| Said::from(house.run_as_person(arguments));
    let asked = |title: &str, further: &[&str]| {
        let title = format!("title={title}");
        let call = ["action", "run", "notes-create", "--arg", &title, "--arg", "text=b"];
        let said = Said::from(house.run(&[&call[..], further].concat()));
        assert_eq!(said.code, 75, "{}", said.talk);
        said.data.trim().to_owned()
    };
    assert_eq!(person(&["binding", "default", "api_key/notes/work"]).code, 0);
    let unsaid = asked("Unsaid", &[]);
    let named = asked("Named", &["--identity", "work"]);
    // Between the question and the answer somebody makes another account the default.
    assert_eq!(person(&["binding", "default", "api_key/notes/home"]).code, 0);
    let changed = person(&["approval", "approve", &unsaid, "--yes"]);
    assert_eq!(changed.code, 1);
    assert!(changed.talk.contains("changed after the approval"), "{}", changed.talk);
    let done = person(&["approval", "approve", &named, "--yes"]);
    assert_eq!(done.code, 0, "{}", done.talk);
    assert!(done.talk.contains("identity: work"), "{}", done.talk);
    assert_eq!(servers.titles(), ["Welcome", "Named"]);
}
