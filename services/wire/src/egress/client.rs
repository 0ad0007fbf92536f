//! Egress somewhere else. An error of a call says nothing about whether the request was sent:
//! callers treat it as maybe sent.

use std::time::Duration;

use aileron_contract::{
    Context, Egress, Result, Stream,
    egress::{Fetch, Outcome, Request, Response},
    limits,
};
use aileron_proto::{
    common::v1::End,
    egress::v1::{
        self as pb, egress_service_client::EgressServiceClient, outcome_frame::Frame,
        send_request::Frame as SendFrame,
    },
};
use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, stream};
use tokio::time::Instant;
use tonic::Streaming;

use super::{
    messages::{Head, fetch_to_wire, request_to_wire},
    pieces::pieces,
};
use crate::{
    call::Link,
    channel::Channel,
    message::{invalid, read, required},
};

/// Egress behind a channel.
#[derive(Clone, Debug)]
pub struct Remote {
    link: Link,
    client: EgressServiceClient<tonic::transport::Channel>,
}

impl Remote {
    /// Calls egress through `channel`; nothing is dialled yet.
    pub fn new(channel: Channel) -> Self {
        let client = EgressServiceClient::new(channel.transport())
            .max_decoding_message_size(limits::MESSAGE);
        Self { link: Link { channel, service: "egress" }, client }
    }

    /// When both the caller's patience and the request's own time are over, and a little later.
    fn until(&self, context: &Context, timeout: Duration) -> Result<Option<Instant>> {
        self.link.until(context, Some(timeout))
    }

    async fn outcome(
        &self,
        until: Option<Instant>,
        mut frames: Streaming<pb::OutcomeFrame>,
    ) -> Result<Outcome> {
        let pb::OutcomeFrame { frame } = self.link.frame(until, &mut frames).await?;
        let begun = required(frame, "frame").and_then(|frame| match frame {
            Frame::Failed(failure) => read(failure, "failed").map(Begun::Failed),
            Frame::Answered(head) => read(head, "answered").map(Begun::Answered),
            Frame::Piece(_) | Frame::End(End {}) => Err(invalid("the answer has no head")),
        });
        Ok(match self.link.understood(begun)? {
            Begun::Failed(failure) => Outcome::Failed(failure),
            Begun::Answered(Head { status, headers, binding }) => {
                let body = body(self.link.clone(), until, frames);
                Outcome::Answered(Response { status, headers, body, binding })
            }
        })
    }
}

#[async_trait]
impl Egress for Remote {
    async fn send(&self, context: &Context, request: Request) -> Result<Outcome> {
        let until = self.until(context, request.timeout)?;
        let (head, body) = request_to_wire(context, request)?;
        self.link.fits(&head)?;
        let frames = std::iter::once(SendFrame::Head(head))
            .chain(pieces(body).map(SendFrame::Piece))
            .map(|frame| pb::SendRequest { frame: Some(frame) });
        let request = self.link.stream(stream::iter(frames));
        let frames = self.link.wait(until, self.client.clone().send(request)).await?;
        self.outcome(until, frames).await
    }

    async fn fetch(&self, context: &Context, request: Fetch) -> Result<Outcome> {
        let until = self.until(context, request.timeout)?;
        let request = self.link.request(fetch_to_wire(context, request)?)?;
        let frames = self.link.wait(until, self.client.clone().fetch(request)).await?;
        self.outcome(until, frames).await
    }
}

/// How an answer begins.
enum Begun {
    Failed(aileron_contract::egress::SendFailure),
    Answered(Head),
}

/// The pieces of an answer's body. Ends with an error when they stop before the end was said.
fn body(link: Link, until: Option<Instant>, frames: Streaming<pb::OutcomeFrame>) -> Stream<Bytes> {
    let pieces = stream::try_unfold((link, frames), move |(link, mut frames)| async move {
        let pb::OutcomeFrame { frame } = link.frame(until, &mut frames).await?;
        let piece = required(frame, "frame").and_then(|frame| match frame {
            Frame::Piece(piece) => Ok(Some(piece)),
            Frame::End(End {}) => Ok(None),
            Frame::Answered(_) | Frame::Failed(_) => Err(invalid("the answer has two heads")),
        });
        let piece = link.understood(piece)?;
        Ok(piece.map(|piece| (piece, (link, frames))))
    });
    pieces.boxed()
}
