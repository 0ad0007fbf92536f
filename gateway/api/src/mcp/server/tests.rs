//! A server, and a client whose every message the test writes.

use std::io;

use rmcp::{
    ServiceExt as _,
    service::{RxJsonRpcMessage, TxJsonRpcMessage},
    transport::Transport,
};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::*;
use crate::{actions::Actions, approvals::ApprovalResult};

/// A runtime that has no actions.
struct Nothing;

impl Door for Nothing {
    async fn actions(&self, _: &Extensions) -> Result<Actions, Trouble> {
        Ok(Actions::default())
    }

    async fn run(&self, _: &Extensions, _: &str, _: &RawValue) -> Result<Ran, Trouble> {
        Err(Trouble::Unreachable { why: "nothing is here".to_owned() })
    }

    async fn result(&self, _: &Extensions, _: &str) -> Result<ApprovalResult, Trouble> {
        Err(Trouble::Unreachable { why: "nothing is here".to_owned() })
    }
}

struct Wire {
    said: UnboundedReceiver<Value>,
    heard: UnboundedSender<Value>,
}

impl Transport<RoleServer> for Wire {
    type Error = io::Error;

    fn send(
        &mut self,
        message: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let heard = self.heard.clone();
        async move {
            // The test may have heard enough.
            drop(heard.send(serde_json::to_value(message)?));
            Ok(())
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        let said = self.said.recv().await?;
        Some(serde_json::from_value(said).unwrap())
    }

    async fn close(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_client_that_is_ready_a_thousand_times_is_looked_for_changes_once() {
    let tasks = TaskTracker::new();
    let refresh = Some(Duration::from_hours(1));
    let options = Options { version: "1".to_owned(), refresh, tasks: tasks.clone() };
    let ((say, said), (heard, mut hear)) = (unbounded_channel(), unbounded_channel());
    let hello = json!({"protocolVersion": "2025-11-25", "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"}});
    say.send(json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello})).unwrap();
    let server = Server::new(Arc::new(Nothing), options);
    let running = Box::pin(server.serve(Wire { said, heard })).await.unwrap();
    for _ in 0..1_000 {
        say.send(json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).unwrap();
    }
    say.send(json!({"jsonrpc": "2.0", "id": 1, "method": "ping"})).unwrap();
    while hear.recv().await.unwrap()["id"] != 1 {}
    // Each notification is a task of its own, begun before the ping was read.
    for _ in 0..10_000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(tasks.len(), 1);
    drop(running);
}

#[tokio::test]
async fn a_call_whose_arguments_are_no_object_has_invalid_parameters() {
    let options = Options { version: "1".to_owned(), refresh: None, tasks: TaskTracker::new() };
    let ((say, said), (heard, mut hear)) = (unbounded_channel(), unbounded_channel());
    let hello = json!({"protocolVersion": "2025-11-25", "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"}});
    say.send(json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello})).unwrap();
    let server = Server::new(Arc::new(Nothing), options);
    let running = Box::pin(server.serve(Wire { said, heard })).await.unwrap();
    say.send(json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).unwrap();
    let mut id = 0;
    for (method, params, code) in [
        ("tools/call", json!({"name": "x", "arguments": []}), -32602),
        ("tools/call", json!({"name": "x", "arguments": "y"}), -32602),
        ("tools/call", json!({"name": 7}), -32602),
        ("tools/none", json!({}), -32601),
    ] {
        id += 1;
        say.send(json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})).unwrap();
        let answer = loop {
            let heard = hear.recv().await.unwrap();
            if heard["id"] == id {
                break heard;
            }
        };
        assert_eq!(answer["error"]["code"], code, "{method} {params}: {answer}");
    }
    drop(running);
}
