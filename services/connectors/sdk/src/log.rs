//! Lines for whoever looks into a call.

use crate::imports;

/// How important a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// For whoever writes the connector.
    Debug,
    /// What happened, as it should.
    Info,
    /// It went on, and somebody may want to know why not better.
    Warn,
    /// It did not go on.
    Error,
}

impl Level {
    /// The word the runtime keeps.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// Writes a line to the log of this call. The runtime keeps it: never log what a person would not
/// want to find there.
pub fn log(level: Level, message: impl AsRef<str>) {
    imports::log(level.text(), message.as_ref());
}
