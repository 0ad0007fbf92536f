//! The stream of approvals, frame by frame. A snapshot may be larger than one message: it travels
//! as its approvals.

use aileron_contract::{
    Error, Reason, Result, Stream,
    executor::{Approval, ApprovalChange, ApprovalEvent},
    limits,
};
use aileron_proto::{
    common::v1::End,
    executor::v1::{self as pb, approval_event_frame::Frame},
};
use futures::{StreamExt as _, stream};
use tonic::Streaming;

use crate::{
    call::Link,
    message::{Wire, read, required},
};

/// The frames of one event.
pub(super) fn frames(event: ApprovalEvent) -> Vec<pb::ApprovalEventFrame> {
    let ApprovalEvent { position, change } = event;
    let position = position.into_wire();
    let frames = match change {
        ApprovalChange::Snapshot(approvals) => {
            let listed = Frame::Listed(pb::ApprovalSnapshot { position });
            let approvals = approvals.into_iter().map(|it| Frame::Approval(it.into_wire()));
            approvals.chain([listed]).collect()
        }
        ApprovalChange::Pending(approval) => {
            let approval = (*approval).into_wire();
            vec![Frame::Pending(pb::ApprovalPending { position, approval })]
        }
        ApprovalChange::Resolved(resolution) => {
            let resolution = resolution.into_wire();
            vec![Frame::Resolved(pb::ApprovalResolved { position, resolution })]
        }
    };
    frames.into_iter().map(frame).collect()
}

/// The last frame of a stream that came to its end.
pub(super) fn end() -> pb::ApprovalEventFrame {
    frame(Frame::End(End {}))
}

/// The events that `frames` tell of.
pub(super) fn events(
    link: Link,
    frames: Streaming<pb::ApprovalEventFrame>,
) -> Stream<ApprovalEvent> {
    stream::try_unfold((link, frames), |(link, mut frames)| async move {
        let mut listed = Vec::new();
        loop {
            let pb::ApprovalEventFrame { frame } = link.frame(None, &mut frames).await?;
            let read =
                link.understood(required(frame, "frame").and_then(|it| take(&mut listed, it)));
            match read? {
                Taken::Part => {}
                Taken::Event(event) => return Ok(Some((event, (link, frames)))),
                Taken::End => return Ok(None),
            }
        }
    })
    .boxed()
}

enum Taken {
    /// Of a snapshot that goes on.
    Part,
    Event(ApprovalEvent),
    End,
}

fn take(listed: &mut Vec<Approval>, frame: Frame) -> Result<Taken> {
    let (position, change) = match frame {
        Frame::Approval(approval) => {
            if listed.len() >= usize::try_from(limits::APPROVALS_PENDING).unwrap_or(usize::MAX) {
                return Err(Error::new(Reason::InvalidRequest, "a snapshot without an end"));
            }
            listed.push(read(approval, "approval")?);
            return Ok(Taken::Part);
        }
        Frame::Listed(pb::ApprovalSnapshot { position }) => {
            (position, ApprovalChange::Snapshot(std::mem::take(listed)))
        }
        Frame::Pending(pb::ApprovalPending { position, approval }) => {
            (position, ApprovalChange::Pending(Box::new(read(approval, "approval")?)))
        }
        Frame::Resolved(pb::ApprovalResolved { position, resolution }) => {
            (position, ApprovalChange::Resolved(read(resolution, "resolution")?))
        }
        Frame::End(End {}) => return Ok(Taken::End),
    };
    Ok(Taken::Event(ApprovalEvent { position: read(position, "position")?, change }))
}

fn frame(frame: Frame) -> pb::ApprovalEventFrame {
    pb::ApprovalEventFrame { frame: Some(frame) }
}
