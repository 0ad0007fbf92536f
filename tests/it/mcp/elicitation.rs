//! What waits for a person is told through the client where it can open an address, and nothing
//! the client answers decides it. And the program that nobody told where the runtime is.

use serde_json::{Value, json};

use super::{World, bread, names, stdio::Tools, text};
use crate::main_job::{approve, settled};

const LATEST: &str = "2025-11-25";

async fn spawned(world: &World, version: &str, can: Value) -> Tools {
    let token = world.token("tools");
    let mut tools = Tools::spawn(&world.url(), &token, None, "0");
    tools.introduced(version, can).await;
    tools
}

async fn reply(tools: &mut Tools, asked: &Value, result: &Value) {
    let message = json!({"jsonrpc": "2.0", "id": asked["id"], "result": result});
    tools.write(&format!("{message}\n")).await;
}

#[tokio::test]
async fn whatever_the_client_answers_the_approval_waits_as_before() {
    let world = World::new().await;
    let mut tools = spawned(&world, LATEST, json!({"elicitation": {"url": {}}})).await;
    for answer in [
        json!({"action": "accept"}),
        json!({"action": "accept", "content": {"approved": true, "decision": "approve"}}),
        json!({"action": "decline"}),
        json!({"action": "cancel"}),
        json!({"approved": true}),
    ] {
        let result = tools.call("notes_create", bread()).await;
        let id = result["structuredContent"]["approval_id"].as_str().unwrap().to_owned();
        let asked = tools.asked("elicitation/create").await;
        let params = &asked["params"];
        assert_eq!((&params["mode"], &params["elicitationId"]), (&json!("url"), &json!(id)));
        assert_eq!(params["url"], result["structuredContent"]["review_url"]);
        assert_eq!(params["message"], text(&result));
        reply(&mut tools, &asked, &answer).await;
        let status = tools.call("check_action_status", json!({"approval_id": id})).await;
        assert_eq!(text(&status), "status: pending_approval", "{answer}");
    }
    let waiting = world.person.approvals().await.unwrap().value.items;
    assert_eq!(waiting.len(), 5);
    assert_eq!(world.servers.titles(), ["Welcome"]);
    // The person's own decision counts, whatever the client said before.
    approve(&world.person, &waiting[2].id).await;
    settled(&world.program, &waiting[2].id).await;
    assert_eq!(world.servers.titles(), ["Welcome", "Bread"]);
}

#[tokio::test]
async fn who_cannot_open_an_address_is_not_asked_and_a_client_that_never_answers_holds_nobody_up() {
    let world = World::new().await;
    for (version, can) in [
        (LATEST, json!({})),
        (LATEST, json!({"elicitation": {}})),
        (LATEST, json!({"elicitation": {"form": {}}})),
        ("2025-06-18", json!({"elicitation": {"url": {}}})),
    ] {
        let mut tools = spawned(&world, version, can.clone()).await;
        tools.call("notes_create", bread()).await;
        tools.call("aileron_diagnostics", json!({})).await;
        assert!(!tools.was_asked(), "{version} {can}");
    }
    let mut silent = spawned(&world, LATEST, json!({"elicitation": {"url": {}}})).await;
    for _ in 0..20 {
        let result = silent.call("notes_create", bread()).await;
        assert_eq!(result["structuredContent"]["status"], "pending_approval");
    }
    assert_eq!(world.servers.titles(), ["Welcome"]);
}

#[tokio::test]
async fn without_an_address_the_program_finds_the_daemon_of_its_machine_and_finds_it_again() {
    let mut world = World::new().await;
    let home = world.house.path().to_str().unwrap().to_owned();
    let nowhere = tempfile::tempdir().unwrap();
    let mut stray = Tools::told_by([("AILERON_HOME", nowhere.path().to_str().unwrap())]);
    stray.hello(LATEST).await;
    let told = stray.call("aileron_diagnostics", json!({})).await;
    assert!(text(&told).contains("aileron daemon start"), "{told}");

    let mut tools = Tools::told_by([("AILERON_HOME", home.as_str())]);
    tools.hello(LATEST).await;
    assert!(names(&tools.ask("tools/list", json!({})).await).contains(&"notes_list"));
    let list = tools.call("notes_list", json!({})).await;
    assert!(text(&list).contains("Welcome"), "{list}");

    let pid = world.house.discovery().unwrap().pid;
    world.house.terminate(pid);
    world.house.ended(pid).await;
    let told = tools.call("aileron_diagnostics", json!({})).await;
    assert!(text(&told).starts_with("unreachable: "), "{told}");
    world.house.start().await;
    world.house.run_as_person(&["vault", "unlock"]);
    let list = tools.call("notes_list", json!({})).await;
    assert!(text(&list).contains("Welcome"), "{list}");
}
