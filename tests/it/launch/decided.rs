//! The agent asks, and shows where; a person decides in Chromium, or nobody does in time; the
//! agent's next turn tells what became of it.

use super::{
    chromium::{Deed, visit},
    *,
};

/// The whole way of one question, up to the answer that `deed` is.
async fn answered(agent: &[&str], deed: Deed, name: &str) -> (Scene, String) {
    let scene = Scene::new().await;
    let model = Model::start(writes_a_note).await;
    let running = Running::start(scene.launch(&model, agent));
    let link = scene.link(&model).await;
    let (waiting, session) = (scene.waiting().await, scene.session().await);
    assert_eq!((waiting.session_id.as_ref(), &*session.state), (Some(&session.id), "running"));
    let seen = visit(&link, deed, name).await;
    for part in ["ACTION", "notes-create", "github://aileron-dev/starter", "Bread", "rye"] {
        assert!(seen.card.contains(part), "{part}: {seen:?}");
    }
    assert_eq!(seen.buttons.as_array().map(Vec::len), Some(2), "{seen:?}");
    assert!(seen.raw.contains(r#""title": "Bread""#), "{seen:?}");
    let output = running.ends().await;
    let told = text(&output);
    assert!(output.status.success(), "{told}");
    for tool in ["notes_list", "notes_create", "check_action_status"] {
        assert!(model.offered().contains(tool), "{tool} in {:?}", model.offered());
    }
    assert!(told.contains("Welcome"), "the read was not told: {told}");
    scene.is_over(0).await;
    configuration_is_untouched(&scene, &model);
    (scene, told)
}

async fn approved(agent: &[&str], name: &str) {
    let (scene, told) = answered(agent, Deed::Approve, name).await;
    assert!(told.contains(r#""status":"completed""#), "{told}");
    assert_eq!(scene.home.servers.titles(), ["Welcome", "Bread"]);
    assert_eq!(scene.tells("approval.approved").await, 1);
    // What the session did, from the log.
    let watched = scene.home.house.run(&["sessions", "watch", &scene.session().await.id]);
    let watched = String::from_utf8_lossy(&watched.stdout).into_owned();
    let lines: Vec<_> = watched.lines().collect();
    assert!(lines.first().unwrap().contains("an agent session began"), "{watched}");
    assert!(lines.last().unwrap().contains("an agent session ended"), "{watched}");
    assert!(watched.contains("notes-create"), "{watched}");
}

async fn denied(agent: &[&str], name: &str) {
    let (scene, told) = answered(agent, Deed::Deny("not on a Sunday"), name).await;
    assert!(told.contains(r#""status":"denied""#) && told.contains("not on a Sunday"), "{told}");
    assert_eq!(scene.home.servers.titles(), ["Welcome"]);
    assert_eq!(scene.tells("approval.denied").await, 1);
}

/// Nobody comes for an hour, which the daemon's clock leaps over.
async fn expired(agent: &[&str], name: &str) {
    let clock = Clock::new();
    let scene = Scene::with(&json!({ "approvals": { "expiry_hours": 1 } }), Some(&clock)).await;
    let model = Model::start(writes_a_note).await;
    let running = Running::start(scene.launch(&model, agent));
    let waiting = scene.waiting().await;
    let link = scene.link(&model).await;
    clock.leap(61);
    let output = running.ends().await;
    let told = text(&output);
    assert!(output.status.success(), "{told}");
    assert!(told.contains(r#""status":"denied""#), "{told}");
    assert!(told.contains("nobody decided before the approval expired"), "{told}");
    scene.is_over(0).await;
    // The person comes too late: there is nothing left to decide, on the page and elsewhere.
    let seen = visit(&link, Deed::Look, name).await;
    assert!(seen.card.is_empty() && seen.said.contains("no longer waits"), "{seen:?}");
    let late = crate::house::person(&scene.home.program).await;
    let body = Decide { approved: true, digest: waiting.digest.clone(), ..Decide::default() };
    late.decide(&waiting.id, &body).await.unwrap_err();
    assert_eq!(scene.home.servers.titles(), ["Welcome"]);
    assert_eq!(scene.tells("approval.expired").await, 1);
    assert_eq!(scene.tells("approval.approved").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn claude_code_tells_the_result_of_what_a_person_approved_in_chromium() {
    approved(CLAUDE, "claude-approved").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn claude_code_tells_the_reason_of_a_refusal_in_chromium() {
    denied(CLAUDE, "claude-denied").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn claude_code_tells_that_nobody_decided_in_time() {
    expired(CLAUDE, "claude-expired").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn codex_tells_the_result_of_what_a_person_approved_in_chromium() {
    approved(CODEX, "codex-approved").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn codex_tells_the_reason_of_a_refusal_in_chromium() {
    denied(CODEX, "codex-denied").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn codex_tells_that_nobody_decided_in_time() {
    expired(CODEX, "codex-expired").await;
}
