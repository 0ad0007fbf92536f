//! One request and its answer.

use std::time::Duration;

use reqwest::{
    Method, Response, Url,
    header::{AUTHORIZATION, HeaderValue, RETRY_AFTER},
};
use serde::{Serialize, de::DeserializeOwned};

use super::{Answer, ApiError, Client, Error, Result};
use crate::{IDEMPOTENCY_HEADER, REQUEST_ID_HEADER, SESSION_HEADER};

/// Longer answers are refused: the largest honest one lists a thousand runs.
pub(super) const ANSWER: usize = 256 * 1024 * 1024;

/// Ordinary calls.
const ORDINARY: Duration = Duration::from_mins(2);
/// Calls that fetch packages.
pub(super) const FETCHING: Duration = Duration::from_mins(15);
/// A run has as many wall times as it has steps.
pub(super) const RUNNING: Duration = Duration::from_hours(2);

/// A call to be sent: for methods that have none of their own here.
#[derive(Debug)]
pub struct Call {
    method: Method,
    path: Vec<String>,
    query: Vec<(String, String)>,
    body: Option<Vec<u8>>,
    idempotency_key: Option<String>,
    timeout: Duration,
    problem: Option<Error>,
}

impl Call {
    /// `path` segment by segment below the base address; a segment may hold any character.
    pub fn new(method: Method, path: &[&str]) -> Self {
        let path = path.iter().map(|segment| (*segment).to_owned()).collect();
        Self {
            method,
            path,
            query: Vec::new(),
            body: None,
            idempotency_key: None,
            timeout: ORDINARY,
            problem: None,
        }
    }

    #[must_use]
    pub fn query(mut self, key: &str, value: impl Into<String>) -> Self {
        self.query.push((key.to_owned(), value.into()));
        self
    }

    /// The members of a flat object, the absent ones left out.
    #[must_use]
    pub fn filter<T: Serialize>(mut self, filter: &T) -> Self {
        match serde_json::to_value(filter) {
            Ok(serde_json::Value::Object(members)) => {
                self.query.extend(members.into_iter().map(|(key, value)| {
                    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    (key, text)
                }));
            }
            Ok(_) => self.problem = Some(Error::Argument("a filter must be an object".into())),
            Err(error) => self.problem = Some(Error::Argument(error.to_string().into())),
        }
        self
    }

    #[must_use]
    pub fn json<T: Serialize>(mut self, body: &T) -> Self {
        match serde_json::to_vec(body) {
            Ok(bytes) => self.body = Some(bytes),
            Err(error) => self.problem = Some(Error::Argument(error.to_string().into())),
        }
        self
    }

    #[must_use]
    pub fn idempotency_key(mut self, key: Option<&str>) -> Self {
        self.idempotency_key = key.map(str::to_owned);
        self
    }

    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

/// A whole answer of any status.
pub(super) struct Received {
    status: u16,
    request_id: Option<String>,
    retry_after: Option<u64>,
    raw: String,
    url: String,
}

impl Received {
    pub(super) fn status(&self) -> u16 {
        self.status
    }

    /// Is it an envelope of a refusal?
    pub(super) fn has_error(&self) -> bool {
        serde_json::from_str::<serde_json::Value>(&self.raw)
            .is_ok_and(|body| body.get("error").is_some())
    }

    /// The refusal, unless the status is a success.
    pub(super) fn accepted(self) -> Result<Self> {
        if (200..300).contains(&self.status) { Ok(self) } else { Err(self.refused()) }
    }

    pub(super) fn refused(self) -> Error {
        let retry_after = self.retry_after;
        ApiError { retry_after, ..ApiError::read(self.status, self.request_id, self.raw) }.into()
    }

    pub(super) fn json<T: DeserializeOwned>(self) -> Result<Answer<T>> {
        let value = serde_json::from_str(&self.raw)
            .map_err(|source| Error::Answer { url: self.url.clone(), source })?;
        Ok(self.with(value))
    }

    pub(super) fn text(self) -> Answer<String> {
        let text = self.raw.clone();
        self.with(text)
    }

    pub(super) fn nothing(self) -> Answer<()> {
        self.with(())
    }

    fn with<T>(self, value: T) -> Answer<T> {
        Answer { status: self.status, value, raw: self.raw, request_id: self.request_id }
    }
}

impl Client {
    /// Sends a call and returns its JSON: for what has no method of its own here.
    pub async fn raw(&self, call: Call) -> Result<Answer<serde_json::Value>> {
        let received = self.send(call).await?;
        if received.raw.is_empty() {
            return Ok(received.with(serde_json::Value::Null));
        }
        received.json()
    }

    /// Sends a call; a status other than success is an error.
    pub(super) async fn send(&self, call: Call) -> Result<Received> {
        self.exchange(call).await?.accepted()
    }

    /// Sends a call and reads the answer, whatever its status.
    pub(super) async fn exchange(&self, call: Call) -> Result<Received> {
        if let Some(problem) = call.problem {
            return Err(problem);
        }
        let url = self.url(&call.path, &call.query)?;
        let mut request = self.request(call.method, url).timeout(call.timeout);
        if let Some(key) = call.idempotency_key {
            request = request.header(IDEMPOTENCY_HEADER, key);
        }
        if let Some(body) = call.body {
            request = request.header(reqwest::header::CONTENT_TYPE, "application/json").body(body);
        }
        let response = request.send().await.map_err(|error| self.lost(error))?;
        self.receive(response).await
    }

    pub(super) fn request(&self, method: Method, url: Url) -> reqwest::RequestBuilder {
        let mut request = self.http.request(method, url);
        if let Some(value) = &self.authorization {
            request = request.header(AUTHORIZATION, value.clone());
        }
        if let Some(value) = &self.session {
            request = request.header(SESSION_HEADER, value.clone());
        }
        request
    }

    /// The base address and the segments, each in one piece.
    pub(super) fn url(&self, path: &[String], query: &[(String, String)]) -> Result<Url> {
        let mut url = self.base.clone();
        let unusable = |segment: &str| {
            Error::Argument(format!("{segment:?} cannot be part of an address").into())
        };
        {
            let mut segments = url.path_segments_mut().map_err(|()| unusable("the base"))?;
            for segment in path {
                // The URL standard drops these, and another resource would be meant.
                if segment.is_empty() || segment == "." || segment == ".." {
                    return Err(unusable(segment));
                }
                segments.push(segment);
            }
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    pub(super) fn lost(&self, error: reqwest::Error) -> Error {
        let url = self.base.to_string();
        let source = error.without_url();
        if source.is_connect() {
            Error::Unreachable { url, source }
        } else if source.is_timeout() {
            Error::Timeout { url }
        } else {
            Error::Broken { url, source }
        }
    }

    /// Reads a whole answer, up to a bound.
    pub(super) async fn receive(&self, mut response: Response) -> Result<Received> {
        let text = |value: Option<&HeaderValue>| Some(value?.to_str().ok()?.to_owned());
        let status = response.status().as_u16();
        let request_id = text(response.headers().get(REQUEST_ID_HEADER));
        let retry_after =
            text(response.headers().get(RETRY_AFTER)).and_then(|value| value.parse().ok());
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.lost(error))? {
            if bytes.len().saturating_add(chunk.len()) > ANSWER {
                return Err(Error::TooLong { url: self.base.to_string(), limit: ANSWER });
            }
            bytes.extend_from_slice(&chunk);
        }
        let raw = String::from_utf8_lossy(&bytes).into_owned();
        Ok(Received { status, request_id, retry_after, raw, url: self.base.to_string() })
    }
}
