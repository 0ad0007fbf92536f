//! The files the writer has open: the day's lines and the journal.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt as _,
    path::Path,
    time::{Duration, Instant},
};

use crate::{
    files,
    files::Place,
    journal::{Frame, Journal},
};

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

/// How long a writer that failed waits before it looks at its files again.
const RECOVER_AFTER: Duration = Duration::from_millis(200);

impl Store {
    /// Writes a frame's lines to their file and the frame to the journal; durable when this
    /// returns the lines and where they stand. After a failure the file is as it was, or the store is broken until
    /// [`Store::recover`] has looked after it.
    pub(super) fn append(
        &mut self,
        folder: &Path,
        mut frame: Frame,
    ) -> io::Result<(Vec<u8>, Place)> {
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
        Ok((frame.lines, Place { file: frame.file, offset: frame.offset }))
    }

    /// Makes all lines and file names durable.
    pub(super) fn flush(&mut self, folder: &Path) -> io::Result<()> {
        for file in self.earlier.iter().chain([&self.file]) {
            file.sync_all()?;
        }
        aileron_store::files::sync_dir(folder)?;
        self.earlier.clear();
        Ok(())
    }

    /// Opens the file again after a failure and takes it back to the last durable line. A file
    /// that has become shorter than that, or another one, is not written to.
    pub(super) fn recover(&mut self, folder: &Path) -> io::Result<()> {
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

    fn begin_file(&mut self, folder: &Path, name: &str) -> io::Result<()> {
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
