//! The one writer of the log: a thread that takes all appends waiting and makes them durable
//! together.
//!
//! A batch is one write to the day's file, one signature and one write with one fsync to the
//! [`Journal`](crate::journal::Journal). Callers that have just been answered tend to come back:
//! the writer gives them a fraction of an fsync's time to do so, which makes the next batch whole.

use std::{
    collections::HashSet,
    io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use aileron_contract::{Error, Reason, Result, Timestamp, limits, names::AuditId};
use aileron_receipt::{
    Hash,
    merkle::{Tree, leaf_hash},
};
use jiff::tz::TimeZone;
use tokio::sync::{OwnedSemaphorePermit, oneshot, watch};

use crate::{
    event::Draft,
    files,
    journal::{BATCH_BYTES, Frame},
    key::LogKey,
    reader::{Reader, Written},
};

mod store;

pub(crate) use store::Store;

/// The newest durable state of the log.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) tree: Arc<Tree>,
    pub(crate) note: Arc<str>,
}

/// Lines that became durable together.
#[derive(Debug)]
pub(crate) struct Batch {
    lines: Vec<u8>,
    hashes: Vec<Hash>,
    pub(crate) note: Arc<str>,
}

impl Batch {
    pub(crate) fn leaves(&self) -> impl Iterator<Item = (&[u8], Hash)> {
        self.lines.split(|c| *c == b'\n').zip(self.hashes.iter().copied())
    }
}

/// An append that waits.
#[derive(Debug)]
pub(crate) struct Append {
    pub(crate) draft: Draft,
    /// When the caller gave the id: how many lines had been searched for it.
    pub(crate) searched: Option<u64>,
    pub(crate) reply: oneshot::Sender<Reply>,
    pub(crate) permit: OwnedSemaphorePermit,
}

#[derive(Debug)]
pub(crate) enum Reply {
    Written {
        draft: Draft,
        index: u64,
        at: Timestamp,
    },
    /// The id may have been recorded since the caller searched: search again.
    SearchAgain(Draft),
    Refused(Error),
}

#[derive(Debug)]
pub(crate) enum Command {
    Append(Box<Append>),
    Stop,
}

/// The longest wait for callers to come back.
const GATHER_MAX: Duration = Duration::from_millis(2);

/// The writer sleeps between looks: the processor is the callers' meanwhile.
const NAP: Duration = Duration::from_micros(10);

pub(crate) struct Writer {
    pub(crate) folder: PathBuf,
    pub(crate) key: LogKey,
    pub(crate) zone: TimeZone,
    pub(crate) clock: fn() -> Timestamp,
    pub(crate) store: Store,
    pub(crate) head: watch::Sender<Head>,
    pub(crate) batches: mpsc::SyncSender<Arc<Batch>>,
    pub(crate) waiting: Arc<AtomicUsize>,
    pub(crate) reader: Arc<Reader>,
}

impl Writer {
    pub(crate) fn run(mut self, commands: &mpsc::Receiver<Command>) {
        let mut gather = Gather { expected: 1, patience: Duration::ZERO };
        while let Ok(Command::Append(first)) = commands.recv() {
            let (batch, stop) = self.gather(first, commands, &gather);
            let begun = Instant::now();
            let count = batch.len();
            let committed = self.commit(batch);
            // Before anybody is answered: who comes back at once is among those who were here.
            gather.patience = (begun.elapsed() / 4).min(GATHER_MAX);
            gather.expected = count + self.waiting.load(Ordering::Relaxed);
            self.tell(committed);
            if stop {
                break;
            }
        }
        if let Err(cause) = self.store.flush(&self.folder) {
            tracing::warn!(error = %cause, "the log's lines could not be flushed at shutdown; the journal holds them");
        }
    }

    fn gather(
        &self,
        first: Box<Append>,
        commands: &mpsc::Receiver<Command>,
        gather: &Gather,
    ) -> (Vec<Append>, bool) {
        let deadline = Instant::now() + gather.patience;
        let mut bytes = first.draft.length();
        let mut batch = vec![*first];
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        while bytes < BATCH_BYTES && batch.len() < limits::AUDIT_QUEUE {
            match commands.try_recv() {
                Ok(Command::Append(append)) => {
                    self.waiting.fetch_sub(1, Ordering::Relaxed);
                    bytes += append.draft.length();
                    batch.push(*append);
                }
                Ok(Command::Stop) | Err(mpsc::TryRecvError::Disconnected) => return (batch, true),
                Err(mpsc::TryRecvError::Empty) => {
                    if batch.len() >= gather.expected || Instant::now() >= deadline {
                        break;
                    }
                    std::thread::sleep(NAP);
                }
            }
        }
        (batch, false)
    }

    /// Makes a batch durable; what to tell of it.
    fn commit(&mut self, batch: Vec<Append>) -> Committed {
        if let Err(cause) = self.store.recover(&self.folder) {
            return Committed::refused(batch, &self.unavailable(cause));
        }
        let before = self.head.borrow().tree.size();
        let mut staged = Staged::new((*self.head.borrow().tree).clone());
        let (batch, again): (Vec<_>, Vec<_>) =
            batch.into_iter().partition(|append| self.admits(append, &mut staged));
        let mut committed = Committed::default();
        committed.answer(again, Reply::SearchAgain);
        if batch.is_empty() {
            return committed;
        }
        let at = (self.clock)();
        for append in &batch {
            staged.push(&append.draft, at);
        }
        match self.write(before, &batch, staged, at) {
            Ok(written) => {
                committed.batch = Some(written);
                let mut indexes = before..;
                committed.answer(batch, |draft| Reply::Written {
                    draft,
                    index: indexes.next().unwrap_or(u64::MAX),
                    at,
                });
            }
            Err(error) => committed.answer(batch, |_| Reply::Refused(error.clone())),
        }
        committed
    }

    /// Callers first: they wait, and the publisher does not.
    fn tell(&self, Committed { answers, batch }: Committed) {
        for (caller, reply) in answers {
            // A caller that no longer waits has lost nothing: what was written stays.
            drop(caller.send(reply));
        }
        if let Some(batch) = batch {
            // The publisher ends only after this sender is gone.
            drop(self.batches.send(batch));
        }
    }

    /// Refuses a given id that may have been recorded since the caller searched for it.
    fn admits(&self, append: &Append, staged: &mut Staged) -> bool {
        let Some(searched) = append.searched else { return true };
        let id = &append.draft.id;
        !self.reader.may_hold(id, searched) && staged.given.insert(id.clone())
    }

    /// Makes a batch durable and shows it to readers.
    fn write(
        &mut self,
        before: u64,
        batch: &[Append],
        staged: Staged,
        at: Timestamp,
    ) -> Result<Arc<Batch>> {
        let Staged { given: _, tree, lines, lengths, hashes } = staged;
        let note = self.key.sign(tree.size(), tree.root())?;
        let name = files::name_at(at, &self.zone, &self.store.name);
        let frame =
            Frame { before, after: tree.size(), file: name, offset: 0, note: note.clone(), lines };
        let (lines, place) =
            self.store.append(&self.folder, frame).map_err(|cause| self.unavailable(cause))?;
        let written: Vec<_> = batch
            .iter()
            .zip(&hashes)
            .zip(lengths)
            .map(|((append, hash), length)| Written { id: &append.draft.id, hash: *hash, length })
            .collect();
        // Before anybody hears that they are durable.
        self.reader.extend(&place, &written);
        let note: Arc<str> = note.into();
        self.head.send_replace(Head { tree: Arc::new(tree), note: Arc::clone(&note) });
        Ok(Arc::new(Batch { lines, hashes, note }))
    }

    fn unavailable(&self, cause: io::Error) -> Error {
        tracing::error!(error = %cause, "the log cannot be written");
        Error::new(
            Reason::AuditUnavailable,
            format!(
                "the log in {} cannot be written, so nothing may happen: make room on the disk or \
                 repair it; writing goes on by itself once it can",
                self.folder.display()
            ),
        )
        .caused_by(cause)
    }
}

/// What came of a batch, untold.
#[derive(Default)]
struct Committed {
    answers: Vec<(oneshot::Sender<Reply>, Reply)>,
    /// For the publisher, if anything was written.
    batch: Option<Arc<Batch>>,
}

impl Committed {
    fn refused(appends: Vec<Append>, error: &Error) -> Self {
        let mut refused = Self::default();
        refused.answer(appends, |_| Reply::Refused(error.clone()));
        refused
    }

    fn answer(&mut self, appends: Vec<Append>, mut reply: impl FnMut(Draft) -> Reply) {
        for Append { draft, searched: _, reply: caller, permit } in appends {
            drop(permit);
            self.answers.push((caller, reply(draft)));
        }
    }
}

/// How long to wait for how many.
struct Gather {
    expected: usize,
    patience: Duration,
}

/// A batch under construction.
struct Staged {
    /// Ids that callers gave.
    given: HashSet<AuditId>,
    tree: Tree,
    lines: Vec<u8>,
    /// Of each line, without its line feed.
    lengths: Vec<u64>,
    hashes: Vec<Hash>,
}

impl Staged {
    fn new(tree: Tree) -> Self {
        Self {
            given: HashSet::new(),
            tree,
            lines: Vec::new(),
            lengths: Vec::new(),
            hashes: Vec::new(),
        }
    }

    fn push(&mut self, draft: &Draft, at: Timestamp) {
        let from = self.lines.len();
        draft.write(at, &mut self.lines);
        let line = self.lines.get(from..).unwrap_or_default();
        let hash = leaf_hash(line);
        self.lengths.push(u64::try_from(line.len()).unwrap_or(u64::MAX));
        self.lines.push(b'\n');
        self.hashes.push(hash);
        // Full tiles are the publisher's to write.
        drop(self.tree.push(hash));
    }
}
