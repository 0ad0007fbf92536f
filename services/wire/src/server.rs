//! Serves contracts to other processes of the same runtime.

use std::{future::Future, io, sync::Arc};

use aileron_contract::{Error, Reason, Result, Secret, limits};
use futures::Stream;
use tokio::io::{AsyncRead, AsyncWrite};
use tonic::{
    Request, Status,
    service::{Interceptor, InterceptorLayer, Routes},
    transport::server::{Connected, Server as Transport},
};

use crate::{
    access, audit, bindings,
    closing::Closing,
    custody, egress, executor,
    listener::Listener,
    packages, publishers, sessions,
    tls::{self, Peers},
    token::ServiceToken,
    vault,
};

/// Contracts to serve, and the token every call must carry. A contract that was not added is not
/// offered.
#[derive(Debug)]
pub struct Server {
    token: Secret,
    routes: Routes,
}

impl Server {
    /// Offers nothing yet. The token is checked when serving begins: `config_invalid` when it is
    /// too short to be one.
    pub fn new(token: Secret) -> Self {
        Self { token, routes: Routes::default() }
    }

    /// Offers the vault.
    #[must_use]
    pub fn vault(mut self, handle: aileron_contract::vault::Handle) -> Self {
        self.routes = self.routes.add_service(vault::serve(handle));
        self
    }

    /// Offers person sessions and tokens.
    #[must_use]
    pub fn access(mut self, handle: aileron_contract::access::Handle) -> Self {
        self.routes = self.routes.add_service(access::serve(handle));
        self
    }

    /// Offers what leaves the vault on purpose, and the ways back in.
    #[must_use]
    pub fn custody(mut self, handle: aileron_contract::custody::Handle) -> Self {
        self.routes = self.routes.add_service(custody::serve(handle));
        self
    }

    /// Offers setups at a provider, and the end of bindings.
    #[must_use]
    pub fn bindings(mut self, handle: aileron_contract::bindings::Handle) -> Self {
        self.routes = self.routes.add_service(bindings::serve(handle));
        self
    }

    /// Offers the way out.
    #[must_use]
    pub fn egress(mut self, handle: aileron_contract::egress::Handle) -> Self {
        self.routes = self.routes.add_service(egress::serve(handle));
        self
    }

    /// Offers actions, runs and approvals.
    #[must_use]
    pub fn executor(mut self, handle: aileron_contract::executor::Handle) -> Self {
        self.routes = self.routes.add_service(executor::serve(handle));
        self
    }

    /// Offers installing.
    #[must_use]
    pub fn packages(mut self, handle: aileron_contract::packages::Handle) -> Self {
        self.routes = self.routes.add_service(packages::serve(handle));
        self
    }

    /// Offers whom persons trust, and the Hub.
    #[must_use]
    pub fn publishers(mut self, handle: aileron_contract::publishers::Handle) -> Self {
        self.routes = self.routes.add_service(publishers::serve(handle));
        self
    }

    /// Offers agent sessions.
    #[must_use]
    pub fn sessions(mut self, handle: aileron_contract::sessions::Handle) -> Self {
        self.routes = self.routes.add_service(sessions::serve(handle));
        self
    }

    /// Offers the log.
    #[must_use]
    pub fn audit(mut self, handle: aileron_contract::audit::Handle) -> Self {
        self.routes = self.routes.add_service(audit::serve(handle));
        self
    }

    /// Serves until `shutdown`, then lets calls under way finish for a while
    /// (`limits::DRAIN_WALL`); what is left is answered with `shutting_down`.
    pub async fn serve(
        self,
        listener: Listener,
        shutdown: impl Future<Output = ()> + Send,
    ) -> Result<()> {
        self.run(transport(), listener, None, shutdown).await
    }

    /// The same over TCP with mutual TLS: only peers whose certificate names one of the
    /// listener's roles are answered.
    pub async fn serve_tls(
        self,
        listener: tls::Listener,
        shutdown: impl Future<Output = ()> + Send,
    ) -> Result<()> {
        let (incoming, config, peers) = listener.into_parts();
        let transport = transport().tls_config(config).map_err(Error::internal)?;
        self.run(transport, incoming, Some(peers), shutdown).await
    }

    async fn run<I, C>(
        self,
        transport: Transport,
        incoming: I,
        peers: Option<Peers>,
        shutdown: impl Future<Output = ()> + Send,
    ) -> Result<()>
    where
        I: Stream<Item = io::Result<C>> + Send,
        C: AsyncRead + AsyncWrite + Connected + Unpin + Send + 'static,
    {
        let closing = Closing::default();
        let token = Arc::new(ServiceToken::new(self.token)?);
        let gate = Gate { token, peers, closing: closing.clone() };
        let stopping = closing.clone();
        let signal = async move {
            shutdown.await;
            stopping.begun.cancel();
        };
        let serving = transport
            .layer(InterceptorLayer::new(gate))
            .add_routes(self.routes)
            .serve_with_incoming_shutdown(incoming, signal);
        let result = tokio::select! {
            result = serving => result,
            result = farewell(&closing) => result,
        };
        result.map_err(|error| {
            Error::new(Reason::ServiceUnavailable, "serving other processes ended unexpectedly")
                .caused_by(error)
        })
    }
}

/// Ends calls that outlast the drain; a connection that is not closed even then is left behind.
async fn farewell(closing: &Closing) -> std::result::Result<(), tonic::transport::Error> {
    closing.begun.cancelled().await;
    tokio::time::sleep(limits::DRAIN_WALL).await;
    closing.overdue.cancel();
    tokio::time::sleep(limits::DEADLINE_GRACE).await;
    Ok(())
}

fn transport() -> Transport {
    Transport::builder()
        .max_concurrent_streams(limits::SERVICE_CALLS)
        .http2_keepalive_interval(Some(limits::SERVICE_KEEPALIVE))
        .http2_keepalive_timeout(Some(limits::SERVICE_KEEPALIVE))
        .http2_max_header_list_size(limits::SERVICE_HEADERS)
        .initial_stream_window_size(limits::SERVICE_STREAM_WINDOW)
        .initial_connection_window_size(limits::SERVICE_CONNECTION_WINDOW)
}

/// Passes calls that carry the service token and, over TLS, come from an expected peer.
#[derive(Clone)]
struct Gate {
    token: Arc<ServiceToken>,
    peers: Option<Peers>,
    closing: Closing,
}

impl Interceptor for Gate {
    fn call(&mut self, mut request: Request<()>) -> std::result::Result<Request<()>, Status> {
        if let Some(peers) = &self.peers
            && !peers.admit(request.peer_certs().as_deref().map_or(&[], Vec::as_slice))
        {
            tracing::warn!("refused a call: the peer's certificate names no expected role");
            return Err(Status::permission_denied("the certificate names no expected role"));
        }
        if !self.token.admits(request.metadata()) {
            tracing::warn!("refused a call without the service token");
            return Err(Status::unauthenticated("the service token is missing or wrong"));
        }
        request.extensions_mut().insert(self.closing.clone());
        Ok(request)
    }
}
