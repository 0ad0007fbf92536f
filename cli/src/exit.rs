//! How the program ends.

use std::process::ExitCode;

use crate::signals::Asked;

/// The closed list of exit codes. Usage errors end with 2, by the argument parser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Done,
    Failed,
    /// Called in a way that makes no sense, as the argument parser ends, too.
    #[cfg(feature = "runtime")]
    Misused,
    /// Not yet (`EX_TEMPFAIL`): the call waits for a person, or still runs.
    NotYet,
    /// As the agent that was launched ended.
    Agent(u8),
    /// A signal ended it in the middle; as a shell reports the signal.
    Stopped(Asked),
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Done => Self::SUCCESS,
            Exit::Failed => Self::FAILURE,
            #[cfg(feature = "runtime")]
            Exit::Misused => Self::from(2),
            Exit::NotYet => Self::from(75),
            Exit::Agent(code) => Self::from(code),
            Exit::Stopped(asked) => Self::from(asked.exit_code()),
        }
    }
}
