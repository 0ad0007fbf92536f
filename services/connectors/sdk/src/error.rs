//! What a connector may fail with.

use std::fmt;

use serde::Serialize;

/// What operations return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure, in one of the published classes and in words a person understands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Error {
    class: &'static str,
    message: String,
}

impl Error {
    /// The arguments do not make sense.
    pub fn bad_input(message: impl Into<String>) -> Self {
        Self::new("bad_input", message)
    }

    /// There is no such operation.
    pub fn unknown_op(message: impl Into<String>) -> Self {
        Self::new("unknown_op", message)
    }

    /// The service answered, and refused. The runtime adds its status, and tries again where the
    /// operation allows it.
    pub fn external_api(message: impl Into<String>) -> Self {
        Self::new("external_api_error", message)
    }

    /// The service does not accept the credential.
    pub fn unauthorized(message: impl Into<String>) -> Self {
        Self::new("unauthorized", message)
    }

    /// Everything else.
    pub fn runtime(message: impl Into<String>) -> Self {
        Self::new("connector_runtime_error", message)
    }

    /// The published word for what went wrong.
    pub fn class(&self) -> &'static str {
        self.class
    }

    /// The sentence for whoever called.
    pub fn message(&self) -> &str {
        &self.message
    }

    fn new(class: &'static str, message: impl Into<String>) -> Self {
        Self { class, message: message.into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.class, self.message)
    }
}

impl std::error::Error for Error {}
