//! Bodies in pieces.

use aileron_contract::{Error, Reason, Result, limits};
use aileron_proto::egress::v1::{self as pb, send_request::Frame};
use bytes::{Bytes, BytesMut};
use tonic::{Code, Streaming};

use crate::message::{invalid, required};

/// A body cut into pieces that fit a message, without copying. An empty body has none.
pub(super) fn pieces(mut body: Bytes) -> impl Iterator<Item = Bytes> + Send + 'static {
    std::iter::from_fn(move || {
        let length = body.len().min(limits::BODY_PIECE);
        (length > 0).then(|| body.split_to(length))
    })
}

/// The first frame of a request.
pub(super) async fn head(frames: &mut Streaming<pb::SendRequest>) -> Result<pb::SendHead> {
    match next(frames).await? {
        Some(Frame::Head(head)) => Ok(head),
        Some(Frame::Piece(_)) | None => Err(invalid("the head of the request is missing")),
    }
}

/// The body that follows, exactly as long as announced: a body that was cut is not sent.
pub(super) async fn body(frames: &mut Streaming<pb::SendRequest>, announced: u64) -> Result<Bytes> {
    let mut body = Body::announced(announced)?;
    while let Some(frame) = next(frames).await? {
        match frame {
            Frame::Piece(piece) => body.push(piece)?,
            Frame::Head(_) => return Err(invalid("the request has two heads")),
        }
    }
    body.complete()
}

async fn next(frames: &mut Streaming<pb::SendRequest>) -> Result<Option<Frame>> {
    let message = frames.message().await.map_err(|status| match status.code() {
        Code::OutOfRange => too_large().caused_by(status),
        _ => invalid("the request was cut").caused_by(status),
    })?;
    message.map(|pb::SendRequest { frame }| required(frame, "frame")).transpose()
}

/// A body as it arrives. Memory grows with what arrived, not with what was announced.
struct Body {
    announced: usize,
    arrived: BytesMut,
}

impl Body {
    fn announced(length: u64) -> Result<Self> {
        if length > limits::EGRESS_BODY {
            return Err(too_large());
        }
        let announced = usize::try_from(length).map_err(|_| too_large())?;
        Ok(Self { announced, arrived: BytesMut::new() })
    }

    fn push(&mut self, piece: Bytes) -> Result<()> {
        if piece.len() > self.announced.saturating_sub(self.arrived.len()) {
            return Err(invalid("the request's body is longer than announced"));
        }
        self.arrived.extend_from_slice(&piece);
        Ok(())
    }

    fn complete(self) -> Result<Bytes> {
        if self.arrived.len() == self.announced {
            return Ok(self.arrived.freeze());
        }
        Err(invalid("the request's body is shorter than announced: it was cut"))
    }
}

fn too_large() -> Error {
    Error::new(
        Reason::BodyTooLarge,
        format!("the request's body is larger than {} bytes", limits::EGRESS_BODY),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pieces_put_together_are_the_body(length in 0..3 * limits::BODY_PIECE) {
            let whole: Bytes = (0..=250_u8).cycle().take(length).collect();
            let mut body = Body::announced(u64::try_from(length).unwrap()).unwrap();
            for piece in pieces(whole.clone()) {
                prop_assert!((1..=limits::BODY_PIECE).contains(&piece.len()));
                body.push(piece).unwrap();
            }
            prop_assert_eq!(body.complete().unwrap(), whole);
        }
    }

    #[test]
    fn a_body_of_another_length_than_announced_is_refused() {
        let mut short = Body::announced(3).unwrap();
        short.push(Bytes::from_static(b"ab")).unwrap();
        assert_eq!(short.complete().unwrap_err().reason(), Reason::InvalidRequest);
        let mut long = Body::announced(3).unwrap();
        long.push(Bytes::from_static(b"ab")).unwrap();
        assert!(long.push(Bytes::from_static(b"cd")).is_err());
    }

    #[test]
    fn an_announcement_past_the_limit_is_refused_before_anything_is_kept() {
        let refused = Body::announced(limits::EGRESS_BODY + 1).err().unwrap();
        assert_eq!(refused.reason(), Reason::BodyTooLarge);
        assert!(Body::announced(u64::MAX).is_err());
    }
}
