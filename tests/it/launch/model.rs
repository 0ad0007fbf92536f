//! A scripted model behind the two public protocols that agents speak: Messages and Responses. It
//! thinks in one function, from what the last tool said.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    extract::{DefaultBodyLimit, State},
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// What the model does next.
pub(crate) enum Say {
    Text(String),
    /// One of our tools.
    Tool(&'static str, Value),
    /// A command in the agent's shell; Claude only.
    Bash(String),
}

/// What the model knows: how many tools were called, and what the last one said.
pub(crate) struct Turn {
    pub(crate) results: Vec<String>,
}

impl Turn {
    pub(crate) fn last(&self) -> &str {
        self.results.last().map_or("", String::as_str)
    }
}

type Script = Arc<dyn Fn(&Turn) -> Say + Send + Sync>;

/// The endpoint. Dropping it ends it.
pub(crate) struct Model {
    pub(crate) url: String,
    state: Mind,
    _tasks: JoinSet<()>,
}

#[derive(Clone)]
struct Mind {
    script: Script,
    offered: Arc<Mutex<BTreeSet<String>>>,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Model {
    pub(crate) async fn start(script: impl Fn(&Turn) -> Say + Send + Sync + 'static) -> Self {
        let state =
            Mind { script: Arc::new(script), offered: Arc::default(), heard: Arc::default() };
        let router = Router::new()
            .route("/v1/messages", post(messages))
            .route("/v1/responses", post(responses))
            .layer(DefaultBodyLimit::max(16 * 1024 * 1024))
            .with_state(state.clone());
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, state, _tasks: tasks }
    }

    /// Our tools, as the agent offered them to its model.
    pub(crate) fn offered(&self) -> BTreeSet<String> {
        self.state.offered.lock().unwrap().clone()
    }

    /// What the tools have said so far, as the agent passed it on.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.state.heard.lock().unwrap().clone()
    }
}

impl Mind {
    fn offer(&self, names: &[&str]) {
        self.offered.lock().unwrap().extend(names.iter().map(|name| (*name).to_owned()));
    }

    async fn think(&self, results: Vec<String>) -> Say {
        // A model takes its time; one that polls must not do it as fast as it can.
        tokio::time::sleep(Duration::from_millis(50)).await;
        self.heard.lock().unwrap().clone_from(&results);
        (self.script)(&Turn { results })
    }
}

async fn messages(State(mind): State<Mind>, body: axum::body::Bytes) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap();
    let empty = Vec::new();
    let names = |tools: &'_ Value| -> Vec<String> {
        let tools = tools.as_array().unwrap_or(&empty).iter();
        tools.filter_map(|tool| tool["name"].as_str()).map(str::to_owned).collect()
    };
    let names = names(&body["tools"]);
    let ours = names.iter().filter_map(|name| name.strip_prefix("mcp__aileron__"));
    mind.offer(&ours.collect::<Vec<_>>());
    let said = if names.iter().any(|name| name.starts_with("mcp__aileron__")) {
        let blocks = body["messages"].as_array().unwrap().iter();
        let blocks = blocks.filter_map(|message| message["content"].as_array()).flatten();
        let results = blocks.filter(|block| block["type"] == "tool_result");
        mind.think(results.map(|block| flat(&block["content"])).collect()).await
    } else {
        Say::Text("a side question".to_owned())
    };
    let (block, delta, stop) = match said {
        Say::Text(text) => (
            json!({ "type": "text", "text": "" }),
            json!({ "type": "text_delta", "text": text }),
            "end_turn",
        ),
        Say::Tool(name, input) => call(&format!("mcp__aileron__{name}"), &input),
        Say::Bash(command) => {
            call("Bash", &json!({ "command": command, "description": "look around" }))
        }
    };
    let usage = json!({ "input_tokens": 1, "output_tokens": 1 });
    events(&[
        json!({ "type": "message_start", "message": {
            "id": "msg_1", "type": "message", "role": "assistant", "model": "scripted",
            "content": [], "stop_reason": null, "usage": usage,
        }}),
        json!({ "type": "content_block_start", "index": 0, "content_block": block }),
        json!({ "type": "content_block_delta", "index": 0, "delta": delta }),
        json!({ "type": "content_block_stop", "index": 0 }),
        json!({ "type": "message_delta", "usage": { "output_tokens": 1 },
                "delta": { "stop_reason": stop, "stop_sequence": null } }),
        json!({ "type": "message_stop" }),
    ])
}

fn call(name: &str, input: &Value) -> (Value, Value, &'static str) {
    static CALLS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let number = CALLS.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    (
        json!({ "type": "tool_use", "id": format!("toolu_{number}"), "name": name, "input": {} }),
        json!({ "type": "input_json_delta", "partial_json": input.to_string() }),
        "tool_use",
    )
}

async fn responses(State(mind): State<Mind>, body: axum::body::Bytes) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap();
    let tools = body["tools"].as_array().unwrap().iter();
    let ours = tools.filter(|tool| tool["name"] == "mcp__aileron");
    let ours = ours.filter_map(|tool| tool["tools"].as_array()).flatten();
    mind.offer(&ours.filter_map(|tool| tool["name"].as_str()).collect::<Vec<_>>());
    let items = body["input"].as_array().unwrap().iter();
    let results = items.filter(|item| item["type"] == "function_call_output");
    let results: Vec<_> = results.map(|item| flat(&item["output"])).collect();
    let number = results.len();
    let item = match mind.think(results).await {
        Say::Text(text) => json!({
            "type": "message", "role": "assistant", "id": "msg_1",
            "content": [{ "type": "output_text", "text": text }],
        }),
        Say::Tool(name, input) => json!({
            "type": "function_call", "id": format!("fc_{number}"),
            "call_id": format!("call_{number}"), "namespace": "mcp__aileron", "name": name,
            "arguments": input.to_string(),
        }),
        Say::Bash(_) => panic!("only Claude is asked to use its shell"),
    };
    let usage = json!({ "input_tokens": 1, "output_tokens": 1, "total_tokens": 2 });
    events(&[
        json!({ "type": "response.created", "response": { "id": "resp_1" } }),
        json!({ "type": "response.output_item.done", "output_index": 0, "item": item }),
        json!({ "type": "response.completed", "response": { "id": "resp_1", "usage": usage } }),
    ])
}

/// A tool's content as text.
fn flat(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            parts.iter().filter_map(|part| part["text"].as_str()).collect::<Vec<_>>().join("\n")
        }
        other => other.to_string(),
    }
}

fn events(events: &[Value]) -> Response {
    let event = |it: &Value| format!("event: {}\ndata: {it}\n\n", it["type"].as_str().unwrap());
    let text = events.iter().map(event).collect::<Vec<_>>().concat();
    ([("content-type", "text/event-stream")], text).into_response()
}
