//! Where people find the web page, when a proxy stands in front of the daemon: every link says it.

use aileron_node::demo::Servers;
use serde_json::json;

use crate::{
    house::{House, PASSPHRASE},
    household::Household,
    main_job::ask,
};

const PAGE: &str = "https://aileron.example:8443";

#[tokio::test(flavor = "multi_thread")]
async fn links_lead_to_the_configured_address_of_the_page() {
    let servers = Servers::start().await.unwrap();
    let mut house = House::with_config(&servers, &json!({ "gateway_url": format!("{PAGE}/") }));
    house.spawn(&["daemon", "run"]);
    let home = Household::started(house, servers).await;
    let status = home.program.status().await.unwrap().value;
    assert_eq!(status.gateway_url.as_deref(), Some(PAGE));
    let pending = ask(&home.program, "x", None).await;
    let review = format!("{PAGE}/approvals?focus={}", pending.approval_id);
    assert_eq!(pending.review_url.as_deref(), Some(review.as_str()));
    let mut command = home.house.command(["open", "approvals"]);
    // Without a browser.
    command.env("PATH", "/nonexistent").env("AILERON_VAULT_PASSPHRASE", PASSPHRASE);
    let output = command.output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    assert_eq!(shown, format!("{PAGE}/approvals\n"));
}

#[test]
fn an_address_that_links_cannot_be_made_of_is_refused_at_the_start() {
    let house = House::bare(&json!({ "gateway_url": "http://aileron.example/page" }));
    let output = house.run(&["daemon", "run"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && told.contains("gateway_url:"), "{told}");
}
