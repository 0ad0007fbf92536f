//! Traces as a collector gets them: one from the tool's call to the upstream, through the wait for
//! a person; nothing secret in it; and a runtime that does not care when nobody takes them.

mod collector;

use std::{ffi::OsString, time::Duration};

use aileron_api::client::Client;
use aileron_node::demo::Servers;
use serde_json::{Value, json};

use crate::{
    house::{House, PASSPHRASE, person, unlock_vault, until},
    main_job::{approve, list, moves_in, settled},
    mcp::http::Tools,
    split::Split,
};
use collector::{Collector, Span, Spans};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

/// The way of a call, from the outside in.
const WAY: [&str; 5] = [
    "POST /mcp",
    "aileron.mcp.tool.call",
    "aileron.action.execute",
    "aileron.connector.call",
    "aileron.egress.request",
];

/// The variables of a daemon.
type Variables = Vec<(&'static str, OsString)>;

fn export_to(collector: &Collector) -> Variables {
    let all = [
        ("AILERON_OTEL_ENABLED", "true".to_owned()),
        ("AILERON_OTEL_EXPORTER", "otlp".to_owned()),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url()),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20canary-header".to_owned()),
    ];
    all.map(|(name, value)| (name, OsString::from(value))).into()
}

async fn start(house: &mut House, variables: &Variables) -> Client {
    house.spawn_in(&["daemon", "run"], variables.clone());
    house.client().await
}

/// A token for tools, and a session at `/mcp` in the caller's trace. The caller says that it does
/// not record: that is not for it to say.
async fn tools(house: &House) -> (Tools, String) {
    let scopes = "actions:list,actions:run,approvals:poll";
    let minted = ["token", "mint", "--label", "t", "--scopes", scopes, "--days", "1"];
    let minted = house.run_as_person(&minted);
    assert!(minted.status.success(), "{minted:?}");
    let token = String::from_utf8(minted.stdout).unwrap().trim().to_owned();
    let tools = Tools::start(&house.discovery().unwrap().url, &token).await;
    (tools.with_header("traceparent", &format!("00-{TRACE}-{CALLER}-00")), token)
}

async fn park(tools: &mut Tools) -> String {
    let note = json!({"title": "canary-title", "text": "canary-text"});
    let asked = tools.call("notes_create", note).await;
    asked["structuredContent"]["approval_id"].as_str().unwrap().to_owned()
}

/// What the trace must be, wherever the parts run.
fn is_one_trace(spans: &Spans, id: &str) {
    let egress = spans.with("aileron.egress.request", "http.request.method", "POST");
    assert_eq!(spans.path(egress), WAY);
    let [request, call, execute, guest, _] = spans.way(egress).try_into().unwrap();
    assert_eq!((request.trace.as_str(), request.parent.as_str()), (TRACE, CALLER));
    assert_eq!(request.text("http.route"), "/mcp");
    assert_eq!(request.number("http.response.status_code"), 200);
    assert_eq!(call.text("aileron.action.name"), "notes-create");
    assert_eq!(call.text("gen_ai.operation.name"), "execute_tool");
    assert_eq!(execute.text("aileron.run.id"), id);
    assert_eq!(execute.text("aileron.run.outcome"), "succeeded");
    assert_eq!(execute.number("aileron.action.steps_count"), 1);
    assert_eq!(guest.text("aileron.connector.op"), "create");
    assert_eq!(egress.text("server.address"), "localhost");
    assert_eq!(egress.number("http.response.status_code"), 201);

    let wait = spans.only("aileron.approval.wait");
    assert_eq!(spans.path(wait), [WAY[0], WAY[1], "aileron.approval.wait"]);
    assert_eq!(wait.text("aileron.approval.id"), id);
    assert_eq!(wait.text("aileron.approval.decision"), "approved");
    let waited = u64::try_from(wait.number("aileron.approval.wait_ms")).unwrap();
    assert_eq!((wait.end - wait.start) / 1_000_000, waited);
    assert!(wait.end <= execute.start && wait.start >= request.start, "{wait:?}");
    // The person's decision has a trace of its own.
    let [deciding] = wait.links.as_slice() else { panic!("{wait:?}") };
    let deciding = spans.0.iter().find(|span| span.id == *deciding).unwrap();
    assert_ne!(deciding.trace, TRACE);
    let decided = spans.root(deciding);
    assert_eq!(decided.name, "POST /v1/action-approvals/{id}/decide");

    let ends = |span: &&Span| span.says("aileron.audit.type", "execution.succeeded");
    let below = |span: &&Span| spans.way(span).iter().any(|above| above.id == execute.id);
    let appended = spans.0.iter().filter(ends).find(below).unwrap();
    assert_eq!(spans.path(appended), [&WAY[..3], &["aileron.audit.append"]].concat());
    let strays: Vec<_> = spans.0.iter().filter(|span| spans.is_lost(span)).collect();
    assert!(strays.is_empty(), "{strays:?}");
}

/// Nothing of what was said, only that something was.
fn tells_nothing(collector: &Collector, house: &House, secrets: &[&str]) {
    let sent = collector.bytes();
    let holds = |what: &str| memchr::memmem::find(&sent, what.as_bytes()).is_some();
    assert!(holds("notes-create") && holds("execution.succeeded"), "the scan finds nothing");
    let said = ["canary", "Welcome", PASSPHRASE, "claude", "traceparent", "/v1/notes"];
    for secret in said.iter().chain(secrets) {
        assert!(!holds(secret), "{secret} was exported");
    }
    assert!(!house.log().contains("canary"), "{}", house.log());
    let headers = collector.headers();
    assert!(headers.iter().all(|header| header == "Bearer canary-header") && !headers.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_trace_leads_from_the_tools_call_to_the_upstream_through_the_wait() {
    let servers = Servers::start().await.unwrap();
    let collector = Collector::start().await;
    let mut house = House::new(&servers);
    let program = start(&mut house, &export_to(&collector)).await;
    let person = moves_in(&program, &servers).await;
    let (mut tools, token) = tools(&house).await;
    let id = park(&mut tools).await;
    approve(&person, &id).await;
    settled(&program, &id).await;
    tools.call("notes_list", json!({})).await;
    stop(&mut house).await;
    let spans = collector.spans();
    is_one_trace(&spans, &id);
    tells_nothing(&collector, &house, &[&token, &servers.notes_key]);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_one_trace_with_a_process_for_each_role() {
    let servers = Servers::start().await.unwrap();
    let collector = Collector::start().await;
    let mut split = Split::start_in(&servers, &export_to(&collector));
    let program = split.program().await;
    let person = moves_in(&program, &servers).await;
    let (mut tools, token) = tools(&split.house).await;
    let id = park(&mut tools).await;
    approve(&person, &id).await;
    settled(&program, &id).await;
    split.stop().await;
    let spans = collector.spans();
    is_one_trace(&spans, &id);
    let role = |name: &str| &spans.0.iter().find(|span| span.name == name).unwrap().roles;
    let roles = [WAY[0], WAY[3], WAY[4], "aileron.audit.append"].map(role);
    assert_eq!(roles, ["gateway", "executor", "vault", "audit"]);
    tells_nothing(&collector, &split.house, &[&token, &servers.notes_key]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_goes_on_after_a_restart() {
    let servers = Servers::start().await.unwrap();
    let collector = Collector::start().await;
    let mut house = House::new(&servers);
    let program = start(&mut house, &export_to(&collector)).await;
    moves_in(&program, &servers).await;
    let (mut tools, _) = tools(&house).await;
    let id = park(&mut tools).await;
    stop(&mut house).await;
    let program = start(&mut house, &export_to(&collector)).await;
    unlock_vault(&program).await;
    approve(&person(&program).await, &id).await;
    settled(&program, &id).await;
    stop(&mut house).await;
    is_one_trace(&collector.spans(), &id);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_others_wrote_understands_it() {
    let servers = Servers::start().await.unwrap();
    let behind = Collector::start().await;
    let between = collector::Foreign::start(&behind).await;
    for (protocol, compression) in [("http/protobuf", "gzip"), ("http/json", "none")] {
        let mut house = House::new(&servers);
        let mut variables = export_to(&behind);
        variables.retain(|(name, _)| !name.ends_with("ENDPOINT"));
        variables.extend([
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", between.url.clone().into()),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol.into()),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", compression.into()),
        ]);
        let program = start(&mut house, &variables).await;
        let person = moves_in(&program, &servers).await;
        let (mut tools, _) = tools(&house).await;
        let id = park(&mut tools).await;
        approve(&person, &id).await;
        settled(&program, &id).await;
        stop(&mut house).await;
        assert!(!house.log().contains("not exported"), "{}", house.log());
        behind.until(|spans| spans.0.iter().any(|it| it.name == "aileron.action.execute")).await;
        let spans = behind.take();
        is_one_trace(&spans, &id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_are_lines_of_a_file_or_of_standard_error() {
    let servers = Servers::start().await.unwrap();
    for exporter in ["file", "stdout"] {
        let mut house = House::new(&servers);
        let variables = vec![
            ("AILERON_OTEL_ENABLED", "1".into()),
            ("AILERON_OTEL_EXPORTER", exporter.into()),
            ("AILERON_OTEL_SERVICE_NAME", "my-runtime".into()),
        ];
        let program = start(&mut house, &variables).await;
        moves_in(&program, &servers).await;
        list(&program).await;
        stop(&mut house).await;
        let folder = house.path().join("traces");
        let text = if exporter == "file" {
            let files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(Result::unwrap).collect();
            let [file] = files.as_slice() else { panic!("{files:?}") };
            assert!(file.file_name().to_str().unwrap().starts_with("spans-20"), "{file:?}");
            std::fs::read_to_string(file.path()).unwrap()
        } else {
            assert!(!folder.exists());
            house.log()
        };
        let lines: Vec<Value> = text
            .lines()
            .filter(|line| line.starts_with('{'))
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let span = |line: &Value| line["resourceSpans"][0]["scopeSpans"][0]["spans"][0].clone();
        let execute = lines.iter().find(|line| span(line)["name"] == WAY[2]).unwrap();
        let resource = &execute["resourceSpans"][0]["resource"]["attributes"];
        assert!(resource.to_string().contains("my-runtime"), "{resource}");
        assert_eq!(span(execute)["traceId"].as_str().unwrap().len(), 32);
        assert!(!text.contains("Welcome") && !text.contains(&servers.notes_key));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_collector_the_runtime_works_and_says_so_once() {
    let servers = Servers::start().await.unwrap();
    let mut house = House::new(&servers);
    let nobody = Collector::start().await;
    let variables = export_to(&nobody);
    drop(nobody);
    let program = start(&mut house, &variables).await;
    moves_in(&program, &servers).await;
    for _ in 0..3 {
        list(&program).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    stop(&mut house).await;
    let log = house.log();
    assert_eq!(log.matches("spans cannot be exported").count(), 1, "{log}");
    assert!(log.contains("spans were not exported lost="), "{log}");
    assert!(!log.contains("canary"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_does_not_answer_holds_up_nothing() {
    let servers = Servers::start().await.unwrap();
    let mute = Collector::mute().await;
    let mut house = House::new(&servers);
    let program = start(&mut house, &export_to(&mute)).await;
    moves_in(&program, &servers).await;
    until("a batch is on its way", async || {
        list(&program).await;
        (!mute.bytes().is_empty()).then_some(())
    })
    .await;
    // Nobody has answered it, and calls are answered all the same.
    for _ in 0..3 {
        list(&program).await;
    }
    mute.speaks();
}

#[tokio::test(flavor = "multi_thread")]
async fn export_is_off_unless_asked_for_and_a_mistake_in_it_is_told_without_its_value() {
    let servers = Servers::start().await.unwrap();
    let collector = Collector::start().await;
    for (name, value, told) in [
        ("AILERON_OTEL_ENABLED", "", false),
        ("AILERON_OTEL_EXPORTER", "noop", false),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "canary", true),
        ("OTEL_EXPORTER_OTLP_HEADERS", "canary", true),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/nowhere.pem", true),
    ] {
        let mut house = House::new(&servers);
        let mut variables = export_to(&collector);
        variables.retain(|(other, _)| *other != name);
        variables.push((name, value.into()));
        start(&mut house, &variables).await;
        stop(&mut house).await;
        let log = house.log();
        assert_eq!(log.contains("spans are not exported"), told, "{name}: {log}");
        assert_eq!(log.contains(&format!("{name}: ")) || value.starts_with('/'), told, "{log}");
        assert!(!log.contains("canary"), "{log}");
    }
    assert!(collector.bytes().is_empty());
}

async fn stop(house: &mut House) {
    let pid = house.discovery().unwrap().pid;
    house.terminate(pid);
    house.ended(pid).await;
}
