//! A host that speaks streamable HTTP.

use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::house::PATIENCE;

/// A session at `/mcp`.
pub(crate) struct Tools {
    http: Client,
    url: String,
    pub(crate) token: String,
    session: Option<String>,
    header: Option<(String, String)>,
    /// What the server said beside its answers, which nobody has asked for yet.
    waiting: Vec<Value>,
    /// On which the server says what answers nothing.
    listening: Option<Events>,
    next: u64,
}

impl Tools {
    pub(crate) fn new(url: &str, token: &str) -> Self {
        // Plain HTTP; the client wants one all the same.
        drop(rustls::crypto::ring::default_provider().install_default());
        let http = Client::builder().no_proxy().build().unwrap();
        let (url, token) = (format!("{url}/mcp"), token.to_owned());
        let (session, header, listening) = (None, None, None);
        Self { http, url, token, session, header, waiting: Vec::new(), listening, next: 1 }
    }

    pub(crate) async fn start(url: &str, token: &str) -> Self {
        Self::introduced(url, token, &json!({})).await
    }

    /// A session of a client that can do this, and hears what the server says.
    pub(crate) async fn listening(url: &str, token: &str, can: &Value) -> Self {
        let mut tools = Self::introduced(url, token, can).await;
        let stream = tools.with(tools.http.get(&tools.url)).header("accept", "text/event-stream");
        let stream = stream.send().await.unwrap();
        assert_eq!(stream.status(), 200);
        tools.listening = Some(Events { stream, read: Vec::new() });
        tools
    }

    async fn introduced(url: &str, token: &str, can: &Value) -> Self {
        let mut tools = Self::new(url, token);
        assert_eq!(tools.begin(can).await, 200);
        let done = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        assert_eq!(tools.post(&done).send().await.unwrap().status(), 202);
        tools
    }

    /// Begins a session; the status of the answer.
    pub(crate) async fn begin(&mut self, can: &Value) -> u16 {
        let client = json!({"name": "test", "version": "1"});
        let params =
            json!({"protocolVersion": "2025-11-25", "capabilities": can, "clientInfo": client});
        let hello = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params});
        let response = self.post(&hello).send().await.unwrap();
        let session = response.headers().get("mcp-session-id");
        self.session = session.map(|id| id.to_str().unwrap().to_owned());
        response.status().as_u16()
    }

    /// The same session with another token.
    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self { token: token.to_owned(), ..self.same() }
    }

    pub(crate) fn with_header(&self, name: &str, value: &str) -> Self {
        Self { header: Some((name.to_owned(), value.to_owned())), ..self.same() }
    }

    fn same(&self) -> Self {
        Self {
            http: self.http.clone(),
            url: self.url.clone(),
            token: self.token.clone(),
            session: self.session.clone(),
            header: self.header.clone(),
            waiting: Vec::new(),
            listening: None,
            next: self.next,
        }
    }

    pub(crate) async fn call(&mut self, tool: &str, arguments: Value) -> Value {
        self.ask("tools/call", json!({"name": tool, "arguments": arguments})).await
    }

    pub(crate) async fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.next;
        self.next += 1;
        let asked = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        let stream = self.post(&asked).send().await.unwrap();
        assert_eq!(stream.status(), 200);
        let mut events = Events { stream, read: Vec::new() };
        loop {
            let message = events.next().await;
            if message["id"] == id && message.get("method").is_none() {
                return message["result"].clone();
            }
            self.waiting.push(message);
        }
    }

    /// Waits for what the server says by itself: beside an answer, or on the stream for it.
    pub(crate) async fn told(&mut self, method: &str) -> Value {
        loop {
            let place = self.waiting.iter().position(|message| message["method"] == method);
            if let Some(place) = place {
                return self.waiting.remove(place);
            }
            let message = self.listening.as_mut().unwrap().next().await;
            self.waiting.push(message);
        }
    }

    /// Has the server asked for anything, as far as it was listened to?
    pub(crate) fn was_asked(&self) -> bool {
        self.waiting.iter().any(|message| message["method"].is_string() && !message["id"].is_null())
    }

    /// Answers a request of the server's; the status of that.
    pub(crate) async fn replies(&self, asked: &Value, result: &Value) -> u16 {
        let answer = json!({"jsonrpc": "2.0", "id": asked["id"], "result": result});
        self.post(&answer).send().await.unwrap().status().as_u16()
    }

    /// Asks, and tells with which status it was answered.
    pub(crate) async fn status(&self, method: &str) -> u16 {
        let asked = json!({"jsonrpc": "2.0", "id": 900, "method": method, "params": {}});
        self.post(&asked).send().await.unwrap().status().as_u16()
    }

    fn post(&self, message: &Value) -> RequestBuilder {
        self.with(self.http.post(&self.url))
            .header("accept", "application/json, text/event-stream")
            .header("content-type", "application/json")
            .body(message.to_string())
    }

    fn with(&self, mut request: RequestBuilder) -> RequestBuilder {
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        if let Some(session) = &self.session {
            request = request.header("mcp-session-id", session);
        }
        if let Some((name, value)) = &self.header {
            request = request.header(name, value);
        }
        request
    }
}

/// The messages of a stream of events.
struct Events {
    stream: Response,
    read: Vec<u8>,
}

impl Events {
    async fn next(&mut self) -> Value {
        loop {
            while let Some(end) = self.read.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.read.drain(..=end).collect();
                let data = line.strip_prefix(b"data:");
                if let Some(message) = data.and_then(|data| serde_json::from_slice(data).ok()) {
                    return message;
                }
            }
            let chunk = timeout(PATIENCE, self.stream.chunk()).await.unwrap().unwrap();
            self.read.extend(chunk.unwrap_or_else(|| panic!("the stream ended without it")));
        }
    }
}
