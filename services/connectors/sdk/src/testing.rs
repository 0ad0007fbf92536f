//! A stand-in for the runtime, for tests of a connector without WebAssembly.
//!
//! ```
//! # use aileron_sdk::{NoArguments, Request, Result};
//! # #[derive(serde::Deserialize, serde::Serialize)] struct Notes { notes: Vec<String> }
//! # fn list(_: NoArguments) -> Result<Notes> {
//! #     Request::get("https://notes.example/notes").credential("api_key").send()?.success()?.json()
//! # }
//! # aileron_sdk::connector!(list);
//! use aileron_sdk::testing::Host;
//! use serde_json::json;
//!
//! let mut host = Host::new().answer("GET", "https://notes.example/notes", 200, r#"{"notes":[]}"#);
//! let output = host.call(CONNECTOR, "list", json!({})).unwrap();
//! assert_eq!(output, json!({"notes": []}));
//! assert_eq!(host.requests()[0].credential.as_deref(), Some("api_key"));
//! ```

use std::{cell::RefCell, collections::BTreeMap};

use serde::Deserialize;
use serde_json::Value;

use crate::{Connector, Error, Result};

/// Answers the requests of one or more calls, and remembers them.
#[derive(Debug, Default)]
pub struct Host {
    state: State,
}

/// One request, as the connector made it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Sent {
    /// Such as `GET`.
    pub method: String,
    /// With its query.
    pub url: String,
    /// By name, as the connector spelled it.
    pub headers: BTreeMap<String, String>,
    /// Empty when there is none.
    pub body: String,
    /// The kind of credential that the runtime was asked to join.
    pub credential: Option<String>,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    answers: Vec<Answer>,
    sent: Vec<Sent>,
    logged: Vec<(String, String)>,
    response: Option<(u16, Vec<u8>)>,
    /// The last request could not be carried out.
    refused: Option<Error>,
}

#[derive(Debug)]
struct Answer {
    method: String,
    url: String,
    status: u16,
    body: Vec<u8>,
}

thread_local! {
    /// The host of the call under way on this thread.
    static CURRENT: RefCell<Option<State>> = const { RefCell::new(None) };
}

impl Host {
    /// A host without any answers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Prepares the answer to one request of this method and URL. Of several that fit, each
    /// answers once, in the order in which they were prepared.
    #[must_use]
    pub fn answer(
        mut self,
        method: &str,
        url: &str,
        status: u16,
        body: impl Into<Vec<u8>>,
    ) -> Self {
        let (method, url) = (method.to_owned(), url.to_owned());
        self.state.answers.push(Answer { method, url, status, body: body.into() });
        self
    }

    /// Runs one operation. As in the real runtime, a request nobody answers fails the call,
    /// unless a later one succeeds. Arguments that are no object are refused.
    pub fn call(&mut self, connector: Connector, op: &str, arguments: Value) -> Result<Value> {
        let Value::Object(arguments) = arguments else {
            return Err(Error::bad_input("arguments are a JSON object"));
        };
        self.state.response = None;
        self.state.refused = None;
        CURRENT.set(Some(std::mem::take(&mut self.state)));
        let outcome = connector.call(op, arguments);
        self.state = CURRENT.take().unwrap_or_default();
        match self.state.refused.take() {
            Some(refused) => Err(refused),
            None => outcome,
        }
    }

    /// Every request so far, in order.
    pub fn requests(&self) -> &[Sent] {
        &self.state.sent
    }

    /// Every line logged so far: its level and its message.
    pub fn logged(&self) -> &[(String, String)] {
        &self.state.logged
    }
}

impl State {
    pub(crate) fn log(&mut self, level: &str, message: &str) {
        self.logged.push((level.to_owned(), message.to_owned()));
    }

    /// The published codes: 0 when there is an answer, -1 when not, -2 when it is no request.
    pub(crate) fn http_request(&mut self, envelope: &[u8]) -> i32 {
        self.response = None;
        let Ok(sent) = serde_json::from_slice::<Sent>(envelope) else { return -2 };
        if sent.url.is_empty() {
            return -2;
        }
        let fits = |it: &Answer| it.method == sent.method && it.url == sent.url;
        let code = if let Some(at) = self.answers.iter().position(fits) {
            let answer = self.answers.remove(at);
            self.response = Some((answer.status, answer.body));
            self.refused = None;
            0
        } else {
            let text = format!("no answer was prepared for {} {}", sent.method, sent.url);
            self.refused = Some(Error::runtime(text));
            -1
        };
        self.sent.push(sent);
        code
    }

    pub(crate) fn response(&self) -> Option<&(u16, Vec<u8>)> {
        self.response.as_ref()
    }
}

/// Does something with the host of the call under way; none when there is none.
pub(crate) fn current<T>(something: impl FnOnce(&mut State) -> T) -> Option<T> {
    CURRENT.with_borrow_mut(|state| state.as_mut().map(something))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Level, NoArguments, Request, log, operate};

    fn twice(_: NoArguments) -> Result<BTreeMap<&'static str, u16>> {
        let first = Request::get("https://a.example/x").send();
        log(Level::Info, "asked once");
        let second = Request::get("https://a.example/x").send()?;
        Ok([("first", first.map_or(0, |it| it.status())), ("second", second.status())].into())
    }

    const CONNECTOR: Connector = Connector::new(&[("twice", |it| operate(twice, it))]);

    #[test]
    fn answers_are_given_once_and_requests_are_remembered() {
        let mut host = Host::new().answer("GET", "https://a.example/x", 200, "").answer(
            "GET",
            "https://a.example/x",
            404,
            "",
        );
        let output = host.call(CONNECTOR, "twice", json!({}));
        assert_eq!(output, Ok(json!({"first": 200, "second": 404})));
        assert_eq!(host.requests().len(), 2);
        assert_eq!(host.logged(), [("info".to_owned(), "asked once".to_owned())]);
    }

    #[test]
    fn a_request_nobody_answers_fails_the_call() {
        let mut host = Host::new();
        let error = host.call(CONNECTOR, "twice", json!({})).expect_err("nobody answers");
        assert_eq!(error.message(), "no answer was prepared for GET https://a.example/x");
    }

    #[test]
    fn without_a_host_there_is_no_runtime() {
        let error = Request::get("https://a.example").send().expect_err("there is none");
        assert_eq!(error.class(), "connector_runtime_error");
    }
}
