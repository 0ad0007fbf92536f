//! What came of one call.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use aileron_contract::{failure::Failure, limits};
use serde_json::{Map, Value};

/// One call, from start to end.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The guest's output object, none when it wrote nothing, or why the call failed.
    pub outcome: Result<Option<Map<String, Value>>, Failure>,
    /// What the guest logged, up to the limit.
    pub logs: Vec<LogLine>,
    /// Log lines past the limit, which were not kept.
    pub logs_dropped: u64,
    /// Standard error, up to the limit, with a mark where it was cut.
    pub stderr: String,
    /// Wall time, compiling left out.
    pub elapsed: Duration,
}

impl Report {
    /// A call that never started.
    pub(crate) fn refused(failure: Failure) -> Self {
        Self {
            outcome: Err(failure),
            logs: Vec::new(),
            logs_dropped: 0,
            stderr: String::new(),
            elapsed: Duration::ZERO,
        }
    }
}

/// One line of a guest's log. The level is the guest's own word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    pub level: String,
    pub message: String,
}

/// The log of a running call, readable while the guest still runs.
#[derive(Clone, Default)]
pub(crate) struct Journal(Arc<Mutex<Lines>>);

#[derive(Default)]
pub(crate) struct Lines {
    pub(crate) kept: Vec<LogLine>,
    pub(crate) dropped: u64,
}

impl Journal {
    /// Keeps a line unless the limit has been reached; tells whether it was kept.
    pub(crate) fn keep(&self, line: &LogLine) -> bool {
        let mut lines = self.lock();
        let room = u32::try_from(lines.kept.len()).is_ok_and(|len| len < limits::GUEST_LOG_LINES);
        if room {
            lines.kept.push(line.clone());
        } else {
            lines.dropped = lines.dropped.saturating_add(1);
        }
        room
    }

    pub(crate) fn take(&self) -> Lines {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
