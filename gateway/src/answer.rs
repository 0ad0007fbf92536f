//! Refusals: one error, one reason code, in the published envelope with the published status.

mod status;

use aileron_api::error::{ErrorBody, ErrorEnvelope, FailureBody, FailureEnvelope};
use aileron_contract::{
    Error, Kind, Reason,
    failure::{Boundary, Class, Failure},
};
use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde_json::Value;

pub(crate) type Result<T, E = Refusal> = std::result::Result<T, E>;

/// An answer that is a refusal. It travels as an extension of an empty response; the outermost
/// layer writes the body, because only it knows the request's id.
#[derive(Clone, Debug)]
pub(crate) struct Refusal(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    status: StatusCode,
    body: Body,
    /// The cause of a refusal that is our fault, for the log.
    cause: Option<Error>,
    headers: Vec<(header::HeaderName, HeaderValue)>,
}

#[derive(Clone, Debug)]
enum Body {
    Error(ErrorBody),
    Failure(FailureBody),
}

impl Refusal {
    pub(crate) fn new(reason: Reason, public: impl Into<Box<str>>) -> Self {
        Error::new(reason, public).into()
    }

    /// For the few refusals of HTTP itself, whose status says more than their reason.
    #[must_use]
    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.0.status = status;
        self
    }

    /// What a page for people says: status, code and message.
    pub(crate) fn spoken(&self) -> (StatusCode, &str, &str) {
        let (code, message) = match &self.0.body {
            Body::Error(error) => (error.code.as_str(), error.message.as_str()),
            Body::Failure(failure) => (failure.class.as_str(), failure.message.as_str()),
        };
        (self.0.status, code, message)
    }

    /// How a run answers an error: what keeps it from a credential is a failure of the run in the
    /// published API, whichever service noticed it.
    pub(crate) fn of_run(error: Error) -> Self {
        let (required, hint) = match error.reason() {
            Reason::VaultLocked => {
                ("vault.passphrase", "aileron vault unlock, or POST /v1/vault/unlock")
            }
            Reason::VaultMissing => ("vault.passphrase", "aileron vault init, or POST /v1/vault"),
            _ => return error.into(),
        };
        let failure = Failure::new(Class::BindingRequired, Boundary::Runtime, error.public())
            .detail("required", required)
            .detail("hint", hint);
        let mut refusal = Self::from(failure);
        if let Body::Failure(body) = &mut refusal.0.body {
            body.code = Some(error.reason().code().to_owned());
            body.documentation = Some(page(error.reason()));
        }
        refusal
    }

    /// Writes down what is our fault, where the answer is not [rendered](Self::render).
    pub(crate) fn log(&self) {
        if let Some(cause) = &self.0.cause {
            tracing::error!(error = ?cause, status = %self.0.status, "request failed");
        }
    }

    pub(crate) fn render(self, request_id: &str) -> Response {
        let Inner { status, body, cause, headers } = *self.0;
        if let Some(cause) = cause {
            tracing::error!(error = ?cause, %status, request_id, "request failed");
        }
        let request_id = Some(request_id.to_owned());
        let mut response = match body {
            Body::Error(body) => {
                let error = ErrorBody { request_id, ..body };
                (status, Json(ErrorEnvelope { error })).into_response()
            }
            Body::Failure(body) => {
                let error = FailureBody { request_id, ..body };
                (status, Json(FailureEnvelope { error })).into_response()
            }
        };
        response.headers_mut().extend(headers);
        response
    }

    /// Status and body as a client of the API would have read them, where the answer is none of
    /// HTTP.
    pub(crate) fn into_json(self) -> (StatusCode, String) {
        self.log();
        let Inner { status, body, cause: _, headers: _ } = *self.0;
        let text = match body {
            Body::Error(error) => serde_json::to_string(&ErrorEnvelope { error }),
            Body::Failure(error) => serde_json::to_string(&FailureEnvelope { error }),
        };
        // Shapes of text and numbers always serialize.
        (status, text.unwrap_or_default())
    }

    /// The body of an error event in a stream, which has no status.
    pub(crate) fn into_event(self) -> ErrorEnvelope {
        match self.0.body {
            Body::Error(error) => ErrorEnvelope { error },
            Body::Failure(failure) => ErrorEnvelope {
                error: ErrorBody {
                    code: failure.class,
                    message: failure.message,
                    details: None,
                    request_id: None,
                    documentation: failure.documentation,
                },
            },
        }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let headers = headers(&error);
        Self(Box::new(Inner {
            status: status::of_error(error.reason()),
            body: Body::Error(ErrorBody {
                code: error.reason().code().to_owned(),
                message: error.public().to_owned(),
                details: error.details().map(|details| match details {
                    Value::Array(items) => items.clone(),
                    other => vec![other.clone()],
                }),
                request_id: None,
                documentation: Some(page(error.reason())),
            }),
            cause: (error.kind() == Kind::Internal).then_some(error),
            headers,
        }))
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self(Box::new(Inner {
            status: status::of_failure(failure.class),
            body: Body::Failure(crate::shape::failure(failure)),
            cause: None,
            headers: Vec::new(),
        }))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.0.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// The page of the manual about a reason.
fn page(reason: Reason) -> String {
    format!("/docs/errors/{reason}")
}

/// `WWW-Authenticate` on every 401 (RFC 9110, section 11.6.1), `Retry-After` where it is known.
fn headers(error: &Error) -> Vec<(header::HeaderName, HeaderValue)> {
    let mut headers = Vec::new();
    match error.reason() {
        Reason::TokenInvalid | Reason::TokenExpired => headers.push((
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static("Bearer realm=\"aileron\", error=\"invalid_token\""),
        )),
        reason if reason.kind() == Kind::Unauthenticated => headers
            .push((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"aileron\""))),
        _ => {}
    }
    let wait = error.details().and_then(|details| details.get("retry_after_seconds")?.as_u64());
    if let Some(seconds) = wait {
        headers.push((header::RETRY_AFTER, HeaderValue::from(seconds)));
    }
    headers
}
