//! Text that wants to be another line of the daemon's log, or a command to the reader's terminal.

use aileron_api::{Object, actions::RunAction, client::RunOutcome};
use aileron_node::demo::Servers;
use serde_json::json;

use crate::{
    hostile::{Connector, Deed, failed},
    house::{House, create_vault, person},
    main_job::moves_in,
    raw::Door,
};

/// Ends the line, begins one of its own, clears the screen, turns the text around, rings.
const FORGED: &str = "x\r\n2026-01-01T00:00:00.000000Z  INFO forged by mallory\u{1b}[2J\u{1b}]0;t\u{7}\
    \u{9b}1m\u{202e}\u{2066}\u{200f}\u{85}\u{2028}\u{8}\u{7f}";

/// What moves a terminal or a reader: nothing that is printed may contain it.
fn is_harmful(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[track_caller]
fn harmless(what: &str, text: &str) {
    let found = text.chars().find(|c| is_harmful(*c));
    assert_eq!(found, None, "{what}: {text:?}");
    for line in text.lines() {
        assert!(!line.starts_with("2026-01-01"), "{what} has a forged line: {text}");
    }
}

/// The daemon's log, each line of which begins with its time.
#[track_caller]
fn log_is_whole(house: &House) -> String {
    let log = house.log();
    harmless("the log", &log);
    for line in log.lines() {
        let time = line.get(..11).unwrap_or_default();
        assert!(time.starts_with("20") && time.ends_with('T'), "no line of its own: {line:?}");
    }
    log
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_connector_says_forges_no_line_and_steers_no_terminal() {
    let servers = Servers::start().await.unwrap();
    let mut house = House::with_config(&servers, &json!({ "log": "debug" }));
    let program = house.start().await;
    create_vault(&program).await;
    let owner = person(&program).await;
    let connector = Connector {
        repo: "liar",
        hosts: &["localhost:9"],
        credential: None,
        wall_seconds: 20,
        gated: false,
        deeds: vec![
            Deed::Says { level: FORGED.to_owned(), message: FORGED.to_owned() },
            Deed::Sends(json!({ "url": format!("http://localhost:9/{FORGED}") }).to_string()),
            Deed::Sends(json!({ "url": format!("http://{FORGED}/") }).to_string()),
            Deed::Sends(json!({ "url": "http://localhost:9", "method": FORGED }).to_string()),
            Deed::Sends(
                json!({ "url": "http://localhost:9", "headers": { FORGED: "a" } }).to_string(),
            ),
            Deed::Sends(json!({ "url": "http://localhost:9", "credential": FORGED }).to_string()),
        ],
    };
    connector.install(&owner, &servers).await;
    for deed in 0..connector.deeds.len() {
        failed(connector.run(&program, deed).await);
    }
    let log = log_is_whole(&house);
    assert!(log.contains("forged by mallory"), "the connector's words are not in the log at all");

    let shown = house.run(&["action", "runs"]);
    let text = String::from_utf8(shown.stdout).unwrap();
    assert!(text.contains("forged by mallory"), "{text}");
    harmless("action runs", &text);
    let events = house.run(&["audit", "list", "--json"]).stdout;
    let events: serde_json::Value = serde_json::from_slice(&events).unwrap();
    for event in events["events"].as_array().unwrap() {
        let shown = house.run(&["audit", "show", event["audit_id"].as_str().unwrap()]);
        harmless("audit show", &String::from_utf8(shown.stdout).unwrap());
    }
    for arguments in [&["audit", "list"][..], &["action", "list"], &["connector", "list"]] {
        let shown = house.run(arguments);
        harmless(&arguments.join(" "), &String::from_utf8(shown.stdout).unwrap());
        harmless(&arguments.join(" "), &String::from_utf8(shown.stderr).unwrap());
    }
    let told = house.run(&["action", "run", "liar-do", "--arg", "deed=a"]);
    harmless("action run", &String::from_utf8(told.stderr).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_caller_asks_for_forges_no_line_and_steers_no_terminal() {
    let servers = Servers::start().await.unwrap();
    let mut house = House::with_config(&servers, &json!({ "log": "debug" }));
    let program = house.start().await;
    let owner = moves_in(&program, &servers).await;
    let args: Object = [("title", FORGED), ("text", FORGED)]
        .map(|(name, value)| (name.to_owned(), value.into()))
        .into_iter()
        .collect();
    let asked = program
        .run_action("notes-create", &RunAction { args, ..RunAction::default() }, None)
        .await
        .unwrap()
        .value;
    let RunOutcome::Pending(pending) = asked else { panic!("a write ran by itself") };

    asks_for_everything(&house).await;
    let deny = aileron_api::approvals::Decide {
        reason: Some(FORGED.to_owned()),
        ..aileron_api::approvals::Decide::default()
    };

    let waiting = house.run(&["approval", "list"]);
    let text = String::from_utf8(waiting.stdout).unwrap();
    assert!(text.contains(&pending.approval_id), "{text}");
    harmless("approval list", &text);
    assert_eq!(text.lines().count(), 2, "one heading, one approval: {text}");
    owner.decide(&pending.approval_id, &deny).await.unwrap();
    for arguments in [&["action", "runs"][..], &["audit", "list"], &["action", "list"]] {
        let shown = house.run(arguments);
        harmless(&arguments.join(" "), &String::from_utf8(shown.stdout).unwrap());
        harmless(&arguments.join(" "), &String::from_utf8(shown.stderr).unwrap());
    }
    for arguments in [
        &["action", "run", FORGED][..],
        &["audit", "show", FORGED],
        &["approval", "approve", FORGED],
        &["binding", "inspect", FORGED],
        &["connector", "install", FORGED],
        &["token", "mint", "--label", FORGED, "--scopes", FORGED],
    ] {
        // What somebody typed comes back to them; it may have lines, and nothing more.
        let shown = house.run(arguments);
        let text = String::from_utf8([shown.stdout, shown.stderr].concat()).unwrap();
        assert!(!text.chars().any(is_harmful), "{}: {text:?}", arguments[1]);
    }
    log_is_whole(&house);
}

/// Paths, queries, headers and bodies, each with the text in it.
async fn asks_for_everything(house: &House) {
    let door = Door::of(house);
    let escaped = "%0D%0A2026-01-01T00:00:00Z%20%20INFO%20forged%1B%5B2J%E2%80%AE%C2%9B1m";
    for line in [
        format!("GET /v1/actions/{escaped}"),
        format!("GET /v1/{escaped}"),
        format!("GET /{escaped}?{escaped}={escaped}"),
        format!("GET /v1/audit?since={escaped}"),
        format!("GET /v1/action-runs?state={escaped}"),
        format!("DELETE /v1/bindings/{escaped}"),
        format!("POST /v1/actions/{escaped}/run"),
        format!("POST /v1/action-approvals/{escaped}/decide"),
        "FORGED /v1/status".to_owned(),
    ] {
        let body = json!({ "args": { FORGED: FORGED }, "approved": true, "reason": FORGED });
        let body = if line.starts_with("POST") { body.to_string() } else { String::new() };
        door.request(&line, "", &body).await;
    }
    for header in [
        "X-Request-Id: \u{1b}[2J\u{202e}forged",
        "X-Request-Id: a b",
        "X-Aileron-Session-Id: forged\u{9b}1m",
        "Idempotency-Key: \u{202e}forged",
        "User-Agent: \u{1b}[2Jforged",
        "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\u{202e}",
        "X-A: b\u{1b}[31m\u{85}forged",
    ] {
        let body = r#"{"args":{}}"#;
        let answer =
            door.request("POST /v1/actions/notes-list/run", &format!("{header}\r\n"), body).await;
        let head = answer.split("\r\n\r\n").next().unwrap().replace('\r', "");
        harmless(header, &head);
    }
    let label = json!({ "label": FORGED, "scopes": ["actions:run"], "expires_at": FORGED });
    door.request("POST /v1/tokens", "", &label.to_string()).await;
    let unlock = json!({ "passphrase": FORGED }).to_string();
    door.request("POST /v1/vault/unlock", "", &unlock).await;
}
