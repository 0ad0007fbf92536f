//! The public listener: bounded connections, no delay, graceful drain.

mod places;

use aileron_contract::{Error, Reason, Result, limits};
use axum::{Router, body::Body, extract::Request};
use http_body_util::BodyExt as _;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto::Builder, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt as _;

use places::{Place, Places, Worker};

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
    let places = Places::new(usize::try_from(limits::CONNECTIONS).unwrap_or(1));
    let tracker = TaskTracker::new();
    let drain = Arc::new(GracefulShutdown::new());
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let place = tokio::select! {
                    () = stop.cancelled() => break,
                    place = places.take() => place,
                };
                let Some(place) = place else { break };
                let watcher = drain.watcher();
                let router = router.clone();
                tracker.spawn(connection(stream, peer, router, watcher, place));
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
    place: Place,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no-delay refused");
    }
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(limits::REQUEST_BODY_WALL);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(128);
    let worker = place.worker();
    let service = tower::service_fn(move |request| answer(router.clone(), worker.clone(), request));
    let service = TowerToHyperService::new(service);
    let serving = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    tokio::select! {
        ended = watcher.watch(serving.into_owned()) => {
            if let Err(error) = ended {
                tracing::debug!(%peer, %error, "connection ended");
            }
        }
        () = place.is_needed() => tracing::debug!(%peer, "an idle connection made room"),
    }
}

/// The connection is at work until the answer has left, or nobody wants the rest of it.
async fn answer<B>(
    router: Router,
    worker: Worker,
    request: http::Request<B>,
) -> std::result::Result<axum::response::Response, std::convert::Infallible>
where
    B: axum::body::HttpBody<Data = axum::body::Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    let work = worker.begin();
    let request: Request = request.map(Body::new);
    let response = router.oneshot(request).await?;
    Ok(response.map(|body| {
        // The error's place in the body is as good as any other to keep something.
        Body::new(body.map_err(move |error| {
            let _at_work = &work;
            error
        }))
    }))
}
