//! What a connector asked and what it was answered, kept in a file for tests without a server.
//! Credentials are joined behind this, so there is none in it.

use std::path::Path;

use aileron_contract::{Error, Reason, Result};
use aileron_store::files::write_atomic;
use aileron_wasmhost::{GuestRequest, GuestResponse};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use super::files;

/// As long as a recording may be.
const MAX: u64 = 64 * 1024 * 1024;

/// One request of a connector, and its answer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    pub method: String,
    pub url: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub body: String,
    /// The kind of credential that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
    /// None when there was no answer.
    pub answer: Option<Answer>,
}

/// An answer of the upstream; one of the bodies, or none when it is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    pub status: u16,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// For what is not UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
}

impl Exchange {
    pub(super) fn new(request: &GuestRequest, answer: Option<&GuestResponse>) -> Self {
        Self {
            method: request.method.clone(),
            url: request.url.clone(),
            headers: request.headers.clone(),
            body: String::from_utf8_lossy(&request.body).into_owned(),
            credential: request.credential.clone(),
            answer: answer.map(Answer::new),
        }
    }

    /// Is it the same request? Headers may differ: they are not what an upstream acts on.
    pub(super) fn answers(&self, request: &GuestRequest) -> bool {
        self.method == request.method
            && self.url == request.url
            && self.credential == request.credential
            && self.body.as_bytes() == &request.body[..]
    }
}

impl Answer {
    fn new(response: &GuestResponse) -> Self {
        match std::str::from_utf8(&response.body) {
            Ok(text) => Self { status: response.status, text: text.to_owned(), base64: None },
            Err(_) => Self {
                status: response.status,
                text: String::new(),
                base64: Some(STANDARD.encode(&response.body)),
            },
        }
    }

    pub(super) fn response(&self) -> Option<GuestResponse> {
        let body = match &self.base64 {
            Some(coded) => STANDARD.decode(coded).ok()?,
            None => self.text.clone().into_bytes(),
        };
        Some(GuestResponse { status: self.status, body: body.into() })
    }
}

pub(super) fn read(path: &Path) -> Result<Vec<Exchange>> {
    let bytes = files::bounded(path, MAX)?;
    serde_json::from_slice(&bytes).map_err(|error| {
        let text = format!("{} is no recording: {error}", path.display());
        Error::new(Reason::ParseError, text)
    })
}

pub(super) fn write(path: &Path, exchanges: &[Exchange]) -> Result<()> {
    let mut json = serde_json::to_vec_pretty(exchanges).map_err(Error::internal)?;
    json.push(b'\n');
    write_atomic(path, &json, 0o644).map_err(|error| files::failed("write", path, error))
}
