//! Requests through the runtime, which decides whether the host is allowed and joins the
//! credential.

use std::collections::BTreeMap;

use serde::{Serialize, de::DeserializeOwned};

use crate::{Error, Result, imports};

/// One request. The runtime refuses hosts that the connector's manifest does not declare.
#[derive(Clone, Debug, Serialize)]
pub struct Request {
    method: &'static str,
    url: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    body: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    credential: Option<&'static str>,
}

impl Request {
    pub fn get(url: impl Into<String>) -> Self {
        Self::new("GET", url)
    }

    pub fn post(url: impl Into<String>) -> Self {
        Self::new("POST", url)
    }

    pub fn new(method: &'static str, url: impl Into<String>) -> Self {
        let (headers, body) = (BTreeMap::new(), String::new());
        Self { method, url: url.into(), headers, body, credential: None }
    }

    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Sends `body` as JSON.
    pub fn json(mut self, body: &impl Serialize) -> Result<Self> {
        self.body = serde_json::to_string(body)
            .map_err(|error| Error::runtime(format!("the request is not JSON: {error}")))?;
        Ok(self.header("Content-Type", "application/json"))
    }

    /// Asks the runtime to join the credential of this kind, which the manifest must declare.
    #[must_use]
    pub fn credential(mut self, kind: &'static str) -> Self {
        self.credential = Some(kind);
        self
    }

    /// Sends the request and waits for the whole answer.
    pub fn send(self) -> Result<Response> {
        let envelope = serde_json::to_vec(&self)
            .map_err(|error| Error::runtime(format!("the request is not JSON: {error}")))?;
        match imports::http_request(&envelope) {
            0 => Ok(Response { status: imports::http_status()?, body: imports::http_body()? }),
            // The runtime knows why, and tells it instead of what the connector says.
            -1 => Err(Error::runtime("the runtime did not carry out the request")),
            code => Err(Error::runtime(format!("the request was malformed (code {code})"))),
        }
    }
}

/// An answer of the service. Its headers stay with the runtime.
#[derive(Clone, Debug)]
pub struct Response {
    status: u16,
    body: Vec<u8>,
}

impl Response {
    pub fn status(&self) -> u16 {
        self.status
    }

    pub fn bytes(&self) -> &[u8] {
        &self.body
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The response if its status is 2xx, else the published error for it.
    pub fn success(self) -> Result<Self> {
        match self.status {
            200..=299 => Ok(self),
            401 => Err(Error::unauthorized("the service does not accept the credential")),
            status => Err(Error::external_api(format!("the service answered {status}"))),
        }
    }

    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|error| {
            Error::external_api(format!("the service's answer is not the expected JSON: {error}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_written_as_published() {
        let request = Request::post("https://a.example")
            .credential("api_key")
            .json(&["x"])
            .expect("an array is JSON");
        assert_eq!(
            serde_json::to_string(&request).expect("a request is JSON"),
            r#"{"method":"POST","url":"https://a.example","headers":{"Content-Type":"application/json"},"body":"[\"x\"]","credential":"api_key"}"#
        );
    }

    #[test]
    fn statuses_become_the_published_classes() {
        let class = |status| {
            let response = Response { status, body: Vec::new() };
            response.success().err().map(|error| error.class())
        };
        assert_eq!(class(204), None);
        assert_eq!(class(401), Some("unauthorized"));
        assert_eq!(class(500), Some("external_api_error"));
    }
}
