//! What the log says of a grant, remembered: only this process appends events of grants.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use aileron_contract::{Error, Principal, Reason, Result, audit::Event, names::GrantId};
use tokio::sync::Mutex as AsyncMutex;

use super::{
    announce,
    record::{GrantEnd, GrantRecord, Told},
};
use crate::{packages::Search, runs::engine::Engine};

/// Grants remembered; past it all are forgotten and asked for again.
const REMEMBERED: usize = 4_096;

/// A number is taken when an append was believed to have failed and had not: then the next one.
pub(super) const ATTEMPTS: u32 = 8;

/// What grants need besides the table.
#[derive(Debug, Default)]
pub(in crate::runs) struct Grants {
    /// One use, or one end, of a grant at a time.
    pub(super) turn: AsyncMutex<()>,
    memory: Mutex<Memory>,
}

#[derive(Debug, Default)]
struct Memory {
    /// Counts what this process told the log: an answer of the log from before is not remembered
    /// after it.
    changes: u64,
    told: HashMap<GrantId, Told>,
}

impl Grants {
    fn memory(&self) -> MutexGuard<'_, Memory> {
        // Every change is whole: a panic elsewhere leaves nothing half done here.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The log is asked anew.
    fn forget(&self, id: &GrantId) {
        let mut memory = self.memory();
        memory.changes = memory.changes.wrapping_add(1);
        memory.told.remove(id);
    }

    fn used(&self, id: &GrantId, number: u32) {
        let mut memory = self.memory();
        memory.changes = memory.changes.wrapping_add(1);
        if let Some(told) = memory.told.get_mut(id) {
            told.used = told.used.max(number);
        }
    }
}

impl Engine {
    /// What the log says of a grant; an error while the log cannot tell.
    pub(super) async fn told(&self, id: &GrantId) -> Result<Told> {
        let seen = {
            let memory = self.grants.memory();
            if let Some(told) = memory.told.get(id) {
                return Ok(*told);
            }
            memory.changes
        };
        let ended = match self.in_log(announce::end_id(id)?).await? {
            Some(event) => Some((announce::end_of(&event)?, event.timestamp)),
            None => None,
        };
        let mut search = Search::new();
        while let Some(number) = search.next() {
            // No grant has that many uses.
            let there = match u32::try_from(number) {
                Ok(number) => self.in_log(announce::use_id(id, number)?).await?.is_some(),
                Err(_) => false,
            };
            search = search.answered(number, there);
        }
        let used = u32::try_from(search.last()).map_err(Error::internal)?;
        let told = Told { used, ended };
        let mut memory = self.grants.memory();
        if memory.changes == seen {
            if memory.told.len() >= REMEMBERED {
                memory.told.clear();
            }
            memory.told.insert(id.clone(), told);
        }
        Ok(told)
    }

    /// Appends the use of this number. False when the log has another call's under it.
    pub(super) async fn tell_use(&self, id: &GrantId, number: u32, event: Event) -> Result<bool> {
        match self.announce(event).await {
            Ok(_) => {
                self.grants.used(id, number);
                Ok(true)
            }
            Err(error) => {
                // It may have been written all the same.
                self.grants.forget(id);
                if error.reason() == Reason::IdempotencyConflict {
                    return Ok(false);
                }
                Err(error)
            }
        }
    }

    /// Appends the end of a grant, and gives back the end that the log has: the first one counts.
    pub(super) async fn tell_end(
        &self,
        record: &GrantRecord,
        end: GrantEnd,
        by: &Principal,
    ) -> Result<Told> {
        let told = self.told(&record.id).await?;
        if told.ended.is_some() {
            return Ok(told);
        }
        self.tell_end_as(&record.id, announce::ended(record, end, by)?).await
    }

    /// The same with the event put together already.
    pub(super) async fn tell_end_as(&self, id: &GrantId, event: Event) -> Result<Told> {
        let told = self.announce(event).await;
        // Whatever came of it, the log is asked.
        self.grants.forget(id);
        match told {
            Ok(_) => {}
            // Told before, in other words.
            Err(error) if error.reason() == Reason::IdempotencyConflict => {}
            Err(error) => return Err(error),
        }
        self.told(id).await
    }
}
