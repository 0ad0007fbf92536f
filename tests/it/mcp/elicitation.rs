//! What waits for a person is told through the client where it can open an address, and nothing
//! the client answers decides it. And the program that nobody told where the runtime is.

use aileron_api::actions::PatchAction;
use serde_json::{Value, json};

use super::{bread, http, names, stdio::Tools, text};
use crate::{
    household::Household,
    main_job::{approve, settled},
};

const LATEST: &str = "2025-11-25";

async fn spawned(home: &Household, version: &str, can: Value) -> Tools {
    let token = home.token("tools").await;
    let mut tools = Tools::spawn(&home.url(), &token, None, "0");
    tools.introduced(version, can).await;
    tools
}

async fn reply(tools: &mut Tools, asked: &Value, result: &Value) {
    let message = json!({"jsonrpc": "2.0", "id": asked["id"], "result": result});
    tools.write(&format!("{message}\n")).await;
}

#[tokio::test]
async fn whatever_the_client_answers_the_approval_waits_as_before() {
    let home = Household::new().await;
    let mut tools = spawned(&home, LATEST, json!({"elicitation": {"url": {}}})).await;
    for answer in answers() {
        let result = tools.call("notes_create", bread()).await;
        let asked = tools.asked("elicitation/create").await;
        let id = leads_to(&asked, &result);
        reply(&mut tools, &asked, &answer).await;
        let status = tools.call("check_action_status", json!({"approval_id": id})).await;
        assert_eq!(text(&status), "status: pending_approval", "{answer}");
    }
    only_the_person_decides(&home).await;
}

#[tokio::test]
async fn whatever_the_client_answers_over_http_the_approval_waits_as_before() {
    let home = Household::new().await;
    let (token, other) = (home.token("tools").await, home.token("other").await);
    let can = json!({"elicitation": {"url": {}}});
    let mut tools = http::Tools::listening(&home.url(), &token, &can).await;
    for answer in answers() {
        let result = tools.call("notes_create", bread()).await;
        let asked = tools.told("elicitation/create").await;
        let id = leads_to(&asked, &result);
        let stranger = tools.with_token(&other);
        assert_eq!(stranger.replies(&asked, &answer).await, 404, "another's session");
        assert_eq!(tools.replies(&asked, &answer).await, 202, "{answer}");
        let status = tools.call("check_action_status", json!({"approval_id": id})).await;
        assert_eq!(text(&status), "status: pending_approval", "{answer}");
    }
    only_the_person_decides(&home).await;
}

#[tokio::test]
async fn over_http_who_cannot_open_an_address_is_not_asked() {
    let home = Household::new().await;
    let token = home.token("tools").await;
    let cannot = json!({"elicitation": {"form": {}}});
    let mut tools = http::Tools::listening(&home.url(), &token, &cannot).await;
    tools.ask("tools/list", json!({})).await;
    let waits = tools.call("notes_create", bread()).await;
    assert_eq!(waits["structuredContent"]["status"], "pending_approval");
    // What is said later comes behind what was said before.
    let off = PatchAction { enabled: Some(false) };
    home.person.patch_action("notes-list", &off).await.unwrap();
    tools.told("notifications/tools/list_changed").await;
    assert!(!tools.was_asked());
}

/// What a client may say to a question, and some things that it may not.
fn answers() -> [Value; 5] {
    [
        json!({"action": "accept"}),
        json!({"action": "accept", "content": {"approved": true, "decision": "approve"}}),
        json!({"action": "decline"}),
        json!({"action": "cancel"}),
        json!({"approved": true}),
    ]
}

/// Leads the client's person to the approval that the call's result names; its id.
fn leads_to(asked: &Value, result: &Value) -> String {
    let id = result["structuredContent"]["approval_id"].as_str().unwrap().to_owned();
    let params = &asked["params"];
    assert_eq!((&params["mode"], &params["elicitationId"]), (&json!("url"), &json!(id)));
    assert_eq!(params["url"], result["structuredContent"]["review_url"]);
    assert_eq!(params["message"], text(result));
    id
}

/// Five calls wait, whatever the client said; the person's own decision counts.
async fn only_the_person_decides(home: &Household) {
    let waiting = home.person.approvals().await.unwrap().value.items;
    assert_eq!(waiting.len(), 5);
    assert_eq!(home.servers.titles(), ["Welcome"]);
    approve(&home.person, &waiting[2].id).await;
    settled(&home.program, &waiting[2].id).await;
    assert_eq!(home.servers.titles(), ["Welcome", "Bread"]);
}

#[tokio::test]
async fn who_cannot_open_an_address_is_not_asked_and_a_client_that_never_answers_holds_nobody_up() {
    let home = Household::new().await;
    for (version, can) in [
        (LATEST, json!({})),
        (LATEST, json!({"elicitation": {}})),
        (LATEST, json!({"elicitation": {"form": {}}})),
        ("2025-06-18", json!({"elicitation": {"url": {}}})),
    ] {
        let mut tools = spawned(&home, version, can.clone()).await;
        tools.call("notes_create", bread()).await;
        tools.call("aileron_diagnostics", json!({})).await;
        assert!(!tools.was_asked(), "{version} {can}");
    }
    let mut silent = spawned(&home, LATEST, json!({"elicitation": {"url": {}}})).await;
    for _ in 0..20 {
        let result = silent.call("notes_create", bread()).await;
        assert_eq!(result["structuredContent"]["status"], "pending_approval");
    }
    assert_eq!(home.servers.titles(), ["Welcome"]);
}

#[tokio::test]
async fn without_an_address_the_program_finds_the_daemon_of_its_machine_and_finds_it_again() {
    let mut home = Household::new().await;
    let folder = home.house.path().to_str().unwrap().to_owned();
    let nowhere = tempfile::tempdir().unwrap();
    let mut stray = Tools::told_by([("AILERON_HOME", nowhere.path().to_str().unwrap())]);
    stray.hello(LATEST).await;
    let told = stray.call("aileron_diagnostics", json!({})).await;
    assert!(text(&told).contains("aileron daemon start"), "{told}");

    let mut tools = Tools::told_by([("AILERON_HOME", folder.as_str())]);
    tools.hello(LATEST).await;
    assert!(names(&tools.ask("tools/list", json!({})).await).contains(&"notes_list"));
    let list = tools.call("notes_list", json!({})).await;
    assert!(text(&list).contains("Welcome"), "{list}");

    let pid = home.house.discovery().unwrap().pid;
    home.house.terminate(pid);
    home.house.ended(pid).await;
    let told = tools.call("aileron_diagnostics", json!({})).await;
    assert!(text(&told).starts_with("unreachable: "), "{told}");
    home.house.start().await;
    home.house.run_as_person(&["vault", "unlock"]);
    let list = tools.call("notes_list", json!({})).await;
    assert!(text(&list).contains("Welcome"), "{list}");
}
