//! Why a command did not do what it was asked.

use std::{error::Error as StdError, io, path::PathBuf};

use aileron_api::client::Error as ApiError;

use crate::signals::Asked;

pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

/// Shown after `error:`; says what happened and what to do next.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("{0}")]
    Plain(String),
    #[error("{}", quoted(&with_cause(.0)))]
    Api(#[from] ApiError),
    #[error("cannot {doing} {path}: {source}")]
    File { doing: &'static str, path: PathBuf, source: io::Error },
    /// The person said no: nothing was done.
    #[error("nothing was changed")]
    Declined,
    /// The person said no to an installation. A publisher trusted before stays trusted.
    #[error("nothing was installed")]
    NotInstalled,
    /// The person pressed ctrl-c, or something else ended the command in the middle.
    #[error("{}", .0.word())]
    Stopped(Asked),
}

impl Failure {
    pub(crate) fn plain(message: impl Into<String>) -> Self {
        Self::Plain(message.into())
    }

    /// In the words of a run, which may quote a connector.
    pub(crate) fn of_run(message: &str) -> Self {
        Self::Plain(quoted(message))
    }

    /// Was the runtime asked without a token?
    pub(crate) fn needs_token(&self) -> bool {
        matches!(self, Self::Api(error) if error.api().is_some_and(|it| it.status == 401
            && it.code != "passphrase_rejected"))
    }

    pub(crate) fn lacks_a_right(&self) -> bool {
        matches!(self, Self::Api(error) if Self::lacks_right(error))
    }

    /// Is there no such place?
    pub(crate) fn found_nothing(&self) -> bool {
        matches!(self, Self::Api(error) if error.api().is_some_and(|it| it.status == 404))
    }

    /// Is there no room?
    pub(crate) fn is_busy(&self) -> bool {
        matches!(self, Self::Api(error) if error.code() == Some("busy"))
    }

    /// Was the token good, but not for this?
    pub(crate) fn lacks_right(error: &ApiError) -> bool {
        error.code() == Some("scope_missing")
    }

    pub(crate) fn file(doing: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self::File { doing, path: path.into(), source }
    }
}

/// Why there was no connection: the last of the causes says it in the system's words.
fn with_cause(error: &ApiError) -> String {
    if !error.is_unreachable() {
        return error.to_string();
    }
    let mut cause = error.source();
    while let Some(deeper) = cause.and_then(StdError::source) {
        cause = Some(deeper);
    }
    cause.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}

/// What the runtime says may quote a connector or an upstream: further lines are marked, so that
/// none of them passes for one of ours.
fn quoted(text: &str) -> String {
    text.replace('\n', "\n  | ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_somebody_else_wrote_does_not_pass_for_ours() {
        let message = "the connector failed: x\n✓ approved: it runs now, once";
        let failure = Failure::from(ApiError::Argument(message.into()));
        assert_eq!(
            failure.to_string(),
            "the connector failed: x\n  | ✓ approved: it runs now, once"
        );
        assert_eq!(Failure::of_run(message).to_string(), failure.to_string());
    }
}
