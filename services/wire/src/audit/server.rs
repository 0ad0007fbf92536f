//! A log handle, served.

use aileron_contract::{audit::Handle, limits};
use aileron_proto::audit::v1::{
    self as pb,
    audit_service_server::{AuditService, AuditServiceServer},
};
use async_trait::async_trait;
use futures::{StreamExt, stream};
use tonic::Request;

use super::messages::{end_frame, record_frame};
use crate::{
    call::{Answer, Call, Frames},
    message::{Wire, read},
};

/// The gRPC service that answers with `handle`.
pub fn serve(handle: Handle) -> AuditServiceServer<impl AuditService> {
    AuditServiceServer::new(Adapter(handle))
        .max_decoding_message_size(limits::MESSAGE)
        .max_encoding_message_size(limits::ANSWER)
}

struct Adapter(Handle);

#[async_trait]
impl AuditService for Adapter {
    type QueryStream = Frames<pb::RecordFrame>;
    type WatchStream = Frames<pb::RecordFrame>;

    async fn append(&self, request: Request<pb::AppendRequest>) -> Answer<pb::AppendResponse> {
        let (call, message) = Call::begin("audit.append", request);
        call.answer(async {
            let pb::AppendRequest { context, event } = message;
            let event = read(event, "event")?;
            let record = self.0.append(&read(context, "context")?, event).await?;
            Ok(pb::AppendResponse { record: record.into_wire() })
        })
        .await
    }

    async fn query(&self, request: Request<pb::QueryRequest>) -> Answer<Self::QueryStream> {
        let (call, message) = Call::begin("audit.query", request);
        let ending = call.ending();
        call.answer(async {
            let pb::QueryRequest { context, filter } = message;
            let filter = read(filter, "filter")?;
            let records = self.0.query(&read(context, "context")?, filter).await?;
            let frames = stream::iter(records).map(|record| Ok(record_frame(record)));
            Ok(ending.finite(frames, end_frame()))
        })
        .await
    }

    async fn get(&self, request: Request<pb::GetRequest>) -> Answer<pb::GetResponse> {
        let (call, message) = Call::begin("audit.get", request);
        call.answer(async {
            let pb::GetRequest { context, id } = message;
            let record = self.0.get(&read(context, "context")?, read(id, "id")?).await?;
            Ok(pb::GetResponse { record: record.into_wire() })
        })
        .await
    }

    async fn watch(&self, request: Request<pb::WatchRequest>) -> Answer<Self::WatchStream> {
        let (call, message) = Call::begin("audit.watch", request);
        let ending = call.ending();
        call.answer(async {
            let pb::WatchRequest { context, from } = message;
            let records = self.0.watch(&read(context, "context")?, from).await?;
            let frames = records.map(|record| record.map(record_frame));
            Ok(ending.endless(frames, end_frame()))
        })
        .await
    }

    async fn get_checkpoint(
        &self,
        request: Request<pb::GetCheckpointRequest>,
    ) -> Answer<pb::GetCheckpointResponse> {
        let (call, message) = Call::begin("audit.checkpoint", request);
        call.answer(async {
            let pb::GetCheckpointRequest { context } = message;
            let checkpoint = self.0.checkpoint(&read(context, "context")?).await?;
            Ok(checkpoint.into_wire())
        })
        .await
    }

    async fn receipt(&self, request: Request<pb::ReceiptRequest>) -> Answer<pb::ReceiptResponse> {
        let (call, message) = Call::begin("audit.receipt", request);
        call.answer(async {
            let pb::ReceiptRequest { context, id } = message;
            let receipt = self.0.receipt(&read(context, "context")?, read(id, "id")?).await?;
            Ok(pb::ReceiptResponse { receipt })
        })
        .await
    }
}
