//! Why a command did not do what it was asked.

use std::{io, path::PathBuf};

use aileron_api::client::Error as ApiError;

pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

/// Shown after `error:`; says what happened and what to do next.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("{0}")]
    Plain(String),
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error("cannot {doing} {path}: {source}")]
    File { doing: &'static str, path: PathBuf, source: io::Error },
    /// The person said no: nothing was done.
    #[error("nothing was changed")]
    Declined,
}

impl Failure {
    pub(crate) fn plain(message: impl Into<String>) -> Self {
        Self::Plain(message.into())
    }

    /// Was the runtime asked without a token?
    pub(crate) fn needs_token(&self) -> bool {
        matches!(self, Self::Api(error) if error.api().is_some_and(|it| it.status == 401
            && it.code != "passphrase_rejected"))
    }

    pub(crate) fn file(doing: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self::File { doing, path: path.into(), source }
    }
}
