//! Which ids the newest records have, so that a retry need not be searched for.

use std::collections::{HashMap, VecDeque};

use aileron_contract::{limits, names::AuditId};

/// Ids given by callers in the newest records.
#[derive(Debug)]
pub(crate) struct Recent {
    from: u64,
    order: VecDeque<(u64, AuditId)>,
    known: HashMap<AuditId, u64>,
}

impl Recent {
    /// Knows nothing of the first `from` records.
    pub(crate) fn new(from: u64) -> Self {
        Self { from, order: VecDeque::new(), known: HashMap::new() }
    }

    /// Is the id surely new, given that the caller searched the first `searched` records?
    pub(super) fn is_new(&self, id: &AuditId, searched: u64) -> bool {
        searched >= self.from && !self.known.contains_key(id)
    }

    /// Remembers an id, and forgets the oldest past the limit.
    pub(super) fn insert(&mut self, index: u64, id: AuditId) {
        self.known.insert(id.clone(), index);
        self.order.push_back((index, id));
        while self.order.len() > limits::AUDIT_RECENT_IDS {
            if let Some((index, id)) = self.order.pop_front() {
                self.known.remove(&id);
                self.from = index + 1;
            }
        }
    }

    /// Forgets records that were not written after all.
    pub(super) fn forget_from(&mut self, index: u64) {
        while self.order.back().is_some_and(|(at, _)| *at >= index) {
            if let Some((_, id)) = self.order.pop_back() {
                self.known.remove(&id);
            }
        }
    }
}
