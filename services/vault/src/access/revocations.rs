//! Which minted tokens were revoked, as the log has it: a row of the database can be put back, an
//! event cannot be taken out.
//!
//! The event of a revocation has an id that follows from the token's. Only this process revokes
//! tokens, so what the log said of a token holds here until the token is revoked here.

use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use aileron_contract::{
    Context, Reason, Result, Timestamp, access::revocation_event, audit::Event, limits,
};

use crate::keeper::Keeper;

/// What is remembered of the log.
#[derive(Debug, Default)]
pub(crate) struct Revocations(Mutex<Memory>);

#[derive(Debug, Default)]
struct Memory {
    /// Counts revocations: an answer of the log from before one is not remembered after it.
    changes: u64,
    /// Tokens the log knows no revocation of.
    standing: HashSet<String>,
    /// Revoked here, but the log could not be told yet. No more than there are tokens: without
    /// the log none is minted.
    untold: HashSet<String>,
}

impl Revocations {
    /// When a token was revoked, if it was; an error while the log cannot tell.
    pub(super) async fn of(&self, keeper: &Keeper, id: &str) -> Result<Option<Timestamp>> {
        loop {
            let seen = {
                let memory = self.memory();
                if memory.untold.contains(id) {
                    return Ok(Some((keeper.clock)()));
                }
                if memory.standing.contains(id) {
                    return Ok(None);
                }
                memory.changes
            };
            let asked = keeper.audit.get(&Context::service("vault"), revocation_event(id)?).await;
            match asked {
                Ok(event) => return Ok(Some(event.timestamp)),
                Err(error) if error.reason() == Reason::NotFound => {}
                Err(error) => return Err(error),
            }
            let mut memory = self.memory();
            if memory.changes == seen {
                if memory.standing.len() >= limits::TOKENS {
                    memory.standing.clear();
                }
                memory.standing.insert(id.to_owned());
                return Ok(None);
            }
        }
    }

    /// From here on the token is worth nothing in this process.
    pub(super) fn note(&self, id: &str) {
        let mut memory = self.memory();
        memory.changes = memory.changes.wrapping_add(1);
        memory.standing.remove(id);
        memory.untold.insert(id.to_owned());
    }

    /// Tells the log of a token that was [noted](Self::note): from here on it is worth nothing
    /// anywhere, whatever its row says. Telling again says nothing new.
    pub(super) async fn tell(
        &self,
        keeper: &Keeper,
        context: &Context,
        id: &str,
        mut event: Event,
    ) -> Result<()> {
        event.id = Some(revocation_event(id)?);
        match keeper.audit.append(context, event).await {
            Ok(_) => {}
            // Told before, by somebody else or in other words.
            Err(error) if error.reason() == Reason::IdempotencyConflict => {}
            Err(error) => return Err(error),
        }
        let mut memory = self.memory();
        memory.changes = memory.changes.wrapping_add(1);
        memory.standing.remove(id);
        memory.untold.remove(id);
        Ok(())
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        // Every change is whole: a panic elsewhere leaves nothing half done here.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
