//! Credentials that were opened for one request, kept for those that follow.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aileron_contract::{
    egress::CredentialUse,
    names::{Fqn, HostPort},
};

use crate::egress::Resolved;

/// What one state of the file says to what was asked of it. It belongs to that state: with the
/// keys, and with whatever is changed, it goes, and its memory is wiped when the last request
/// that uses it has ended.
#[derive(Default)]
pub(crate) struct Opened(Mutex<Vec<(Question, Arc<Resolved>)>>);

/// All that the choice of a credential depends on, besides the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) connector: Fqn,
    pub(crate) wanted: CredentialUse,
    pub(crate) host: HostPort,
}

/// How many are kept: memory that can be locked is little, and connectors in use are few.
const KEPT: usize = 32;

impl Opened {
    pub(crate) fn answer(
        &self,
        connector: &Fqn,
        wanted: &CredentialUse,
        host: &HostPort,
    ) -> Option<Arc<Resolved>> {
        let asked = |(question, _): &&(Question, Arc<Resolved>)| {
            question.connector == *connector && question.host == *host && question.wanted == *wanted
        };
        let all = self.lock();
        all.iter().find(asked).map(|(_, resolved)| Arc::clone(resolved))
    }

    /// The oldest makes room.
    pub(crate) fn keep(&self, question: Question, resolved: Arc<Resolved>) {
        let mut all = self.lock();
        if all.len() >= KEPT {
            all.remove(0);
        }
        all.push((question, resolved));
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Question, Arc<Resolved>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opened(..)")
    }
}
