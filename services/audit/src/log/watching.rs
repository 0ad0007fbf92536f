//! Following the log.

use std::sync::Arc;

use aileron_contract::{Error, Reason, Result, Stream, audit::Record, limits};
use futures::{StreamExt as _, stream};
use tokio::sync::watch;

use crate::{reader::Reader, writer::Head};

/// Lines read at once.
const PAGE: u64 = 256;

struct Watch {
    reader: Arc<Reader>,
    head: watch::Receiver<Head>,
    /// The next leaf to show.
    next: u64,
    /// Has it shown all there was at some time? Only then can it fall behind.
    live: bool,
}

/// Records from `next` on, and then those to come. Nothing is buffered for a watcher: it reads
/// from the log's files at its own pace. One that was up to date and then fell behind by more than
/// [`limits::AUDIT_WATCH_BUFFER`] is ended, so that it notices.
pub(super) fn stream(
    reader: Arc<Reader>,
    head: watch::Receiver<Head>,
    next: u64,
) -> Stream<Record> {
    let watch = Watch { reader, head, next, live: false };
    stream::unfold(Some(watch), |watch| async {
        let mut watch = watch?;
        Some(match watch.page().await {
            Ok(records) => {
                (stream::iter(records.into_iter().map(Ok).collect::<Vec<_>>()), Some(watch))
            }
            Err(error) => (stream::iter(vec![Err(error)]), None),
        })
    })
    .flatten()
    .boxed()
}

impl Watch {
    /// The next records; waits for one.
    async fn page(&mut self) -> Result<Vec<Record>> {
        loop {
            let size = self.head.borrow_and_update().tree.size();
            self.keeps_up(size)?;
            if self.next < size {
                let (records, next) = self.reader.from(self.next, PAGE).await?;
                self.next = next;
                if !records.is_empty() {
                    return Ok(records);
                }
            } else {
                self.live = true;
                self.head.changed().await.map_err(|_| {
                    Error::new(Reason::ShuttingDown, "the log is shutting down: watch again later")
                })?;
            }
        }
    }

    fn keeps_up(&self, size: u64) -> Result<()> {
        let behind = size.saturating_sub(self.next);
        if !self.live || usize::try_from(behind).is_ok_and(|b| b <= limits::AUDIT_WATCH_BUFFER) {
            return Ok(());
        }
        Err(Error::new(
            Reason::Busy,
            format!("the watcher is {behind} records behind: watch again from {}", self.next),
        ))
    }
}
