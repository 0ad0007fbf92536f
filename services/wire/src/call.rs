//! The two sides of one call: [`Link`] asks, [`Call`] answers.

use std::{error::Error as StdError, future::Future, time::Duration};

use aileron_contract::{Context, Error, Kind, Result, Timestamp, limits};
use futures::{Stream, StreamExt, future::ready, stream, stream::BoxStream};
use opentelemetry::context::FutureExt as _;
use prost::Message;
use tokio::time::{Instant, timeout_at};
use tonic::{Request, Response, Status, Streaming};
use tracing::Instrument as _;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::{
    channel::Channel,
    closing::{Closing, shutting_down, until},
    message::{Wire, read},
    status::{cut, error_from_status, late, status_from_error, too_large, unknown},
    token, trace,
};

/// What a server method returns.
pub(crate) type Answer<T> = std::result::Result<Response<T>, Status>;

/// What a streaming server method streams.
pub(crate) type Frames<F> = BoxStream<'static, std::result::Result<F, Status>>;

/// One call as a service receives it.
pub(crate) struct Call {
    method: &'static str,
    closing: Closing,
    parent: Option<opentelemetry::Context>,
}

impl Call {
    pub(crate) fn begin<M>(method: &'static str, request: Request<M>) -> (Self, M) {
        let (metadata, extensions, message) = request.into_parts();
        let closing = extensions.get::<Closing>().cloned().unwrap_or_default();
        (Self { method, closing, parent: trace::extract(&metadata) }, message)
    }

    /// Does the work inside a span that continues the caller's trace. A service that stops waits
    /// for it, though not for ever.
    pub(crate) async fn answer<T>(self, work: impl Future<Output = Result<T>> + Send) -> Answer<T> {
        let Self { method, closing, parent } = self;
        let span = tracing::info_span!(
            "rpc",
            otel.name = method,
            otel.kind = "server",
            rpc.system = "grpc",
            rpc.method = method
        );
        if let Some(parent) = parent.clone()
            && let Err(error) = span.set_parent(parent)
        {
            tracing::trace!(%error, "the span cannot continue the caller's trace");
        }
        let parent = parent.unwrap_or_else(opentelemetry::Context::current);
        let work = Box::pin(work).with_context(parent).instrument(span);
        let result = tokio::select! {
            result = work => result,
            () = closing.overdue.cancelled() => Err(shutting_down()),
        };
        result.map(Response::new).map_err(|error| refused(method, &error))
    }

    /// How the frames of this call's answer end; taken before [`answer`](Self::answer).
    pub(crate) fn ending(&self) -> Ending {
        Ending { method: self.method, closing: self.closing.clone() }
    }
}

/// How a stream of frames ends: with its own last frame when it came to its end, with an error
/// when it failed or the service stops.
pub(crate) struct Ending {
    method: &'static str,
    closing: Closing,
}

impl Ending {
    /// A stream with an end may still reach it while the service stops.
    pub(crate) fn finite<F: Send + 'static>(
        self,
        frames: impl Stream<Item = Result<F>> + Send + 'static,
        end: F,
    ) -> Frames<F> {
        let stop = self.closing.overdue.clone();
        until(stop, self.ended(frames, end))
    }

    /// A stream without an end is ended as soon as the service begins to stop.
    pub(crate) fn endless<F: Send + 'static>(
        self,
        frames: impl Stream<Item = Result<F>> + Send + 'static,
        end: F,
    ) -> Frames<F> {
        let stop = self.closing.begun.clone();
        until(stop, self.ended(frames, end))
    }

    fn ended<F: Send + 'static>(
        self,
        frames: impl Stream<Item = Result<F>> + Send + 'static,
        end: F,
    ) -> impl Stream<Item = std::result::Result<F, Status>> + Send + 'static {
        let method = self.method;
        frames
            .map(move |frame| frame.map_err(|error| refused(method, &error)))
            .chain(stream::once(ready(Ok(end))))
    }
}

/// An error on its way out. What must not leave is logged here.
fn refused(method: &'static str, error: &Error) -> Status {
    if error.kind() == Kind::Internal {
        tracing::error!(method, error = %Chain(error), "call failed");
    }
    status_from_error(error)
}

/// An error with its causes.
struct Chain<'a>(&'a Error);

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

/// A caller's way to one service.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) channel: Channel,
    pub(crate) service: &'static str,
}

impl Link {
    /// A request of one message, unless the message is larger than the service would read.
    pub(crate) fn request<M: Message>(&self, message: M) -> Result<Request<M>> {
        self.fits(&message)?;
        Ok(self.stream(message))
    }

    pub(crate) fn fits<M: Message>(&self, message: &M) -> Result<()> {
        self.fits_in(message, limits::MESSAGE)
    }

    /// For a service that reads messages up to `limit`.
    pub(crate) fn fits_in<M: Message>(&self, message: &M, limit: usize) -> Result<()> {
        if message.encoded_len() > limit {
            return Err(too_large(self.service));
        }
        Ok(())
    }

    /// A request with what travels as metadata: this process's token and the trace.
    pub(crate) fn stream<S>(&self, messages: S) -> Request<S> {
        let mut request = Request::new(messages);
        token::present(request.metadata_mut(), self.channel.token());
        trace::inject(request.metadata_mut());
        request
    }

    /// Until when the answer is awaited: the context's deadline or `longest` from now, whichever
    /// comes first, and a little longer, so that the service's own answer can arrive.
    pub(crate) fn until(
        &self,
        context: &Context,
        longest: Option<Duration>,
    ) -> Result<Option<Instant>> {
        let now = Timestamp::now();
        let left = match context.deadline {
            None => None,
            Some(deadline) if deadline <= now => return Err(late(self.service)),
            Some(deadline) => Some(deadline.duration_since(now).unsigned_abs()),
        };
        let shortest = match (left, longest) {
            (Some(left), Some(longest)) => Some(left.min(longest)),
            (left, longest) => left.or(longest),
        };
        // A time too far away to be expressed is no deadline.
        Ok(shortest
            .and_then(|wait| Instant::now().checked_add(wait.checked_add(limits::DEADLINE_GRACE)?)))
    }

    /// Waits for an answer.
    pub(crate) async fn wait<T>(
        &self,
        until: Option<Instant>,
        call: impl Future<Output = std::result::Result<Response<T>, Status>> + Send,
    ) -> Result<T> {
        let call = Box::pin(call);
        let answer = match until {
            Some(until) => timeout_at(until, call).await.map_err(|_| late(self.service))?,
            None => call.await,
        };
        answer.map(Response::into_inner).map_err(|status| error_from_status(self.service, status))
    }

    /// One whole call with one answer.
    pub(crate) async fn call<T>(
        &self,
        context: &Context,
        call: impl Future<Output = std::result::Result<Response<T>, Status>> + Send,
    ) -> Result<T> {
        let until = self.until(context, None)?;
        self.wait(until, call).await
    }

    /// The next frame. Streams say when they end: one that merely stops was cut.
    pub(crate) async fn frame<F>(
        &self,
        until: Option<Instant>,
        frames: &mut Streaming<F>,
    ) -> Result<F> {
        let next = match until {
            Some(until) => {
                timeout_at(until, frames.message()).await.map_err(|_| late(self.service))?
            }
            None => frames.message().await,
        };
        next.map_err(|status| error_from_status(self.service, status))?
            .ok_or_else(|| cut(self.service))
    }

    /// What a service answered.
    pub(crate) fn read<T: Wire<M>, M>(&self, message: M, field: &'static str) -> Result<T> {
        self.understood(read(message, field))
    }

    /// What was read of a service's answer. That it cannot be read is not the caller's fault.
    pub(crate) fn understood<T>(&self, converted: Result<T>) -> Result<T> {
        converted.map_err(|error| unknown(self.service).caused_by(error))
    }
}
