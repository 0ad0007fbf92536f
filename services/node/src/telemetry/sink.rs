//! Where spans go.

use std::fmt;

use aileron_contract::Timestamp;
use opentelemetry_proto::{
    tonic::{
        collector::trace::v1::ExportTraceServiceRequest,
        trace::v1::{ResourceSpans, TracesData},
    },
    transform::{
        common::tonic::ResourceAttributesWithSchema,
        trace::tonic::group_spans_by_resource_and_scope,
    },
};
use opentelemetry_sdk::{Resource, trace::SpanData};
use tokio_util::sync::CancellationToken;

use super::{client::Client, days::Days, lines::Lines, settings::Target};

/// Who says so, and to whom.
pub(super) struct Sink {
    /// Of this process.
    resource: ResourceAttributesWithSchema,
    to: To,
}

enum To {
    Collector(Box<Client>),
    Files(Days),
    StandardError(Lines),
}

impl Sink {
    /// Reads certificates where the target names some; opens no connection and no file.
    pub(super) fn new(
        target: Target,
        resource: &Resource,
        (clock, lines): (fn() -> Timestamp, &Lines),
    ) -> Result<Self, String> {
        let to = match target {
            Target::Collector(collector) => To::Collector(Box::new(Client::new(*collector)?)),
            Target::Files(folder) => To::Files(Days::new(folder, clock)),
            Target::Lines => To::StandardError(lines.clone()),
        };
        Ok(Self { resource: resource.into(), to })
    }

    /// How many of the spans were refused; an error when all of them are lost.
    pub(super) async fn export(
        &self,
        spans: Vec<SpanData>,
        stop: &CancellationToken,
    ) -> Result<u64, String> {
        match &self.to {
            To::Collector(client) => {
                let resource_spans = self.of(spans);
                client.send(&ExportTraceServiceRequest { resource_spans }, stop).await
            }
            To::Files(days) => {
                days.append(self.lines(spans)?).await.map(|()| 0).map_err(|it| it.to_string())
            }
            To::StandardError(to) => {
                let (to, lines) = (to.clone(), self.lines(spans)?);
                // Whoever reads it may be slow.
                let written = tokio::task::spawn_blocking(move || to.write(&lines));
                let written = written.await.map_err(|it| it.to_string())?;
                written.map(|()| 0).map_err(|it| it.to_string())
            }
        }
    }

    /// One line of OTLP's JSON for each span, complete by itself.
    fn lines(&self, spans: Vec<SpanData>) -> Result<Vec<u8>, String> {
        let mut lines = Vec::new();
        for span in spans {
            let data = TracesData { resource_spans: self.of(vec![span]) };
            serde_json::to_writer(&mut lines, &data).map_err(|error| error.to_string())?;
            lines.push(b'\n');
        }
        Ok(lines)
    }

    fn of(&self, spans: Vec<SpanData>) -> Vec<ResourceSpans> {
        group_spans_by_resource_and_scope(spans, &self.resource)
    }
}

impl fmt::Display for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.to {
            To::Collector(client) => client.fmt(f),
            To::Files(days) => days.fmt(f),
            To::StandardError(_) => f.write_str("standard error"),
        }
    }
}
