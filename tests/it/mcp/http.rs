//! A host that speaks streamable HTTP.

use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};

/// A session at `/mcp`.
pub(crate) struct Tools {
    http: Client,
    url: String,
    pub(crate) token: String,
    session: Option<String>,
    header: Option<(String, String)>,
    next: u64,
}

impl Tools {
    pub(crate) fn new(url: &str, token: &str) -> Self {
        // Plain HTTP; the client wants one all the same.
        drop(rustls::crypto::ring::default_provider().install_default());
        let http = Client::builder().no_proxy().build().unwrap();
        let (url, token) = (format!("{url}/mcp"), token.to_owned());
        Self { http, url, token, session: None, header: None, next: 1 }
    }

    pub(crate) async fn start(url: &str, token: &str) -> Self {
        let mut tools = Self::new(url, token);
        assert_eq!(tools.begin().await, 200);
        let done = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        assert_eq!(tools.post(&done).send().await.unwrap().status(), 202);
        tools
    }

    /// Begins a session; the status of the answer.
    pub(crate) async fn begin(&mut self) -> u16 {
        let client = json!({"name": "test", "version": "1"});
        let params =
            json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client});
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
        let Self { http, url, token, session, header, next } = self;
        Self {
            http: http.clone(),
            url: url.clone(),
            token: token.clone(),
            session: session.clone(),
            header: header.clone(),
            next: *next,
        }
    }

    pub(crate) async fn call(&mut self, tool: &str, arguments: Value) -> Value {
        let id = self.next;
        self.next += 1;
        let params = json!({"name": tool, "arguments": arguments});
        let asked = json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params});
        let mut response = self.post(&asked).send().await.unwrap();
        assert_eq!(response.status(), 200);
        answer(&mut response, id).await["result"].clone()
    }

    /// Asks, and tells with which status it was answered.
    pub(crate) async fn status(&self, method: &str) -> u16 {
        let asked = json!({"jsonrpc": "2.0", "id": 900, "method": method, "params": {}});
        self.post(&asked).send().await.unwrap().status().as_u16()
    }

    fn post(&self, message: &Value) -> RequestBuilder {
        let mut request = self
            .http
            .post(&self.url)
            .header("accept", "application/json, text/event-stream")
            .header("content-type", "application/json")
            .body(message.to_string());
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

/// The answer among the events of a stream.
async fn answer(response: &mut Response, id: u64) -> Value {
    let mut text = Vec::new();
    while let Some(chunk) = response.chunk().await.unwrap() {
        text.extend_from_slice(&chunk);
        let whole = String::from_utf8_lossy(&text);
        let messages = whole.lines().filter_map(|line| line.strip_prefix("data:"));
        let read = |data: &str| serde_json::from_str::<Value>(data.trim()).ok();
        if let Some(found) = messages.filter_map(read).find(|message| message["id"] == id) {
            return found;
        }
    }
    panic!("no answer: {}", String::from_utf8_lossy(&text));
}
