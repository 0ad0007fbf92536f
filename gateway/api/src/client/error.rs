//! What can go wrong with a call.

use std::{fmt, path::PathBuf};

use serde_json::Value;

use crate::error::FailureBody;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API answered, and refused.
    #[error("{0}")]
    Api(Box<ApiError>),
    #[error("the address {url:?} cannot be used: {why}")]
    Endpoint { url: String, why: String },
    #[error("the certificate file {} cannot be used: {why}", path.display())]
    Root { path: PathBuf, why: String },
    /// No connection; nothing was sent.
    #[error("cannot reach {url}")]
    Unreachable { url: String, source: reqwest::Error },
    #[error("{url} did not answer in time")]
    Timeout { url: String },
    /// The connection broke after the request may have been received.
    #[error("the connection to {url} broke before the answer was complete")]
    Broken { url: String, source: reqwest::Error },
    #[error("the answer of {url} is longer than {limit} bytes")]
    TooLong { url: String, limit: usize },
    #[error("the answer of {url} is not understood: is it an Aileron daemon of this version?")]
    Answer { url: String, source: serde_json::Error },
    /// The call cannot be made with these arguments.
    #[error("{0}")]
    Argument(Box<str>),
}

impl Error {
    /// The API's refusal, if it is one.
    pub fn api(&self) -> Option<&ApiError> {
        match self {
            Self::Api(error) => Some(error),
            _ => None,
        }
    }

    /// The stable reason code of a refusal.
    pub fn code(&self) -> Option<&str> {
        self.api().map(|error| error.code.as_str())
    }

    /// Is nobody there? Then nothing was sent.
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }
}

impl From<ApiError> for Error {
    fn from(error: ApiError) -> Self {
        Self::Api(Box::new(error))
    }
}

/// A refusal, whichever envelope it came in.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiError {
    pub status: u16,
    /// The stable reason code; `unknown` when the answer is not one of ours.
    pub code: String,
    pub message: String,
    /// The structured facts: a list in one envelope, an object in the other.
    pub details: Option<Value>,
    pub request_id: Option<String>,
    /// The failure of a run.
    pub failure: Option<FailureBody>,
    /// Seconds to wait before the next attempt, when the answer says so.
    pub retry_after: Option<u64>,
    /// The body, unchanged.
    pub raw: String,
}

impl ApiError {
    pub(super) fn read(status: u16, request_id: Option<String>, raw: String) -> Self {
        let body = serde_json::from_str::<Value>(&raw)
            .ok()
            .and_then(|mut value| value.get_mut("error").map(Value::take));
        let text = |key: &str| Some(body.as_ref()?.get(key)?.as_str()?.to_owned());
        let failure = body
            .clone()
            .filter(|body| body.get("class").is_some())
            .and_then(|body| serde_json::from_value::<FailureBody>(body).ok());
        Self {
            status,
            code: text("code").or_else(|| text("class")).unwrap_or_else(|| "unknown".to_owned()),
            message: text("message").unwrap_or_else(|| {
                let start: String = raw.chars().take(200).flat_map(char::escape_debug).collect();
                format!("server returned {status}: {start}")
            }),
            details: body.as_ref().and_then(|body| body.get("details")).cloned(),
            request_id: text("request_id").or(request_id),
            failure,
            retry_after: None,
            raw,
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::ApiError;

    #[test]
    fn both_envelopes_give_a_code() {
        let plain = r#"{"error":{"code":"vault_locked","message":"m","details":[{"a":1}]}}"#;
        let error = ApiError::read(423, Some("r".to_owned()), plain.to_owned());
        assert_eq!((error.code.as_str(), error.request_id.as_deref()), ("vault_locked", Some("r")));
        assert!(error.failure.is_none());

        let failure = r#"{"error":{"class":"binding_required","message":"m","retriable":false,
            "boundary":"runtime","audit_id":"audit-1"}}"#;
        let error = ApiError::read(412, None, failure.to_owned());
        assert_eq!(error.code, "binding_required");
        assert_eq!(error.failure.unwrap().audit_id.as_deref(), Some("audit-1"));
    }

    #[test]
    fn a_stranger_s_answer_is_shown_short_and_escaped() {
        let error = ApiError::read(502, None, format!("\u{1b}[31m{}", "x".repeat(5000)));
        assert_eq!(error.code, "unknown");
        assert!(error.message.len() < 300 && !error.message.contains('\u{1b}'));
    }
}
