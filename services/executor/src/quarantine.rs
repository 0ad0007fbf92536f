//! Tells the log what was found that the runtime did not write, once for each state it is found in.

use std::{
    collections::HashSet,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aileron_contract::{
    Context,
    audit::{self, Actor, Event, EventKind},
    names::Sha256Hash,
};

/// States that are remembered as told. Whoever makes more of them is told of again.
const TOLD: usize = 1_024;

/// Who tells. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Quarantine {
    audit: audit::Handle,
    told: Arc<Mutex<HashSet<Sha256Hash>>>,
}

impl fmt::Debug for Quarantine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quarantine").finish_non_exhaustive()
    }
}

impl Quarantine {
    pub(crate) fn new(audit: audit::Handle) -> Self {
        Self { audit, told: Arc::default() }
    }

    /// Tells of `state`, unless that was done. Whatever is refused because of it is refused without
    /// the log, too: one that does not answer is told at the next sight.
    pub(crate) async fn tell(
        &self,
        kind: EventKind,
        state: Sha256Hash,
        about: impl FnOnce(Event) -> Event,
    ) {
        if !self.told().insert(state) {
            return;
        }
        let context = Context::service("executor");
        let event = about(Event::new(kind, Actor::of(&context)));
        if let Err(error) = self.audit.append(&context, event).await {
            tracing::warn!(%error, kind = kind.text(), "a quarantine was not recorded");
            self.told().remove(&state);
        }
    }

    fn told(&self) -> MutexGuard<'_, HashSet<Sha256Hash>> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() >= TOLD {
            told.clear();
        }
        told
    }
}
