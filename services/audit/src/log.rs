//! The contract, on top of writer, publisher and index.

use std::{
    collections::HashMap,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
};

use aileron_contract::{
    Audit, Context, Error, Reason, Result, Scope, Stream,
    audit::{Checkpoint, Event, Filter, Record},
    limits,
    names::AuditId,
};
use aileron_receipt::{
    Hash, Receipt, VerifierKey,
    merkle::{includes, leaf_hash, prove},
    tile::{self, Kind},
};
use aileron_store::files::read_bounded;
use async_trait::async_trait;
use tokio::{
    sync::{Semaphore, oneshot, watch},
    time::timeout,
};
use tracing::Instrument as _;

use crate::{
    event::Draft,
    index::{self, Index},
    reader::{Found, Reader},
    tiles::edge_index,
    writer::{Append, Command, Head, Reply},
};

mod watching;

#[derive(Debug)]
pub(crate) struct Log {
    reader: Arc<Reader>,
    verifier: VerifierKey,
    commands: Mutex<Option<mpsc::Sender<Command>>>,
    slots: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    index: Arc<Index>,
    head: watch::Receiver<Head>,
    published: watch::Receiver<u64>,
}

impl Log {
    pub(crate) fn new(
        reader: Arc<Reader>,
        verifier: VerifierKey,
        commands: mpsc::Sender<Command>,
        index: Arc<Index>,
        (head, published): (watch::Receiver<Head>, watch::Receiver<u64>),
    ) -> Self {
        Self {
            reader,
            verifier,
            commands: Mutex::new(Some(commands)),
            slots: Arc::new(Semaphore::new(limits::AUDIT_QUEUE)),
            waiting: Arc::new(AtomicUsize::new(0)),
            index,
            head,
            published,
        }
    }

    /// How many appends wait for the writer.
    pub(crate) fn waiting(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.waiting)
    }

    /// Takes no more appends; those that wait are finished.
    pub(crate) fn stop(&self) {
        let commands = self.commands.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(commands) = commands {
            // A writer that is gone need not be stopped.
            drop(commands.send(Command::Stop));
        }
        self.slots.close();
    }

    /// Hands a line to the writer and waits until it is durable. `searched` is set for an id
    /// that the caller gave.
    async fn write(&self, draft: Draft, searched: Option<u64>) -> Result<Reply> {
        let permit = Arc::clone(&self.slots).acquire_owned().await.map_err(|_| shutting_down())?;
        let (reply, answer) = oneshot::channel();
        let append = Box::new(Append { draft, searched, reply, permit });
        {
            let commands = self.commands.lock().unwrap_or_else(PoisonError::into_inner);
            let commands = commands.as_ref().ok_or_else(shutting_down)?;
            self.waiting.fetch_add(1, Ordering::Relaxed);
            commands.send(Command::Append(append)).map_err(|_| shutting_down())?;
        }
        answer.await.map_err(|_| shutting_down())
    }

    /// The record of this id, if there is one and it is the same event.
    async fn recorded(&self, draft: &Draft) -> Result<Option<Record>> {
        match self.reader.find(&draft.id).await?.into_iter().next() {
            None => Ok(None),
            Some(Found { record, .. }) if draft.is(&record) => Ok(Some(record)),
            Some(_) => Err(Error::new(
                Reason::IdempotencyConflict,
                format!("the log holds another event under the id {}", draft.id),
            )),
        }
    }

    /// The oldest event with this id, and its line.
    async fn first(&self, id: &AuditId) -> Result<Found> {
        self.reader
            .find(id)
            .await?
            .into_iter()
            .next()
            .ok_or_else(|| Error::new(Reason::NotFound, format!("the log holds no event {id}")))
    }

    /// Waits until everything that is durable now is also in the files that others read.
    async fn published(&self) -> Result<Head> {
        let head = self.head.borrow().clone();
        let size = head.tree.size();
        let mut published = self.published.clone();
        // An empty log has been published when its first checkpoint was written.
        let shown =
            timeout(limits::AUDIT_PUBLISH_WALL, published.wait_for(|published| *published >= size))
                .await;
        match shown {
            Ok(Ok(_)) => Ok(head),
            Ok(Err(_)) => Err(shutting_down()),
            Err(_) => Err(Error::new(
                Reason::AuditUnavailable,
                "the tiles of the log cannot be written: make room on the disk, and try again",
            )),
        }
    }

    /// Until the event is durable.
    async fn append_now(&self, mut event: Event) -> Result<Record> {
        let given = event.id.take();
        let by_caller = given.is_some();
        let id = match given {
            Some(id) => id,
            None => format!("audit-{}", uuid::Uuid::new_v4()).parse()?,
        };
        let mut draft = Draft::new(id, event)?;
        loop {
            let searched = by_caller.then(|| self.reader.size());
            if by_caller && let Some(record) = self.recorded(&draft).await? {
                return Ok(record);
            }
            match self.write(draft, searched).await? {
                Reply::Written { draft, index, at } => return Ok(draft.into_record(index, at)),
                Reply::Refused(error) => return Err(error),
                Reply::SearchAgain(same) => draft = same,
            }
        }
    }
}

#[async_trait]
impl Audit for Log {
    /// Asks for no scope: whoever holds the handle is a part of the runtime and records what it
    /// did, also for callers without any right. No door leads here from outside.
    async fn append(&self, _context: &Context, event: Event) -> Result<Record> {
        let span = tracing::debug_span!(
            "aileron.audit.append",
            aileron.audit.type = event.kind.text(),
            otel.status_code = tracing::field::Empty,
            error.type = tracing::field::Empty,
        );
        let appended = Box::pin(self.append_now(event)).instrument(span.clone()).await;
        if let Err(error) = &appended {
            span.record("otel.status_code", "ERROR");
            span.record("error.type", error.reason().code());
        }
        appended
    }

    async fn query(&self, context: &Context, filter: Filter) -> Result<Vec<Record>> {
        context.require(Scope::AuditRead)?;
        let Some(id) = &filter.id else { return self.index.query(&filter).await };
        let limit = index::page(filter.limit)?;
        let found = self.reader.find(id).await?.into_iter().rev().map(|found| found.record);
        Ok(found.filter(|record| index::matches(&filter, record)).take(limit).collect())
    }

    async fn get(&self, context: &Context, id: AuditId) -> Result<Record> {
        context.require(Scope::AuditRead)?;
        Ok(self.first(&id).await?.record)
    }

    async fn watch(&self, context: &Context, from: u64) -> Result<Stream<Record>> {
        context.require(Scope::AuditRead)?;
        Ok(watching::stream(Arc::clone(&self.reader), self.head.clone(), from))
    }

    async fn checkpoint(&self, context: &Context) -> Result<Checkpoint> {
        context.require(Scope::AuditRead)?;
        let head = self.published().await?;
        Ok(Checkpoint {
            note: head.note.to_string(),
            verifier_key: self.verifier.to_string(),
            size: head.tree.size(),
        })
    }

    /// A C2SP tlog-proof whose `extra` line holds the event's line in base64.
    async fn receipt(&self, context: &Context, id: AuditId) -> Result<String> {
        context.require(Scope::AuditRead)?;
        let Found { record, leaf } = self.first(&id).await?;
        let head = self.published().await?;
        let index = record.index;
        let proof = tokio::task::spawn_blocking({
            let (reader, head) = (Arc::clone(&self.reader), head.clone());
            move || prove_from_tiles(reader.folder(), &head, index)
        })
        .await
        .map_err(Error::internal)??;
        if !includes(index, head.tree.size(), leaf_hash(&leaf), &proof, head.tree.root()) {
            return Err(damaged());
        }
        Ok(Receipt { index, leaf, proof, checkpoint: head.note.to_string() }.to_string())
    }
}

/// The inclusion proof of a leaf, read from the tiles.
fn prove_from_tiles(folder: &Path, head: &Head, index: u64) -> Result<Vec<Hash>> {
    let size = head.tree.size();
    let mut tiles: HashMap<(u8, u64), Vec<u8>> = HashMap::new();
    let mut entry = |level: u8, position: u64| {
        let (index, at) = (position / 256, usize::try_from(position % 256).unwrap_or_default());
        if index == edge_index(size, level) {
            return head.tree.edge(level).get(at).copied().ok_or_else(damaged);
        }
        let bytes = match tiles.entry((level, index)) {
            std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::hash_map::Entry::Vacant(unknown) => {
                let path = tile::path(Kind::Hashes { level }, index, None);
                let read = read_bounded(&folder.join(path), 32 * 256);
                unknown.insert(read.map_err(|cause| damaged().caused_by(cause))?)
            }
        };
        let hash = bytes.get(32 * at..32 * (at + 1)).and_then(|hash| hash.try_into().ok());
        hash.map(Hash).ok_or_else(damaged)
    };
    prove(index, size, &mut entry)?.ok_or_else(damaged)
}

fn shutting_down() -> Error {
    Error::new(Reason::ShuttingDown, "the log is shutting down: try again when it is back")
}

fn damaged() -> Error {
    Error::new(
        Reason::AuditDamaged,
        "the log's tiles or lines are not what was signed: run `aileron audit verify`; a restart \
         writes damaged tiles again",
    )
}
