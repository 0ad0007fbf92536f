//! The public listener: bounded connections, no delay, graceful drain.

use aileron_contract::{Error, Reason, Result, limits};
use axum::Router;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto::Builder, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(crate) async fn bind(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        Error::new(
            Reason::ConfigInvalid,
            format!("cannot listen on {address}: choose another address with --listen"),
        )
        .caused_by(error)
    })
}

/// Serves until `stop`, then waits for requests under way, no longer than the drain limit.
pub(crate) async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(usize::try_from(limits::CONNECTIONS).unwrap_or(1)));
    let tracker = TaskTracker::new();
    let drain = Arc::new(GracefulShutdown::new());
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { break };
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let watcher = drain.watcher();
                let router = router.clone();
                tracker.spawn(async move {
                    connection(stream, peer, router, watcher).await;
                    drop(place);
                });
            }
            Err(error) => {
                // Out of file descriptors, most likely: the loop must not spin on it.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    tracker.close();
    if let Some(drain) = Arc::into_inner(drain) {
        let drained = timeout(limits::DRAIN_WALL, drain.shutdown()).await;
        if drained.is_err() {
            tracing::warn!("requests still under way were cut at shutdown");
        }
    }
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    watcher: hyper_util::server::graceful::Watcher,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no-delay refused");
    }
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(limits::REQUEST_BODY_WALL);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(128);
    let service = TowerToHyperService::new(router);
    let serving = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(serving.into_owned()).await {
        tracing::debug!(%peer, %error, "connection ended");
    }
}
