//! Lines for whoever looks into a call.

use crate::imports;

/// How important a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Debug,
    Info,
    Warn,
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
