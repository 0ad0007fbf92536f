//! Connectors loaded a moment ago, so that a run does not read and hash megabytes.

use std::{collections::VecDeque, sync::Arc};

use aileron_contract::{limits, names::Sha256Hash};

use super::Loaded;

/// The most recently used first.
#[derive(Debug, Default)]
pub(super) struct Recent(VecDeque<Arc<Loaded>>);

impl Recent {
    pub(super) fn get(&mut self, hash: Sha256Hash) -> Option<Arc<Loaded>> {
        let at = self.0.iter().position(|loaded| loaded.hash == hash)?;
        let found = self.0.remove(at)?;
        self.0.push_front(Arc::clone(&found));
        Some(found)
    }

    pub(super) fn put(&mut self, loaded: Arc<Loaded>) {
        self.0.retain(|other| other.hash != loaded.hash);
        self.0.push_front(loaded);
        let mut bytes = 0_usize;
        let fitting = self.0.iter().take(limits::MODULE_CACHE).take_while(|loaded| {
            bytes = bytes.saturating_add(loaded.wasm.len());
            bytes <= limits::CONNECTOR_CACHE
        });
        let keep = fitting.count().max(1);
        self.0.truncate(keep);
    }
}
