//! How far the previews and installations are that a caller waits for.

use crate::names::PackageRef;

/// A step that is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    pub package: PackageRef,
    pub step: Step,
}

/// What takes its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Its archive is on its way.
    Fetching {
        /// Bytes that have come.
        received: u64,
        /// How many there are in all, by the source's own word.
        total: Option<u64>,
    },
    /// Its module is made ready to run.
    Compiling,
}
