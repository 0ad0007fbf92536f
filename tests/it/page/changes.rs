//! What is not as the person agreed to it, on the page: a connector that wants more, files that
//! came from elsewhere, a record that somebody edited.

use std::process::Command;

use aileron_api::{
    actions::RunAction,
    audit::AuditFilter,
    bindings::{BindingFilter, BindingStatus},
    client::RunOutcome,
    upkeep::DriftFilter,
};
use aileron_node::demo::{OWNER, REPOSITORY, Servers, VERSION};
use serde_json::json;

use crate::{
    house::{House, create_vault, person},
    household::Household,
    main_job::{binds, trusts},
    packs::Publisher,
};

const MORE: &str = "more.example:443";
const BINDING: &str = "api_key/notes/work";

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_binding_is_agreed_to_again_on_the_page_and_by_nothing_less() {
    let home = Household::bare(Servers::start().await.unwrap()).await;
    let (servers, acme) = (&home.servers, Publisher::of_notes("acme/notes", 1));
    let known = servers.notes_host.as_str();
    acme.is_trusted_by(&home.person).await;
    let hash = acme.publish_connector(servers, "1.0.0", &[known]);
    let text = acme.action_text("notes-list", "1.0.0", &hash);
    let base = format!("op = \"list\"\n\n[execute.inputs]\nbase = \"https://{known}\"\n");
    acme.publish_action(servers, "notes-list", "1.0.0", &text.replace("op = \"list\"\n", &base));
    home.person.install_action(&acme.action_request("notes-list", "1.0.0")).await.unwrap();
    binds(&home.person, &acme.fqn(), "notes", &servers.notes_key).await;
    assert_eq!(runs(&home).await, None);

    acme.publish_connector(servers, "1.1.0", &[known, MORE]);
    home.person.install_connector(&acme.connector_request("1.1.0")).await.unwrap();
    assert_eq!(runs(&home).await.as_deref(), Some("binding_failed"));
    let facts = json!({ "binding": BINDING, "known": known, "more": MORE });
    home.plays("renewed", facts).await;
    assert_eq!(runs(&home).await, None);
    let bound = home.program.bindings(&BindingFilter::default()).await.unwrap().value.items;
    let [binding] = bound.as_slice() else { panic!("{bound:?}") };
    assert_eq!((binding.name.as_str(), binding.status), (BINDING, Some(BindingStatus::Active)));
}

/// Why listing the notes fails, if it does.
async fn runs(home: &Household) -> Option<String> {
    match home.program.run_action("notes-list", &RunAction::default(), None).await {
        Ok(done) => {
            assert!(matches!(done.value, RunOutcome::Done(_)));
            None
        }
        Err(error) => Some(error.code().unwrap().to_owned()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_from_another_machine_and_an_edited_record_are_accepted_on_the_page() {
    let Household { house: old, servers, .. } = Household::new().await;
    let mut house = House::new(&servers);
    for folder in ["actions", "store"] {
        let (from, to) = (old.path().join(folder), house.path());
        assert!(Command::new("cp").arg("-r").arg(from).arg(to).status().unwrap().success());
    }
    drop(old);
    // What stands in the store is shown, also when nobody publishes it any more.
    let release = format!("/{OWNER}/{REPOSITORY}/releases/download/v{VERSION}/aileron.tar.gz");
    servers.publish(release, "gone");
    let program = house.start().await;
    create_vault(&program).await;
    let person = person(&program).await;
    trusts(&person).await;
    let home = Household { house, servers, program, person };
    let connector = format!("github://{OWNER}/{REPOSITORY}@{VERSION}");
    let facts = json!({
        "connector": connector, "host": home.servers.notes_host,
        "lock": home.house.path().join("actions.lock"),
    });
    home.plays("accepted", facts).await;
    let drift = home.person.drift(&DriftFilter::default()).await.unwrap().value.items;
    assert!(drift.is_empty(), "{drift:?}");
    let filter = AuditFilter { limit: Some(1_000), ..AuditFilter::default() };
    let events = home.program.audit_events(&filter).await.unwrap().value.events;
    let count = |kind: &str| events.iter().filter(|event| event.event_type == kind).count();
    assert_eq!((count("action.accepted"), count("lock.renewed")), (2, 1));
}
