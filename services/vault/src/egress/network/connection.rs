//! One connection of either version, and a request as each of them writes it.

use aileron_contract::limits;
use bytes::Bytes;
use futures::{FutureExt as _, future::Either};
use http::{HeaderMap, HeaderValue, Method, Request, Response, Version, header};
use http_body_util::Full;
use hyper::{
    body::Incoming,
    client::conn::{TrySendError, http1, http2},
    rt::{Read, Write},
};

use super::tasks::Tasks;
use crate::egress::{problem::Problem, target::Target};

/// How much of an answer HTTP/1.1 takes at once: each part of a body is a turn of two tasks.
const BUFFER: usize = 256 * 1024;

/// An open connection.
pub(crate) enum Connection {
    First(http1::SendRequest<Full<Bytes>>),
    Second(http2::SendRequest<Full<Bytes>>),
}

/// Why there is no answer, and whether the request was still in our hands.
pub(crate) enum Lost {
    Unsent(hyper::Error, Box<Request<Full<Bytes>>>),
    Sent(hyper::Error),
    /// There is one, with more before its body than anybody needs.
    Head,
}

impl Connection {
    /// HTTP/1.1.
    pub(crate) async fn first<S>(stream: S, tasks: &Tasks) -> hyper::Result<Self>
    where
        S: Read + Write + Unpin + Send + 'static,
    {
        let (sender, connection) =
            http1::Builder::new().max_buf_size(BUFFER).handshake(stream).await?;
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

    /// No `async fn`: a request would lie in its future as often as it is handed on.
    pub(crate) fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> impl Future<Output = Result<Response<Incoming>, Lost>> + use<> {
        let sent = match self {
            Self::First(sender) => Either::Left(sender.try_send_request(request)),
            Self::Second(sender) => Either::Right(sender.try_send_request(request)),
        };
        sent.map(answered)
    }

    pub(crate) fn is_closed(&self) -> bool {
        match self {
            Self::First(sender) => sender.is_closed(),
            Self::Second(sender) => sender.is_closed(),
        }
    }

    /// Can another request be sent at once?
    pub(crate) fn is_ready(&self) -> bool {
        match self {
            Self::First(sender) => sender.is_ready(),
            Self::Second(sender) => sender.is_ready(),
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

type Unsent = TrySendError<Request<Full<Bytes>>>;

fn answered(sent: Result<Response<Incoming>, Unsent>) -> Result<Response<Incoming>, Lost> {
    let answer = sent.map_err(|mut error| match error.take_message() {
        Some(request) => Lost::Unsent(error.into_error(), Box::new(request)),
        None => Lost::Sent(error.into_error()),
    })?;
    if size(answer.headers()) > limits::EGRESS_RESPONSE_HEAD {
        return Err(Lost::Head);
    }
    Ok(answer)
}

/// As HTTP/1.1 writes them.
fn size(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum()
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
    /// The request as this connection's version writes it; it takes the headers along.
    pub(crate) fn request(
        &mut self,
        connection: &Connection,
    ) -> Result<Request<Full<Bytes>>, Problem> {
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.headers_mut() = std::mem::take(&mut self.headers);
        match connection {
            Connection::First(_) => {
                *request.uri_mut() = self.target.origin_form()?;
                request.headers_mut().insert(header::HOST, self.target.host_header()?);
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

    /// A request that did not leave gives the headers back, without what its version added.
    pub(crate) fn take_back(&mut self, unsent: Request<Full<Bytes>>) {
        self.headers = unsent.into_parts().0.headers;
        self.headers.remove(header::HOST);
        self.headers.remove(header::CONTENT_LENGTH);
    }
}

#[cfg(test)]
mod tests {
    use hyper_util::rt::TokioIo;

    use super::*;

    #[tokio::test]
    async fn a_request_that_did_not_leave_is_written_again_as_it_was() {
        let tasks = Tasks::default();
        let [(first, _upstream), (second, _other)] = [(); 2].map(|()| tokio::io::duplex(4096));
        let first = Connection::first(TokioIo::new(first), &tasks).await.unwrap();
        let second = Connection::second(TokioIo::new(second), &tasks).await.unwrap();
        let mut draft = Draft {
            method: Method::POST,
            target: Target::parse("https://example.com/a?b").unwrap(),
            headers: HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static("*/*"))]),
            body: Bytes::new(),
        };
        for connection in [&first, &second, &first] {
            let request = draft.request(connection).unwrap();
            assert_eq!(request.headers().get(header::ACCEPT).unwrap(), "*/*");
            assert_eq!(request.headers().contains_key(header::HOST), !connection.is_shared());
            draft.take_back(request);
            assert_eq!(draft.headers.len(), 1);
        }
    }
}
