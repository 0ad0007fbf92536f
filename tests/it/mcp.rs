//! Actions as tools: the program over standard input and output, and `/mcp`, against the daemon.

mod conformance;
mod elicitation;
pub(crate) mod http;
mod stdio;
mod streams;

use aileron_api::sessions::EndSession;
use serde_json::{Value, json};

use crate::{
    house::until,
    household::{Household, begins, mints},
    main_job::{approve, settled},
};

impl Household {
    /// A token minted for a program that uses tools.
    async fn token(&self, label: &str) -> String {
        let scopes = ["actions:list", "actions:run", "approvals:poll"];
        mints(&self.person, label, &scopes).await.token.into_inner()
    }

    /// The text of an installed action under another name.
    fn renamed(&self, from: &str, to: &str) -> String {
        self.action_text(from).replace(from, to)
    }
}

fn names(listing: &Value) -> Vec<&str> {
    listing["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect()
}

fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap()
}

fn bread() -> Value {
    json!({"title": "Bread", "text": "from a model"})
}

#[tokio::test]
async fn the_program_offers_actions_runs_them_and_tells_what_became_of_an_approval() {
    let home = Household::new().await;
    let (session, token) = begins(&home.program, "claude").await;
    let mut tools = stdio::Tools::start(&home.url(), &token, Some(&session), "200ms").await;
    let listing = tools.ask("tools/list", json!({})).await;
    assert_eq!(
        names(&listing),
        ["notes_create", "notes_list", "check_action_status", "aileron_diagnostics"]
    );
    let create = &listing["tools"][0];
    assert_eq!(create["inputSchema"]["required"], json!(["title", "text"]));
    assert!(create["description"].as_str().unwrap().contains("check_action_status"));

    let list = tools.call("notes_list", json!({})).await;
    assert!(text(&list).contains("Welcome") && list.get("isError").is_none(), "{list}");
    assert_eq!(list["structuredContent"]["action"], "notes-list");

    let asked = tools.call("notes_create", bread()).await;
    let id = asked["structuredContent"]["approval_id"].as_str().unwrap().to_owned();
    assert!(asked.get("isError").is_none() && text(&asked).contains(&id), "{asked}");
    let status = tools.call("check_action_status", json!({"approval_id": id})).await;
    assert_eq!(text(&status), "status: pending_approval");
    assert_eq!(home.servers.titles(), ["Welcome"]);

    approve(&home.person, &id).await;
    settled(&home.program, &id).await;
    let status = tools.call("check_action_status", json!({"approval_id": id})).await;
    assert!(text(&status).starts_with("status: completed (audit_id="), "{status}");
    assert_eq!(status["structuredContent"]["status"], "completed");
    assert_eq!(home.servers.titles(), ["Welcome", "Bread"]);

    let unknown = tools.call("check_action_status", json!({"approval_id": "act-x"})).await;
    assert!(unknown["isError"] == true && text(&unknown).contains("act-x"), "{unknown}");
    let healthy = tools.call("aileron_diagnostics", json!({})).await;
    assert!(text(&healthy).starts_with("ok: "), "{healthy}");

    let refused = tools.call("notes_create", json!({"title": "only"})).await;
    assert_eq!(refused["isError"], true);
    assert!(text(&refused).contains("\"error\""), "{refused}");
    home.program.end_session(&session, &EndSession::default()).await.unwrap();
    let over = tools.call("aileron_diagnostics", json!({})).await;
    assert!(text(&over).starts_with("unauthorized: "), "{over}");
}

#[tokio::test]
async fn the_program_tells_of_new_and_disabled_tools_and_two_names_alike_are_nobody_s() {
    let home = Household::new().await;
    let token = home.token("tools").await;
    let mut tools = stdio::Tools::start(&home.url(), &token, None, "100ms").await;
    assert!(names(&tools.ask("tools/list", json!({})).await).contains(&"notes_list"));
    home.writes_action("notes_list", &home.renamed("notes-list", "notes_list")).await;
    tools.told("notifications/tools/list_changed").await;
    // What was described under the name is what it still runs here.
    let list = tools.call("notes_list", json!({})).await;
    assert_eq!(list["structuredContent"]["action"], "notes-list");

    let listing = tools.ask("tools/list", json!({})).await;
    let alike: Vec<_> =
        names(&listing).into_iter().filter(|name| name.starts_with("notes_list")).collect();
    assert_eq!(alike.len(), 2, "{alike:?}");
    let refused = tools.try_ask("tools/call", json!({"name": "notes_list"})).await.unwrap_err();
    assert_eq!(refused["code"], -32602);
    for tool in alike {
        let result = tools.call(tool, json!({})).await;
        assert!(text(&result).contains("Welcome"), "{result}");
    }
    home.house.run_as_person(&["action", "disable", "notes_list"]);
    tools.told("notifications/tools/list_changed").await;
    let now = tools.ask("tools/list", json!({})).await;
    assert_eq!(names(&now).len(), names(&listing).len() - 1);
}

#[tokio::test]
async fn the_program_speaks_three_revisions_and_refuses_what_it_cannot_read() {
    let home = Household::new().await;
    let token = home.token("tools").await;
    for (asked, agreed) in [
        ("2024-11-05", "2024-11-05"),
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        ("1999-01-01", "2025-11-25"),
    ] {
        let mut tools = stdio::Tools::spawn(&home.url(), &token, None, "0");
        let hello = tools.hello(asked).await;
        assert_eq!(hello["protocolVersion"], agreed);
        assert_eq!(hello["serverInfo"]["name"], "aileron");
        assert_eq!(hello["capabilities"], json!({"tools": {"listChanged": true}}));
        let list = tools.call("notes_list", json!({})).await;
        assert_eq!(list.get("structuredContent").is_some(), agreed > "2025");
        tools.write("no message at all\n").await;
        tools.write(&format!("{}\n", "x".repeat(1024 * 1024 + 1))).await;
        assert_eq!(tools.refusal().await["code"], -32600);
        let twice = r#"{"title":"a","title":"b","text":"c"}"#;
        let call = format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":99,\"method\":\"tools/call\",\"params\":\
             {{\"name\":\"notes_create\",\"arguments\":{twice}}}}}\n"
        );
        tools.write(&call).await;
        let refused = tools.answer(99).await.unwrap();
        assert!(refused["isError"] == true && text(&refused).contains("title"), "{refused}");
    }
    assert!(home.person.approvals().await.unwrap().value.items.is_empty());
}

#[tokio::test]
async fn without_a_runtime_the_program_says_what_to_do() {
    let mut tools = stdio::Tools::start("http://127.0.0.1:9", "token", None, "0").await;
    let listing = tools.ask("tools/list", json!({})).await;
    assert_eq!(names(&listing), ["check_action_status", "aileron_diagnostics"]);
    let told = tools.call("aileron_diagnostics", json!({})).await;
    assert!(text(&told).starts_with("unreachable: "), "{told}");
    let version = std::process::Command::new(stdio::program()).arg("--version").output().unwrap();
    assert!(String::from_utf8(version.stdout).unwrap().starts_with("aileron-mcp "));
}

#[tokio::test]
async fn an_approval_and_a_session_belong_to_the_token_that_began_them() {
    let home = Household::new().await;
    let (own, other) = (home.token("own").await, home.token("other").await);
    let (_, agent) = begins(&home.program, "claude").await;
    let mut own = http::Tools::start(&home.url(), &own).await;
    let mut other = http::Tools::start(&home.url(), &other).await;
    let mut agent = http::Tools::start(&home.url(), &agent).await;
    let asked = own.call("notes_create", bread()).await;
    let id = asked["structuredContent"]["approval_id"].as_str().unwrap().to_owned();
    let status = own.call("check_action_status", json!({"approval_id": id})).await;
    assert_eq!(text(&status), "status: pending_approval");
    for stranger in [&mut other, &mut agent] {
        let status = stranger.call("check_action_status", json!({"approval_id": id})).await;
        assert!(status["isError"] == true && text(&status).contains("unknown"), "{status}");
    }
    let stolen = own.with_token(&other.token);
    assert_eq!(stolen.status("tools/list").await, 404);
    approve(&home.person, &id).await;
    settled(&home.program, &id).await;
    let status = own.call("check_action_status", json!({"approval_id": id})).await;
    assert!(text(&status).starts_with("status: completed"), "{status}");
}

#[tokio::test]
async fn the_daemon_s_token_a_person_s_and_none_are_not_let_in() {
    let home = Household::new().await;
    let daemon = home.house.discovery().unwrap().token.unwrap();
    let url = home.url();
    for (token, expected) in [(daemon.as_str(), 403), ("", 401), ("unknown", 401)] {
        assert_eq!(http::Tools::new(&url, token).begin(&json!({})).await, expected, "{token}");
    }
    let token = home.token("tools").await;
    let good = http::Tools::start(&url, &token).await;
    for (header, value) in
        [("host", "evil.example"), ("origin", "http://evil.example"), ("origin", "null")]
    {
        assert_eq!(good.with_header(header, value).status("tools/list").await, 403, "{value}");
    }
}

#[tokio::test]
async fn one_token_s_sessions_do_not_crowd_out_another_s() {
    let home = Household::new().await;
    let (many, one) = (home.token("many").await, home.token("one").await);
    let quiet = http::Tools::start(&home.url(), &one).await;
    let first = http::Tools::start(&home.url(), &many).await;
    let second = http::Tools::start(&home.url(), &many).await;
    for _ in 0..15 {
        http::Tools::start(&home.url(), &many).await;
    }
    let nothing = http::Tools::new(&home.url(), &many);
    assert_eq!(nothing.status("tools/list").await, 400, "a session is begun first");
    assert_eq!(second.status("tools/list").await, 200, "what begins no session ends none");
    assert_eq!(first.status("tools/list").await, 404, "its own oldest one goes");
    assert_eq!(quiet.status("tools/list").await, 200);
}

#[tokio::test]
async fn cancelling_a_call_ends_the_waiting_and_not_the_run() {
    let home = Household::new().await;
    let token = home.token("tools").await;
    let mut tools = stdio::Tools::start(&home.url(), &token, None, "0").await;
    tools
        .write(
            "{\"jsonrpc\":\"2.0\",\"id\":50,\"method\":\"tools/call\",\"params\":{\"name\":\
             \"notes_list\"}}\n{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\
             \"params\":{\"requestId\":50}}\n",
        )
        .await;
    // Others go on, and nothing is repeated.
    assert!(text(&tools.call("notes_list", json!({})).await).contains("Welcome"));
    until("every run ends", async || {
        let runs = home.person.runs(&aileron_api::runs::RunFilter::default()).await.unwrap().value;
        assert!(matches!(runs.items.len(), 1 | 2), "{runs:?}");
        runs.items.iter().all(|run| run.ended_at.is_some()).then_some(())
    })
    .await;
}
