//! Ended spans on their way out: a bounded queue that nobody waits for, and the task that empties
//! it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use aileron_contract::limits;
use opentelemetry::Context;
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{Span, SpanData, SpanProcessor},
};
use tokio::{
    sync::mpsc::{Receiver, Sender, channel},
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{sink::Sink, vetting::vetted};

/// How many spans were not exported.
pub(super) type Lost = Arc<AtomicU64>;

/// Takes spans where they end. Never waits: without room a span is counted, and gone.
#[derive(Debug)]
pub(super) struct Intake {
    spans: Sender<SpanData>,
    lost: Lost,
}

/// The other end.
pub(super) struct Outflow {
    spans: Receiver<SpanData>,
    lost: Lost,
    sink: Sink,
    /// The last batch could not be exported.
    failing: bool,
}

pub(super) fn queue(sink: Sink) -> (Intake, Outflow, Lost) {
    let (intake, outflow) = channel(limits::TRACE_QUEUE);
    let lost = Lost::default();
    (
        Intake { spans: intake, lost: Arc::clone(&lost) },
        Outflow { spans: outflow, lost: Arc::clone(&lost), sink, failing: false },
        lost,
    )
}

impl SpanProcessor for Intake {
    fn on_start(&self, _span: &mut Span, _context: &Context) {}

    fn on_end(&self, span: SpanData) {
        // Room first: what will not leave need not be looked at.
        match self.spans.try_reserve() {
            Ok(room) => room.send(vetted(span)),
            Err(_) => {
                self.lost.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

impl Outflow {
    /// Exports until `stop`, and then what is left.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        loop {
            let mut batch = Vec::with_capacity(limits::TRACE_BATCH);
            tokio::select! {
                () = stop.cancelled(), if !self.spans.is_closed() => self.spans.close(),
                taken = self.spans.recv_many(&mut batch, limits::TRACE_BATCH) => {
                    if taken == 0 {
                        return;
                    }
                    self.fill(&mut batch, &stop).await;
                    self.export(batch, &stop).await;
                }
            }
        }
    }

    /// Waits a little for more, because each export costs a request.
    async fn fill(&mut self, batch: &mut Vec<SpanData>, stop: &CancellationToken) {
        let until = Instant::now() + limits::TRACE_DELAY;
        while let room @ 1.. = limits::TRACE_BATCH.saturating_sub(batch.len()) {
            tokio::select! {
                taken = self.spans.recv_many(batch, room) => if taken == 0 { return },
                () = sleep_until(until) => return,
                () = stop.cancelled() => return,
            }
        }
    }

    /// The log hears of the first failure and of its end, not of each.
    async fn export(&mut self, batch: Vec<SpanData>, stop: &CancellationToken) {
        let size = u64::try_from(batch.len()).unwrap_or(u64::MAX);
        match self.sink.export(batch, stop).await {
            Ok(refused) => {
                let lost = self.lost.fetch_add(refused, Ordering::Relaxed);
                if self.failing {
                    tracing::info!(lost, "spans are exported again");
                }
                self.failing = false;
            }
            Err(why) => {
                self.lost.fetch_add(size, Ordering::Relaxed);
                if !self.failing {
                    tracing::warn!(
                        exporter = %self.sink,
                        %why,
                        "spans cannot be exported and are dropped until they can"
                    );
                }
                self.failing = true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
    use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};

    use super::*;
    use crate::telemetry::{lines::Lines, settings::Target};

    #[tokio::test]
    async fn nobody_waits_for_a_queue_that_is_full_and_what_finds_no_room_is_counted() {
        let home = tempfile::tempdir().unwrap();
        let resource = Resource::builder_empty().build();
        let target = Target::Files(home.path().to_owned());
        let lines = Lines::of_process(home.path());
        let sink = Sink::new(target, &resource, (crate::services::now, &lines)).unwrap();
        let (intake, outflow, lost) = queue(sink);
        let provider = SdkTracerProvider::builder().with_span_processor(intake).build();
        let tracer = provider.tracer("test");
        let more = limits::TRACE_QUEUE + 7;
        for _ in 0..more {
            tracer.start("a").end();
        }
        assert_eq!(lost.load(Ordering::Relaxed), 7);
        let stop = CancellationToken::new();
        stop.cancel();
        outflow.run(stop).await;
        tracer.start("too late").end();
        assert_eq!(lost.load(Ordering::Relaxed), 8);
        let file = std::fs::read_dir(home.path()).unwrap().next().unwrap().unwrap().path();
        let lines = std::fs::read_to_string(file).unwrap();
        assert_eq!(lines.lines().count(), limits::TRACE_QUEUE);
        assert!(lines.lines().all(|line| line.contains(r#""name":"a""#)));
    }
}
