//! The failure classes of action runs: a closed set that agents and persons read. Domain data of
//! a run, not an [`Error`](crate::Error): a run that failed was still carried out and recorded.

use std::fmt;

use crate::{closed::closed, names::AuditId};

closed! {
    /// What kind of failure ended a run.
    Class {
        CapabilityDenied = "capability_denied",
        BindingRequired = "binding_required",
        BindingFailed = "binding_failed",
        ResourceLimitExceeded = "resource_limit_exceeded",
        ConnectorRuntimeError = "connector_runtime_error",
        NetworkError = "network_error",
        ExternalApiError = "external_api_error",
        HashMismatch = "hash_mismatch",
        SignatureFailure = "signature_failure",
        /// Arguments do not fit the declared inputs, or a file does not fit its format.
        ValidationError = "validation_error",
        ParseError = "parse_error",
        ApprovalDenied = "approval_denied",
        ApprovalTimeout = "approval_timeout",
    }
}

closed! {
    /// Which part of the runtime met the failure.
    Boundary {
        Sandbox = "sandbox",
        ConnectorManifest = "connector_manifest",
        Action = "action",
        Runtime = "runtime",
        External = "external",
        User = "user",
    }
}

/// One failure, safe to show to the agent and to the person.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    pub class: Class,
    pub boundary: Boundary,
    pub message: String,
    /// May the same call be tried again with a chance to succeed?
    pub retriable: bool,
    pub details: Option<serde_json::Map<String, serde_json::Value>>,
    /// The event of the log that records it.
    pub audit_id: Option<AuditId>,
}

impl Failure {
    /// A failure that is not worth trying again, without details; `message` is shown to agents.
    pub fn new(class: Class, boundary: Boundary, message: impl Into<String>) -> Self {
        Self {
            class,
            boundary,
            message: message.into(),
            retriable: false,
            details: None,
            audit_id: None,
        }
    }

    /// Says whether the same call may succeed later.
    #[must_use]
    pub fn retriable(mut self, retriable: bool) -> Self {
        self.retriable = retriable;
        self
    }

    /// Adds one structured fact.
    #[must_use]
    pub fn detail(mut self, key: &str, value: impl Into<serde_json::Value>) -> Self {
        self.details.get_or_insert_default().insert(key.to_owned(), value.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.class, self.message)
    }
}
