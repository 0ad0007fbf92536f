//! A host that starts the program and talks to it.

use std::{path::PathBuf, process::Stdio};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

use crate::house::PATIENCE;

/// The program under test, built with the tests.
pub(super) fn program() -> PathBuf {
    let program = crate::house::program().with_file_name("aileron-mcp");
    assert!(program.is_file(), "{} is missing: run tests/run", program.display());
    program
}

/// A running program. It ends when this is dropped.
pub(super) struct Tools {
    _child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    /// Messages that nobody has asked for yet.
    waiting: Vec<Value>,
    next: u64,
}

impl Tools {
    pub(super) async fn start(
        url: &str,
        token: &str,
        session: Option<&str>,
        refresh: &str,
    ) -> Self {
        let mut tools = Self::spawn(url, token, session, refresh);
        tools.hello("2025-11-25").await;
        tools
    }

    pub(super) fn spawn(url: &str, token: &str, session: Option<&str>, refresh: &str) -> Self {
        let mut command = Command::new(program());
        command
            .env_clear()
            .env("AILERON_URL", url)
            .env("AILERON_TOKEN", token)
            .env("AILERON_MCP_REFRESH_INTERVAL", refresh);
        if let Some(session) = session {
            command.env("AILERON_SESSION_ID", session);
        }
        Self::of(command)
    }

    /// The program with this in its environment, and nothing else.
    pub(super) fn told_by<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut command = Command::new(program());
        command.env_clear().envs(variables);
        Self::of(command)
    }

    /// Any program that serves tools over its standard input and output.
    pub(super) fn of(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { _child: child, input, output, waiting: Vec::new(), next: 1 }
    }

    /// The handshake; what the server says of itself.
    pub(super) async fn hello(&mut self, version: &str) -> Value {
        self.introduced(version, json!({})).await
    }

    /// The handshake of a client that can do this.
    pub(super) async fn introduced(&mut self, version: &str, can: Value) -> Value {
        let client = json!({"name": "test", "version": "1"});
        let hello = json!({"protocolVersion": version, "capabilities": can, "clientInfo": client});
        let said = self.ask("initialize", hello).await;
        let done = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        self.write(&format!("{done}\n")).await;
        said
    }

    pub(super) async fn call(&mut self, tool: &str, arguments: Value) -> Value {
        self.ask("tools/call", json!({"name": tool, "arguments": arguments})).await
    }

    pub(super) async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.try_ask(method, params).await.unwrap()
    }

    pub(super) async fn try_ask(&mut self, method: &str, params: Value) -> Result<Value, Value> {
        let id = self.next;
        self.next += 1;
        let asked = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        self.write(&format!("{asked}\n")).await;
        self.answer(id).await
    }

    pub(super) async fn answer(&mut self, id: u64) -> Result<Value, Value> {
        let message = self.find(|message| message["id"] == id).await;
        match message.get("error") {
            Some(error) => Err(error.clone()),
            None => Ok(message["result"].clone()),
        }
    }

    /// Waits for a notification.
    pub(super) async fn told(&mut self, method: &str) {
        self.find(|message| message["method"] == method).await;
    }

    /// Waits for a request of the server's.
    pub(super) async fn asked(&mut self, method: &str) -> Value {
        self.find(|message| message["method"] == method && !message["id"].is_null()).await
    }

    /// Did the server ask for anything that nobody has looked at yet?
    pub(super) fn was_asked(&self) -> bool {
        self.waiting.iter().any(|message| message["method"].is_string() && !message["id"].is_null())
    }

    /// Waits for an error that answers no request.
    pub(super) async fn refusal(&mut self) -> Value {
        let refused = |message: &Value| message["id"].is_null() && message.get("error").is_some();
        self.find(refused).await["error"].clone()
    }

    pub(super) async fn write(&mut self, text: &str) {
        self.input.write_all(text.as_bytes()).await.unwrap();
        self.input.flush().await.unwrap();
    }

    async fn find(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            if let Some(place) = self.waiting.iter().position(&wanted) {
                return self.waiting.remove(place);
            }
            let line = timeout(PATIENCE, self.output.next_line()).await.unwrap().unwrap();
            self.waiting.push(serde_json::from_str(&line.unwrap()).unwrap());
        }
    }
}
