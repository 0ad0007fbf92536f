//! What happened to approvals, kept for a while in memory, so that watchers can follow and come
//! back. One ring serves them all: who falls behind its oldest entry is told so.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aileron_contract::{
    Context, Error, Principal, Reason, Result, Scope, Stream, Timestamp,
    executor::{
        Approval, ApprovalChange, ApprovalEvent, ApprovalKind, AskedBefore, Position, Preview,
        Resolution,
    },
    limits,
    names::SessionId,
};
use futures::{StreamExt as _, stream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Record, record::visible};

/// The ring and those who wait for its next entry.
#[derive(Debug)]
pub(super) struct Feed {
    /// Of this start of the runtime: its numbers mean nothing to another.
    epoch: u64,
    ring: Mutex<Ring>,
    /// The number of the newest entry.
    newest: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Ring {
    entries: VecDeque<Entry>,
    size: usize,
    newest: u64,
}

/// A change, and whose run it is about.
#[derive(Clone, Debug)]
struct Entry {
    number: u64,
    principal: Principal,
    session: Option<SessionId>,
    size: usize,
    change: Arc<Change>,
}

#[derive(Debug)]
enum Change {
    Pending(Box<Approval>),
    Resolved(Resolution),
}

/// What comes after a number.
enum Next {
    Entry(Entry),
    Nothing,
    /// It is no longer kept.
    Gone,
}

impl Feed {
    pub(super) fn open() -> Result<Self> {
        let mut epoch = [0; 8];
        getrandom::fill(&mut epoch).map_err(|cause| Error::internal(cause.to_string()))?;
        Ok(Self {
            epoch: u64::from_be_bytes(epoch),
            ring: Mutex::default(),
            newest: watch::Sender::new(0),
        })
    }

    /// One waits. Told after the record is durable, in the order of the records.
    pub(super) fn pending(&self, record: &Record, card: Approval) {
        let size = record.to_text().map_or(0, |text| text.len());
        self.publish(record, size, Change::Pending(Box::new(card)));
    }

    /// One no longer waits.
    pub(super) fn resolved(&self, record: &Record, resolution: Resolution) {
        self.publish(record, 0, Change::Resolved(resolution));
    }

    /// Where the stream stands.
    pub(super) fn position(&self) -> Position {
        self.at(self.ring().newest)
    }

    /// Can the stream be taken up after this?
    pub(super) fn keeps(&self, after: Position) -> bool {
        let ring = self.ring();
        let oldest =
            ring.entries.front().map_or(ring.newest, |entry| entry.number.saturating_sub(1));
        after.epoch == self.epoch && (oldest..=ring.newest).contains(&after.number)
    }

    /// What a caller may see of the changes after `after`, until `stop`.
    pub(super) fn follow(
        self: &Arc<Self>,
        context: &Context,
        after: Position,
        stop: CancellationToken,
    ) -> Stream<ApprovalEvent> {
        let watcher = Watcher {
            feed: Arc::clone(self),
            context: context.clone(),
            newest: self.newest.subscribe(),
            stop,
            after: after.number,
        };
        stream::try_unfold(Some(watcher), |watcher| async move {
            let Some(mut watcher) = watcher else { return Ok(None) };
            let event = watcher.next().await?;
            Ok(Some((event, Some(watcher))))
        })
        .boxed()
    }

    fn publish(&self, record: &Record, size: usize, change: Change) {
        let mut ring = self.ring();
        let number = ring.newest.saturating_add(1);
        ring.newest = number;
        ring.size = ring.size.saturating_add(size);
        ring.entries.push_back(Entry {
            number,
            principal: record.principal.clone(),
            session: record.session.clone(),
            size,
            change: Arc::new(change),
        });
        while ring.entries.len() > limits::APPROVAL_EVENTS
            || (ring.size > limits::APPROVAL_EVENTS_TEXT && ring.entries.len() > 1)
        {
            let gone = ring.entries.pop_front().map_or(0, |entry| entry.size);
            ring.size = ring.size.saturating_sub(gone);
        }
        drop(ring);
        self.newest.send_replace(number);
    }

    fn after(&self, number: u64) -> Next {
        let ring = self.ring();
        let Some(oldest) = ring.entries.front() else { return Next::Nothing };
        let Some(place) = number.saturating_add(1).checked_sub(oldest.number) else {
            return Next::Gone;
        };
        let entry = usize::try_from(place).ok().and_then(|place| ring.entries.get(place));
        entry.cloned().map_or(Next::Nothing, Next::Entry)
    }

    fn at(&self, number: u64) -> Position {
        Position { epoch: self.epoch, number }
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        // Entries are added whole: a panic elsewhere leaves nothing half done here.
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One watcher's place.
struct Watcher {
    feed: Arc<Feed>,
    context: Context,
    newest: watch::Receiver<u64>,
    stop: CancellationToken,
    after: u64,
}

impl Watcher {
    async fn next(&mut self) -> Result<ApprovalEvent> {
        loop {
            // Marked as seen before the look, so that what comes after the look wakes us.
            self.newest.mark_unchanged();
            match self.feed.after(self.after) {
                Next::Entry(entry) => {
                    self.after = entry.number;
                    if visible(&entry.principal, entry.session.as_ref(), &self.context) {
                        return Ok(self.shown(&entry));
                    }
                }
                Next::Nothing => {
                    let changed = self.stop.run_until_cancelled(self.newest.changed()).await;
                    if !matches!(changed, Some(Ok(()))) {
                        return Err(Error::new(
                            Reason::ShuttingDown,
                            "the executor is stopping: watch again when it is back",
                        ));
                    }
                }
                Next::Gone => {
                    return Err(Error::new(
                        Reason::Busy,
                        "this watch fell behind what is kept (APPROVAL_EVENTS): watch again, which \
                         begins with all that waits",
                    ));
                }
            }
        }
    }

    fn shown(&self, entry: &Entry) -> ApprovalEvent {
        let change = match &*entry.change {
            Change::Pending(card) => {
                ApprovalChange::Pending(Box::new(for_eyes(&self.context, (**card).clone())))
            }
            Change::Resolved(resolution) => ApprovalChange::Resolved(resolution.clone()),
        };
        ApprovalEvent { position: self.feed.at(entry.number), change }
    }
}

/// The card as this caller may see it. What a preview found is for those who decide: the agent
/// that asked must not learn what it may not read itself.
pub(super) fn for_eyes(context: &Context, card: Approval) -> Approval {
    if context.require(Scope::ApprovalsDecide).is_ok() {
        return card;
    }
    let hidden = || Preview::Unavailable("shown to the person who decides".to_owned());
    let without = |before: AskedBefore| AskedBefore { changes: Vec::new(), ..before };
    Approval {
        preview: card.preview.map(|_| hidden()),
        asked_before: card.asked_before.map(without),
        ..card
    }
}

/// How an approval that was decided, or ran out of time, is told.
pub(super) fn resolution(
    record: &Record,
    approved: bool,
    reason: Option<String>,
    at: Timestamp,
) -> Resolution {
    Resolution {
        id: record.id.clone(),
        kind: ApprovalKind::Action,
        approved,
        reason,
        decided_at: at,
    }
}
