//! A log kept somewhere else.

use aileron_contract::{
    Audit, Context, Result, Stream,
    audit::{Checkpoint, Event, Filter, Record},
    limits,
    names::AuditId,
};
use aileron_proto::audit::v1::{self as pb, audit_service_client::AuditServiceClient};
use async_trait::async_trait;
use futures::{StreamExt, stream};

use super::messages::next_record;
use crate::{call::Link, channel::Channel, context::context_to_wire, message::Wire};

/// The log behind a channel.
#[derive(Clone, Debug)]
pub struct Remote {
    link: Link,
    client: AuditServiceClient<tonic::transport::Channel>,
}

impl Remote {
    /// Calls the log through `channel`; nothing is dialled yet.
    pub fn new(channel: Channel) -> Self {
        let client =
            AuditServiceClient::new(channel.transport()).max_decoding_message_size(limits::ANSWER);
        Self { link: Link { channel, service: "audit" }, client }
    }

    fn client(&self) -> AuditServiceClient<tonic::transport::Channel> {
        self.client.clone()
    }
}

#[async_trait]
impl Audit for Remote {
    async fn append(&self, context: &Context, event: Event) -> Result<Record> {
        let request = self.link.request(pb::AppendRequest {
            context: context_to_wire(context),
            event: event.into_wire(),
        })?;
        let pb::AppendResponse { record } =
            self.link.call(context, self.client().append(request)).await?;
        self.link.read(record, "record")
    }

    async fn query(&self, context: &Context, filter: Filter) -> Result<Vec<Record>> {
        let request = self.link.request(pb::QueryRequest {
            context: context_to_wire(context),
            filter: filter.into_wire(),
        })?;
        let until = self.link.until(context, None)?;
        let mut frames = self.link.wait(until, self.client().query(request)).await?;
        let mut records = Vec::new();
        loop {
            let frame = self.link.frame(until, &mut frames).await?;
            match self.link.understood(next_record(frame))? {
                Some(record) => records.push(record),
                None => return Ok(records),
            }
        }
    }

    async fn get(&self, context: &Context, id: AuditId) -> Result<Record> {
        let request = self
            .link
            .request(pb::GetRequest { context: context_to_wire(context), id: id.into_wire() })?;
        let pb::GetResponse { record } =
            self.link.call(context, self.client().get(request)).await?;
        self.link.read(record, "record")
    }

    async fn watch(&self, context: &Context, from: u64) -> Result<Stream<Record>> {
        let request =
            self.link.request(pb::WatchRequest { context: context_to_wire(context), from })?;
        // The deadline is for the watch to begin; then it goes on.
        let frames = self.link.call(context, self.client().watch(request)).await?;
        let link = self.link.clone();
        let records = stream::try_unfold((link, frames), |(link, mut frames)| async move {
            let frame = link.frame(None, &mut frames).await?;
            let record = link.understood(next_record(frame))?;
            Ok(record.map(|record| (record, (link, frames))))
        });
        Ok(records.boxed())
    }

    async fn checkpoint(&self, context: &Context) -> Result<Checkpoint> {
        let request =
            self.link.request(pb::GetCheckpointRequest { context: context_to_wire(context) })?;
        let checkpoint = self.link.call(context, self.client().get_checkpoint(request)).await?;
        self.link.read(checkpoint, "checkpoint")
    }

    async fn receipt(&self, context: &Context, id: AuditId) -> Result<String> {
        let request = self.link.request(pb::ReceiptRequest {
            context: context_to_wire(context),
            id: id.into_wire(),
        })?;
        let pb::ReceiptResponse { receipt } =
            self.link.call(context, self.client().receipt(request)).await?;
        Ok(receipt)
    }
}
