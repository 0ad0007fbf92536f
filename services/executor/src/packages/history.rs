//! What the log says about a record: the state database may be put back to an older day, the log
//! only grows.
//!
//! Every change of a record is one event, under an id that follows from the record's kind, its
//! name and a number counting from 1. The event carries the digest of the record that counts from
//! then on, and for an action whether it is switched on. So the newest event of a record is found
//! by asking for a few ids, and a row with another digest is an older one, or one whose change
//! never came about. Only this process appends these events, so answers are remembered here.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aileron_contract::{
    Context, Error, Reason, Result,
    audit::{self, Event, Record},
    limits,
    names::{AuditId, Sha256Hash},
};

use super::pins::Kind;

const DIGEST: &str = "aileron.record.digest";
const ENABLED: &str = "aileron.record.enabled";

/// A number is taken when an append was believed to have failed and had not: then the next one.
const ATTEMPTS: u32 = 8;

/// The newest event of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Newest {
    /// How many events there are.
    number: u64,
    /// The record that counts. None when no event named one: then a row of an earlier version of
    /// this program may.
    pub(super) digest: Option<Sha256Hash>,
    /// Of an action: whether it is switched on, as far as the log was told.
    pub(super) enabled: bool,
}

impl Default for Newest {
    fn default() -> Self {
        Self { number: 0, digest: None, enabled: true }
    }
}

/// What an event changes; what it leaves out stays as it was.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Change {
    pub(super) digest: Option<Sha256Hash>,
    pub(super) enabled: Option<bool>,
}

/// The records' events. Cheap to clone.
#[derive(Clone)]
pub(super) struct History {
    audit: audit::Handle,
    known: Arc<Mutex<HashMap<(Kind, String), Newest>>>,
}

impl History {
    pub(super) fn new(audit: audit::Handle) -> Self {
        Self { audit, known: Arc::default() }
    }

    /// The newest event of a record; an error while the log cannot tell.
    pub(super) async fn newest(&self, kind: Kind, name: &str) -> Result<Newest> {
        if let Some(known) = self.known().get(&(kind, name.to_owned())) {
            return Ok(*known);
        }
        let (mut search, mut newest) = (Search::new(), Newest::default());
        while let Some(number) = search.next() {
            let event = self.event(kind, name, number).await?;
            search = search.answered(number, event.is_some());
            if let Some(event) = event {
                newest = read(number, &event)?;
            }
        }
        Ok(self.remember(kind, name, newest))
    }

    /// Appends the next event of a record. Once this returns the change counts.
    pub(super) async fn append(
        &self,
        context: &Context,
        (kind, name): (Kind, &str),
        event: Event,
        change: Change,
    ) -> Result<()> {
        for _ in 0..ATTEMPTS {
            let before = self.newest(kind, name).await?;
            let next = Newest {
                number: before.number.saturating_add(1),
                digest: change.digest.or(before.digest),
                enabled: change.enabled.unwrap_or(before.enabled),
            };
            let mut event = event
                .clone()
                .with(DIGEST, next.digest.map(|digest| digest.to_string()))
                .with(ENABLED, (kind == Kind::Action).then_some(next.enabled));
            event.id = Some(event_id(kind, name, next.number)?);
            match self.audit.append(context, event).await {
                Ok(_) => {
                    self.remember(kind, name, next);
                    return Ok(());
                }
                Err(error) => {
                    // It may have been written all the same.
                    self.known().remove(&(kind, name.to_owned()));
                    if error.reason() != Reason::IdempotencyConflict {
                        return Err(error);
                    }
                }
            }
        }
        Err(Error::new(
            Reason::Busy,
            "the log was told of other changes of the same record meanwhile: try again",
        ))
    }

    async fn event(&self, kind: Kind, name: &str, number: u64) -> Result<Option<Record>> {
        let id = event_id(kind, name, number)?;
        match self.audit.get(&Context::service("executor"), id).await {
            Ok(record) => Ok(Some(record)),
            Err(error) if error.reason() == Reason::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Remembers, and gives back what is remembered: a change may have come while one asked.
    fn remember(&self, kind: Kind, name: &str, newest: Newest) -> Newest {
        let mut known = self.known();
        if known.len() >= limits::RECORDS {
            known.clear();
        }
        let entry = known.entry((kind, name.to_owned())).or_insert(newest);
        if entry.number < newest.number {
            *entry = newest;
        }
        *entry
    }

    fn known(&self) -> MutexGuard<'_, HashMap<(Kind, String), Newest>> {
        // Entries are written whole: a panic elsewhere leaves nothing half done here.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn event_id(kind: Kind, name: &str, number: u64) -> Result<AuditId> {
    let parts: [&[u8]; 6] = [
        b"aileron/record/v1\0",
        kind.text().as_bytes(),
        b"\0",
        name.as_bytes(),
        b"\0",
        &number.to_be_bytes(),
    ];
    format!("audit-{}", Sha256Hash::of(&parts).hex()).parse()
}

fn read(number: u64, event: &Record) -> Result<Newest> {
    let strange = || {
        let text = format!("the event {} in the log is not one of a record", event.id);
        Error::new(Reason::AuditDamaged, text)
    };
    let digest = match event.payload.get(DIGEST) {
        None => None,
        Some(value) => {
            let digest = value.as_str().and_then(|text| text.parse().ok());
            Some(digest.ok_or_else(strange)?)
        }
    };
    let enabled = match event.payload.get(ENABLED) {
        None => true,
        Some(value) => value.as_bool().ok_or_else(strange)?,
    };
    Ok(Newest { number, digest, enabled })
}

/// Looks for the last of things numbered from 1 without a gap, asking for few of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Search {
    there: u64,
    gone: u64,
}

impl Search {
    pub(crate) fn new() -> Self {
        Self { there: 0, gone: u64::MAX }
    }

    /// What to ask for; none once the last one is known.
    pub(crate) fn next(self) -> Option<u64> {
        let Self { there, gone } = self;
        let next = if gone == u64::MAX {
            there.saturating_mul(2).max(1)
        } else {
            there.saturating_add(gone.saturating_sub(there) / 2)
        };
        (there < next && next < gone).then_some(next)
    }

    pub(crate) fn answered(self, asked: u64, there: bool) -> Self {
        if there { Self { there: asked, ..self } } else { Self { gone: asked, ..self } }
    }

    /// The last one, once there is nothing to ask for; 0 without any.
    pub(crate) fn last(self) -> u64 {
        self.there
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_last_one_is_found_by_asking_for_few(count in 0_u64..100_000) {
            let (mut search, mut asked) = (Search::new(), 0);
            while let Some(number) = search.next() {
                search = search.answered(number, number <= count);
                asked += 1;
            }
            prop_assert_eq!(search.there, count);
            prop_assert!(asked <= 2 * (64 - count.leading_zeros()) + 1, "{}", asked);
        }
    }

    #[test]
    fn no_two_records_share_an_event() {
        let all = [
            event_id(Kind::Action, "a", 1),
            event_id(Kind::Action, "a", 2),
            event_id(Kind::Connector, "a", 1),
            event_id(Kind::Action, "b", 1),
            event_id(Kind::Keyring, "", 1),
        ];
        let all: std::collections::BTreeSet<_> =
            all.into_iter().map(|id| id.unwrap().to_string()).collect();
        assert_eq!(all.len(), 5);
    }
}
