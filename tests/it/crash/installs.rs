//! The daemon is killed while it installs: what a restart finds is all of it or nothing.

use std::time::Duration;

use aileron_api::client::Client;
use aileron_node::demo::Servers;
use tokio::task::JoinSet;

use crate::{
    house::{House, person, unlock_vault},
    household::Household,
    packs::Publisher,
};

/// The action and the connector of a repository, as they are listed; and whether their files are
/// there.
async fn found(house: &House, program: &Client, publisher: &Publisher, name: &str) -> [bool; 4] {
    let actions = program.actions().await.unwrap().value.items;
    let connectors = program.connectors().await.unwrap().value.items;
    let connector = connectors.iter().find(|connector| connector.fqn == publisher.fqn());
    let hash = publisher.hash(&publisher.manifest("1.0.0", &["notes.example:443"]));
    let entry = format!("store/connectors/sha256/{}", hash.strip_prefix("sha256:").unwrap());
    let file = house.path().join("actions").join(format!("{name}.md"));
    [
        actions.iter().any(|action| action.name == name && action.pinned == Some(true)),
        connector.is_some(),
        file.is_file(),
        house.path().join(entry).is_dir(),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_it_installs_the_daemon_finds_all_of_it_or_nothing() {
    let home = Household::bare(Servers::start().await.unwrap()).await;
    let mut daemon = home.daemon();
    let Household { mut house, servers, mut program, .. } = home;
    let (mut all, mut nothing) = (0, 0);
    // Milliseconds; none is until it is done.
    let waits = [Some(0), Some(4), Some(8), Some(14), Some(24), None];
    for (place, wait) in waits.into_iter().enumerate() {
        let publisher = Publisher::new(&format!("acme/notes{place}"), 1);
        let name = format!("list{place}");
        let hash = publisher.publish_connector(&servers, "1.0.0", &["notes.example:443"]);
        let text = publisher.action_text(&name, "1.0.0", &hash);
        publisher.publish_action(&servers, &name, "1.0.0", &text);
        let owner = person(&program).await;
        publisher.is_trusted_by(&owner).await;
        let request = publisher.action_request(&name, "1.0.0");
        let mut calls = JoinSet::new();
        calls.spawn(async move { owner.install_action(&request).await.is_ok() });
        let answered = if let Some(wait) = wait {
            tokio::time::sleep(Duration::from_millis(wait)).await;
            house.kill(daemon);
            calls.join_next().await.unwrap().unwrap()
        } else {
            let answered = calls.join_next().await.unwrap().unwrap();
            house.kill(daemon);
            answered
        };

        daemon = house.spawn(&["daemon", "run"]);
        program = house.client().await;
        unlock_vault(&program).await;
        match found(&house, &program, &publisher, &name).await {
            [true, true, true, true] => all += 1,
            [false, false, false, false] => {
                assert!(!answered, "{wait:?}: it was said to be installed");
                nothing += 1;
            }
            half => panic!("{wait:?}: half of it, {half:?}:\n{}", house.log()),
        }
        // Either way the same call makes it so.
        let request = publisher.action_request(&name, "1.0.0");
        person(&program).await.install_action(&request).await.unwrap();
        assert_eq!(found(&house, &program, &publisher, &name).await, [true; 4]);
    }
    assert!(all > 0 && nothing > 0, "{all} times all, {nothing} times nothing");
}
