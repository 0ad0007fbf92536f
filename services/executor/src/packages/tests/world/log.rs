use std::sync::{
    Mutex,
    atomic::{AtomicBool, Ordering},
};

use aileron_contract::{
    Context, Error, Reason, Result, Stream, Timestamp,
    audit::{self, Audit},
    names::AuditId,
};
use async_trait::async_trait;

use super::unused;

/// Keeps events; refuses while full. What it says while mute is lost on the way.
#[derive(Default)]
pub(in crate::packages::tests) struct FakeAudit {
    pub(in crate::packages::tests) full: AtomicBool,
    pub(in crate::packages::tests) mute: AtomicBool,
    /// So many more are kept, then it is full.
    pub(in crate::packages::tests) room: Mutex<Option<u64>>,
    pub(in crate::packages::tests) events: Mutex<Vec<audit::Event>>,
}

impl FakeAudit {
    /// The events of one kind.
    pub(in crate::packages::tests) fn of(&self, kind: audit::EventKind) -> Vec<audit::Event> {
        self.events.lock().unwrap().iter().filter(|event| event.kind == kind).cloned().collect()
    }
}

#[async_trait]
impl Audit for FakeAudit {
    async fn append(&self, _: &Context, event: audit::Event) -> Result<audit::Record> {
        if self.full.load(Ordering::SeqCst) {
            return Err(Error::new(Reason::AuditUnavailable, "the disk is full"));
        }
        if let Some(room) = self.room.lock().unwrap().as_mut() {
            let full = || Error::new(Reason::AuditUnavailable, "the disk is full");
            *room = room.checked_sub(1).ok_or_else(full)?;
        }
        let mut events = self.events.lock().unwrap();
        let known = events.iter().find(|known| known.id.is_some() && known.id == event.id);
        let record = recorded(&event)?;
        match known {
            Some(known) if *known != event => {
                return Err(Error::new(Reason::IdempotencyConflict, "another event"));
            }
            Some(_) => {}
            None => events.push(event),
        }
        if self.mute.load(Ordering::SeqCst) {
            return Err(Error::new(Reason::AuditUnavailable, "the answer is lost"));
        }
        Ok(record)
    }
    async fn query(&self, _: &Context, _: audit::Filter) -> Result<Vec<audit::Record>> {
        unused()
    }
    async fn get(&self, _: &Context, id: AuditId) -> Result<audit::Record> {
        let events = self.events.lock().unwrap();
        match events.iter().find(|event| event.id.as_ref() == Some(&id)) {
            Some(event) => recorded(event),
            None => Err(Error::new(Reason::NotFound, "no such event")),
        }
    }
    async fn watch(&self, _: &Context, _: u64) -> Result<Stream<audit::Record>> {
        unused()
    }
    async fn checkpoint(&self, _: &Context) -> Result<audit::Checkpoint> {
        unused()
    }
    async fn receipt(&self, _: &Context, _: AuditId) -> Result<String> {
        unused()
    }
}

fn recorded(event: &audit::Event) -> Result<audit::Record> {
    Ok(audit::Record {
        index: 0,
        id: event.id.clone().map_or_else(|| "audit-1".parse(), Ok)?,
        kind: event.kind.to_string(),
        timestamp: Timestamp::UNIX_EPOCH,
        actor: event.actor.clone(),
        payload: event.payload.clone(),
        trace_id: None,
    })
}
