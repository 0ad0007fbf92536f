//! How the program ends.

use std::process::ExitCode;

/// The closed list of exit codes. Usage errors end with 2, by the argument parser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Done,
    Failed,
    /// The call waits for a person (`EX_TEMPFAIL`).
    ApprovalNeeded,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Done => Self::SUCCESS,
            Exit::Failed => Self::FAILURE,
            Exit::ApprovalNeeded => Self::from(75),
        }
    }
}
