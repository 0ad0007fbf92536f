//! An egress handle, served.

use aileron_contract::{
    egress::{Handle, Outcome, Response},
    limits,
};
use aileron_proto::{
    common::v1::End,
    egress::v1::{
        self as pb,
        egress_service_server::{EgressService, EgressServiceServer},
        outcome_frame::Frame,
    },
};
use async_trait::async_trait;
use futures::{StreamExt, future::ready, stream};
use tonic::{Request, Streaming};

use super::{
    messages::{Head, fetch_from_wire, request_from_wire},
    pieces,
};
use crate::{
    call::{Answer, Call, Ending, Frames},
    message::Wire,
};

/// The gRPC service that answers with `handle`.
pub fn serve(handle: Handle) -> EgressServiceServer<impl EgressService> {
    EgressServiceServer::new(Adapter(handle))
        .max_decoding_message_size(limits::MESSAGE)
        .max_encoding_message_size(limits::MESSAGE)
}

struct Adapter(Handle);

#[async_trait]
impl EgressService for Adapter {
    type SendStream = Frames<pb::OutcomeFrame>;
    type FetchStream = Frames<pb::OutcomeFrame>;

    async fn send(&self, request: Request<Streaming<pb::SendRequest>>) -> Answer<Self::SendStream> {
        let (call, mut frames) = Call::begin("egress.send", request);
        let ending = call.ending();
        call.answer(async {
            let (context, mut request, length) =
                request_from_wire(pieces::head(&mut frames).await?)?;
            request.body = pieces::body(&mut frames, length).await?;
            let outcome = self.0.send(&context, request).await?;
            Ok(outcome_to_wire(ending, outcome))
        })
        .await
    }

    async fn fetch(&self, request: Request<pb::FetchRequest>) -> Answer<Self::FetchStream> {
        let (call, message) = Call::begin("egress.fetch", request);
        let ending = call.ending();
        call.answer(async {
            let (context, fetch) = fetch_from_wire(message)?;
            let outcome = self.0.fetch(&context, fetch).await?;
            Ok(outcome_to_wire(ending, outcome))
        })
        .await
    }
}

fn outcome_to_wire(ending: Ending, outcome: Outcome) -> Frames<pb::OutcomeFrame> {
    let end = frame(Frame::End(End {}));
    match outcome {
        Outcome::Failed(failure) => {
            let failed = frame(Frame::Failed(failure.into_wire()));
            ending.finite(stream::once(ready(Ok(failed))), end)
        }
        Outcome::Answered(Response { status, headers, body, binding }) => {
            let head = Head { status, headers, binding }.into_wire();
            let head = stream::once(ready(Ok(frame(Frame::Answered(head)))));
            let body = body.flat_map(|chunk| match chunk {
                Ok(chunk) => {
                    let frames = pieces::pieces(chunk).map(|piece| Ok(frame(Frame::Piece(piece))));
                    stream::iter(frames).left_stream()
                }
                Err(error) => stream::once(ready(Err(error))).right_stream(),
            });
            ending.finite(head.chain(body), end)
        }
    }
}

fn frame(frame: Frame) -> pb::OutcomeFrame {
    pb::OutcomeFrame { frame: Some(frame) }
}
