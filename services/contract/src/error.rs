//! The one error that crosses a boundary.

use std::{error::Error as StdError, fmt, sync::Arc};

mod reason;
pub use reason::Reason;

/// What fallible calls return, with the house's own error unless another is named.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What the caller may do about a failure. One-to-one with the gRPC codes it maps to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Invalid,
    Unauthenticated,
    Forbidden,
    NotFound,
    Conflict,
    Locked,
    Exhausted,
    Unavailable,
    Timeout,
    Internal,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 10] = [
        Self::Invalid,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NotFound,
        Self::Conflict,
        Self::Locked,
        Self::Exhausted,
        Self::Unavailable,
        Self::Timeout,
        Self::Internal,
    ];
}

/// A failure as it crosses a boundary: what the caller may do (`kind`), which failure it is
/// (`reason`), a sentence that may be shown (`public`), and a cause that never leaves the process.
#[derive(Clone)]
pub struct Error {
    reason: Reason,
    public: Box<str>,
    details: Option<Box<serde_json::Value>>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Error {
    /// `public` says what happened, where, and what to do next; it never holds a secret.
    pub fn new(reason: Reason, public: impl Into<Box<str>>) -> Self {
        Self { reason, public: public.into(), details: None, source: None }
    }

    /// An unexpected failure. The cause is logged where the error is handled, never shown.
    pub fn internal(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self {
            reason: Reason::InternalError,
            public: "something failed inside the runtime; its log says more".into(),
            details: None,
            source: Some(Arc::from(cause.into())),
        }
    }

    /// Adds what led to it, for the log; it never leaves the process.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(Arc::from(cause.into()));
        self
    }

    /// Structured facts that may be shown, such as `expected` and `computed`.
    #[must_use]
    pub fn with_details(mut self, details: serde_json::Value) -> Self {
        self.details = Some(Box::new(details));
        self
    }

    /// What the caller may do about it; follows from the reason.
    pub fn kind(&self) -> Kind {
        self.reason.kind()
    }

    /// Which failure it is.
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// The sentence that may be shown.
    pub fn public(&self) -> &str {
        &self.public
    }

    /// The structured facts that may be shown.
    pub fn details(&self) -> Option<&serde_json::Value> {
        self.details.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason, self.public)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("reason", &self.reason)
            .field("public", &self.public)
            .field("details", &self.details)
            .field("source", &self.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}
