//! A caller's connection to a service: made with the first call, made again when it was lost.

use std::{
    io,
    path::{Path, PathBuf},
};

use aileron_contract::{Error, Reason, Result, Secret, limits};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tonic::{
    metadata::{Ascii, MetadataValue},
    transport::{Endpoint, Uri},
};
use tower::service_fn;

use crate::{listener::same_user, token::ServiceToken};

/// A connection with the token it is used with. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Channel {
    transport: tonic::transport::Channel,
    token: MetadataValue<Ascii>,
}

impl Channel {
    pub(crate) fn new(transport: tonic::transport::Channel, token: Secret) -> Result<Self> {
        Ok(Self { transport, token: ServiceToken::new(token)?.header()? })
    }

    pub(crate) fn transport(&self) -> tonic::transport::Channel {
        self.transport.clone()
    }

    pub(crate) fn token(&self) -> &MetadataValue<Ascii> {
        &self.token
    }
}

/// A channel to the service behind a Unix socket. Nothing is dialled before the first call; while
/// nobody listens, calls fail at once with `service_unavailable`, and recover by themselves. The
/// listener must run as our own user, or the token is not shown to it.
///
/// Needs a running tokio runtime.
pub fn connect(path: &Path, token: Secret) -> Result<Channel> {
    let path: PathBuf = path.to_owned();
    let dial = service_fn(move |_: Uri| {
        let path = path.clone();
        async move { dial(&path).await.map(TokioIo::new) }
    });
    // The address names no host: the socket is the address.
    let endpoint = tuned(Endpoint::from_static("http://aileron"));
    Channel::new(endpoint.connect_with_connector_lazy(dial), token)
}

/// Settings of every connection between services.
pub(crate) fn tuned(endpoint: Endpoint) -> Endpoint {
    endpoint
        .connect_timeout(limits::SERVICE_CONNECT_WALL)
        .http2_keep_alive_interval(limits::SERVICE_KEEPALIVE)
        .keep_alive_timeout(limits::SERVICE_KEEPALIVE)
        .http2_max_header_list_size(limits::SERVICE_HEADERS)
        .initial_stream_window_size(limits::SERVICE_STREAM_WINDOW)
        .initial_connection_window_size(limits::SERVICE_CONNECTION_WINDOW)
        .tcp_nodelay(true)
}

async fn dial(path: &Path) -> io::Result<UnixStream> {
    let stream = UnixStream::connect(path).await?;
    if same_user(stream.peer_cred()?.uid()) {
        return Ok(stream);
    }
    Err(io::Error::new(io::ErrorKind::PermissionDenied, "another user listens on the socket"))
}

/// A configuration that names no reachable place.
pub(crate) fn unusable(what: impl Into<Box<str>>) -> Error {
    Error::new(Reason::ConfigInvalid, what)
}
