//! One connection of either version, and a request as each of them writes it.

use aileron_contract::limits;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, Version, header};
use http_body_util::Full;
use hyper::{
    body::Incoming,
    client::conn::{TrySendError, http1, http2},
    rt::{Executor, Read, Write},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::egress::{problem::Problem, target::Target};

/// Where the tasks that drive connections run, and what ends them.
#[derive(Clone)]
pub(crate) struct Tasks {
    pub(crate) tracker: TaskTracker,
    pub(crate) stop: CancellationToken,
}

impl Tasks {
    fn drive<E: std::fmt::Display>(
        &self,
        work: impl Future<Output = Result<(), E>> + Send + 'static,
    ) {
        self.run(async move {
            if let Err(error) = work.await {
                tracing::debug!(%error, "a connection ended");
            }
        });
    }

    /// Until it is done, or the house shuts down.
    pub(crate) fn run(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tracker.spawn(async move {
            tokio::select! {
                biased;
                () = work => {}
                () = stop.cancelled() => {}
            }
        });
    }
}

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Tasks {
    fn execute(&self, work: F) {
        self.run(work);
    }
}

/// An open connection.
pub(crate) enum Connection {
    First(http1::SendRequest<Full<Bytes>>),
    Second(http2::SendRequest<Full<Bytes>>),
}

/// Why there is no answer, and whether the request was still in our hands.
pub(crate) enum Lost {
    Unsent(hyper::Error),
    Sent(hyper::Error),
}

impl Connection {
    /// HTTP/1.1.
    pub(crate) async fn first<S>(stream: S, tasks: &Tasks) -> hyper::Result<Self>
    where
        S: Read + Write + Unpin + Send + 'static,
    {
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(limits::EGRESS_RESPONSE_HEAD)
            .handshake(stream)
            .await?;
        tasks.drive(connection);
        Ok(Self::First(sender))
    }

    /// HTTP/2.
    pub(crate) async fn second<S>(stream: S, tasks: &Tasks) -> hyper::Result<Self>
    where
        S: Read + Write + Unpin + Send + 'static,
    {
        let head = u32::try_from(limits::EGRESS_RESPONSE_HEAD).unwrap_or(u32::MAX);
        let (sender, connection) =
            http2::Builder::new(tasks.clone()).max_header_list_size(head).handshake(stream).await?;
        tasks.drive(connection);
        Ok(Self::Second(sender))
    }

    pub(crate) async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, Lost> {
        let sent = match self {
            Self::First(sender) => sender.try_send_request(request).await,
            Self::Second(sender) => sender.try_send_request(request).await,
        };
        sent.map_err(|mut error: TrySendError<_>| match error.take_message() {
            Some(_) => Lost::Unsent(error.into_error()),
            None => Lost::Sent(error.into_error()),
        })
    }

    pub(crate) fn is_closed(&self) -> bool {
        match self {
            Self::First(sender) => sender.is_closed(),
            Self::Second(sender) => sender.is_closed(),
        }
    }

    /// Waits until another request can be sent; false when none can.
    pub(crate) async fn ready(&mut self) -> bool {
        match self {
            Self::First(sender) => sender.ready().await.is_ok(),
            Self::Second(sender) => sender.ready().await.is_ok(),
        }
    }

    /// Does it serve several requests at once?
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self, Self::Second(_))
    }

    /// Another hold on the same connection, where it serves several requests at once.
    pub(crate) fn shared(&self) -> Option<Self> {
        match self {
            Self::First(_) => None,
            Self::Second(sender) => Some(Self::Second(sender.clone())),
        }
    }
}

/// A request that is ready to leave.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) method: Method,
    pub(crate) target: Target,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Draft {
    /// The request as this connection's version writes it.
    pub(crate) fn request(&self, connection: &Connection) -> Result<Request<Full<Bytes>>, Problem> {
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.headers_mut() = self.headers.clone();
        match connection {
            Connection::First(_) => {
                *request.uri_mut() = self.target.origin_form()?;
                let host = HeaderValue::from_maybe_shared(Bytes::from(self.target.authority()))
                    .map_err(|_| Problem::Malformed("the host is no header value".to_owned()))?;
                request.headers_mut().insert(header::HOST, host);
                let expected = [Method::POST, Method::PUT, Method::PATCH].contains(&self.method);
                if expected && self.body.is_empty() {
                    // Some servers refuse a body they are not told to be empty.
                    request.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(0));
                }
            }
            Connection::Second(_) => {
                *request.version_mut() = Version::HTTP_2;
                *request.uri_mut() = self.target.absolute_form()?;
            }
        }
        Ok(request)
    }
}
