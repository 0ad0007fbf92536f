//! Where a guest's standard output and standard error go: a bounded buffer the host can read
//! while the guest still runs.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::{
    async_trait,
    cli::{IsTerminal, StdoutStream},
    p2::{OutputStream, Pollable, StreamError, StreamResult},
};

/// Bytes a guest may hand over at once.
const PERMIT: usize = 64 * 1024;

#[derive(Clone)]
pub(crate) struct Capture {
    buffer: Arc<Mutex<Buffer>>,
    max: usize,
    past_max: PastMax,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum PastMax {
    /// The guest is stopped.
    Stop,
    /// What follows is dropped.
    Drop,
}

#[derive(Default)]
struct Buffer {
    kept: Vec<u8>,
    dropped: u64,
}

impl Capture {
    /// Stops the guest that writes more than `max` bytes.
    pub(crate) fn refusing(max: usize) -> Self {
        Self { buffer: Arc::default(), max, past_max: PastMax::Stop }
    }

    /// Keeps the first `max` bytes and counts the others.
    pub(crate) fn truncating(max: usize) -> Self {
        Self { buffer: Arc::default(), max, past_max: PastMax::Drop }
    }

    /// Takes what was kept, and how many bytes were not.
    pub(crate) fn take(&self) -> (Vec<u8>, u64) {
        let Buffer { kept, dropped } = std::mem::take(&mut *self.lock());
        (kept, dropped)
    }

    fn lock(&self) -> MutexGuard<'_, Buffer> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what fits; false when something did not.
    fn push(&self, bytes: &[u8]) -> bool {
        let mut buffer = self.lock();
        let room = self.max.saturating_sub(buffer.kept.len());
        let (kept, over) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
        buffer.kept.extend_from_slice(kept);
        let over = u64::try_from(over.len()).unwrap_or(u64::MAX);
        buffer.dropped = buffer.dropped.saturating_add(over);
        over == 0
    }
}

impl IsTerminal for Capture {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Capture {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }

    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        // Only later versions of WASI write this way, and none of them is linked.
        Box::new(tokio::io::sink())
    }
}

#[async_trait]
impl Pollable for Capture {
    async fn ready(&mut self) {}
}

impl OutputStream for Capture {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        if self.push(&bytes) || self.past_max == PastMax::Drop {
            Ok(())
        } else {
            Err(StreamError::Trap(wasmtime::format_err!("more output than the limit")))
        }
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(PERMIT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_counted() {
        let capture = Capture::truncating(4);
        assert!(capture.push(b"abc"));
        assert!(!capture.push(b"defg"));
        assert_eq!(capture.take(), (b"abcd".to_vec(), 3));
    }

    #[test]
    fn a_full_refusing_pipe_stops_its_writer() {
        let mut capture = Capture::refusing(2);
        assert!(capture.write(Bytes::from_static(b"ab")).is_ok());
        assert!(capture.write(Bytes::from_static(b"c")).is_err());
    }
}
