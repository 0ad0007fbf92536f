//! HTTPS on loopback with a certificate authority of its own.

use std::sync::Arc;

use aileron_contract::{Error, Result};
use axum::Router;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose};
use rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// A certificate authority that lives as long as the demo.
pub(super) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(super) fn new() -> Result<Self> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.distinguished_name.push(rcgen::DnType::CommonName, "Aileron demo authority");
        let key = KeyPair::generate().map_err(Error::internal)?;
        Ok(Self(CertifiedIssuer::self_signed(params, key).map_err(Error::internal)?))
    }

    pub(super) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A server for `localhost`, HTTP/1.1 and HTTP/2.
    pub(super) fn server(&self) -> Result<TlsAcceptor> {
        let key = KeyPair::generate().map_err(Error::internal)?;
        let params =
            CertificateParams::new(vec!["localhost".to_owned()]).map_err(Error::internal)?;
        let leaf = params.signed_by(&key, &self.0).map_err(Error::internal)?;
        let private = PrivateKeyDer::try_from(key.serialize_der()).map_err(Error::internal)?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(Error::internal)?
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], private)
            .map_err(Error::internal)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

/// Serves until `stop`.
pub(super) async fn serve(
    listener: TcpListener,
    tls: TlsAcceptor,
    router: Router,
    stop: CancellationToken,
) {
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else { continue };
        let (tls, router, stop) = (tls.clone(), router.clone(), stop.clone());
        connections.spawn(async move {
            let Ok(stream) = tls.accept(stream).await else { return };
            let builder = Builder::new(TokioExecutor::new());
            let service = TowerToHyperService::new(router);
            let serving = builder.serve_connection(TokioIo::new(stream), service);
            tokio::select! {
                () = stop.cancelled() => {}
                ended = serving => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, "demo connection ended");
                    }
                }
            }
        });
    }
    connections.close();
    connections.wait().await;
}
