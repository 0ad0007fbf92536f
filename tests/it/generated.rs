//! The generated suite of the published size: one prompt for its publisher, one for its
//! connector, and everything is installed, listed, and there again after a restart.

use aileron_api::{
    Object,
    actions::{Action, RunAction},
    client::RunOutcome,
};
use aileron_node::demo::Servers;

use crate::{
    generated::suite::{ACTIONS, CAPITAL, INPUTS, OWNER, REPOSITORY, publish},
    house::{House, PASSPHRASE},
    terminal::Session,
};

pub(crate) mod suite;

fn capital(name: &str) -> bool {
    name.contains(|c: char| c.is_ascii_uppercase())
}

fn sound(items: &[Action]) {
    assert_eq!(items.len(), ACTIONS);
    assert!(items.iter().all(|action| action.enabled && action.pinned == Some(true)));
    assert!(items.iter().all(|action| !action.lenient.is_empty() && action.body.is_empty()));
    let inputs: Vec<_> = items.iter().flat_map(|action| &action.inputs).collect();
    assert_eq!(inputs.len(), INPUTS);
    assert_eq!(inputs.iter().filter(|input| capital(&input.name)).count(), CAPITAL);
    assert!(inputs.iter().all(|input| input.declared_type.is_some()));
    let filter = inputs.iter().find(|input| input.declared_type.as_deref() == Some("IssueFilter"));
    let filter = filter.unwrap();
    assert_eq!(filter.kind, "object");
    assert!(filter.description.ends_with("(type IssueFilter)"), "{}", filter.description);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generated_suite_is_installed_at_a_terminal_with_one_prompt_each() {
    let servers = Servers::start().await.unwrap();
    let suite = publish(&servers, ACTIONS);
    let mut house = House::new(&servers);
    let daemon = house.spawn(&["daemon", "run"]);
    house.client().await;
    assert!(house.run_as_person(&["vault", "init"]).status.success());
    let mut session = Session::start(&house, &["action", "add-suite", &suite, "--no-bind"]);
    session.sees("Vault passphrase: ").types(PASSPHRASE);
    session.sees(&format!("Trust publisher github://{OWNER}/{REPOSITORY}? [y/N]: ")).types("y");
    session.sees("Connector install preview").sees("Install? [y/N]: ").types("y");
    let (code, shown) = session.ends();
    let all = format!("{ACTIONS} of {ACTIONS} actions are installed");
    assert!(code == 0 && shown.contains(&all), "{shown}");
    assert_eq!(shown.matches("[y/N]").count(), 2, "one for the publisher, one for the connector");
    assert_eq!(shown.matches("note: ").count(), 1, "one warning for all of them");
    assert_eq!(shown.matches("Installed ").count(), ACTIONS);

    let client = house.client().await;
    let listed = client.actions().await.unwrap().value;
    assert!(listed.load_errors.is_empty(), "{:?}", listed.load_errors.first());
    sound(&listed.items);
    assert_eq!(listed.warnings.len(), 1, "{:?}", listed.warnings);
    let output = house.run(&["action", "list"]);
    let (table, talk) = (output.stdout, String::from_utf8(output.stderr).unwrap());
    assert_eq!(String::from_utf8(table).unwrap().lines().count(), ACTIONS + 1);
    assert_eq!(talk.matches("note: ").count(), 1, "{talk}");

    // A new daemon finds all of them, once it can tell whose they are.
    house.terminate(daemon);
    house.ended(daemon).await;
    let client = house.start().await;
    let locked = client.actions().await.unwrap().value;
    assert!(locked.items.len() == ACTIONS && locked.items.iter().all(|it| it.pinned.is_none()));
    assert!(house.run_as_person(&["vault", "unlock"]).status.success());
    sound(&client.actions().await.unwrap().value.items);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generated_suite_is_installed_with_yes_and_its_actions_run_within_their_capabilities() {
    let servers = Servers::start().await.unwrap();
    let suite = publish(&servers, 30);
    let mut house = House::new(&servers);
    let client = house.start().await;
    assert!(house.run_as_person(&["vault", "init"]).status.success());
    let added = house.run_as_person(&["action", "add-suite", &suite, "--yes", "--no-bind"]);
    let talk = String::from_utf8(added.stderr).unwrap();
    assert!(added.status.success() && talk.contains("30 of 30 actions are installed"), "{talk}");
    assert_eq!(talk.matches("Connector install preview").count(), 1, "{talk}");
    // Again: nothing is asked and nothing changes.
    let again = house.run_as_person(&["action", "add-suite", &suite, "--yes", "--no-bind"]);
    let talk = String::from_utf8(again.stderr).unwrap();
    assert!(again.status.success() && talk.matches("Already installed: ").count() == 30, "{talk}");
    assert!(!talk.contains("Connector install preview"), "{talk}");

    let key = house.path().join("key");
    std::fs::write(&key, &servers.notes_key).unwrap();
    let connector = format!("github://{OWNER}/{REPOSITORY}");
    let setup = ["binding", "setup", &connector, "--value-file", key.to_str().unwrap(), "--yes"];
    assert!(house.run_as_person(&setup).status.success());
    // A value of any shape passes where the type is the author's own.
    let action = client.actions().await.unwrap().value.items.swap_remove(0);
    let given = |value: serde_json::Value| -> Object {
        action.inputs.iter().map(|input| (input.name.clone(), value.clone())).collect()
    };
    let run = |args| RunAction { args, ..RunAction::default() };
    let name = client.actions().await.unwrap().value;
    let real = name.items.iter().find(|it| it.execute[0].op == "list").unwrap();
    let args = real.inputs.iter().map(|input| (input.name.clone(), serde_json::json!([1])));
    match client.run_action(&real.name, &run(args.collect()), None).await.unwrap().value {
        RunOutcome::Done(done) => assert!(done.result.unwrap().contains("Welcome")),
        RunOutcome::Pending(pending) => panic!("{pending:?}"),
    }
    let mut unknown = given(serde_json::json!("x"));
    unknown.insert("nobodyDeclaredThis".to_owned(), serde_json::json!(1));
    let error = client.run_action(&action.name, &run(unknown), None).await.unwrap_err();
    let failure = error.api().unwrap().failure.as_ref().unwrap();
    assert_eq!(failure.class, "validation_error");
}
