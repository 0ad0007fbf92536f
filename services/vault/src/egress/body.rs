//! An upstream's body: decoded, capped, masked, and never silently cut.

use std::pin::pin;

use aileron_contract::{Error, Reason, Result, Stream, names::HostPort};
use bytes::Bytes;
use futures::StreamExt;
use http::{HeaderMap, header};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tokio::sync::OwnedSemaphorePermit;

use super::{deadline::Deadline, mask::Masker, network::Lease, problem::Problem, target::Target};

mod decode;
use decode::Decoder;

/// What a body is read under.
pub(crate) struct Terms {
    /// Whose body it is.
    pub(crate) target: Target,
    pub(crate) deadline: Deadline,
    pub(crate) max: u64,
    pub(crate) masker: Masker,
    /// One of the requests that may be under way at once, until the body has been read.
    pub(crate) slot: Option<OwnedSemaphorePermit>,
}

/// Reads a body. Refused at once when it declares itself too long or comes in an encoding that
/// nobody asked for.
pub(crate) fn stream(
    head: &HeaderMap,
    incoming: Incoming,
    lease: Lease,
    terms: Terms,
) -> Result<Stream<Bytes>, Problem> {
    let decoder = if incoming.is_end_stream() {
        Decoder::plain()
    } else {
        let encodings = head.get_all(header::CONTENT_ENCODING);
        Decoder::of(encodings).ok_or_else(|| Problem::Broken {
            host: terms.target.host().clone(),
            why: "it answers in an encoding that was not asked for".to_owned(),
        })?
    };
    if decoder.is_plain() && incoming.size_hint().lower() > terms.max {
        return Err(Problem::TooLong { max: terms.max });
    }
    // Boxed: it is handed from one part of the body to the next.
    let reader = Box::new(Reader {
        incoming,
        decoder,
        waiting: Bytes::new(),
        read: 0,
        returned: 0,
        ended: false,
        lease: Some(lease),
        terms,
    });
    let stream = futures::stream::unfold(Some(reader), |reader| async {
        let mut reader = reader?;
        match reader.next().await {
            Ok(Some(bytes)) => Some((Ok(bytes), Some(reader))),
            Ok(None) => None,
            Err(error) => Some((Err(error), None)),
        }
    });
    Ok(stream.boxed())
}

struct Reader {
    incoming: Incoming,
    decoder: Decoder,
    /// Received, not yet decoded.
    waiting: Bytes,
    /// Decoded so far.
    read: u64,
    /// Handed on so far, masks included.
    returned: u64,
    ended: bool,
    lease: Option<Lease>,
    terms: Terms,
}

/// How much is decoded at once: deflate expands a thousandfold at most, so that a bomb is noticed
/// within a mebibyte.
const PIECE: usize = 1024;

/// How much is collected before it is handed on.
const BATCH: usize = 64 * 1024;

impl Reader {
    /// The next part of the body, never empty.
    async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            let decoded = if self.waiting.is_empty() {
                if self.ended {
                    return Ok(None);
                }
                match self.receive().await? {
                    Some(data) => {
                        self.waiting = data;
                        continue;
                    }
                    None => self.finish().await?,
                }
            } else {
                self.decode().await?
            };
            self.returned = self.returned.saturating_add(length(&decoded));
            if self.returned > self.terms.max {
                return Err(self.too_long());
            }
            if !decoded.is_empty() {
                return Ok(Some(decoded));
            }
        }
    }

    async fn receive(&mut self) -> Result<Option<Bytes>> {
        let Terms { target, deadline, .. } = &mut self.terms;
        let host = target.host();
        let frame = deadline.within(self.incoming.frame()).await.ok_or_else(|| late(host))?;
        match frame {
            None => Ok(None),
            Some(Ok(frame)) => Ok(Some(frame.into_data().unwrap_or_default())),
            Some(Err(error)) => Err(cut(host).caused_by(error)),
        }
    }

    /// A part of what waits, masked. What comes as it is is handed on as it is.
    async fn decode(&mut self) -> Result<Bytes> {
        if self.decoder.is_plain() {
            let data = std::mem::take(&mut self.waiting);
            self.count(&data)?;
            return self.masked(data).await;
        }
        let mut out = Vec::new();
        while !self.waiting.is_empty() && out.len() < BATCH {
            let piece = self.waiting.split_to(PIECE.min(self.waiting.len()));
            let mut decoded = self
                .decoder
                .feed(&piece)
                .map_err(|error| cut(self.terms.target.host()).caused_by(error))?;
            self.count(&decoded)?;
            out.append(&mut decoded);
        }
        self.masked(out.into()).await
    }

    async fn masked(&mut self, data: Bytes) -> Result<Bytes> {
        let certain = self.terms.masker.feed(data);
        self.caught_up(certain, |masker| masker.feed(Bytes::new())).await
    }

    /// Goes on in steps, between which others have their turn, and no longer than the call may
    /// take.
    async fn caught_up(
        &mut self,
        certain: Bytes,
        step: impl Fn(&mut Masker) -> Bytes + Send,
    ) -> Result<Bytes> {
        if !self.terms.masker.is_behind() {
            return Ok(certain);
        }
        let mut all = Vec::from(certain);
        while self.terms.masker.is_behind() {
            let turn = self.terms.deadline.within(pin!(tokio::task::yield_now())).await;
            turn.ok_or_else(|| late(self.terms.target.host()))?;
            all.extend_from_slice(&step(&mut self.terms.masker));
        }
        Ok(all.into())
    }

    async fn finish(&mut self) -> Result<Bytes> {
        self.ended = true;
        let decoded = self
            .decoder
            .finish()
            .map_err(|error| cut(self.terms.target.host()).caused_by(error))?;
        self.count(&decoded)?;
        let certain =
            if decoded.is_empty() { Bytes::new() } else { self.masked(decoded.into()).await? };
        let rest = self.terms.masker.finish();
        let rest = self.caught_up(rest, Masker::finish).await?;
        if let Some(lease) = self.lease.take() {
            lease.give_back();
        }
        drop(self.terms.slot.take());
        if certain.is_empty() {
            return Ok(rest);
        }
        Ok([certain, rest].concat().into())
    }

    fn count(&mut self, decoded: &[u8]) -> Result<()> {
        self.read = self.read.saturating_add(length(decoded));
        if self.read > self.terms.max { Err(self.too_long()) } else { Ok(()) }
    }

    fn too_long(&self) -> Error {
        let Terms { target, max, .. } = &self.terms;
        let host = target.host();
        let text = format!("the answer of {host} is longer than the {max} bytes allowed");
        Error::new(Reason::BodyTooLarge, text)
    }
}

fn late(host: &HostPort) -> Error {
    let text = format!("{host} did not finish its answer within the time the call has");
    Error::new(Reason::DeadlineExceeded, text)
}

fn cut(host: &HostPort) -> Error {
    Error::new(Reason::FetchFailed, format!("the answer of {host} broke off; try again"))
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
