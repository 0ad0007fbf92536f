//! The one writer of the log: a thread that takes all appends waiting and makes them durable
//! together.
//!
//! A batch is one write to the day's file, one signature and one write with one fsync to the
//! [`Journal`](crate::journal::Journal). Callers that have just been answered tend to come back:
//! the writer gives them a fraction of an fsync's time to do so, which makes the next batch whole.

use std::{
    collections::{HashMap, VecDeque},
    fs::File,
    io,
    os::unix::fs::FileExt as _,
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
    journal::{BATCH_BYTES, Frame, Journal},
    key::LogKey,
};

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
    /// When the caller gave the id: how many records had been searched for it.
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

/// How long a writer that failed waits before it looks at its files again.
const RECOVER_AFTER: Duration = Duration::from_millis(200);

pub(crate) struct Writer {
    pub(crate) folder: PathBuf,
    pub(crate) key: LogKey,
    pub(crate) zone: TimeZone,
    pub(crate) clock: fn() -> Timestamp,
    pub(crate) store: Store,
    pub(crate) head: watch::Sender<Head>,
    pub(crate) batches: mpsc::SyncSender<Arc<Batch>>,
    pub(crate) waiting: Arc<AtomicUsize>,
    pub(crate) recent: Recent,
}

/// The open files.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) journal: Journal,
    pub(crate) name: String,
    pub(crate) file: File,
    pub(crate) end: u64,
    /// Files of earlier days whose last lines may not be flushed.
    pub(crate) earlier: Vec<File>,
    /// Set when a write failed in a way that leaves the files unclear.
    pub(crate) broken: Option<Instant>,
}

/// Ids given by callers in the newest records.
#[derive(Debug)]
pub(crate) struct Recent {
    from: u64,
    order: VecDeque<(u64, AuditId)>,
    known: HashMap<AuditId, u64>,
}

impl Recent {
    pub(crate) fn new(from: u64) -> Self {
        Self { from, order: VecDeque::new(), known: HashMap::new() }
    }

    /// Is the id surely new, given that the caller searched the first `searched` records?
    fn is_new(&self, id: &AuditId, searched: u64) -> bool {
        searched >= self.from && !self.known.contains_key(id)
    }

    fn insert(&mut self, index: u64, id: AuditId) {
        self.known.insert(id.clone(), index);
        self.order.push_back((index, id));
        while self.order.len() > limits::AUDIT_RECENT_IDS {
            if let Some((index, id)) = self.order.pop_front() {
                self.known.remove(&id);
                self.from = index + 1;
            }
        }
    }

    fn forget_from(&mut self, index: u64) {
        while self.order.back().is_some_and(|(at, _)| *at >= index) {
            if let Some((_, id)) = self.order.pop_back() {
                self.known.remove(&id);
            }
        }
    }
}

impl Writer {
    pub(crate) fn run(mut self, commands: &mpsc::Receiver<Command>) {
        let mut gather = Gather { expected: 1, patience: Duration::ZERO };
        while let Ok(Command::Append(first)) = commands.recv() {
            let (batch, stop) = self.gather(first, commands, &gather);
            let begun = Instant::now();
            let count = batch.len();
            self.commit(batch);
            gather.patience = (begun.elapsed() / 4).min(GATHER_MAX);
            gather.expected = count + self.waiting.load(Ordering::Relaxed);
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

    fn commit(&mut self, batch: Vec<Append>) {
        if let Err(cause) = self.store.recover(&self.folder) {
            return refuse(batch, &self.unavailable(cause));
        }
        let before = self.head.borrow().tree.size();
        let mut staged = Staged::new((*self.head.borrow().tree).clone());
        let (batch, again): (Vec<_>, Vec<_>) =
            batch.into_iter().partition(|append| self.admits(append, &mut staged));
        for append in again {
            answer(append.reply, Reply::SearchAgain(append.draft));
        }
        if batch.is_empty() {
            return;
        }
        let at = (self.clock)();
        for append in &batch {
            staged.push(&append.draft, at);
        }
        match self.write(before, staged, at) {
            Ok(()) => {}
            Err(error) => {
                self.recent.forget_from(before);
                return refuse(batch, &error);
            }
        }
        for (append, index) in batch.into_iter().zip(before..) {
            let Append { draft, searched: _, reply, permit } = append;
            drop(permit);
            answer(reply, Reply::Written { draft, index, at });
        }
    }

    /// Remembers a given id; refuses it when it may be recorded already.
    fn admits(&mut self, append: &Append, staged: &mut Staged) -> bool {
        if let Some(searched) = append.searched {
            if !self.recent.is_new(&append.draft.id, searched) {
                return false;
            }
            self.recent.insert(staged.next, append.draft.id.clone());
        }
        staged.next += 1;
        true
    }

    /// Makes a batch durable and shows it to readers.
    fn write(&mut self, before: u64, staged: Staged, at: Timestamp) -> Result<()> {
        let Staged { next: _, tree, lines, hashes } = staged;
        let note = self.key.sign(tree.size(), tree.root())?;
        let name = files::name_at(at, &self.zone, &self.store.name);
        let frame =
            Frame { before, after: tree.size(), file: name, offset: 0, note: note.clone(), lines };
        let lines =
            self.store.append(&self.folder, frame).map_err(|cause| self.unavailable(cause))?;
        let note: Arc<str> = note.into();
        self.head.send_replace(Head { tree: Arc::new(tree), note: Arc::clone(&note) });
        // The publisher ends only after this sender is gone.
        drop(self.batches.send(Arc::new(Batch { lines, hashes, note })));
        Ok(())
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

/// How long to wait for how many.
struct Gather {
    expected: usize,
    patience: Duration,
}

/// A batch under construction.
struct Staged {
    next: u64,
    tree: Tree,
    lines: Vec<u8>,
    hashes: Vec<Hash>,
}

impl Staged {
    fn new(tree: Tree) -> Self {
        Self { next: tree.size(), tree, lines: Vec::new(), hashes: Vec::new() }
    }

    fn push(&mut self, draft: &Draft, at: Timestamp) {
        let from = self.lines.len();
        draft.write(at, &mut self.lines);
        let hash = leaf_hash(self.lines.get(from..).unwrap_or_default());
        self.lines.push(b'\n');
        self.hashes.push(hash);
        // Full tiles are the publisher's to write.
        drop(self.tree.push(hash));
    }
}

impl Store {
    /// Writes a frame's lines to their file and the frame to the journal; durable when this
    /// returns. After a failure the file is as it was, or the store is broken until
    /// [`Store::recover`] has looked after it.
    fn append(&mut self, folder: &std::path::Path, mut frame: Frame) -> io::Result<Vec<u8>> {
        if frame.file != self.name {
            self.begin_file(folder, &frame.file)?;
        }
        frame.offset = self.end;
        let encoded = frame.encode();
        if self.journal.turns_for(&encoded) {
            // Until all is flushed, the other half is the only safe copy of its lines.
            self.flush(folder)?;
            self.journal.turn();
        }
        let length = u64::try_from(frame.lines.len()).map_err(io::Error::other)?;
        let written = self
            .file
            .write_all_at(&frame.lines, self.end)
            .and_then(|()| self.journal.write(&encoded));
        if let Err(cause) = written {
            self.broken = Some(Instant::now());
            if self.file.set_len(self.end).is_ok() {
                self.broken = None;
            }
            return Err(cause);
        }
        self.end += length;
        Ok(frame.lines)
    }

    /// Makes all lines and file names durable.
    fn flush(&mut self, folder: &std::path::Path) -> io::Result<()> {
        for file in self.earlier.iter().chain([&self.file]) {
            file.sync_all()?;
        }
        aileron_store::files::sync_dir(folder)?;
        self.earlier.clear();
        Ok(())
    }

    /// Opens the file again after a failure and takes it back to the last durable line. A file
    /// that has become shorter than that, or another one, is not written to.
    fn recover(&mut self, folder: &std::path::Path) -> io::Result<()> {
        let Some(since) = self.broken else { return Ok(()) };
        if since.elapsed() < RECOVER_AFTER {
            return Err(io::Error::other("waiting before the next attempt"));
        }
        self.broken = Some(Instant::now());
        let file = files::open(folder, &self.name)?;
        if file.metadata()?.len() < self.end {
            return Err(io::Error::other("the newest file of the log is shorter than it was"));
        }
        file.set_len(self.end)?;
        file.sync_all()?;
        self.file = file;
        self.broken = None;
        Ok(())
    }

    fn begin_file(&mut self, folder: &std::path::Path, name: &str) -> io::Result<()> {
        let file = files::open(folder, name)?;
        if file.metadata()?.len() != 0 {
            return Err(io::Error::other(format!(
                "{name} holds lines that this log did not write"
            )));
        }
        self.earlier.push(std::mem::replace(&mut self.file, file));
        name.clone_into(&mut self.name);
        self.end = 0;
        Ok(())
    }
}

fn refuse(batch: Vec<Append>, error: &Error) {
    for append in batch {
        drop(append.permit);
        answer(append.reply, Reply::Refused(error.clone()));
    }
}

/// A caller that no longer waits has lost nothing: what was written stays.
fn answer(caller: oneshot::Sender<Reply>, reply: Reply) {
    drop(caller.send(reply));
}
