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
    /// A `GET` request. As of every method: `https`, or `http` to this machine, and a host that the
    /// manifest declares.
    pub fn get(url: impl Into<String>) -> Self {
        Self::new("GET", url)
    }

    /// A `POST` request.
    pub fn post(url: impl Into<String>) -> Self {
        Self::new("POST", url)
    }

    /// A `PUT` request.
    pub fn put(url: impl Into<String>) -> Self {
        Self::new("PUT", url)
    }

    /// A `PATCH` request.
    pub fn patch(url: impl Into<String>) -> Self {
        Self::new("PATCH", url)
    }

    /// A `DELETE` request.
    pub fn delete(url: impl Into<String>) -> Self {
        Self::new("DELETE", url)
    }

    /// A request with a method of any name, without headers, body and credential.
    pub fn new(method: &'static str, url: impl Into<String>) -> Self {
        let (headers, body) = (BTreeMap::new(), String::new());
        Self { method, url: url.into(), headers, body, credential: None }
    }

    /// Appends a parameter to the URL's query, escaped.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.url.push(if self.url.contains('?') { '&' } else { '?' });
        self.url.push_str(&segment(name));
        self.url.push('=');
        self.url.push_str(&segment(value));
        self
    }

    /// One value per name; a second one replaces the first.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Sends `body` as it is; say what it is with a `Content-Type`.
    #[must_use]
    pub fn body(mut self, body: impl Into<String>) -> Self {
        self.body = body.into();
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
    /// The status code, whatever it is: [`Response::success`] sorts failures out.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The answer's body.
    pub fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// The body as text; what is not UTF-8 is replaced.
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

    /// The body, read as JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|error| {
            Error::external_api(format!("the service's answer is not the expected JSON: {error}"))
        })
    }
}

/// Escapes text for one segment of a URL's path, or for its query: nothing in it can lead to
/// another place than was meant. The segments `.` and `..`, which no escape makes harmless, are
/// escaped twice and name nothing.
pub fn segment(text: &str) -> String {
    if matches!(text, "." | "..") {
        return text.replace('.', "%252E");
    }
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b".-_~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
            escaped.push('%');
            escaped.push(digit(byte >> 4).to_ascii_uppercase());
            escaped.push(digit(byte & 15).to_ascii_uppercase());
        }
    }
    escaped
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

    #[test]
    fn an_argument_stays_inside_its_segment() {
        assert_eq!(segment("a/../b?c=d#e&f"), "a%2F..%2Fb%3Fc%3Dd%23e%26f");
        assert_eq!(segment("v1.2-x_y~z"), "v1.2-x_y~z");
        assert_eq!(segment(".."), "%252E%252E");
        assert_eq!(segment("ä %"), "%C3%A4%20%25");
        let request = Request::get("https://a.example/").query("q", "a&b").query("n", "1");
        assert_eq!(request.url, "https://a.example/?q=a%26b&n=1");
    }
}
